"""`augment`: synthetic samples as files."""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import Executor
from pathlib import Path
from typing import Any

from ganaug.data.outputs import require_outside
from ganaug.data.passed_over import none_of, warn_of_passed_over
from ganaug.data.sources.ours import SHARDS
from ganaug.data.sources.source import ImageSource, open_source, refuse_idle
from ganaug.defaults import usual_defaults
from ganaug.errors import OptionError
from ganaug.generator.folder import Fitted
from ganaug.options import Reading, at_least, merged
from ganaug.reporting import Report, silent
from ganaug.samples.blocks import BLOCK
from ganaug.samples.enlarged import warn_of_enlarged
from ganaug.samples.exports import format_for
from ganaug.samples.exports.folder import warn_of_numbers
from ganaug.samples.exports.formats import Format, Items, Wanted, put
from ganaug.samples.plan import Plan, require_counts
from ganaug.samples.planned import Planned
from ganaug.samples.pool import served
from ganaug.samples.run import Loadable, as_loaded
from ganaug.samples.shards import Shards, in_executor
from ganaug.samples.verdict import refuse_harmful, warn_of_no_evidence


@usual_defaults()
def augment(
    run: Loadable,
    plan: Plan,
    out: str | Path,
    *,
    seed: int = 0,
    device: str = "cpu",
    truncation: float | None = None,
    data: Any = None,
    pairs: Any = None,
    with_real: Any = None,
    format: str | None = None,
    shards: int | None = None,
    shard: int | None = None,
    executor: Executor | None = None,
    force: bool = False,
    report: Report = silent,
    reading: Reading | None = None,
    **given: Any,
) -> Path:
    """Write synthetic samples of each class to files.

    Images become PNG files in the mode and size of the real ones, in a folder that torchvision, timm and Hugging Face
    read, or in a tar or Parquet file, or in shards of these. Rows of a table become a CSV file with its columns, order,
    forms and delimiter, series an .npz file with x_train, y_train and classes. A format of your own is one function
    (`ganaug.samples.exports`).

    Parameters
    ----------
    run : str, path, Run or Fitted
        A run folder, or what `ganaug.load` gives.
    plan : dict of str to int
        Class name -> how many. Of a class that a choice (`ganaug.choose`) withholds, none are written.
    out : str or path
        The file or folder, which must not exist or be empty. It appears at once, when everything is in it; an
        interruption leaves nothing behind. Shards appear one by one in a folder.
    seed : int, default 0
        Of all random numbers. The same run, plan and seed give the same bytes, on one kind of machine and build of
        torch.
    device : str, default "cpu"
        Where the generator runs.
    truncation : float, optional
        Draw latents within this bound, above 0 (`Prior.draw`): more typical and less varied images.
    data : any source, optional
        The images to start from, for a generator that translates images. The metadata then name the image that each was
        made from.
    pairs : path or array, optional
        The paired images of `data`, where the generator learned from pairs.
    with_real : any source, optional
        Real images that are written beside the synthetic ones: then the folder is a training set by itself.
    format : {"png", "tar", "parquet", "csv", "npz"}, optional
        "png", "tar" or "parquet" for images, "csv" for rows, "npz" for series; by default what the name of `out` asks
        for.
    shards : int, optional
        Write so many shards into the folder `out`, each with the same bytes whoever makes it, alone or with others.
        Shards that are whole are kept, missing and damaged ones are made again. Manifests list the SHA-256 of all
        files.
    shard : int, optional
        Make this shard alone, counted from 0; by default all that are missing.
    executor : concurrent.futures.Executor, optional
        Makes the shards, each by itself: a `ProcessPoolExecutor`, or that of a cluster whose machines see `run` and
        `out` under the same paths. By default they are made one after the other.
    force : bool, default False
        Write images of a run whose verdict is "harms".
    report : callable, optional
        Called as `report(phase, done, total, text)`.
    reading : Reading, optional
        How `with_real` is read.
    **given
        Fields of `Reading` by name.

    Returns
    -------
    Path
        The file or folder.

    Raises
    ------
    OutputInUseError
        `out` exists and is not an empty folder, holds other shards, or is being written by another process.
    DiskFullError, UnwritableError
        There is no room, or no right, to write it.
    LabelMismatchError
        The plan names a class that the generator does not know.
    OptionError
        The plan is without images, `out` lies in a folder of data (given, or with class folders of the generator's
        names), or there are no such shards.
    HarmfulError
        The verdict is "harms", without `force`.
    MissingPackageError
        Parquet without pyarrow.
    ExecutorError
        The executor lost its workers; the shards that are whole are kept.

    Warns
    -----
    UnreadableWarning
        Real images are not written beside them: they cannot be read, or lie behind links that are not followed.
    EnlargedWarning
        The real images are far larger than what the generator makes, unless a bench at such a size found that its
        images help.
    NoEvidenceWarning
        A bench found nothing.
    NumberingWarning
        Whoever reads the folder numbers the classes in another way than for the real images.

    Notes
    -----
    In a folder, a class name that is a safe folder name is used as it is (spaces kept), others are escaped.
    Each line of `metadata.jsonl` holds file_name, class, seed, index and the generator's hash: what it takes to make
    the image again. Hugging Face's `load_dataset("imagefolder", data_dir=...)` gives these as columns;
    `.class_encode_column("class")` turns the names into labels. Whoever reads a folder numbers the classes that have
    images. So that no number differs from that of the real images, each class that the plan names gets one image at
    least, also where it names 0.

    A tar file follows the convention of WebDataset (KEY.png, KEY.cls, KEY.json); a Parquet file has the columns image
    and label as Hugging Face's `datasets` knows them. Both number the classes in the order of `run.classes`, and hold
    items of all classes by turns.

    Examples
    --------
    >>> import ganaug
    >>> run = ganaug.Run("runs/digits")
    >>> folder = ganaug.augment(run, {name: 2 for name in run.classes}, "synthetic")
    >>> len(list(folder.glob("*/*.png")))
    20
    """
    require_counts(plan)
    fitted, out = as_loaded(run), Path(out)
    begun = shards is not None and (out / SHARDS).is_file()  # then it holds images of classes already
    require_outside(out, data, pairs, with_real, classes=() if begun else fitted.card.classes)
    fitted.refuse_idle(pairs=pairs, truncation=truncation)
    if with_real is None:
        refuse_idle(merged(Reading, reading, given), (), "samples alone, without real images beside them")
    refuse_harmful(fitted, force)
    fitted.places(plan)
    plan = served(fitted, plan)
    if sum(plan.values()) < 1 or min(plan.values()) < 0:
        raise OptionError("The plan asks for nothing.", "Every class is full already, or the number is 0.")
    kind = format_for(fitted, out, format)
    _require_shards(kind, shards, shard, executor, with_real)
    if with_real is not None and not kind.numbered:
        raise OptionError("Real items are written beside synthetic ones into a folder only.", "Leave out --with-real.")
    real = None if with_real is None else open_source(with_real, reading, report=report, **given)
    if real is not None:
        if not len(real):
            raise none_of(real, "the real ones")
        warn_of_passed_over(real, "the real ones", "in the folder", 3)
    plan = {name: n for name, n in (plan if real else complete(fitted, plan, kind)).items() if n}
    planned = Planned(fitted, plan, seed, device=device, truncation=truncation, data=data, pairs=pairs, report=report)
    warn_of_enlarged(fitted, depth=3)
    warn_of_no_evidence(fitted, depth=3)
    if shards is None:
        put(_wanted(planned, planned.items(mixed=kind.mixed), sum(plan.values()), real, report), kind, out)
    else:
        _require_room(planned, shards)
        place = Shards(out, kind, shards, planned.identity)
        place.claim()
        if executor is not None:
            how = {"seed": seed, "device": device, "truncation": truncation, "data": data, "pairs": pairs}
            in_executor(executor, _make_shard, shards, (run, plan, out, kind.name, shards, how), report)
        else:
            for number in range(shards) if shard is None else [shard]:
                _complete_shard(place, planned, number, report)
    if kind.numbered and real is None:
        warn_of_numbers(fitted.card, plan, out, depth=3)
    return out


def complete(fitted: Fitted, plan: Plan, kind: Format) -> Plan:
    """The plan, in which no class that is served has 0 where that would change the numbers of the others."""
    if not kind.numbered:
        return plan
    return {name: n or int(fitted.serves(name)) for name, n in plan.items()}


def _wanted(planned: Planned, items: Iterable[Items], total: int, real: ImageSource | None, report: Report) -> Wanted:
    fitted, seed, truncation = planned.fitted, planned.seed, planned.truncation
    return Wanted(fitted, planned.plan, items, total, planned.made_from, seed, truncation, real, report)


def _require_shards(
    kind: Format, shards: int | None, shard: int | None, executor: Executor | None, with_real: Any
) -> None:
    """Raises OptionError for shards that there cannot be, and for what would change nothing without them."""
    if shards is None:
        if shard is not None or executor is not None:
            raise OptionError("A shard is one of several.", "Say how many: --shards N (shards=N).")
        return
    if kind.kind != "images":
        raise OptionError(f"Shards are of images, and these are {kind.kind}.", "Leave out --shards (shards=).")
    if with_real is not None:
        raise OptionError("Real images are not written into shards.", "Leave out --with-real or --shards.")
    at_least("shards", shards, 1)
    if shard is not None and not 0 <= shard < shards:
        fix = f"They are numbered from 0 to {shards - 1} (sbatch --array=0-{shards - 1})."
        raise OptionError(f"There is no shard {shard} of {shards}.", fix)
    if executor is not None and shard is not None:
        raise OptionError("An executor makes all shards, not one of them.", "Leave out shard= or executor=.")
    if executor is not None and not isinstance(executor, Executor):
        cause = f"executor is a {type(executor).__name__}, no concurrent.futures.Executor."
        raise OptionError(cause, "Give a ProcessPoolExecutor, or what your cluster has in its place.")


def _require_room(planned: Planned, shards: int) -> None:
    if shards > planned.blocks:
        total = sum(planned.plan.values())
        cause = f"{total} images do not fill {shards} shards: a shard has {BLOCK} of a class at least, or all of them."
        raise OptionError(cause, f"Ask for {planned.blocks} shards at most, or for more images.")


def _complete_shard(place: Shards, planned: Planned, number: int, report: Report) -> None:
    """Make a shard, unless it is whole."""
    place.claim()
    if place.whole(number):
        report("shards", number + 1, place.count, "kept: it is whole")
        return
    items = planned.items(mixed=True, shard=number, shards=place.count)
    place.make(number, _wanted(planned, items, planned.count(number, place.count), None, report))
    report("shards", number + 1, place.count, "made")


@usual_defaults()
def _make_shard(run: Loadable, plan: Plan, out: Path, named: str, shards: int, how: dict[str, Any], shard: int) -> None:
    """What a worker of an executor does."""
    fitted = as_loaded(run)
    planned = Planned(fitted, plan, **how)
    _complete_shard(Shards(out, format_for(fitted, out, named), shards, planned.identity), planned, shard, silent)
