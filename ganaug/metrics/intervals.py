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
    """A figure and its interval.

    Attributes
    ----------
    value : float
        The figure.
    low, high : float
        The edges; NaN where there are too few images to say.
    level : float
        The confidence, 0.95 by default.

    Examples
    --------
    >>> from ganaug.metrics import Interval
    >>> Interval(0.5, 0.4, 0.6).level
    0.95
    """

    value: float
    low: float
    high: float
    level: float = LEVEL


def share_interval(hits: float, n: int, level: float = LEVEL) -> Interval:
    """Give a share with Wilson's interval, which does not shrink to nothing at 0 or 1.

    Parameters
    ----------
    hits : float
        How many of the n; also a mean, as of several classifiers over the same n images.
    n : int
        Number of images.
    level : float, default 0.95
        The confidence.

    Returns
    -------
    Interval
        The share hits / n; NaN without images.

    References
    ----------
    Wilson 1927, "Probable inference, the law of succession, and statistical inference".

    Examples
    --------
    >>> from ganaug.metrics import share_interval
    >>> found = share_interval(0, 10)
    >>> found.value, found.low, round(found.high, 3)
    (0.0, 0.0, 0.278)
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
    """Give a mean over images, or a smooth function of means, with its percentile bootstrap interval.

    Parameters
    ----------
    statistic : callable
        Of row numbers int64 (N,) -> float.
    strata : ndarray
        Classes, int64 (N,), within which rows are drawn with replacement.
    seed : int
        Of the resampling.
    draws : int, default 200
        Number of resamples.
    level : float, default 0.95
        The confidence.

    Returns
    -------
    Interval
        NaN edges where every stratum has one row, since every resample is then the same.

    Examples
    --------
    >>> import numpy as np
    >>> from ganaug.metrics import bootstrap
    >>> x = np.random.default_rng(0).random(100)
    >>> found = bootstrap(lambda rows: float(x[rows].mean()), np.zeros(100, dtype=int), seed=0)
    >>> found.low < found.value < found.high
    True
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
    """Give a statistic of two sets with an interval, from random parts of both, drawn without replacement.

    For distances between sets, and for everything that looks at neighbours: there a bootstrap is wrong, because a
    repeated image is its own neighbour. A part holds a half of each set, or less where that is over `largest`; its
    standard deviation, times sqrt(m / (n - m)), is that of the whole.

    Parameters
    ----------
    statistic : callable
        Of row numbers of the real and of the synthetic set -> float.
    real, synthetic : ndarray
        Strata (classes) of the rows, int64 (N,) and (M,).
    seed : int
        Of the parts.
    draws : int, default 50
        Number of parts.
    largest : int, default 1000
        Images of one side in a part, at most.
    bounds : (float, float), default (-inf, inf)
        What the figure can be at all.
    level : float, default 0.95
        The confidence.

    Returns
    -------
    Interval
        Around the figure itself: what it is worth at these numbers of images.

    References
    ----------
    Politis and Romano 1994, "Large sample confidence regions based on subsamples under minimal assumptions".

    Examples
    --------
    >>> import numpy as np
    >>> from ganaug.metrics import frechet_distance, subsampled
    >>> a, b = np.random.default_rng(0).normal(size=(2, 200, 4))
    >>> one = np.zeros(200, dtype=int)
    >>> found = subsampled(lambda r, s: frechet_distance(a[r], b[s]), one, one, seed=0, bounds=(0, np.inf))
    >>> 0 <= found.low <= found.value <= found.high
    True
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
