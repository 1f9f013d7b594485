"""The bench, read from top to bottom: sets, settings, choice on validation, comparison on the test set, verdict."""

from __future__ import annotations

import json
import os
import platform
import time
from collections.abc import Sequence
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ganaug.benchmark.arms import UNEQUAL, Settings, settings_for
from ganaug.benchmark.choice import Candidate, Choice, choose, compare, trials_in_all
from ganaug.benchmark.results import Results, sentence
from ganaug.benchmark.sets import Sets, gather, group_numbers, rendered
from ganaug.benchmark.trial import Laboratory, Outcome, Part, Parts
from ganaug.benchmark.verdict import HELPS, decide, paired_interval, reasons_to_withhold
from ganaug.errors import OptionError, OutputInUseError, TooFewImagesError
from ganaug.generator import Loadable, as_fitted, run_folder
from ganaug.generator.integrity import write_atomically
from ganaug.reporting import Report, silent

OURS = {"results.json", "report.html", "trials"}  # what a bench folder holds
RATIOS = (0.1, 0.25, 0.5)


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
    limit: int | None = None,
    seed: int = 0,
    groups: Any = None,
    source: Any = None,
    device: str = "cpu",
    command: str | None = None,
    report: Report = silent,
) -> Results:
    """Does adding these synthetic images help a classifier? Trains arms, and compares the best two on the test set.

    data, test: anything `ganaug.data.open_source` takes; without `test`, the data's own test part. Give `run` (a run
    or generator folder) or `synthetic` (a folder ROOT/CLASS/*.png or another source), not both. out: folder for
    `results.json`, `report.html` and one file per trial; calling again trains nothing that is already there.
    seeds: paired seeds of the comparison (default 10, quick 5). ratios: synthetic shares to try. limit: at most so
    many training images a class. groups: of the training images, see `open_source`. source: the paired images of
    `data`, for a run that learned from pairs (a run that translates images is measured by variants of the training
    images). command: what the report says reproduces it. A copy of the results goes to `RUN/verdict.json`.

    Raises LeakError if more than 5 % of the test images were seen before, OptionError without a test set or synthetic
    images, OutputInUseError if `out` holds other things, LabelMismatchError for foreign classes.
    """
    started = time.time()
    if (run is None) == (synthetic is None):
        raise OptionError("A bench measures one source of synthetic images.", "Give --run RUN or --synthetic FOLDER.")
    folder = _claimed(Path(out))
    fitted = None if run is None else as_fitted(run)
    sets = gather(
        data, test=test, fitted=fitted, synthetic=synthetic, limit=limit, seed=seed, groups=groups, source=source,
        report=report,
    )  # fmt: skip
    settings = settings_for(list(sets.train.counts().values()), quick=quick, seeds=seeds, ratios=ratios, seed=seed)
    report("bench", 0, 0, _metric_reason(settings, sets))
    if sets.synthetic is not None:
        pixels, labels = sets.synthetic.pixels, sets.synthetic.labels
    else:
        assert run is not None
        draws = int(settings.steps * settings.batch * max(settings.ratios))
        pixels, labels = rendered(run, sets.train, draws, seed, report)
    if len(labels) == 0:
        raise TooFewImagesError("There are no synthetic images to measure.", "Give a folder with at least one image.")
    parts = Parts(
        Part.of(sets.train.pixels, sets.train.labels),
        Part.of(sets.validation.pixels, sets.validation.labels),
        Part.of(sets.test.pixels, sets.test.labels),
        Part.of(pixels, labels),
        len(sets.train.classes),
    )
    test_labels, test_groups = parts.test.labels.numpy(), group_numbers(sets.test)
    reasons = reasons_to_withhold(
        test_labels, sets.train.classes, settings.seeds, test_groups, parts.validation.labels.numpy()
    )
    laboratory = Laboratory(parts, folder / "trials", total=trials_in_all(settings), device=device, report=report)
    choice = choose(laboratory, settings)
    without, mixed = compare(laboratory, settings, choice)
    gain = np.stack([_gain(test_labels, a, b) for a, b in zip(without, mixed, strict=True)])
    interval = paired_interval(
        gain, test_labels, balanced=settings.metric == "balanced accuracy", groups=test_groups, seed=seed
    )
    verdict = decide(interval, reasons)
    found: dict[str, Any] = {
        "format": 1,
        "verdict": verdict,
        "mode": "replace",
        "ratio": choice.synthetic.arm.ratio if verdict == HELPS else 0.0,
        "policy": choice.synthetic.arm.policy if verdict == HELPS else choice.without.arm.policy,
        "reasons": reasons,
        "metric": settings.metric,
        "metric reason": _metric_reason(settings, sets),
        "difference": asdict(interval),
        "arms": {"without": _side(choice.without, without), "with": _side(choice.synthetic, mixed)},
        "validation": [_on_validation(candidate, choice) for candidate in choice.candidates],
        "classes": list(sets.train.classes),
        "data": _facts(sets, np.bincount(labels.numpy(), minlength=len(sets.train.classes)).tolist()),
        "dropped": list(sets.dropped),
        "notes": list(sets.notes),
        "source": f"run {fitted.hash[:12]} ({fitted.card.recipe})"
        if fitted is not None
        else f"folder {_text(synthetic)}",
        "generator": None if fitted is None else fitted.hash,
        "settings": asdict(settings),
        "trials": [_trial(outcome) for outcome in laboratory.log],
        "trained": laboratory.trained,
        "seconds": round(time.time() - started, 1),
        "date": time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime()),
        "command": command or _call(data, test, run, synthetic, out, seeds, quick, ratios, limit, seed),
        "versions": _versions(),
        "machine": {"cpus": os.cpu_count(), "threads": torch.get_num_threads(), "device": device},
    }
    found["sentence"] = sentence(found)
    results = Results(json.loads(json.dumps(found, allow_nan=False)), folder)  # plain data, as it will be read back
    _write(results, parts, run)
    return results


def _claimed(folder: Path) -> Path:
    """The output folder; refused if it holds anything but an earlier bench."""
    if folder.exists():
        if not folder.is_dir():
            raise OutputInUseError(f"{folder} is a file.", "Choose another --out folder.")
        foreign = sorted(entry.name for entry in folder.iterdir() if entry.name not in OURS)
        if foreign:
            raise OutputInUseError(f"{folder} holds other things ({foreign[0]}).", "Choose a new or empty folder.")
    return folder


def _write(results: Results, parts: Parts, run: Loadable | None) -> None:
    from ganaug.benchmark.report import page

    text = json.dumps(results.data, indent=1, allow_nan=False).encode()
    write_atomically(results.report_path, page(results.data, parts).encode())
    write_atomically(results.folder / "results.json", text)
    home = None if run is None else run_folder(run)
    if home is not None:
        write_atomically(home / "verdict.json", text)


def _gain(labels: np.ndarray, without: Outcome, mixed: Outcome) -> np.ndarray:
    """Per test image: 1 where only the arm with synthetic images is right, -1 where only the other is, else 0."""
    return (mixed.predictions == labels).astype(float) - (without.predictions == labels).astype(float)


def _metric_reason(settings: Settings, sets: Sets) -> str:
    counts = sets.train.counts().values()
    share = max(counts) / max(1, min(counts))
    relation = "more" if settings.balanced else "not more"
    return f"largest class is {share:.1f} times the smallest, {relation} than {UNEQUAL}: {settings.metric}"


def _side(candidate: Candidate, outcomes: list[Outcome]) -> dict[str, Any]:
    """One of the two compared arms: means over the seeds on the test set."""
    names = ("accuracy", "balanced accuracy", "macro-F1")
    recall = np.array([[np.nan if v is None else v for v in outcome.scores["recall"]] for outcome in outcomes])
    return {
        "name": str(candidate.arm),
        "kind": candidate.arm.kind,
        "policy": candidate.arm.policy,
        "ratio": candidate.arm.ratio,
        "lr": candidate.lr,
        "test": {name: float(np.mean([outcome.scores[name] for outcome in outcomes])) for name in names},
        "recall": [None if np.isnan(column).any() else float(column.mean()) for column in recall.T],
        "curve": np.mean([outcome.curve for outcome in outcomes], axis=0).round(5).tolist(),
    }


def _on_validation(candidate: Candidate, choice: Choice) -> dict[str, Any]:
    return {
        "name": str(candidate.arm),
        "kind": candidate.arm.kind,
        "policy": candidate.arm.policy,
        "ratio": candidate.arm.ratio,
        "lr": candidate.lr,
        "values": list(candidate.values),
        "mean": candidate.score,
        "spread": float(np.std(candidate.values, ddof=1)) if len(candidate.values) > 1 else 0.0,
        "chosen": candidate is choice.without or candidate is choice.synthetic,
    }


def _trial(outcome: Outcome) -> dict[str, Any]:
    return {
        "key": outcome.key,
        "arm": str(outcome.trial.arm),
        "training": asdict(outcome.trial.training),
        "seed": outcome.trial.seed,
        "on": outcome.trial.on,
        "scores": outcome.scores,
        "seconds": outcome.seconds,
    }


def _facts(sets: Sets, synthetic: list[int]) -> dict[str, Any]:
    parts = {"train": sets.train, "validation": sets.validation, "test": sets.test}
    facts: dict[str, Any] = {
        name: {"images": len(part), "counts": list(part.counts().values()), "unreadable": len(part.unreadable)}
        for name, part in parts.items()
    }
    facts["synthetic"] = {"images": sum(synthetic), "counts": synthetic}
    facts["shape"] = list(sets.train.pixels.shape[1:])
    facts["test groups"] = None if sets.test.groups is None else len(set(sets.test.groups))
    return facts


def _versions() -> dict[str, str]:
    names = ("torch", "torchvision", "timm", "numpy", "scipy")
    return {"python": platform.python_version(), **{name: version(name) for name in names}}


def _call(data, test, run, synthetic, out, seeds, quick, ratios, limit, seed) -> str:
    """The command line that does the same, where the arguments have a text."""
    parts = ["ganaug bench", _text(data)]
    options = {"--test": test, "--run": run, "--synthetic": synthetic, "--out": out, "--seeds": seeds, "--limit": limit}
    parts += [f"{name} {_text(value)}" for name, value in options.items() if value is not None]
    parts += [f"--ratio {ratio:g}" for ratio in ratios] if tuple(ratios) != RATIOS else []
    parts += [f"--seed {seed}"] if seed else []
    return " ".join(parts + (["--quick"] if quick else []))


def _text(value: Any) -> str:
    path = getattr(value, "path", value)
    text = str(path) if isinstance(path, (str, Path, int)) else f"<{type(value).__name__}>"
    return f"'{text}'" if " " in text else text
