"""What a bench writes down: its arms, trials and data as plain values that JSON can hold."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from ganaug.evaluation.bench.contenders import Arena, Contender, Tried
from ganaug.evaluation.bench.design import UNEQUAL, Design
from ganaug.evaluation.bench.ladder import Ladder
from ganaug.evaluation.bench.sets import Sets
from ganaug.evaluation.bench.settings import BenchSettings
from ganaug.evaluation.bench.verdict import LEVEL, Interval, paired_interval, student_interval
from ganaug.evaluation.trials.parts import TEST, Parts
from ganaug.evaluation.trials.trial import Answers
from ganaug.metrics.classification import recalls
from ganaug.options import as_text, typed

if TYPE_CHECKING:
    from ganaug.evaluation.bench.played import Compared, Played

LEAST_TOLD = 5  # test images of a class, below which no interval of its recall is told
MEASURES = ("accuracy", "balanced accuracy", "macro-F1", "NLL", "ECE")


def metric_reason(design: Design, sets: Sets) -> str:
    """Why this metric decides, in a few words."""
    counts = sets.train.counts().values()
    share = max(counts) / max(1, min(counts))
    if not design.unequal:
        return f"the classes are about equal in size ({share:.1f} to 1)"
    return f"the largest class is {share:.1f} times as large as the smallest, more than {UNEQUAL}"


def named(contender: Contender) -> dict[str, Any]:
    """A contender by name, and what is in it. The fields of an arm are those of its first network."""
    return {
        "name": str(contender),
        "kind": contender.arm.kind,
        **asdict(contender.arm),
        "knobs": dict(contender.knobs),
        "networks": len(contender.members),
        "shift": contender.strength,
        "remedies": list(contender.remedies),
    }


def side(played: Played, compared: Compared) -> dict[str, Any]:
    """One of two contenders that are compared: means over the seeds on the test set."""
    recall = np.array([[np.nan if v is None else v for v in said.scores["recall"]] for said in compared.answers])
    every = played.arena.outcomes(compared.contender, played.seeds, TEST)
    outcomes = [outcome for outcome in every if not outcome.diverged] or every
    return {
        **named(compared.contender),
        "test": means(compared.answers),
        "recall": [None if np.isnan(column).any() else float(column.mean()) for column in recall.T],
        "curve": _mean_curve([outcome.curve for outcome in outcomes]),
        "watched": _mean_curve([outcome.watched for outcome in outcomes]),
    }


def _mean_curve(curves: Sequence[Sequence[float]]) -> list[float]:
    """The mean of curves over their own time, from start to end: trainings that stop early have fewer points."""
    drawn = [curve for curve in curves if len(curve)]
    places = np.linspace(0, 1, max(map(len, drawn), default=0))
    each = [np.interp(places, np.linspace(0, 1, len(curve)), curve) for curve in drawn]
    return np.mean(each, axis=0).round(5).tolist() if drawn else []


def means(answers: Sequence[Answers]) -> dict[str, float]:
    """Of every measure, over the seeds."""
    return {name: float(np.mean([said.scores[name] for said in answers])) for name in MEASURES}


def on_validation(tried: Tried, ladder: Ladder) -> dict[str, Any]:
    """One contender as validation saw it."""
    return {
        **named(tried.contender),
        "values": list(tried.values),
        "mean": tried.validation,
        "crosswise": tried.crosswise,
        "spread": float(np.std(tried.values, ddof=1)) if len(tried.values) > 1 else 0.0,
        "selected": any(tried is one for one in (ladder.rest, *ladder.mixed.values())),
    }


def classifier(arena: Arena, contender: Contender) -> dict[str, Any]:
    """For which classifier something holds. native: whether it sees the user's own images in all its networks; size:
    (height, width) in px of what the first of them looks at."""
    kinds = [arena.learners[kind] for kind in contender.kinds]
    return {
        "name": kinds[0].name,
        "words": " and ".join(kind.words for kind in kinds),
        "size": list(kinds[0].size),
        "native": all(kind.native for kind in kinds),
    }


def cost(played: Played, compared: Compared) -> dict[str, float]:
    """training seconds: of all networks, in the mean over the seeds, without the first look at the images. inference:
    in times of what the classifier takes as it is."""
    seconds = played.arena.seconds(compared.contender, played.seeds[: len(compared.answers)], TEST)
    own, usual = (_inference(played, one.contender) for one in (compared, played.as_it_is))
    return {"training seconds": round(seconds, 2), "inference": round(own / usual, 2)}


def _inference(played: Played, contender: Contender) -> float:
    """Seconds for an image: each network costs its own, and probes of one pretrained network cost one."""
    arena = played.arena
    each = {kind: arena.learners[kind].seconds_an_image(arena.laboratory.parts) for kind in contender.kinds}
    return sum(each[kind] * (1 if arena.learners[kind].shares else contender.copies(kind)) for kind in contender.kinds)


def measures(without: Sequence[Answers], mixed: Sequence[Answers]) -> dict[str, Any]:
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


def power(interval: Interval, seeds: int, tested: str, metric: str) -> dict[str, Any]:
    """What the comparison could not have seen: numbers (shares) and a sentence. tested: "200 test images"."""
    said = f"With {seeds} seed{'s' if seeds != 1 else ''} and {tested}"
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


def agreement(judged: Answers, n_classes: int) -> dict[str, Any]:
    """What a classifier of real images alone makes of the synthetic ones: share with the label they were made for."""
    each = recalls(judged.labels, judged.predictions, n_classes)
    return {
        "share": float((judged.labels == judged.predictions).mean()),
        "per class": [None if np.isnan(share) else float(share) for share in each],
    }


def facts(sets: Sets, parts: Parts) -> dict[str, Any]:
    """How many images of each class on each side."""
    sides = {"train": sets.train, "validation": sets.validation, "test": sets.test}
    found: dict[str, Any] = {
        name: {"images": len(part), "counts": list(part.counts().values()), "unreadable": len(part.unreadable)}
        for name, part in sides.items()
    }
    made = [np.bincount(part.labels.numpy(), minlength=parts.n_classes).tolist() for part in parts.made.values()]
    found["made"] = {name: {"images": sum(n), "counts": n} for name, n in zip(parts.made, made, strict=True)}
    found["synthetic"] = next(iter(found["made"].values()), {"images": 0, "counts": [0] * parts.n_classes})
    if parts.unlabelled is not None and sets.unlabelled is not None:
        found["unlabelled"] = {"images": len(parts.unlabelled), "unreadable": len(sets.unlabelled.unreadable)}
    found["shape"] = list(sets.train.spec.shape)
    found["of the fit"] = sets.of_the_fit
    found["test groups"] = None if sets.test.groups is None else len(set(sets.test.groups))
    return found


def versions() -> dict[str, str]:
    """Of python and of what decides the outcome of a trial."""
    names = ("torch", "torchvision", "timm", "numpy", "scipy", "scikit-learn")
    return {"python": platform.python_version(), **{name: version(name) for name in names}}


def machine(at_a_time: int, where: torch.device) -> dict[str, Any]:
    """What trials ran on."""
    return {
        "cpus": os.cpu_count(), "threads": torch.get_num_threads(), "trials at a time": at_a_time, "device": str(where),
    }  # fmt: skip


def command_line(data: Any, settings: BenchSettings, **options: Any) -> str:
    """The command line that does the same, where the arguments have a text. options: what is no setting."""
    given = [f"--{name} {as_text(one)}" for name, value in options.items() for one in _each(value)]
    shown, others = typed(settings)
    parts = ["ganaug bench", as_text(data), *given, *shown]
    return " ".join(parts + ([f"# in Python, with {', '.join(others)}"] if others else []))


def _each(value: Any) -> list[Any]:
    """What is given once, several times by names, or not at all."""
    return [] if value is None else list(value.values()) if isinstance(value, Mapping) else [value]
