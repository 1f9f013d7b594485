"""From paired test results to one word: the interval, and when no word may be said."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import stats

from ganaug.keys import numpy_stream

HELPS, NO_EVIDENCE, HARMS, WITHHELD = "helps", "no evidence", "harms", "withheld"
LEVEL = 0.95
DRAWS = 2000
LEAST_TEST = 50  # test images below which nothing is said
LEAST_GROUPS = 5  # likewise, whole groups


@dataclass(frozen=True)
class Interval:
    """A paired difference, as a share (0.01 is one point): mean, and its interval at `level`.

    per_seed: the difference of every seed. student: Student's t interval over the seeds alone, which [low, high]
    always contains; None with fewer than two seeds.
    """

    mean: float
    low: float
    high: float
    per_seed: tuple[float, ...]
    student: tuple[float, float] | None
    level: float = LEVEL


def paired_interval(
    gain: np.ndarray,
    labels: np.ndarray,
    *,
    balanced: bool,
    groups: np.ndarray | None = None,
    seed: int = 0,
    draws: int = DRAWS,
    level: float = LEVEL,
) -> Interval:
    """Interval of the mean gain over images and seeds.

    gain: (S, N), for every seed and test image, correct with synthetic minus correct without, in {-1, 0, 1}.
    labels: int64 (N,). balanced: every class weighs the same (balanced accuracy), else every image. groups: (N,), test
    images that are drawn together.

    A bootstrap of both factors: each draw takes test images with replacement (within classes if balanced, whole groups
    where given) and, independently, seeds with replacement, and the two deviations from the mean add up. Chance that
    belongs to a seed and an image together is in both, so the interval is a little wide rather than narrow (drawing
    seeds of the drawn images would count it three times: Owen, The pigeonhole bootstrap, Annals of Applied Statistics
    1, 2007). A bootstrap over few seeds is too narrow, so their deviation is stretched by t / z * sqrt(S / (S - 1)),
    which makes it as wide as Student's t; the result is widened to Student's interval where that reaches further.
    """
    seeds = len(gain)
    weights_of = _class_weights(labels) if balanced else np.full(gain.shape[1], 1 / gain.shape[1])
    per_seed = gain @ weights_of
    mean = float(per_seed.mean())
    student = None
    values = _resampled(gain.mean(0), labels, balanced, groups, draws, numpy_stream(seed, "bench", "images"))
    if seeds > 1:
        t, z = stats.t.ppf((1 + level) / 2, seeds - 1), stats.norm.ppf((1 + level) / 2)
        reach = float(t * per_seed.std(ddof=1) / np.sqrt(seeds))
        student = (mean - reach, mean + reach)
        chosen = numpy_stream(seed, "bench", "seeds").integers(0, seeds, (draws, seeds))
        values += (per_seed[chosen].mean(1) - mean) * (t / z) * np.sqrt(seeds / (seeds - 1))
    low, high = (float(edge) for edge in np.quantile(values, [(1 - level) / 2, (1 + level) / 2]))
    if student is not None:
        low, high = min(low, student[0]), max(high, student[1])
    return Interval(mean, low, high, tuple(map(float, per_seed)), student, level)


def decide(interval: Interval, reasons: list[str]) -> str:
    """The verdict: withheld if there is any reason, else where the interval lies."""
    if reasons:
        return WITHHELD
    if interval.low > 0:
        return HELPS
    return HARMS if interval.high < 0 else NO_EVIDENCE


def reasons_to_withhold(
    labels: np.ndarray, classes: tuple[str, ...], seeds: int, groups: np.ndarray | None, validation: np.ndarray
) -> list[str]:
    """Why no honest verdict can be given, in plain sentences; none if it can. Looks at labels, never at results."""
    reasons = []
    if seeds < 2:
        reasons.append("One seed says nothing about chance: at least 2 are needed (default 10, 5 with --quick).")
    if len(labels) < LEAST_TEST:
        reasons.append(f"{len(labels)} test images are too few to judge; at least {LEAST_TEST} are needed.")
    missing = [name for i, name in enumerate(classes) if not (labels == i).any()]
    if missing:
        reasons.append(f"The test set has no image of {', '.join(map(repr, missing))}.")
    if groups is not None and len(np.unique(groups)) < LEAST_GROUPS:
        reasons.append(f"The test set has {len(np.unique(groups))} groups; at least {LEAST_GROUPS} are needed.")
    if len(np.unique(validation)) < 2:
        reasons.append("The validation part has fewer than 2 classes, so nothing could be chosen on it.")
    return reasons


def _class_weights(labels: np.ndarray) -> np.ndarray:
    """Weight of every image such that each class that is there weighs the same; they sum to 1."""
    counts = np.bincount(labels)
    return 1 / (counts[labels] * (counts > 0).sum())


def _resampled(
    gain: np.ndarray,
    labels: np.ndarray,
    balanced: bool,
    groups: np.ndarray | None,
    draws: int,
    rng: np.random.Generator,
) -> np.ndarray:
    """The mean of `gain` (N,), every class alike if balanced, on each of `draws` resampled test sets: (draws,)."""
    parts = [np.flatnonzero(labels == c) for c in np.unique(labels)] if balanced else [np.arange(len(labels))]
    members = None if groups is None else np.unique(groups, return_inverse=True)[1]
    out = []
    for start in range(0, draws, 200):
        n = min(200, draws - start)
        if members is not None:
            times = _times(rng, members.max() + 1, n)[:, members]
        else:
            times = np.zeros((n, len(labels)))
            for part in parts:
                times[:, part] = _times(rng, len(part), n)
        sums = np.stack([times[:, part] @ gain[part] for part in parts])  # (classes, n)
        sizes = np.stack([times[:, part].sum(1) for part in parts])
        shares = np.divide(sums, sizes, out=np.zeros_like(sums), where=sizes > 0)
        out.append(shares.sum(0) / (sizes > 0).sum(0))
    return np.concatenate(out)


def _times(rng: np.random.Generator, items: int, draws: int) -> np.ndarray:
    """How often each of `items` is taken in each of `draws` samples with replacement: float (draws, items)."""
    return rng.multinomial(items, np.full(items, 1 / items), size=draws).astype(np.float64)
