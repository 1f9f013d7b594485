"""What a bench writes down: its arms, trials and data as plain values that JSON can hold."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from dataclasses import asdict
from importlib.metadata import version
from typing import Any

import numpy as np
import torch

from ganaug.evaluation.bench.arms import UNEQUAL, Design
from ganaug.evaluation.bench.selection import Candidate, Selection
from ganaug.evaluation.bench.sets import Sets
from ganaug.evaluation.bench.settings import BenchSettings
from ganaug.evaluation.bench.trial import Outcome
from ganaug.evaluation.bench.verdict import LEVEL, Interval, paired_interval, student_interval
from ganaug.metrics.classification import recalls
from ganaug.options import as_text, typed

LEAST_TOLD = 5  # test images of a class, below which no interval of its recall is told
MEASURES = ("accuracy", "balanced accuracy", "macro-F1", "NLL", "ECE")


def metric_reason(design: Design, sets: Sets) -> str:
    """Why this metric is the primary one, in a few words."""
    counts = sets.train.counts().values()
    share = max(counts) / max(1, min(counts))
    relation = "more" if design.unequal else "not more"
    return f"largest class is {share:.1f} times the smallest, {relation} than {UNEQUAL}: {design.metric}"


def side(candidate: Candidate, outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """One of the two compared arms: means over the seeds on the test set."""
    recall = np.array([[np.nan if v is None else v for v in outcome.scores["recall"]] for outcome in outcomes])
    watched = [outcome.watched for outcome in outcomes]
    alike = len(set(map(len, watched))) <= 1  # not if an earlier version trained some of them
    return {
        **_arm(candidate),
        "test": {name: float(np.mean([outcome.scores[name] for outcome in outcomes])) for name in MEASURES},
        "recall": [None if np.isnan(column).any() else float(column.mean()) for column in recall.T],
        "curve": np.mean([outcome.curve for outcome in outcomes], axis=0).round(5).tolist(),
        "watched": np.mean(watched, axis=0).round(5).tolist() if alike else [],
    }


def on_validation(candidate: Candidate, selection: Selection) -> dict[str, Any]:
    """One candidate as validation saw it."""
    return {
        **_arm(candidate),
        "values": list(candidate.values),
        "mean": candidate.score,
        "spread": float(np.std(candidate.values, ddof=1)) if len(candidate.values) > 1 else 0.0,
        "selected": candidate is selection.without or candidate is selection.synthetic,
    }


def _arm(candidate: Candidate) -> dict[str, Any]:
    return {
        "name": str(candidate.arm),
        "kind": candidate.arm.kind,
        **asdict(candidate.arm),
        "lr": candidate.lr,
        "weight decay": candidate.decay,
    }


def measures(without: Sequence[Outcome], mixed: Sequence[Outcome]) -> dict[str, Any]:
    """The change of every measure over the paired seeds: its mean and Student's t interval, None with one seed.

    Only the primary metric decides, by the wider interval that resamples test images too.
    """
    found = {}
    for name in MEASURES:
        change = np.array([b.scores[name] - a.scores[name] for a, b in zip(without, mixed, strict=True)])
        low, high = student_interval(change) or (None, None)
        found[name] = {"mean": float(change.mean()), "low": low, "high": high}
    return found


def recall_changes(
    gain: np.ndarray, labels: np.ndarray, groups: np.ndarray | None, n_classes: int, seed: int
) -> list[dict[str, float] | None]:
    """For every class the change of its recall and the interval, each by itself; None for a class of fewer than
    LEAST_TOLD images (or groups), of which nobody knows how much chance there is.

    gain: (S, N), as for `paired_interval`.
    """
    found: list[dict[str, float] | None] = []
    for label in range(n_classes):
        rows = np.flatnonzero(labels == label)
        if len(rows if groups is None else np.unique(groups[rows])) < LEAST_TOLD:
            found.append(None)
            continue
        own = None if groups is None else groups[rows]
        change = paired_interval(gain[:, rows], labels[rows], balanced=False, groups=own, seed=seed, draws=500)
        low, high = change.low, change.high
        if not gain[:, rows].any():  # no image changed its side, of so many: as many as could have by chance
            most = 1 - (1 - LEVEL) ** (1 / (len(rows) if own is None else len(np.unique(own))))
            low, high = -most, most
        found.append({"mean": change.mean, "low": low, "high": high})
    return found


def recommendation(arm: dict[str, Any], interval: Interval) -> dict[str, Any]:
    """What `ratio="auto"` uses, and its change against the arm without: at ratio 0 it is that arm, trial by trial."""
    change = {"mean": interval.mean, "low": interval.low, "high": interval.high, "per_seed": interval.per_seed}
    if arm["ratio"] == 0:
        change = {"mean": 0.0, "low": 0.0, "high": 0.0, "per_seed": (0.0,) * len(interval.per_seed)}
    return {"ratio": arm["ratio"], "use": arm["use"], "arm": arm["name"], "difference": change}


def power(interval: Interval, seeds: int, images: int, metric: str) -> dict[str, Any]:
    """What the comparison could not have seen: numbers (shares) and a sentence."""
    said = f"With {seeds} seed{'s' if seeds != 1 else ''} and {images} test images"
    if interval.detectable is None or interval.detectable >= 1:
        said += ", no difference of any size could have been told from chance."
    elif interval.unseen == 0:
        said += ", the two arms gave the same answers in every seed; what other seeds would give is not known."
    else:
        said += (
            f", a change of {metric} under {100 * interval.unseen:.2f} points could not have been seen; one of "
            f"{100 * interval.detectable:.2f} points would be found four times in five."
        )
    return {"unseen": interval.unseen, "detectable": interval.detectable, "sentence": said}


def agreement(outcome: Outcome, labels: np.ndarray, n_classes: int) -> dict[str, Any]:
    """What a classifier of real images alone makes of the synthetic ones: share with the label they were made for."""
    each = recalls(labels, outcome.predictions, n_classes)
    return {
        "share": float((labels == outcome.predictions).mean()),
        "per class": [None if np.isnan(share) else float(share) for share in each],
    }


def facts(sets: Sets, synthetic: list[int]) -> dict[str, Any]:
    """How many images of each class on each side."""
    parts = {"train": sets.train, "validation": sets.validation, "test": sets.test}
    found: dict[str, Any] = {
        name: {"images": len(part), "counts": list(part.counts().values()), "unreadable": len(part.unreadable)}
        for name, part in parts.items()
    }
    found["synthetic"] = {"images": sum(synthetic), "counts": synthetic}
    found["shape"] = list(sets.train.pixels.shape[1:])
    found["of the fit"] = sets.of_the_fit
    found["test groups"] = None if sets.test.groups is None else len(set(sets.test.groups))
    return found


def versions() -> dict[str, str]:
    """Of python and of what decides the outcome of a trial."""
    names = ("torch", "torchvision", "timm", "numpy", "scipy")
    return {"python": platform.python_version(), **{name: version(name) for name in names}}


def machine(at_a_time: int, where: torch.device) -> dict[str, Any]:
    """What trials ran on."""
    return {
        "cpus": os.cpu_count(), "threads": torch.get_num_threads(), "trials at a time": at_a_time, "device": str(where),
    }  # fmt: skip


def command_line(data: Any, settings: BenchSettings, **options: Any) -> str:
    """The command line that does the same, where the arguments have a text. options: what is no setting."""
    given = [f"--{name} {as_text(value)}" for name, value in options.items() if value is not None]
    shown, others = typed(settings)
    parts = ["ganaug bench", as_text(data), *given, *shown]
    return " ".join(parts + ([f"# in Python, with {', '.join(others)}"] if others else []))
