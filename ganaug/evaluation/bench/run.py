"""The bench, read from top to bottom: sets, design, selection on validation, comparison on the test set, verdict."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import Executor
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

from ganaug.data.load import LabelledImages
from ganaug.data.outputs import refuse_within, require_outside
from ganaug.defaults import usual_defaults
from ganaug.device import resolve_device
from ganaug.errors import ArtefactError, DataError, OptionError, OutputInUseError
from ganaug.evaluation.bench import record
from ganaug.evaluation.bench.contenders import Arena
from ganaug.evaluation.bench.design import design_for
from ganaug.evaluation.bench.keeping import keep_verdict
from ganaug.evaluation.bench.ladder import climb_all
from ganaug.evaluation.bench.parts import Given, loaded, parts_of, sources, words_of
from ganaug.evaluation.bench.played import Played, evidence, failures, play, reasons_against, tell, verdict
from ganaug.evaluation.bench.rehearsal import trials_about
from ganaug.evaluation.bench.results import Results
from ganaug.evaluation.bench.room import SMALL, learners_for
from ganaug.evaluation.bench.row_room import row_learners
from ganaug.evaluation.bench.row_sets import gather_rows, of_kind
from ganaug.evaluation.bench.sets import gather
from ganaug.evaluation.bench.settings import BenchSettings
from ganaug.evaluation.bench.teaching import PSEUDO_FILE, SOFT_FILE, tables
from ganaug.evaluation.trials.executor import Elsewhere, executor_at
from ganaug.evaluation.trials.trial import Helpers, Laboratory
from ganaug.evaluation.trials.workers import Workers, workers_for
from ganaug.files.integrity import clear_parts, is_part, write_atomically, writing
from ganaug.files.lock import LOCKS, sole_writer
from ganaug.fitting.doctor.doctor import doctor
from ganaug.generator.folder import Fitted, serving_folder
from ganaug.options import IMAGES, merged
from ganaug.reporting import Report, automatic, shows_progress
from ganaug.samples.run import Loadable

TRIALS, SEEN = "trials", "seen"  # folders: of outcomes; of pictures and features
OURS = {"results.json", "report.html", PSEUDO_FILE, SOFT_FILE, TRIALS, SEEN, *LOCKS}  # what a bench folder holds
LOOKED = "looked"  # the doctor, at the past of the run
Finding = tuple[str, str, str, str]  # name, severity ("warning" or "fault"), text, knob: of `ganaug doctor`


@shows_progress
@usual_defaults()
def bench(
    data: Any,
    settings: BenchSettings | None = None,
    *,
    run: Loadable | None = None,
    synthetic: Any = None,
    out: str | Path,
    executor: Executor | str | None = None,
    command: str | None = None,
    findings: Sequence[Finding] | None = None,
    report: Report = automatic,
    **options: Any,
) -> Results:
    """Find out what helps a classifier of these images, rows or series most, and whether synthetic ones help on top.

    Classifiers are trained with and without each remedy. The choice between remedies is made on validation images; the
    test images are touched once, for the comparison. On a CPU as many trainings of the small network run at a time as
    torch has threads, each with one.

    Parameters
    ----------
    data : any source
        The training images, in any form that `ganaug.open_source` takes; or a table (CSV file, DataFrame), or series
        (.npz file, (X, y)).
    settings : BenchSettings, optional
        What is tried, and how.
    run : str, path, Run or Fitted, optional
        The run whose samples are tried. One that translates images is tried by variants of the training images.
        The data are what it was fitted on.
    synthetic : any source, or dict of str to any source, optional
        Images that were made elsewhere: a folder ``ROOT/CLASS/*.png`` or another source, or several by name:
        {"diffusion": ..., "renderer": ...}. Without `run` and `synthetic`, only the first question is answered.
    out : str or path
        Folder for `results.json`, `report.html` and one file for each training. Calling again trains nothing that is
        already there.
    executor : concurrent.futures.Executor or str, optional
        Where trainings of the small network run: an executor whose workers have the same versions, or the address of a
        Dask cluster. Probes, fine-tuning and `train` stay at home.
    command : str, optional
        What the report says reproduces it.
    findings : sequence of (str, str, str, str), optional
        Name, severity, text and knob of findings for the report; by default those of `ganaug.doctor`.
    report : callable, optional
        Shows the progress: called as `report(phase, done, total, text)`. By default there is a bar with the time left
        on a terminal and in a notebook, and nothing elsewhere; `ganaug.silent` shows nothing.
    **options
        Settings by name, over those of `settings`: see `BenchSettings`.

    Returns
    -------
    Results
        The verdict, the share of synthetic images to use, and all figures. A copy goes to `RUN/verdict.json`, unless
        that says more about the same generator already.

    Raises
    ------
    LeakError
        The generator saw more than 5 % of the test images.
    OptionError
        There is no test set, or a setting is out of range.
    OutputInUseError
        `out` holds other things.
    LabelMismatchError
        The run or the synthetic images have other classes.
    WeightsError
        The weights of a network cannot be had.

    See Also
    --------
    ganaug.compare : The same verdict on predictions of trainings of your own.

    Examples
    --------
    A bench of a few seconds, which is too short for a verdict:

    >>> import ganaug
    >>> results = ganaug.bench("digits", run="runs/digits", out="runs/bench", steps=5, seeds=2, limit=10, search=False,
    ...                        ratios=(0.25,), uses=("plain",), augmentations=("none",), remedies=())
    >>> results.verdict, results.ratio
    ('withheld', 0.0)
    >>> results.report_path.name
    'report.html'
    """
    started, asked = time.time(), merged(BenchSettings, settings, options)
    folder = Path(out).absolute()  # the user's code may change the working directory
    seen = folder / SEEN if asked.cache is None else Path(asked.cache).absolute()
    where = resolve_device(asked.device)
    if executor is not None and not isinstance(executor, (str, Executor)):
        cause = f"executor is a {type(executor).__name__}, no concurrent.futures.Executor."
        raise OptionError(cause, "Give a ProcessPoolExecutor, or what your cluster has in its place.")
    if executor is not None and where.type != "cpu":
        raise OptionError("Trials on an executor are trained on CPUs.", "Give --device cpu with it.")
    fitted = None if run is None else loaded(run)
    kind, asked = asked.kind, of_kind(data, asked, fitted)
    if executor is not None and asked.kind != IMAGES:
        raise OptionError("executor would change nothing: rows take no time.", "Leave out --executor.")
    asked, told_of_changes = _allowing(asked, fitted)
    given = sources(synthetic)
    for place in (folder, *([] if asked.cache is None else [seen])):
        require_outside(
            place, data, asked.test, *given.values(), asked.pairs, asked.unlabelled,
            classes=() if fitted is None else fitted.card.classes,
        )  # fmt: skip
    refuse_within(asked.unlabelled, data, asked)
    _claim(folder)
    if asked.kind == IMAGES:
        sets = gather(data, asked, fitted=fitted, synthetic=given, report=report)
    else:
        sets = gather_rows(data, asked, fitted=fitted, synthetic=given)
    design = design_for(list(sets.train.counts().values()), asked)
    with ExitStack() as held:
        with writing(folder):
            held.enter_context(sole_writer(folder))
        for place in (folder, folder / TRIALS):
            clear_parts(place)
        report("bench", 0, 0, f"the verdict uses {design.metric}: {record.metric_reason(design, sets)}")
        if isinstance(sets.train, LabelledImages):
            room = learners_for(asked, design, sets.train, seen, where, report)
        else:
            room = row_learners(asked, design, sets.train)
        _require_images_for(asked, fitted, given)
        report("classifier", 0, 0, next(iter(room.learners.values())).words)
        if executor is not None and SMALL not in room.learners:
            raise OptionError(
                "executor would change nothing: of these classifiers none is trained there.",
                "Leave out --executor, or let the small network take part: --model small.",
            )
        parts = parts_of(Given(data, asked, given, fitted), sets, design, room, where, report)
        doubts = reasons_against(sets, parts, design)
        for reason in doubts:
            report("no verdict", 0, 0, f"whatever is found: {reason}")
        told, looked = ([*findings], LOOKED) if findings is not None else _findings(fitted)

        at_a_time = workers_for(parts, where) if SMALL in room.learners else 1
        helpers: Helpers | None = None
        if executor is not None:
            pool = held.enter_context(executor_at(executor)) if isinstance(executor, str) else executor
            helpers = held.enter_context(Elsewhere(pool, folder / TRIALS, report))
        elif at_a_time > 1:
            helpers = held.enter_context(Workers(folder / TRIALS, at_a_time))
        laboratory = Laboratory(
            parts, folder / TRIALS, room.learners, report=report,
            total=trials_about(parts, room, design),
            helpers=helpers,
        )  # fmt: skip
        arena = Arena(laboratory, room.learners, design)
        ladder = climb_all(arena, list(parts.made), room.left_out, asked.remedies or ())
        home = None if fitted is None else serving_folder(fitted)
        played = play(sets, parts, arena, ladder, home)

        notes, failed = failures(arena)
        arena.notes += [*notes, *told_of_changes, *([] if asked.train is None else _read_again(laboratory))]
        found = verdict(played, doubts + failed) | evidence(played) | {
            "exact only": asked.exact_only,
            "findings": [dict(zip(("name", "severity", "text", "knob"), one, strict=True)) for one in told],
            "doctor": looked,
            "source": words_of(fitted, given),
            "trials": [outcome.to_json() for outcome in laboratory.outcomes.values()],
            "trained": laboratory.trained,
            "seconds": round(time.time() - started, 1),
            "date": time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime()),
            "command": command or record.command_line(
                data, replace(asked, kind=kind), run=run, synthetic=synthetic, out=out
            ),
            "versions": record.versions(),
            "machine": record.machine(at_a_time, where),
        }  # fmt: skip
        tell(found, played, fitted)
        results = Results(json.loads(json.dumps(found, allow_nan=False)), folder)  # plain data, as it will be read back
        _write(results, played)
        if home is not None:
            keep_verdict(home, results.data, played.earlier)
        return results


def _read_again(laboratory: Laboratory) -> list[str]:
    """What nobody can know of outcomes of a user's own training that were not trained now."""
    every = len(laboratory.outcomes)
    read = every - laboratory.trained
    return [
        f"{read} of {every} of your trainings were read from disk, by the code of your file and of what it imports "
        "from beside it. If anything else has changed (a file that it reads, a package), bench into a new folder."
    ] if read else []  # fmt: skip


def _require_images_for(asked: BenchSettings, fitted: Fitted | None, given: Mapping[str, Any]) -> None:
    usual = BenchSettings()
    if fitted is None and not given and (asked.ratios, asked.uses) != (usual.ratios, usual.uses):
        raise OptionError(
            "No synthetic images are tried: how many there are, and their use, would change nothing.",
            "Leave out --ratio and --use, or name a run or images: --run RUN, --synthetic NAME=FOLDER.",
        )


def _allowing(asked: BenchSettings, fitted: Fitted | None) -> tuple[BenchSettings, list[str]]:
    """The settings with the changes that keep the label, as the run was told where nobody says more; and what to note
    of it."""
    seen = None if fitted is None else fitted.card.allow
    given, source = (seen, "the run") if asked.allow is None else (asked.allow, "the bench")
    if given is None:
        return asked, []
    others = "No others are made." if asked.train is None else "ganaug makes no others; your own training may."
    notes = [f"Changes that keep the label, as {source} was told: {', '.join(given) or 'none'}. {others}"]
    if fitted is not None and seen != given:
        other = "those of its recipe" if seen is None else ", ".join(seen) or "none"
        notes.append(
            f"The fit was told otherwise: its discriminator saw other changes ({other}), and samples may show them. "
            "Fit again with the same --allow."
        )
    return replace(asked, allow=given), notes


def _claim(folder: Path) -> None:
    """The output folder is refused if it holds anything but an earlier bench."""
    if folder.exists():
        if not folder.is_dir():
            raise OutputInUseError(f"{folder} is a file.", "Choose another --out folder.")
        foreign = sorted(entry.name for entry in folder.iterdir() if entry.name not in OURS and not is_part(entry.name))
        if foreign:
            raise OutputInUseError(f"{folder} holds other things ({foreign[0]}).", "Choose a new or empty folder.")


def _write(results: Results, played: Played) -> None:
    from ganaug.evaluation.bench.report import page

    text = json.dumps(results.data, indent=1, allow_nan=False).encode()
    taught = tables(played.arena.laboratory.parts, played.sets)
    for name in (PSEUDO_FILE, SOFT_FILE):
        if name in taught:
            write_atomically(results.folder / name, taught[name].encode("utf-8", "surrogateescape"))
        else:
            (results.folder / name).unlink(missing_ok=True)
    write_atomically(results.report_path, page(results.data, played).encode())
    write_atomically(results.folder / "results.json", text)


def _findings(fitted: Fitted | None) -> tuple[list[Finding], str]:
    """What the doctor says of a run whose past is known, and whether it looked: `LOOKED`, or why it did not."""
    if fitted is None:
        return [], "synthetic images of a folder have no past."
    try:
        found = doctor(fitted)
    except DataError:
        return [], "a generator folder alone has no past."
    except ArtefactError as error:
        return [], str(error)
    looked = LOOKED if found.checkups else "the fit was too short for check-ups; `ganaug doctor RUN DATA` makes one."
    return [(one.name, one.severity, one.text, one.knob) for one in found.findings], looked
