"""How much a figure would change with other images: intervals by keyed resampling.

Means over images are resampled with replacement (the bootstrap). Distances between sets, and everything that looks at
neighbours, must not be: a repeated image is its own neighbour, and takes away variance. They are computed on random
parts drawn without replacement, and the spread is scaled to the whole set (m out of n: Politis and Romano 1994). The
interval lies around the figure itself: it says what this figure is worth at this N, not at an infinite one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from scipy.special import ndtri, stdtrit

from ganaug.keys import numpy_stream

DRAWS = 50
LARGEST = 1000  # images of one side in a drawn part
LEVEL = 0.95


@dataclass(frozen=True)
class Interval:
    """A figure and its interval at `level`; NaN edges where there are too few images to say."""

    value: float
    low: float
    high: float
    level: float = LEVEL


def share_interval(hits: float, n: int, level: float = LEVEL) -> Interval:
    """The share hits / n with Wilson's interval (1927), which does not shrink to nothing at 0 or 1.

    hits: also a mean, as of several classifiers over the same n images.
    """
    if n == 0:
        return Interval(float("nan"), float("nan"), float("nan"), level)
    z, share = ndtri((1 + level) / 2), hits / n
    middle = (share + z * z / (2 * n)) / (1 + z * z / n)
    reach = z / (1 + z * z / n) * np.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    low, high = max(0.0, min(middle - reach, share)), min(1.0, max(middle + reach, share))  # rounding apart
    return Interval(share, float(low), float(high), level)


def bootstrap(
    statistic: Callable[[np.ndarray], float], strata: np.ndarray, *, seed: int, draws: int = 200, level: float = LEVEL
) -> Interval:
    """Percentile bootstrap, for means over images and smooth functions of them.

    statistic: of row numbers int64 (N,). strata: int64 (N,), within which rows are drawn with replacement (classes).
    Edges are NaN with one row of each stratum, of which every draw is the same.
    """
    rng = numpy_stream(seed, "metrics", "bootstrap")
    members = [np.flatnonzero(strata == label) for label in np.unique(strata)]
    values = [statistic(np.concatenate([rng.choice(rows, len(rows)) for rows in members])) for _ in range(draws)]
    low, high = np.quantile(values, [(1 - level) / 2, (1 + level) / 2])
    if all(len(rows) == 1 for rows in members):
        low = high = float("nan")
    return Interval(statistic(np.arange(len(strata))), float(low), float(high), level)


def subsampled(
    statistic: Callable[[np.ndarray, np.ndarray], float],
    real: np.ndarray,
    synthetic: np.ndarray,
    *,
    seed: int,
    draws: int = DRAWS,
    largest: int = LARGEST,
    bounds: tuple[float, float] = (-np.inf, np.inf),
    level: float = LEVEL,
) -> Interval:
    """Interval of a statistic of two sets, from random parts of both.

    statistic: of row numbers of the real and of the synthetic set. real, synthetic: strata (classes) of the rows,
    int64 (N,), (M,). A part holds a half of each set, or less where that is over `largest`; its standard deviation,
    times sqrt(m / (n - m)), is that of the whole. bounds: what the figure can be at all.
    """
    found = subsampled_together(
        lambda rows, others: {"": statistic(rows, others)}, real, synthetic,
        seed=seed, draws=draws, largest=largest, bounds={"": bounds}, level=level,
    )  # fmt: skip
    return found[""]


def subsampled_together(
    statistics: Callable[[np.ndarray, np.ndarray], dict[str, float]],
    real: np.ndarray,
    synthetic: np.ndarray,
    *,
    seed: int,
    draws: int = DRAWS,
    largest: int = LARGEST,
    bounds: Mapping[str, tuple[float, float]] = MappingProxyType({}),
    level: float = LEVEL,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> dict[str, Interval]:
    """`subsampled` for several statistics of the same parts; those that cannot be had on some part have NaN edges, and
    so have all where no part can differ from the whole. A share that is 0, or 1, on every part has Wilson's interval.

    progress: told the number of parts done, and of all.
    """
    whole = statistics(np.arange(len(real)), np.arange(len(synthetic)))
    share = min(0.5, largest / max(len(real), len(synthetic)))
    rng = numpy_stream(seed, "metrics", "parts")
    parts = []
    for done in range(draws):
        progress(done, draws)
        parts.append(statistics(_part(real, share, rng), _part(synthetic, share, rng)))
    progress(draws, draws)
    stretch = stdtrit(draws - 1, (1 + level) / 2) * np.sqrt(share / (1 - share))
    fewest = min(len(real), len(synthetic))
    alone = all(len(np.unique(side)) == len(side) for side in (real, synthetic))  # every part is the whole
    found = {}
    for name, value in whole.items():
        reach = stretch * np.std([part[name] for part in parts], ddof=1)
        low, high = np.clip([value - reach, value + reach], *bounds.get(name, (-np.inf, np.inf)))
        found[name] = Interval(value, float(min(low, value)), float(max(high, value)), level)
        if reach == 0 and value in (0, 1) and bounds.get(name) == (0, 1):
            found[name] = share_interval(int(value) * fewest, fewest, level)
        elif not np.isfinite(reach) or (reach == 0 and alone):
            found[name] = Interval(value, float("nan"), float("nan"), level)
    return found


def _part(strata: np.ndarray, share: float, rng: np.random.Generator) -> np.ndarray:
    """Row numbers of a random share of every stratum, without replacement, ascending; at least one of each.

    What is left over by rounding is drawn by chance, so that small strata have their share on average.
    """
    chosen = []
    for label in np.unique(strata):
        rows = np.flatnonzero(strata == label)
        exact = share * len(rows)
        count = max(1, int(exact) + int(rng.random() < exact % 1))
        chosen.append(rng.choice(rows, count, replace=False))
    return np.sort(np.concatenate(chosen))
