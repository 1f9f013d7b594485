"""The metrics of features, each one record: what it is called, how it is computed, and what is good.

A further one is a function of two `Sides` under `@metric`: `ganaug measure` then prints it, with an interval.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import torch

from ganaug.errors import TooFewImagesError
from ganaug.keys import permutation
from ganaug.metrics.bins import Bins, share_of_different
from ganaug.metrics.diversity import within_class_diversity
from ganaug.metrics.frechet import class_frechet_distances, frechet_distance
from ganaug.metrics.kernels import gaussian_mmd, kernel_distance, median_distance
from ganaug.metrics.manifold import Manifold, manifold
from ganaug.metrics.neighbours import nearest

NAN = float("nan")


@dataclass(frozen=True)
class Metric:
    """One metric of features, as `ganaug measure` prints it.

    Attributes
    ----------
    name : str
        What it is called.
    function : callable
        Of the two `Sides`; it gives a float, or (n_classes,) for a mean over classes.
    best : str
        What it is for perfect samples.
    low, high : float
        What no value leaves.
    column : str
        For a metric that has a value for each class: what that is called; "" for one of all images.
    halves : int
        Samples of the right label without which the interval of one class says nothing.

    Examples
    --------
    >>> from ganaug.metrics import METRICS
    >>> METRICS["recall"].best, METRICS["recall"].low, METRICS["recall"].high
    ('1', 0, 1)
    """

    name: str
    function: Callable[[Sides], float | np.ndarray]
    best: str
    low: float = -np.inf
    high: float = np.inf
    column: str = ""
    halves: int = 0


METRICS: dict[str, Metric] = {}


def metric(
    name: str, *, best: str, low: float = -np.inf, high: float = np.inf, column: str = "", halves: int = 0
) -> Callable[[Callable[[Sides], float | np.ndarray]], Metric]:
    """Make a function of two sides a metric, which `ganaug measure` then prints with an interval.

    Parameters
    ----------
    name : str
        What it is called.
    best : str
        What it is for perfect samples.
    low, high : float, default -inf and inf
        What no value leaves.
    column : str, default ""
        For a mean over classes: what the value of each class is called.
    halves : int, default 0
        Samples of the right label without which the interval of one class says nothing.

    Returns
    -------
    callable
        A decorator for a function of `Sides`: features `real`, `synthetic` and their labels.

    Examples
    --------
    >>> from ganaug.metrics import METRICS, metric
    >>> @metric("gap of means", best="0", low=0)
    ... def gap(sides):
    ...     return float(abs(sides.real.mean() - sides.synthetic.mean()))
    >>> METRICS.pop("gap of means").best
    '0'
    """

    def listed(function: Callable[[Sides], float | np.ndarray]) -> Metric:
        METRICS[name] = Metric(name, function, best, low, high, column, halves)
        return METRICS[name]

    return listed


class Sides:
    """Features float32 (N, D) of real and (M, D) of synthetic images; their labels int64, in [0, n_classes).

    rows, others: which of all images of a suite these are, int64.
    """

    def __init__(self, suite: Suite, rows: np.ndarray, others: np.ndarray):
        self.suite, self.rows, self.others, self.n_classes = suite, rows, others, suite.n_classes
        self.real, self.synthetic = suite.real[rows], suite.synthetic[others]
        self.real_labels, self.labels = suite.real_labels[rows], suite.labels[others]

    @cached_property
    def manifold(self) -> Manifold:
        return manifold(self.real, self.synthetic)


@metric("FID", best="0", low=0)
def _(s: Sides) -> float:
    """Frechet distance of the features, as between Gaussians."""
    return frechet_distance(s.real, s.synthetic)


@metric("KID", best="0")
def _(s: Sides) -> float:
    """Kernel distance: squared maximum mean discrepancy with a cubic kernel."""
    return kernel_distance(s.real, s.synthetic)


@metric("MMD", best="0")
def _(s: Sides) -> float:
    """Squared maximum mean discrepancy with a Gaussian kernel as wide as the median distance of real images."""
    if not s.suite.bandwidth > 0:
        return NAN
    return gaussian_mmd(s.real, s.synthetic, bandwidth=s.suite.bandwidth)


@metric("NDB", best="0.05", low=0, high=1)
def _(s: Sides) -> float:
    """Share of the bins of real images of which samples hold another share."""
    if min(len(s.real), len(s.synthetic)) < 2:
        return NAN
    real, synthetic, bins = s.suite.bins
    return share_of_different(
        np.bincount(real[s.rows], minlength=bins), np.bincount(synthetic[s.others], minlength=bins)
    )


@metric("precision", best="1", low=0, high=1)
def _(s: Sides) -> float:
    """Share of samples within the manifold of real images."""
    return s.manifold.precision


@metric("recall", best="1", low=0, high=1)
def _(s: Sides) -> float:
    """Share of real images within the manifold of samples."""
    return s.manifold.recall


@metric("density", best="1", low=0)
def _(s: Sides) -> float:
    """Real images around a sample, over what is usual."""
    return s.manifold.density


@metric("coverage", best="1", low=0, high=1)
def _(s: Sides) -> float:
    """Share of real images with a sample near by."""
    return s.manifold.coverage


@metric("intra-class FID", best="0", low=0, column="FID")
def _(s: Sides) -> np.ndarray:
    """Frechet distance within a class."""
    return class_frechet_distances(s.real, s.real_labels, s.synthetic, s.labels, s.n_classes)


@metric("within-class diversity", best="1", low=0, column="diversity", halves=4)
def _(s: Sides) -> np.ndarray:
    """Variance of the samples of a class over that of its real images; of samples with the right label alone, since
    wrong ones are varied too."""
    right = s.suite.right[s.others]
    made, y = torch.from_numpy(s.synthetic[right]), torch.from_numpy(s.labels[right])
    return within_class_diversity(made, y, torch.from_numpy(s.real), torch.from_numpy(s.real_labels), s.n_classes)


@dataclass
class Suite:
    """Two sets of features, of any part of which all metrics can be computed.

    real (N, D), synthetic (M, D): float32 arrays; their labels int64, in [0, n_classes). right: bool (M,), those that a
    classifier gives their own label.
    """

    real: np.ndarray
    real_labels: np.ndarray
    synthetic: np.ndarray
    labels: np.ndarray
    n_classes: int
    right: np.ndarray
    seed: int = 0
    bins: tuple[np.ndarray, np.ndarray, int] = field(init=False)  # the bin of every image of both sets, and how many
    bandwidth: float = field(init=False)

    def __post_init__(self):
        enough = len(self.real) >= 2
        centres = Bins.of(self.real, seed=self.seed).centres if enough else np.zeros((1, self.real.shape[1]))
        placed = [nearest(rows, centres)[1] for rows in (self.real, self.synthetic)]
        self.bins = (placed[0], placed[1], len(centres))
        self.bandwidth = median_distance(self.real) if enough else NAN

    def as_a_whole(self, rows: np.ndarray, others: np.ndarray) -> dict[str, float]:
        """Metrics that do not look at labels, of these real and synthetic row numbers; NaN where they are too few."""
        sides = Sides(self, rows, others)
        return {name: float(_of(one, sides)) for name, one in METRICS.items() if not one.column}

    def by_class(self, rows: np.ndarray, others: np.ndarray) -> dict[str, float]:
        """Means over classes, and the value of every class under its `of_class`; NaN where images are too few."""
        sides = Sides(self, rows, others)
        found = {name: np.asarray(_of(one, sides)) for name, one in METRICS.items() if one.column}
        means = {name: _mean(values) for name, values in found.items()}
        return means | {of_class(name, k): float(v) for name, values in found.items() for k, v in enumerate(values)}

    def bounds(self) -> dict[str, tuple[float, float]]:
        """Of every metric, and of its value for each class."""
        found = {name: (one.low, one.high) for name, one in METRICS.items()}
        classwise = [one for one in METRICS.values() if one.column]
        return found | {of_class(one.name, k): found[one.name] for one in classwise for k in range(self.n_classes)}


def _of(one: Metric, sides: Sides) -> float | np.ndarray:
    try:
        return one.function(sides)
    except TooFewImagesError:
        return np.full(sides.n_classes, NAN) if one.column else NAN


def of_class(name: str, label: int) -> str:
    """What the figure of one class is called among those of all."""
    return f"{name} of class {label}"


def level(labels: np.ndarray, others: np.ndarray, n_classes: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Which items of two sets to compare: row numbers, as many of each class in one as in the other.

    The classes are in the proportions of the first set, and as many are taken, by seed, as that allows.
    """
    there, given = np.bincount(labels, minlength=n_classes), np.bincount(others, minlength=n_classes)
    shared = (there > 0) & (given > 0)
    scale = min(1.0, (given[shared] / there[shared]).min(initial=np.inf))
    wanted = np.where(shared, np.maximum(1, np.floor(scale * there + 1e-9)), 0)
    taken = (_ranks(part, seed) < wanted[part] for part in (labels, others))
    first, second = (np.flatnonzero(mask) for mask in taken)
    return first, second


def _ranks(labels: np.ndarray, seed: int) -> np.ndarray:
    """The place of every item in a keyed order of its class, int64 (N,)."""
    order = permutation(len(labels), seed, "metrics", "level")
    ranks = np.empty(len(labels), dtype=np.int64)
    for label in np.unique(labels):
        members = order[labels[order] == label]
        ranks[members] = np.arange(len(members))
    return ranks


def _mean(values: np.ndarray) -> float:
    """Over what is not NaN."""
    known = values[~np.isnan(values)]
    return float(known.mean()) if len(known) else NAN
