"""From the draws of a cell to its result: the arm that validation chooses, and what it does to the test set."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from types import MappingProxyType

import numpy as np
from scipy import stats

from ganaug.data.duplicates.seen import LEAK
from ganaug.evaluation.bench.verdict import HELPS, LEVEL, Interval, decide, holm, paired_interval, reasons_to_withhold
from ganaug.evaluation.trials.arms import Arm
from ganaug.files.integrity import sha256
from ganaug.keys import permutation
from ganaug.metrics.classification import recalls
from scripts.studies.help.cells import Cell
from scripts.studies.help.kept import kept
from scripts.studies.lib.results import Line, read, unpack_flags, unpack_numbers, write


@dataclass(frozen=True)
class Change:
    """A paired difference over draws, as a share: mean, and Student's t interval; None with fewer than two draws."""

    mean: float
    low: float | None
    high: float | None


@dataclass(frozen=True)
class ArmResult:
    """One synthetic arm against the baseline. validation: the difference of the pooled scores; test: over draws.
    first: on the test set, against the first synthetic arm of the cell."""

    ratio: float
    use: str
    choice: str
    validation: float
    test: Change
    first: Change

    def __str__(self) -> str:
        return f"{self.ratio:.0%}, {self.use}" + (f", {self.choice}" if self.choice else "")


@dataclass(frozen=True)
class Result:
    """What one cell found. tuned: its baseline; draws: in order; chosen: the place of an arm in `arms`.

    interval: of the chosen arm over the baseline on the test set. baseline: mean of the metric on the test set.
    changes: "macro-F1", and "tail recall" and "head recall" where there is a tail. p: corrected for all cells. auto:
    the change by what `auto` uses, decided by one half of the draws on one half of the test images, and measured by the
    other draws on the other images. of: the hash of what the bootstraps behind both were given.
    """

    cell: Cell
    tuned: Line
    draws: tuple[Line, ...]
    arms: tuple[ArmResult, ...]
    chosen: int
    interval: Interval
    verdict: str
    reasons: tuple[str, ...]
    baseline: float
    changes: dict[str, Change]
    auto: Change
    of: str
    p: float = 1.0

    @property
    def arm(self) -> ArmResult:
        return self.arms[self.chosen]

    def among(self, uses: Sequence[str]) -> ArmResult:
        """The arm that validation would have chosen if the cell had these uses of synthetic images only."""
        return max((arm for arm in self.arms if arm.use in uses), key=lambda arm: arm.validation)

    @property
    def mean(self) -> float:
        """The change by the chosen arm, as a share."""
        return self.interval.mean

    @property
    def auto_ratio(self) -> float:
        """What `ratio="auto"` uses: the chosen arm where it helps, else the baseline."""
        return self.arm.ratio if self.verdict == HELPS else 0.0

    @property
    def chance(self) -> float:
        """The metric of a guess: of the most frequent class for accuracy, of any for balanced accuracy."""
        counts = np.bincount(unpack_numbers(self.tuned["test labels"]))
        balanced = self.tuned["metric"] == "balanced accuracy"
        return float(1 / (counts > 0).sum() if balanced else counts.max() / counts.sum())

    @property
    def all_of_them(self) -> bool:
        """Whether draws take all images of some class, so that they share them."""
        limit = self.cell.subset.limit
        return (
            limit is None or min(n for i, n in enumerate(self.tuned["images"]) if i not in self.tuned["tail"]) < limit
        )

    @property
    def left_out(self) -> int:
        """Test images that some draw had seen."""
        return len({row for draw in self.draws for row in draw["seen"]})

    def seconds(self, name: str, device: str = "") -> float | None:
        """Seconds a draw: "fit" (of the draws that know), "render" or "trainings"; None where none was kept.

        The median, as a process may have been stopped for a while. device: of the draws whose generator was fitted
        there alone.
        """
        kept = [draw["seconds"][name] for draw in self.draws if device in ("", draw["generator"]["device"])]
        values = [sum(one) if isinstance(one, list) else one for one in kept if one is not None]
        return float(np.median(values)) if values else None


def results(cells: Sequence[Cell], out: Path) -> list[Result]:
    """Of every cell that has a tuned baseline and a draw, p-values corrected over those with a verdict."""
    known = {line["of"]: line for line in read(bootstraps(out))}
    found = [summarise(cell, *lines, known) for cell in cells if (lines := read_cell(cell, out)) is not None]
    judged = [i for i, one in enumerate(found) if not one.reasons]
    for i, p in zip(judged, holm([found[i].interval.p for i in judged]), strict=True):
        found[i] = replace(found[i], p=p)
    return found


def read_cell(cell: Cell, out: Path) -> tuple[Line, list[Line]] | None:
    """The tuned baseline and all draws of a cell; None if there is nothing to tell. Raises ValueError where a draw was
    played on another baseline."""
    tuned, draws = kept(out, cell)
    if tuned is None or not draws:
        return None
    base = {name: tuned[name] for name in ("arm", "lr", "weight decay")}
    for draw in draws:
        if draw["baseline"] != base or draw["steps"] != tuned["steps"]:
            raise ValueError(f"Draw {draw['draw']} of {cell.name} was played on another baseline than the tuned one. "
                             "Delete its line, and run the study again.")  # fmt: skip
        arms = [[(arm["ratio"], arm["use"], arm["choice"]) for arm in one["arms"]] for one in (draw, draws[0])]
        if arms[0] != arms[1]:
            raise ValueError(f"Draws {draws[0]['draw']} and {draw['draw']} of {cell.name} have other arms. Delete the "
                             "older lines, and run the study again.")  # fmt: skip
    return tuned, draws


def bootstraps(out: Path) -> Path:
    """What the bootstraps of these results gave: they take seconds a cell, and a page must not."""
    return out.parent / f"{out.name}-bootstraps.jsonl"


def keep_bootstraps(found: Sequence[Result], out: Path) -> None:
    """Those of these results, and no others."""
    lines = [
        {"cell": one.cell.name, "of": one.of, "interval": asdict(one.interval), "auto": asdict(one.auto)}
        for one in sorted(found, key=lambda one: one.cell.name)
    ]
    write(bootstraps(out), lines)


def summarise(
    cell: Cell, tuned: Line, draws: Sequence[Line], known: Mapping[str, Line] = MappingProxyType({})
) -> Result:
    """The statistics of one cell, p not corrected. Test images that any draw has seen count in none.

    known: what bootstraps gave, by the hash of what they were given; any other is done here.
    """
    labels, n_classes = unpack_numbers(tuned["test labels"]), len(tuned["classes"])
    groups = None if tuned["test groups"] is None else unpack_numbers(tuned["test groups"])
    unseen = np.ones(len(labels), dtype=bool)
    for draw in draws:
        unseen[draw["seen"]] = False
    right = np.array([[unpack_flags(arm["right"], len(labels)) for arm in draw["arms"]] for draw in draws], dtype=float)
    right, labels = right[:, :, unseen], labels[unseen]  # (draws, arms, images)
    groups = None if groups is None else groups[unseen]
    balanced = tuned["metric"] == "balanced accuracy"
    weights = _weights(labels, balanced)
    on_test, on_validation = right @ weights, _pooled(draws, balanced)
    arms = tuple(
        ArmResult(arm["ratio"], arm["use"], arm["choice"], float(on_validation[i] - on_validation[0]),
                  over_draws(on_test[:, i] - on_test[:, 0]), over_draws(on_test[:, i] - on_test[:, 1]))
        for i, arm in enumerate(draws[0]["arms"]) if i
    )  # fmt: skip
    chosen = int(np.argmax(on_validation[1:]))  # the first of equals
    gain = right[:, chosen + 1] - right[:, 0]
    interval, auto, of = _bootstrapped(gain, labels, groups, balanced, known)
    items = np.sum([draw["validation"] for draw in draws], axis=0)
    reasons = reasons_to_withhold(
        labels, tuple(tuned["classes"]), max(2, len(draws)), groups, np.flatnonzero(items), balanced=balanced
    )
    if len(draws) < 2:
        reasons.append("One draw says nothing about chance: at least 2 are needed.")
    if (~unseen).mean() > LEAK:
        reasons.append(f"{int((~unseen).sum())} of {len(unseen)} test images were seen before.")
    f1 = np.array([[arm["test"]["macro-F1"] for arm in draw["arms"]] for draw in draws])
    changes = {"macro-F1": over_draws(f1[:, chosen + 1] - f1[:, 0])}
    if tuned["tail"]:
        each = np.array([[_recall(right[d, a], labels, n_classes) for a in (0, chosen + 1)] for d in range(len(draws))])
        gained, tail = each[:, 1] - each[:, 0], np.isin(np.arange(n_classes), tuned["tail"])
        changes |= {
            "tail recall": over_draws(np.nanmean(gained[:, tail], axis=1)),
            "head recall": over_draws(np.nanmean(gained[:, ~tail], axis=1)),
        }
    return Result(
        cell, tuned, tuple(draws), arms, chosen, interval, decide(interval, reasons), tuple(reasons),
        float(on_test[:, 0].mean()), changes, auto, of,
    )  # fmt: skip


def _bootstrapped(
    gain: np.ndarray, labels: np.ndarray, groups: np.ndarray | None, balanced: bool, known: Mapping[str, Line]
) -> tuple[Interval, Change, str]:
    """The interval of the chosen arm, what `auto` gains, and the hash of what both go by."""
    parts = [part for part in (gain, labels, groups) if part is not None]
    of = sha256(f"{gain.shape} {len(parts)} {balanced}".encode() + b"".join(part.tobytes() for part in parts))
    if of in known:
        line = known[of]
        tuples = {name: tuple(value) for name, value in line["interval"].items() if isinstance(value, list)}
        return Interval(**{**line["interval"], **tuples}), Change(**line["auto"]), of
    interval = paired_interval(gain, labels, balanced=balanced, groups=groups)
    return interval, over_draws(_by_auto(gain, labels, groups, balanced)), of


def _by_auto(gain: np.ndarray, labels: np.ndarray, groups: np.ndarray | None, balanced: bool) -> np.ndarray:
    """What `auto` gains in every draw if the draws of the other half decide, on one half of the test images (of each
    class, or of the subjects, where they are known), and the other images measure; the mean of both halves of the
    images: (draws,). Neither the luck of a draw nor that of an image is on both sides."""
    if groups is None:
        first = np.zeros(len(labels), dtype=bool)
        for label in np.unique(labels):
            rows = np.flatnonzero(labels == label)
            first[rows[permutation(len(rows), "study", "halves", int(label))[: len(rows) // 2]]] = True
    else:
        distinct = np.unique(groups)
        first = np.isin(groups, distinct[permutation(len(distinct), "study", "halves")[: len(distinct) // 2]])
    found, even = np.zeros(len(gain)), np.arange(len(gain)) % 2 == 0
    for asked in (even, ~even) if len(gain) > 3 else ():
        for decides, measures in ((first, ~first), (~first, first)):
            own = None if groups is None else groups[decides]
            interval = paired_interval(gain[asked][:, decides], labels[decides], balanced=balanced, groups=own)
            if decide(interval, []) == HELPS:
                found[~asked] += gain[~asked][:, measures] @ _weights(labels[measures], balanced) / 2
    return found


def over_draws(values: np.ndarray) -> Change:
    """Mean and Student's t interval at 95 % of one value a draw, (S,)."""
    mean = float(values.mean())
    if len(values) < 2:
        return Change(mean, None, None)
    freedom = len(values) - 1
    reach = float(stats.t.ppf((1 + LEVEL) / 2, freedom) * values.std(ddof=1) / np.sqrt(len(values)))
    return Change(mean, mean - reach, mean + reach)


def _pooled(draws: Sequence[Line], balanced: bool) -> np.ndarray:
    """The metric of every arm over the validation images of all draws together: (arms,)."""
    items = np.sum([draw["validation"] for draw in draws], axis=0)
    right = np.sum([[arm["validation right"] for arm in draw["arms"]] for draw in draws], axis=0)
    if not balanced:
        return right.sum(1) / items.sum()
    present = items > 0
    return (right[:, present] / items[present]).mean(1)


def _weights(labels: np.ndarray, balanced: bool) -> np.ndarray:
    """What each test image weighs in the metric, (N,)."""
    if not balanced:
        return np.full(len(labels), 1 / len(labels))
    counts = np.bincount(labels)
    return 1 / (counts[labels] * (counts > 0).sum())


def _recall(right: np.ndarray, labels: np.ndarray, n_classes: int) -> np.ndarray:
    """Of every class, (K,); NaN for a class without test images."""
    return recalls(labels, np.where(right > 0, labels, -1), n_classes)


def baseline_name(tuned: Line) -> str:
    """The tuned baseline in words."""
    return f"{Arm(**tuned['arm'])}, lr {tuned['lr']:g}, decay {tuned['weight decay']:g}"
