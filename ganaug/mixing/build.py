"""`mix`: from a data set, samples and a few words to a `MixedDataset`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from torch.utils.data import ConcatDataset

from ganaug.data.labels.classes import Classes
from ganaug.data.labels.unwrap import innermost
from ganaug.data.sources.dicts import as_pairs
from ganaug.data.sources.steady import by_turns, global_streams
from ganaug.errors import IncompatibleLoaderError, LabelMismatchError, OptionError
from ganaug.generator.folder import ByName, Fitted
from ganaug.mixing.dataset import MixedDataset
from ganaug.mixing.given import require_map_style
from ganaug.mixing.labels import absent_of, named_labels_of, nameless
from ganaug.mixing.leaks import MOST_COMPARED, refuse_overlap, warn_of_copies
from ganaug.mixing.native import size_of_items
from ganaug.mixing.pictures import some_items, warn_of_other_pictures
from ganaug.mixing.ratio import resolve
from ganaug.mixing.schedule import Append, Replace, Schedule
from ganaug.reporting import Report, silent
from ganaug.samples.blocks import BLOCK
from ganaug.samples.elsewhere import Elsewhere, pool_of, samples_of
from ganaug.samples.enlarged import warn_of_enlarged, warn_of_small
from ganaug.samples.plan import Plan, balance, fraction
from ganaug.samples.pool import served
from ganaug.samples.run import Samples

POOL_EPOCHS = 4


def mix(
    dataset: Any,
    run: Samples,
    *,
    mode: str = "replace",
    ratio: float | str | None = None,
    seed: int = 0,
    transform: Any = None,
    classes: Classes | None = None,
    targets: Any = None,
    pool_epochs: int = POOL_EPOCHS,
    fresh: bool = False,
    evaluation: Iterable[Any] = (),
    force: bool = False,
    report: Report = silent,
) -> MixedDataset:
    """Put synthetic images among the real ones of a training set.

    Parameters
    ----------
    dataset : map-style data set
        Items (image, label) or dicts of an image and a label (of Hugging Face, with any format or transform), also a
        Subset of one.
    run : str, path, Run, Fitted or any source
        A run folder, a generator folder, or images that were made elsewhere, by a diffusion model or a renderer: a
        folder of class folders, or whatever `ganaug.open_source` takes. Those are read where they lie, come at the size
        of the real ones, cut at their margins rather than squeezed, and several times where there are few.
    mode : {"replace", "append", "balance"}, default "replace"
        "replace" serves exactly round(ratio * n) of the n items synthetic, others in each epoch, each with the label of
        the item in whose place it stands; the length stays. "append" adds n ratio / (1 - ratio) items behind the real
        ones, "balance" as many as fill every class up to the largest.
    ratio : float or "auto", optional
        The synthetic share of what is served, 0 to 1; by default 0.25. "auto" is what `ganaug.bench` found: 0 unless
        its verdict is "helps". A folder of images has no verdict: give the ratio that its bench arrived at.
    seed : int, default 0
        Of all random numbers. What is served depends on (seed, epoch, index) only.
    transform : callable, optional
        For the synthetic images (PIL image in); by default the data set's own.
    classes : sequence of str or mapping, optional
        `classes[i]` names label i, where the data set has no names, or not the generator's.
    targets : sequence of int, optional
        The labels, where they cannot be found in the data set.
    pool_epochs : int, default 4
        The synthetic images are rendered once, for so many epochs.
    fresh : bool, default False
        Render new ones for every epoch.
    evaluation : iterable of data sets or loaders, optional
        Evaluation sets. Images that the generator saw, or near-duplicates of them, are listed in a warning up to 5 % of
        a set; beyond, LeakError is raised. `ganaug.unseen` leaves them out.
    force : bool, default False
        Serve images of a run whose verdict is "harms".
    report : callable, optional
        Called as `report(phase, done, total, text)` while images are rendered.

    Returns
    -------
    MixedDataset
        The data set to train on. Each pass of a torch `DataLoader` over it is the next epoch; `set_epoch(n)` says which
        one is next, after a resume or where no `DataLoader` asks for the items.

    Raises
    ------
    LabelMismatchError
        The generator does not know a class.
    IncompatibleLoaderError
        It is no map-style data set, or synthetic items cannot be made like its own.
    NoVerdictError
        The ratio is "auto", and there was no bench.
    HarmfulError
        The verdict is "harms", without `force`.
    OptionError
        A setting is out of range, or would change nothing.
    LeakError
        More than 5 % of an evaluation set were seen by the generator.

    Warns
    -----
    EnlargedWarning
        The items are far larger than what the generator makes, and no bench at such a size found that its images help.
    WithheldWarning
        Of a class only real images are served: a choice withholds it, the fit left it out, or a folder has none of it.
    EpochWarning
        Nobody told the epoch.
    UnservedWarning
        A sampler was made for the real items alone.

    See Also
    --------
    ganaug.augment_loader : The same for a `DataLoader`.
    ganaug.SynthMix : The same for batches, with loss weights.

    Examples
    --------
    >>> import ganaug
    >>> from PIL import Image
    >>> train = [(Image.new("L", (8, 8), 25 * label), label) for label in range(10) for _ in range(4)]
    >>> mixed = ganaug.mix(train, "runs/digits", ratio=0.5)
    >>> len(mixed), type(mixed[0][0]).__name__, mixed[0][1]
    (40, 'Image', 0)
    """
    require_map_style(dataset)
    refuse_mixed(dataset)
    _require_settings(transform, pool_epochs)
    with global_streams(0):  # items that are looked at may draw from them
        samples = samples_of(run, report)
        if isinstance(samples, Elsewhere) and (fresh or pool_epochs != POOL_EPOCHS):
            cause = "Images that were made elsewhere are a fixed number: no others can be rendered."
            raise OptionError(cause, "Leave out fresh= and pool_epochs=.")
        share = resolve(samples, mode, ratio, force)
        view = as_pairs(dataset, labelled=targets is not None)
        size = size_of_items(*innermost(view), samples.codec) if share.ratio or mode == "balance" else None
        if isinstance(samples, Fitted):
            share = share.at_size(samples, size, depth=2)
        share.warn("Items of a data set", depth=3)
        refuse_overlap(samples, evaluation, report)
        known = named_labels_of(view, classes, targets, report)
        labels, names = known.labels, tuple(map(samples.spelled, known.names))  # as the samples write them
        absent: list[str] = []
        if share.ratio or mode == "balance":
            absent = absent_of([names[label] for label in np.unique(labels)], names, samples, known.given)
        who = _who(labels, names, mode, share.ratio, samples)
        needed = dict(zip(names, (int(n) for n in who.largest(len(names))), strict=True))
        wanted = {name: n for name, n in needed.items() if n and name not in absent}
        plan = {name: -(-n * (1 if fresh else pool_epochs) // BLOCK) * BLOCK for name, n in wanted.items()}
        added = who.added if isinstance(who, Append) else np.zeros(len(names), dtype=np.int64)
        labels = np.concatenate([labels, np.repeat(np.arange(len(names)), added)])
        pool = schedule = None
        if plan:
            real = labels[: len(dataset)]
            if isinstance(samples, Elsewhere):
                some = by_turns(real, "copies")[:MOST_COMPARED].tolist()
                warn_of_copies(samples, some_items(dataset, some, real, names, samples.codec, report), report)
                warn_of_small(samples.pictures, size, depth=2)
            else:
                _require_known(plan, samples, known.given)
                warn_of_other_pictures(dataset, real, names, samples, transform, report)
                warn_of_enlarged(samples, size, depth=2)
            pool = pool_of(samples, plan, seed=seed, epoch=0 if fresh else None, report=report)
            first = dict(zip(pool.classes, pool.offsets[:-1].tolist(), strict=True))
            starts, sizes = (
                np.array([of.get(name, 0) for name in names], dtype=np.int64) for of in (first, pool.counts)
            )
            schedule = Schedule(who, len(labels), names, starts, sizes, seed)
        return MixedDataset(dataset, labels, known, schedule, pool, samples, seed=seed, transform=transform, view=view)


def refuse_mixed(dataset: Any) -> None:
    """Raises IncompatibleLoaderError for a data set that has synthetic images already: no two shares add up."""
    base = innermost(dataset)[0]
    if isinstance(base, MixedDataset):
        raise IncompatibleLoaderError("The data set is mixed with synthetic images already.", "Give the real data set.")
    for part in base.datasets if isinstance(base, ConcatDataset) else ():
        refuse_mixed(part)


def _require_settings(transform: Any, pool_epochs: Any) -> None:
    """Raises OptionError for what is no transform, and for no number of epochs."""
    if transform is not None and not callable(transform):
        raise OptionError(f"transform is {transform!r}, not a function.", "Give a function of a PIL image, or None.")
    if isinstance(pool_epochs, bool) or not isinstance(pool_epochs, (int, np.integer)) or pool_epochs < 1:
        raise OptionError(f"pool_epochs is {pool_epochs!r}.", "Give a whole number, 1 or more.")


def _who(labels: np.ndarray, names: tuple[str, ...], mode: str, ratio: float, samples: ByName) -> Replace | Append:
    if mode == "replace":
        return Replace(labels, round(ratio * len(labels)))
    counts = {name: int(n) for name, n in zip(names, np.bincount(labels, minlength=len(names)), strict=True) if n}
    plan = served(samples, balance(counts) if mode == "balance" else fraction(counts, ratio))
    return Append(labels, np.array([plan.get(name, 0) for name in names], dtype=np.int64))


def _require_known(needed: Plan, fitted: Fitted, named: bool) -> None:
    unknown = [name for name in needed if name not in fitted.card.classes]
    if unknown:
        raise LabelMismatchError(
            f"The generator has not learned the class {', '.join(map(repr, unknown))}" + nameless(named),
            f"Its classes are {', '.join(map(repr, fitted.card.classes))}: give classes=[...], the name of each label.",
        )
