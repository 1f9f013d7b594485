"""The bench, read from top to bottom: sets, design, selection on validation, comparison on the test set, verdict."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import Executor
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ganaug.classifier.judge import folds
from ganaug.data.load import LabelledImages
from ganaug.data.outputs import require_outside
from ganaug.data.sources.source import ImageSource, open_source
from ganaug.data.unlabelled import open_like
from ganaug.defaults import usual_defaults
from ganaug.device import resolve_device
from ganaug.errors import ArtefactError, DataError, OptionError, OutputInUseError, TooFewImagesError
from ganaug.evaluation.bench import record
from ganaug.evaluation.bench.contenders import Arena
from ganaug.evaluation.bench.design import Design, design_for
from ganaug.evaluation.bench.keeping import keep_verdict
from ganaug.evaluation.bench.ladder import climb_all
from ganaug.evaluation.bench.played import Played, evidence, failures, play, reasons_against, tell, verdict
from ganaug.evaluation.bench.rehearsal import trials_about
from ganaug.evaluation.bench.results import Results
from ganaug.evaluation.bench.room import Room, learners_for
from ganaug.evaluation.bench.sets import Sets, gather, rendered
from ganaug.evaluation.bench.settings import BenchSettings
from ganaug.evaluation.bench.teaching import PSEUDO_FILE, SOFT_FILE, tables
from ganaug.evaluation.trials.executor import Elsewhere, executor_at
from ganaug.evaluation.trials.parts import Part, Parts
from ganaug.evaluation.trials.trial import Helpers, Laboratory
from ganaug.evaluation.trials.workers import Workers, workers_for
from ganaug.files.integrity import clear_parts, is_part, write_atomically, writing
from ganaug.files.lock import LOCKS, sole_writer
from ganaug.fitting.doctor.doctor import doctor
from ganaug.generator.folder import Fitted, serving_folder
from ganaug.options import Reading, as_text, merged
from ganaug.reporting import Report, silent
from ganaug.samples.run import Loadable, as_fitted

TRIALS, SEEN = "trials", "seen"  # folders: of outcomes; of pictures and features
OURS = {"results.json", "report.html", PSEUDO_FILE, SOFT_FILE, TRIALS, SEEN, *LOCKS}  # what a bench folder holds
LOOKED = "looked"  # the doctor, at the past of the run
CROSSWISE = ("shift", "pseudo-labels", "distillation")  # remedies that ask networks of images they have not seen
RUN = "run"  # the name of what a run makes
POOL = 2  # synthetic images of a class for classifiers that look at large pictures, in those that one training takes
Finding = tuple[str, str, str, str]  # name, severity ("warning" or "fault"), text, knob: of `ganaug doctor`


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
    report: Report = silent,
    **options: Any,
) -> Results:
    """What helps a classifier of these images most, and do synthetic images help on top of the best of the rest?

    data: anything `ganaug.open_source` takes. run: a run or generator folder; one that translates images is measured
    by variants of the training images. synthetic: a folder ROOT/CLASS/*.png or another source, or several, by name:
    {"diffusion": ..., "renderer": ...}. Without both, only the first question is answered. out: folder for
    `results.json`, `report.html` and one file per trial; calling again trains nothing that is already there.
    settings, options: see `BenchSettings`; options are settings by name, over those of `settings`. On a CPU as many
    trials of the small network run at a time as torch has threads, each with one. executor: where they run in place
    of that: any `concurrent.futures.Executor` whose workers have the same versions, or the address of a Dask cluster.
    command: what the report says reproduces it. findings: for the report; by default what `ganaug.doctor` tells of
    the run's past. A copy of the results goes to `RUN/verdict.json`, unless that says more about the same generator
    already (a withheld bench says nothing, a quick one less than a full one).

    Raises LeakError if more than 5 % of the test images were seen before, OptionError without a test set,
    OutputInUseError if `out` holds other things, LabelMismatchError for foreign classes, WeightsError where the
    weights of a network cannot be had.
    """
    started, asked = time.time(), merged(BenchSettings, settings, options)
    where = resolve_device(asked.device)
    if executor is not None and where.type != "cpu":
        raise OptionError("Trials on an executor are trained on CPUs.", "Give --device cpu with it.")
    fitted = None if run is None else as_fitted(run)
    asked, told_of_changes = _allowing(asked, fitted)
    given = _sources(synthetic)
    require_outside(
        out,
        data,
        asked.test,
        *given.values(),
        asked.pairs,
        asked.unlabelled,
        classes=() if fitted is None else fitted.card.classes,
    )
    folder = _claimed(Path(out))
    sets = gather(data, asked, fitted=fitted, synthetic=given, report=report)
    design = design_for(list(sets.train.counts().values()), asked)
    with ExitStack() as held:
        with writing(folder):
            held.enter_context(sole_writer(folder))
        for place in (folder, folder / TRIALS):
            clear_parts(place)
        report("bench", 0, 0, record.metric_reason(design, sets))
        seen = folder / SEEN if asked.cache is None else Path(asked.cache)
        room = learners_for(asked, design, sets.train, seen, where, report)
        report("classifier", 0, 0, next(iter(room.learners.values())).words)
        parts = parts_of(_Given(data, asked, given, fitted), sets, design, room, where, report)
        doubts = reasons_against(sets, parts, design)
        for reason in doubts:
            report("no verdict", 0, 0, f"whatever is found: {reason}")
        told, looked = ([*findings], LOOKED) if findings is not None else _findings(fitted)

        at_a_time = workers_for(parts, where)
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
        ladder = climb_all(arena, list(parts.made), room.left_out)
        home = None if fitted is None else serving_folder(fitted)
        played = play(sets, parts, arena, ladder, home)

        notes, failed = failures(arena)
        arena.notes += [*notes, *told_of_changes]
        found = verdict(played, doubts + failed) | evidence(played) | {
            "exact only": asked.exact_only,
            "findings": [dict(zip(("name", "severity", "text", "knob"), one, strict=True)) for one in told],
            "doctor": looked,
            "source": _words_of(fitted, given),
            "trials": [outcome.to_json() for outcome in laboratory.outcomes.values()],
            "trained": laboratory.trained,
            "seconds": round(time.time() - started, 1),
            "date": time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime()),
            "command": command or record.command_line(data, asked, run=run, synthetic=synthetic, out=out),
            "versions": record.versions(),
            "machine": record.machine(at_a_time, where),
        }  # fmt: skip
        tell(found, played, fitted)
        results = Results(json.loads(json.dumps(found, allow_nan=False)), folder)  # plain data, as it will be read back
        _write(results, played)
        if home is not None:
            keep_verdict(home, results.data, played.earlier)
        return results


@dataclass(frozen=True)
class _Given:
    """What the user gave. synthetic: sources, by name."""

    data: Any
    asked: BenchSettings
    synthetic: Mapping[str, Any]
    fitted: Fitted | None


def parts_of(
    given: _Given, sets: Sets, design: Design, room: Room, where: torch.device, report: Report
) -> Parts:  # fmt: skip
    """What trials train on and are asked about; synthetic images are rendered where they come from a run."""
    asked, largest = given.asked, max(design.ratios)

    def opened(data: Any, reading: Reading) -> ImageSource | None:
        """Where images are read at their own size, if somebody looks at them."""
        return None if not room.native or isinstance(data, LabelledImages) else open_source(data, reading)

    real, other = opened(given.data, sets.reading), opened(asked.test or given.data, sets.test_reading)
    made: dict[str, Part] = {}
    if given.fitted is not None:
        draws = int(design.steps * design.batch * largest)
        if room.native:
            draws = min(draws, int(np.ceil(POOL * len(sets.train) * largest / (1 - largest))))
        pixels, labels = rendered(given.fitted, sets.train, draws, design.seed, design.unequal, where, report)
        made[RUN] = Part.of(pixels, labels, given.fitted.card.codec)
    for name, images in sets.made.items():
        if room.native:
            most = int(np.ceil(POOL * max(sets.train.counts().values()) * largest / (1 - largest)))
            images = images.take(Part.of(images.pixels, images.labels).first(most))
        made[name] = Part.of_images(images, opened(given.synthetic[name], Reading()))
    for part in made.values():
        if len(part) == 0:
            withheld = given.fitted is not None and given.fitted.choice is not None
            raise TooFewImagesError(
                "There are no synthetic images to measure"
                + (": the choice withholds every class." if withheld else "."),
                "Choose less strictly, or fit for longer." if withheld else "Give a folder with at least one image.",
            )
    fold, crosswise = None, [name for name in CROSSWISE if name in design.remedies]
    if crosswise or any(learner.shares for learner in room.learners.values()):
        try:
            fold = folds(sets.train, design.seed)
        except TooFewImagesError as error:
            room.left_out.update(dict.fromkeys(crosswise, str(error)))
    unlabelled = None
    if sets.unlabelled is not None:
        there = room.native and not isinstance(asked.unlabelled, LabelledImages)
        source = open_like(asked.unlabelled, sets.train, Reading())[0] if there else None
        unlabelled = Part.of_images(sets.unlabelled, source)
    train, validation = Part.of_images(sets.train, real), Part.of_images(sets.validation, real)
    return Parts(
        train, validation, Part.of_images(sets.test, other), len(sets.train.classes), made, unlabelled, fold=fold
    )


def _sources(synthetic: Any) -> dict[str, Any]:
    """Folders of synthetic images, by name."""
    if synthetic is None:
        return {}
    if not isinstance(synthetic, Mapping):
        return {"folder": synthetic}
    if RUN in synthetic or not all(isinstance(name, str) and name for name in synthetic):
        raise OptionError("Synthetic images are named by texts, and not 'run'.", "Give them other names.")
    return dict(synthetic)


def _allowing(asked: BenchSettings, fitted: Fitted | None) -> tuple[BenchSettings, list[str]]:
    """The settings with the changes that keep the label, as the run was told where nobody says more; and what to note
    of it."""
    seen = None if fitted is None else fitted.card.allow
    given, source = (seen, "the run") if asked.allow is None else (asked.allow, "the bench")
    if given is None:
        return asked, []
    notes = [f"Changes that keep the label, as {source} was told: {', '.join(given) or 'none'}. No others are made."]
    if fitted is not None and seen != given:
        other = "those of its recipe" if seen is None else ", ".join(seen) or "none"
        notes.append(
            f"The fit was told otherwise: its discriminator saw other changes ({other}), and samples may show them. "
            "Fit again with the same --allow."
        )
    return replace(asked, allow=given), notes


def _words_of(fitted: Fitted | None, synthetic: Mapping[str, Any]) -> str:
    said = [] if fitted is None else [f"run {fitted.hash[:12]} ({fitted.card.recipe})"]
    said += [f"folder {as_text(source)}" for source in synthetic.values()]
    return "; ".join(said) or "none"


def _claimed(folder: Path) -> Path:
    """The output folder; refused if it holds anything but an earlier bench."""
    if folder.exists():
        if not folder.is_dir():
            raise OutputInUseError(f"{folder} is a file.", "Choose another --out folder.")
        foreign = sorted(entry.name for entry in folder.iterdir() if entry.name not in OURS and not is_part(entry.name))
        if foreign:
            raise OutputInUseError(f"{folder} holds other things ({foreign[0]}).", "Choose a new or empty folder.")
    return folder


def _write(results: Results, played: Played) -> None:
    from ganaug.evaluation.bench.report import page

    text = json.dumps(results.data, indent=1, allow_nan=False).encode()
    for name, table in tables(played.arena.laboratory.parts, played.sets).items():
        write_atomically(results.folder / name, table.encode("utf-8", "surrogateescape"))
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
