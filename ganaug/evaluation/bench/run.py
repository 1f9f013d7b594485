"""The bench, read from top to bottom: sets, design, selection on validation, comparison on the test set, verdict."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import torch

from ganaug.data.outputs import require_outside
from ganaug.defaults import usual_defaults
from ganaug.device import resolve_device
from ganaug.errors import ArtefactError, DataError, OptionError, OutputInUseError, TooFewImagesError
from ganaug.evaluation.bench import record
from ganaug.evaluation.bench.arms import Design, design_for
from ganaug.evaluation.bench.keeping import keep_verdict
from ganaug.evaluation.bench.played import Played, evidence, reasons_against, tell, verdict
from ganaug.evaluation.bench.results import Results
from ganaug.evaluation.bench.selection import compare, judge, select, trials_in_all
from ganaug.evaluation.bench.sets import Sets, gather, rendered
from ganaug.evaluation.bench.settings import BenchSettings
from ganaug.evaluation.bench.trial import Laboratory, Outcome, Part, Parts
from ganaug.evaluation.bench.workers import Workers, workers_for
from ganaug.files.integrity import clear_parts, is_part, write_atomically, writing
from ganaug.files.lock import LOCKS, sole_writer
from ganaug.fitting.doctor.doctor import doctor
from ganaug.generator.folder import Fitted, serving_folder
from ganaug.options import as_text, merged
from ganaug.reporting import Report, silent
from ganaug.samples.run import Loadable, as_fitted

OURS = {"results.json", "report.html", "trials", *LOCKS}  # what a bench folder holds
LOOKED = "looked"  # the doctor, at the past of the run
Finding = tuple[str, str, str, str]  # name, severity ("warning" or "fault"), text, knob: of `ganaug doctor`


@usual_defaults()
def bench(
    data: Any,
    settings: BenchSettings | None = None,
    *,
    run: Loadable | None = None,
    synthetic: Any = None,
    out: str | Path,
    command: str | None = None,
    findings: Sequence[Finding] | None = None,
    report: Report = silent,
    **options: Any,
) -> Results:
    """Does adding these synthetic images help a classifier? Trains arms, and compares the best two on the test set.

    data: anything `ganaug.open_source` takes. Give `run` (a run or generator folder) or `synthetic` (a folder
    ROOT/CLASS/*.png or another source), not both; a run that translates images is measured by variants of the training
    images. out: folder for `results.json`, `report.html` and one file per trial; calling again trains nothing that is
    already there. settings, options: see `BenchSettings`; options are settings by name, over those of `settings`. On a
    CPU as many trials run at a time as torch has threads, each with one. command: what the report says reproduces it.
    findings: for the report; by default what `ganaug.doctor` tells of the run's past. A copy of the results goes to
    `RUN/verdict.json`, unless that says more about the same generator already (a withheld bench says nothing, a quick
    one less than a full one).

    Raises LeakError if more than 5 % of the test images were seen before, OptionError without a test set or synthetic
    images, OutputInUseError if `out` holds other things, LabelMismatchError for foreign classes.
    """
    started, asked = time.time(), merged(BenchSettings, settings, options)
    where = resolve_device(asked.device)
    if (run is None) == (synthetic is None):
        raise OptionError("A bench measures one source of synthetic images.", "Give --run RUN or --synthetic FOLDER.")
    fitted = None if run is None else as_fitted(run)
    known = () if fitted is None else fitted.card.classes
    require_outside(out, data, asked.test, synthetic, asked.pairs, classes=known)
    folder = _claimed(Path(out))
    sets = gather(data, asked, fitted=fitted, synthetic=synthetic, report=report)
    design = design_for(list(sets.train.counts().values()), asked)
    with ExitStack() as held:
        with writing(folder):
            held.enter_context(sole_writer(folder))
        for place in (folder, folder / "trials"):
            clear_parts(place)
        report("bench", 0, 0, record.metric_reason(design, sets))
        parts = _parts(sets, fitted, design, where, report)
        doubts = reasons_against(sets, parts, design)
        for reason in doubts:
            report("no verdict", 0, 0, f"whatever is found: {reason}")
        told, looked = ([*findings], LOOKED) if findings is not None else _findings(fitted)

        at_a_time = workers_for(parts, where)
        laboratory = Laboratory(
            parts, folder / "trials", total=trials_in_all(design), device=where, report=report,
            helpers=held.enter_context(Workers(parts, folder / "trials", at_a_time)) if at_a_time > 1 else None,
        )  # fmt: skip
        selection = select(laboratory, design)
        without, mixed = compare(laboratory, design, selection)
        judged = judge(laboratory, design, selection)

        source = f"folder {as_text(synthetic)}" if fitted is None else f"run {fitted.hash[:12]} ({fitted.card.recipe})"
        home = None if fitted is None else serving_folder(fitted)
        played = Played(sets, parts, design, selection, without, mixed, judged, home)
        found = verdict(played, doubts) | evidence(played) | {
            "exact only": asked.exact_only,
            "findings": [dict(zip(("name", "severity", "text", "knob"), one, strict=True)) for one in told],
            "doctor": looked,
            "source": source,
            "trials": [outcome.to_json() for outcome in laboratory.log],
            "trained": laboratory.trained,
            "seconds": round(time.time() - started, 1),
            "date": time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime()),
            "command": command or record.command_line(data, asked, run=run, synthetic=synthetic, out=out),
            "versions": record.versions(),
            "machine": record.machine(at_a_time, where),
        }  # fmt: skip
        tell(found, played, fitted)
        results = Results(json.loads(json.dumps(found, allow_nan=False)), folder)  # plain data, as it will be read back
        _write(results, parts, judged)
        if home is not None:
            keep_verdict(home, results.data, played.earlier)
        return results


def _parts(sets: Sets, fitted: Fitted | None, design: Design, where: torch.device, report: Report) -> Parts:
    """What trials train on and are evaluated on; synthetic images are rendered where they come from a run."""
    if sets.synthetic is not None:
        pixels, labels = sets.synthetic.pixels, sets.synthetic.labels
    else:
        assert fitted is not None
        draws = int(design.steps * design.batch * max(design.ratios))
        pixels, labels = rendered(fitted, sets.train, draws, design.seed, design.unequal, where, report)
    if len(labels) == 0:
        withheld = fitted is not None and fitted.choice is not None
        raise TooFewImagesError(
            "There are no synthetic images to measure" + (": the choice withholds every class." if withheld else "."),
            "Choose less strictly, or fit for longer." if withheld else "Give a folder with at least one image.",
        )
    train, validation, test = (Part.of(one.pixels, one.labels) for one in (sets.train, sets.validation, sets.test))
    return Parts(train, validation, test, Part.of(pixels, labels), len(sets.train.classes))


def _claimed(folder: Path) -> Path:
    """The output folder; refused if it holds anything but an earlier bench."""
    if folder.exists():
        if not folder.is_dir():
            raise OutputInUseError(f"{folder} is a file.", "Choose another --out folder.")
        foreign = sorted(entry.name for entry in folder.iterdir() if entry.name not in OURS and not is_part(entry.name))
        if foreign:
            raise OutputInUseError(f"{folder} holds other things ({foreign[0]}).", "Choose a new or empty folder.")
    return folder


def _write(results: Results, parts: Parts, judged: Outcome) -> None:
    from ganaug.evaluation.bench.report import page

    text = json.dumps(results.data, indent=1, allow_nan=False).encode()
    write_atomically(results.report_path, page(results.data, parts, judged).encode())
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
