"""From paired test results to one word: the interval, and when no word may be said."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from ganaug.data.spec import ONE_OF
from ganaug.keys import numpy_stream

HELPS, NO_EVIDENCE, HARMS, WITHHELD = "helps", "no evidence", "harms", "withheld"
LEVEL = 0.95
DRAWS = 2000
LEAST_TEST = 50  # test images below which nothing is said
LEAST_IN_CLASS = 5  # test images of a class, where every class counts the same
POWER = 0.8
TINY = 1e-12  # rounding
FEW = 16  # images or groups that differ, up to which an exact test is made
LEAST_GROUPS = 6  # likewise, whole groups: an exact test of five finds nothing at the level
LEAST_OF_CLASS = 5  # likewise, of each class, where every class counts the same


@dataclass(frozen=True)
class Interval:
    """A paired difference, as a share (0.01 is one point): mean, and its interval at `level`.

    per_seed: the difference of every seed. student: Student's t interval over the seeds alone, which [low, high]
    always contains; None with fewer than two seeds. p: two-sided p-value of no difference, by the same resampling, by
    Student's t and by `flipped`, the largest of them; below 1 - level, up to rounding, where the interval leaves out 0.
    """

    mean: float
    low: float
    high: float
    per_seed: tuple[float, ...]
    student: tuple[float, float] | None
    level: float = LEVEL
    p: float = 1.0

    @property
    def unseen(self) -> float:
        """Half the width: a mean difference below it could not have been told from none."""
        return (self.high - self.low) / 2

    @property
    def detectable(self) -> float | None:
        """The true difference that such a comparison finds in four of five cases, taking the interval for Student's t;
        None with fewer than two seeds."""
        if len(self.per_seed) < 2:
            return None
        freedom = len(self.per_seed) - 1
        edge = stats.t.ppf((1 + self.level) / 2, freedom)
        return float(self.unseen * (edge + stats.t.ppf(POWER, freedom)) / edge)


def paired_interval(
    gain: np.ndarray,
    labels: np.ndarray,
    *,
    balanced: bool,
    groups: np.ndarray | None = None,
    seed: int = 0,
    draws: int = DRAWS,
) -> Interval:
    """Interval of the mean gain over images and seeds.

    gain: (S, N), for every seed and test image, correct with synthetic minus correct without, in {-1, 0, 1}.
    labels: int64 (N,). balanced: every class weighs the same (balanced accuracy), else every image. groups: (N,), test
    images that are drawn together.

    A bootstrap of both factors: each draw takes test images with replacement (within classes if balanced, whole groups
    where given, each as one of the class that it has most of) and, independently, seeds with replacement, and the two
    deviations from the mean add up. Chance that belongs to a seed and an image together is in both, so it is taken out
    of that of the images (drawing seeds of the drawn images would count it three times: Owen, The pigeonhole bootstrap,
    Annals of Applied Statistics 1, 2007). A bootstrap over few units is too narrow, so that the deviations of seeds,
    and those of images or groups, are stretched by t / z * sqrt(n / (n - 1)), which makes them as wide as Student's t;
    n - 1 are the degrees of freedom, of classes together those of Satterthwaite (1946). The result is widened to
    Student's interval where that reaches further; and to 0 where the exact test of `flipped` finds nothing at the
    level: below six images (or groups) that differ, it never does.
    """
    seeds = len(gain)
    weights_of = _class_weights(labels) if balanced else np.full(gain.shape[1], 1 / gain.shape[1])
    per_seed = gain @ weights_of
    mean, student = float(per_seed.mean()), student_interval(per_seed)
    drawn = _drawn(labels, balanced, groups)
    values = _resampled(gain.mean(0), drawn, draws, numpy_stream(seed, "bench", "images"))
    values = mean + (values - mean) * _stretch(_freedom(gain.mean(0), weights_of, drawn))
    if seeds > 1:
        values = mean + (values - mean) * _of_images_alone(gain, weights_of, drawn)
        chosen = numpy_stream(seed, "bench", "seeds").integers(0, seeds, (draws, seeds))
        values += (per_seed[chosen].mean(1) - mean) * _stretch(seeds - 1)
    low, high = (float(edge) for edge in np.quantile(values, [(1 - LEVEL) / 2, (1 + LEVEL) / 2]))
    if student is not None:
        low, high = min(low, student[0]), max(high, student[1])
    exact = flipped(np.bincount(drawn.units, gain.mean(0) * weights_of))
    if exact > 1 - LEVEL:
        low, high = min(low, 0.0), max(high, 0.0)
    p = max(exact, _p_value(values, per_seed))
    return Interval(mean, low, high, tuple(map(float, per_seed)), student, LEVEL, p)


def flipped(gains: np.ndarray) -> float:
    """Two-sided p-value of no difference, exact where the gain of each image (or group) is as likely to be a loss.

    The share of all ways of giving signs to the gains that differ from 0 whose sum is as far from 0 (Fisher 1935, The
    Design of Experiments, section 21). Where all are alike it is the sign test, and so McNemar's exact one. 0 where
    more than `FEW` differ: there the bootstrap, which counts on many that differ, is right. gains: (units,).
    """
    differ = np.abs(gains[np.abs(gains) > TINY])
    if not len(differ):
        return 1.0
    if len(differ) > FEW:
        return 0.0
    sums = np.zeros(1)
    for gain in differ:
        sums = np.concatenate([sums - gain, sums + gain])
    return float((np.abs(sums) >= abs(gains.sum()) - TINY).mean())


def student_interval(values: np.ndarray) -> tuple[float, float] | None:
    """Student's t interval of the mean of values (N,); None for fewer than two."""
    if len(values) < 2:
        return None
    reach = stats.t.ppf((1 + LEVEL) / 2, len(values) - 1) * values.std(ddof=1) / np.sqrt(len(values))
    return float(values.mean() - reach), float(values.mean() + reach)


def decide(interval: Interval, reasons: list[str], *, enough: bool = True) -> str:
    """The verdict: withheld if there is any reason, else where the interval lies. enough: whether that is enough for
    `helps`, after all benches before this one."""
    if reasons:
        return WITHHELD
    if interval.low > 0:
        return HELPS if enough else NO_EVIDENCE
    return HARMS if interval.high < 0 else NO_EVIDENCE


def holm(ps: Sequence[float]) -> list[float]:
    """p-values of several comparisons, corrected so that the chance of any false one stays below the level (Holm 1979).

    A bench makes one comparison, and needs none. If you bench several runs or data sets and pick the best, use it.
    """
    order, corrected, least = np.argsort(ps, kind="stable"), [1.0] * len(ps), 0.0
    for place, i in enumerate(order):
        least = max(least, min(1.0, (len(ps) - place) * ps[i]))
        corrected[i] = float(least)
    return corrected


def few(names: Sequence[str]) -> str:
    """A list of names for a sentence: five of them, and how many more there are."""
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")


def reasons_to_withhold(
    labels: np.ndarray,
    classes: tuple[str, ...],
    seeds: int,
    groups: np.ndarray | None,
    validation: np.ndarray,
    *,
    balanced: bool = False,
    items: str = "images",
    usual: str = "",
) -> list[str]:
    """Why no honest verdict can be given, in plain sentences; none if it can. Looks at labels, never at results.

    items: what is tested on. balanced: whether every class counts the same, so that a class of few is a large part of
    the verdict. usual: how many seeds whoever asks has, in words.
    """
    reasons = []
    if seeds < 2:
        reasons.append(f"One seed says nothing about chance: at least 2 are needed{usual}.")
    if len(labels) < LEAST_TEST:
        reasons.append(f"{len(labels)} test {items} are too few to judge; at least {LEAST_TEST} are needed.")
    missing = [name for i, name in enumerate(classes) if not (labels == i).any()]
    if missing:
        reasons.append(f"The test set has no {ONE_OF[items]} of {few(list(map(repr, missing)))}.")
    small = [name for i, name in enumerate(classes) if 0 < (labels == i).sum() < LEAST_IN_CLASS]
    if balanced and small:
        reasons.append(
            f"The test set has fewer than {LEAST_IN_CLASS} {items} of {few(list(map(repr, small)))}, and every class "
            "counts the same."
        )
    if groups is not None and len(np.unique(groups)) < LEAST_GROUPS:
        reasons.append(f"The test set has {len(np.unique(groups))} groups; at least {LEAST_GROUPS} are needed.")
    elif groups is not None and balanced:
        lone = [name for i, name in enumerate(classes) if 0 < len(np.unique(groups[labels == i])) < LEAST_OF_CLASS]
        if lone:
            reasons.append(
                f"The test set has fewer than {LEAST_OF_CLASS} groups of {few(list(map(repr, lone)))}, and every class "
                "counts the same."
            )
    if len(np.unique(validation)) < 2:
        reasons.append("The validation part has fewer than 2 classes, so nothing could be selected on it.")
    return reasons


def _p_value(resampled: np.ndarray, per_seed: np.ndarray) -> float:
    """Two-sided: twice the smaller share of resampled means on one side of 0; at least that of Student's t."""
    if not resampled.any() and not per_seed.any():
        return 1.0
    beyond = min((resampled <= 0).mean(), (resampled >= 0).mean())
    p = min(1.0, 2 * max(float(beyond), 1 / (len(resampled) + 1)))
    spread = per_seed.std(ddof=1) if len(per_seed) > 1 else 0.0
    if spread == 0:
        return p
    t = abs(per_seed.mean()) / (spread / np.sqrt(len(per_seed)))
    return max(p, float(2 * stats.t.sf(t, len(per_seed) - 1)))


def _class_weights(labels: np.ndarray) -> np.ndarray:
    """Weight of every image such that each class that is there weighs the same; they sum to 1."""
    counts = np.bincount(labels)
    return 1 / (counts[labels] * (counts > 0).sum())


@dataclass(frozen=True)
class _Drawn:
    """What a bootstrap draws. classes: of every image (N,), 0 unless every class counts the same. units: of every image
    (N,), what is drawn as one. strata: of every unit, within which they are drawn."""

    classes: np.ndarray
    units: np.ndarray
    strata: np.ndarray


def _drawn(labels: np.ndarray, balanced: bool, groups: np.ndarray | None) -> _Drawn:
    classes = labels if balanced else np.zeros_like(labels)
    if groups is None:
        return _Drawn(classes, np.arange(len(labels)), classes)
    units = np.unique(groups, return_inverse=True)[1]
    images_of = np.zeros((units.max() + 1, classes.max() + 1))
    np.add.at(images_of, (units, classes), 1)
    return _Drawn(classes, units, images_of.argmax(1))


def _resampled(gain: np.ndarray, drawn: _Drawn, draws: int, rng: np.random.Generator) -> np.ndarray:
    """The mean of `gain` (N,), every class alike, on each of `draws` resampled test sets: (draws,)."""
    parts = [np.flatnonzero(drawn.classes == c) for c in np.unique(drawn.classes)]
    out = []
    for start in range(0, draws, 200):
        n = min(200, draws - start)
        taken = np.zeros((n, len(drawn.strata)))
        for stratum in np.unique(drawn.strata):
            members = np.flatnonzero(drawn.strata == stratum)
            taken[:, members] = _times(rng, len(members), n)
        times = taken[:, drawn.units]
        sums = np.stack([times[:, part] @ gain[part] for part in parts])  # (classes, n)
        sizes = np.stack([times[:, part].sum(1) for part in parts])
        shares = np.divide(sums, sizes, out=np.zeros_like(sums), where=sizes > 0)
        out.append(shares.sum(0) / (sizes > 0).sum(0))
    return np.concatenate(out)


def _of_images_alone(gain: np.ndarray, weights: np.ndarray, drawn: _Drawn) -> float:
    """The part of the standard error over images that would be left with ever more seeds, in [0, 1]. gain: (S, N)."""
    seeds, classes = len(gain), drawn.classes

    def variance(values: np.ndarray) -> float:
        """Of the weighted mean of values (N,): squared sums over the units that are drawn, around the class means."""
        means = np.bincount(classes, values) / np.maximum(1, np.bincount(classes))
        return float(np.square(np.bincount(drawn.units, weights * (values - means[classes]))).sum())

    shared = variance(gain.mean(0))
    own = sum(variance(row) for row in gain - gain.mean(0)) / (seeds * (seeds - 1))
    return float(np.sqrt(max(0.0, 1 - own / shared))) if shared else 0.0


def _freedom(gain: np.ndarray, weights: np.ndarray, drawn: _Drawn) -> float:
    """Degrees of freedom of the variance over images, at least 1: of one mean over the units that are drawn, or, where
    every class counts the same, of the sum of the classes' (Satterthwaite); no more than all units have, as one may
    hold several classes. Units of unequal size count by their squared shares (Satterthwaite, too). gain: (N,)."""
    free, spread = [], []
    for c in np.unique(drawn.classes):
        own = np.flatnonzero(drawn.classes == c)
        units = np.unique(drawn.units[own], return_inverse=True)[1]
        held = np.square(np.bincount(units, weights[own]))
        free.append(max(1.0, float(held.sum() ** 2 / np.square(held).sum()) - 1))
        moved = np.bincount(units, weights[own] * (gain[own] - gain[own].mean()))
        spread.append(float(np.square(moved).sum()))
    if not any(spread):
        return min(free)
    together = sum(spread) ** 2 / sum(s**2 / f for s, f in zip(spread, free, strict=True))
    return max(1.0, min(together, float(len(drawn.strata) - len(np.unique(drawn.strata)))))


def _stretch(freedom: float) -> float:
    """By how much a bootstrap over `freedom` + 1 units is too narrow."""
    wide, normal = stats.t.ppf((1 + LEVEL) / 2, freedom), stats.norm.ppf((1 + LEVEL) / 2)
    return float(wide / normal * np.sqrt((freedom + 1) / freedom))


def _times(rng: np.random.Generator, items: int, draws: int) -> np.ndarray:
    """How often each of `items` is taken in each of `draws` samples with replacement: float (draws, items)."""
    return rng.multinomial(items, np.full(items, 1 / items), size=draws).astype(np.float64)
