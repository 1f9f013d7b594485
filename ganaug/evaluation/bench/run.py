"""The bench, read from top to bottom: sets, settings, choice on validation, comparison on the test set, verdict."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ganaug.classifier.use import DEFAULTS, mixing_policy
from ganaug.device import resolve_device
from ganaug.errors import ArtefactError, DataError, OptionError, OutputInUseError, TooFewImagesError
from ganaug.evaluation.bench import record
from ganaug.evaluation.bench.arms import RATIOS, settings_for
from ganaug.evaluation.bench.choice import choose, compare, judge, trials_in_all
from ganaug.evaluation.bench.keeping import earlier_benches, enough, identity, keep_verdict, looks, notes_on_earlier
from ganaug.evaluation.bench.results import Results, sentence
from ganaug.evaluation.bench.sets import distinct_rows, gather, group_numbers, rendered
from ganaug.evaluation.bench.trial import Laboratory, Outcome, Part, Parts
from ganaug.evaluation.bench.verdict import HELPS, decide, paired_interval, reasons_to_withhold
from ganaug.evaluation.bench.workers import Workers, workers_for
from ganaug.files.integrity import clear_parts, is_part, write_atomically, writing
from ganaug.files.lock import LOCK, sole_writer
from ganaug.fitting.doctor.doctor import doctor
from ganaug.generator.folder import Fitted, hash_of, run_folder, serving_folder
from ganaug.reporting import Report, silent
from ganaug.samples.run import Loadable, as_fitted

OURS = {"results.json", "report.html", "trials", LOCK}  # what a bench folder holds
LOOKED = "looked"  # the doctor, at the past of the run
Finding = tuple[str, str, str, str]  # name, severity ("warning" or "fault"), text, knob: of `ganaug doctor`


def bench(
    data: Any,
    *,
    test: Any = None,
    run: Loadable | None = None,
    synthetic: Any = None,
    out: str | Path,
    seeds: int | None = None,
    quick: bool = False,
    ratios: Sequence[float] = RATIOS,
    mixings: Sequence[str] = DEFAULTS,
    classical: Sequence[str] | None = None,
    tune: bool = True,
    steps: int | None = None,
    limit: int | None = None,
    seed: int = 0,
    groups: Any = None,
    test_groups: Any = None,
    source: Any = None,
    root: str | Path | None = None,
    device: str = "auto",
    exact_only: bool = False,
    command: str | None = None,
    findings: Sequence[Finding] | None = None,
    report: Report = silent,
) -> Results:
    """Does adding these synthetic images help a classifier? Trains arms, and compares the best two on the test set.

    data, test, root: anything `ganaug.open_source` takes; without `test`, the data's own test part. Give `run` (a
    run or generator folder) or `synthetic` (a folder ROOT/CLASS/*.png or another source), not both. out: folder for
    `results.json`, `report.html` and one file per trial; calling again trains nothing that is already there.
    seeds: paired seeds of the comparison (default 10, quick 5). ratios, mixings: synthetic shares and mixing policies
    to try. classical: augmentation to try for the baseline, which is for those to narrow who know that, for instance,
    mirroring changes the label; nothing for ("none",). tune: choose learning rate, weight decay and balancing too;
    steps: of each training. limit: at most so many training images a class. groups, test_groups: of the training and of
    the test images, see `open_source`; where only those of the training images are known, the verdict is withheld.
    source: the paired images of `data`, for a run that learned from pairs (a run that translates images is measured by
    variants of the training images). device: of the classifiers and of the generator; "auto" is CUDA where there is a
    GPU. On a CPU as many trials run at a time as torch has threads, each with one. exact_only: near-duplicates of seen
    images stay in the test set and are told of, for images that are different and all look alike. command: what the
    report says reproduces it. findings: for the report; by default what `ganaug.doctor` tells of the run's past. A copy
    of the results goes to `RUN/verdict.json`, unless that says more about the same generator already (a withheld bench
    says nothing, a quick one less than a full one).

    Raises LeakError if more than 5 % of the test images were seen before, OptionError without a test set or synthetic
    images, OutputInUseError if `out` holds other things, LabelMismatchError for foreign classes.
    """
    started, where = time.time(), resolve_device(device)
    if (run is None) == (synthetic is None):
        raise OptionError("A bench measures one source of synthetic images.", "Give --run RUN or --synthetic FOLDER.")
    folder = _claimed(Path(out))
    fitted = None if run is None else as_fitted(run)
    sets = gather(
        data, test=test, fitted=fitted, synthetic=synthetic, limit=limit, seed=seed, groups=groups,
        test_groups=test_groups, source=source, root=root, exact_only=exact_only, report=report,
    )  # fmt: skip
    with ExitStack() as held:
        with writing(folder):
            held.enter_context(sole_writer(folder))
        for place in (folder, folder / "trials"):
            clear_parts(place)
        settings = settings_for(
            list(sets.train.counts().values()), quick=quick, seeds=seeds, ratios=ratios, mixings=mixings,
            classical=classical, tune=tune, steps=steps, seed=seed,
        )  # fmt: skip
        report("bench", 0, 0, record.metric_reason(settings, sets))
        if sets.synthetic is not None:
            pixels, labels = sets.synthetic.pixels, sets.synthetic.labels
        else:
            assert run is not None
            draws = int(settings.steps * settings.batch * max(settings.ratios))
            pixels, labels = rendered(run, sets.train, draws, seed, settings.unequal, where, report)
        if len(labels) == 0:
            withheld = fitted is not None and fitted.choice is not None
            raise TooFewImagesError(
                "There are no synthetic images to measure"
                + (": the choice withholds every class." if withheld else "."),
                "Choose less strictly, or fit for longer." if withheld else "Give a folder with at least one image.",
            )
        parts = Parts(
            Part.of(sets.train.pixels, sets.train.labels),
            Part.of(sets.validation.pixels, sets.validation.labels),
            Part.of(sets.test.pixels, sets.test.labels),
            Part.of(pixels, labels),
            len(sets.train.classes),
        )
        test_labels, units = parts.test.labels.numpy(), group_numbers(sets.test)
        once = distinct_rows(sets.test)
        known = None if sets.test.groups is None else np.asarray(sets.test.groups)[once]
        reasons = reasons_to_withhold(
            test_labels[once], sets.train.classes, settings.seeds, known,
            parts.validation.labels.numpy(), balanced=settings.unequal,
        ) + list(sets.doubts)  # fmt: skip
        told, looked = ([*findings], LOOKED) if findings is not None else _findings(fitted)
        for reason in reasons:
            report("no verdict", 0, 0, f"whatever is found: {reason}")
        at_a_time = workers_for(parts, where)
        laboratory = Laboratory(
            parts, folder / "trials", total=trials_in_all(settings), device=where, report=report,
            helpers=held.enter_context(Workers(parts, folder / "trials", at_a_time)) if at_a_time > 1 else None,
        )  # fmt: skip
        choice = choose(laboratory, settings)
        without, mixed = compare(laboratory, settings, choice)
        judged = judge(laboratory, settings, choice)
        gain = np.stack([_gain(test_labels, a, b) for a, b in zip(without, mixed, strict=True)])
        interval = paired_interval(gain, test_labels, balanced=settings.unequal, groups=units, seed=seed)
        home, whole = (None, None) if run is None else (serving_folder(run), run_folder(run))
        this = identity(asdict(settings), settings.metric, len(test_labels), asdict(interval))
        earlier = [] if home is None else earlier_benches(home, this)
        times = looks(earlier, settings.quick)
        verdict = decide(interval, reasons, enough=enough(interval, times))
        arms = {"without": record.side(choice.without, without), "with": record.side(choice.synthetic, mixed)}
        used = arms["with" if verdict == HELPS else "without"]
        n_classes, synthetic_labels = len(sets.train.classes), labels.numpy()
        found: dict[str, Any] = {
            "format": 2,
            "verdict": verdict,
            "mode": "replace",
            "ratio": used["ratio"],
            "mixing": used["mixing"],
            "mixing settings": asdict(mixing_policy(used["mixing"])),
            "policy": used["policy"],
            "reasons": reasons,
            "metric": settings.metric,
            "metric reason": record.metric_reason(settings, sets),
            "difference": asdict(interval),
            "power": record.power(interval, settings.seeds, len(test_labels), settings.metric),
            "auto": record.recommendation(used["ratio"], used["mixing"], used, interval),
            "arms": arms,
            "measures": record.measures(without, mixed),
            "recall": record.recall_changes(gain, test_labels, units, n_classes, seed),
            "validation": [record.on_validation(candidate, choice) for candidate in choice.candidates],
            "agreement": record.agreement(judged, synthetic_labels, n_classes),
            "classes": list(sets.train.classes),
            "data": record.facts(sets, np.bincount(synthetic_labels, minlength=n_classes).tolist()),
            "dropped": list(sets.dropped),
            "exact only": exact_only,
            "notes": list(sets.notes),
            "findings": [
                dict(zip(("name", "severity", "text", "knob"), one, strict=True))
                for one in told
            ],
            "doctor": looked,
            "source": f"run {fitted.hash[:12]} ({fitted.card.recipe})"
            if fitted is not None
            else f"folder {record.text(synthetic)}",
            "generator": None if fitted is None else fitted.hash,
            "run generator": None if whole is None else hash_of(whole),
            "looks": times,
            "settings": asdict(settings),
            "trials": [record.trial(outcome) for outcome in laboratory.log],
            "trained": laboratory.trained,
            "seconds": round(time.time() - started, 1),
            "date": time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime()),
            "command": command
            or record.command_line(
                data,
                {
                    "--test": test, "--run": run, "--synthetic": synthetic, "--out": out, "--seeds": seeds,
                    "--limit": limit, "--groups": groups, "--test-groups": test_groups, "--root": root,
                    "--source": source, "--device": None if device == "auto" else device,
                },  # fmt: skip
                ratios, mixings, classical, seed, quick, exact_only,
                {"steps": steps, "tune": None if tune else False},
            ),
            "versions": record.versions(),
            "machine": {
                "cpus": os.cpu_count(), "threads": torch.get_num_threads(), "trials at a time": at_a_time,
                "device": str(where),
            },
        }  # fmt: skip
        found["sentence"] = sentence(found)
        if home is not None:
            found["notes"] += notes_on_earlier(home, found, earlier)
        results = Results(json.loads(json.dumps(found, allow_nan=False)), folder)  # plain data, as it will be read back
        _write(results, parts, judged)
        if home is not None:
            keep_verdict(home, results.data, earlier)
        return results


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


def _gain(labels: np.ndarray, without: Outcome, mixed: Outcome) -> np.ndarray:
    """Per test image: 1 where only the arm with synthetic images is right, -1 where only the other is, else 0."""
    return (mixed.predictions == labels).astype(float) - (without.predictions == labels).astype(float)


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
    told = [(one.name, one.severity, one.text, one.knob) for one in found.findings]
    return (
        told,
        LOOKED if found.checkups else "the fit was too short for check-ups; `ganaug doctor RUN DATA` makes one.",
    )
