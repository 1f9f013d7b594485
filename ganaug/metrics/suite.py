"""All measures of two sets of features at once, so that they can be computed on any part of the two sets."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import torch

from ganaug.keys import permutation
from ganaug.metrics.bins import Bins, share_of_different
from ganaug.metrics.frechet import class_frechet_distances, frechet_distance
from ganaug.metrics.kernels import gaussian_mmd, kernel_distance, median_distance
from ganaug.metrics.manifold import NEIGHBOURS, manifold
from ganaug.metrics.neighbours import nearest
from ganaug.metrics.samples import within_class_diversity

NAN = float("nan")
BOUNDS = {
    **dict.fromkeys(("FID", "intra-class FID", "density", "within-class diversity"), (0.0, np.inf)),
    **dict.fromkeys(("NDB", "precision", "recall", "coverage"), (0.0, 1.0)),
}


@dataclass
class Suite:
    """real (N, D), synthetic (M, D): features, float32 arrays; their labels int64, in [0, n_classes).

    right: bool (M,), those that a classifier gives their own label; only these count for diversity, since wrong images
    are varied too.
    """

    real: np.ndarray
    real_labels: np.ndarray
    synthetic: np.ndarray
    labels: np.ndarray
    n_classes: int
    right: np.ndarray
    seed: int = 0
    _bins: tuple[np.ndarray, np.ndarray, int] = field(init=False)
    _bandwidth: float = field(init=False)

    def __post_init__(self):
        enough = len(self.real) >= 2
        centres = Bins.of(self.real, seed=self.seed).centres if enough else np.zeros((1, self.real.shape[1]))
        placed = [nearest(rows, centres)[1] for rows in (self.real, self.synthetic)]
        self._bins = (placed[0], placed[1], len(centres))
        self._bandwidth = median_distance(self.real) if enough else NAN

    def as_a_whole(self, rows: np.ndarray, others: np.ndarray) -> dict[str, float]:
        """Figures that do not look at labels, of these real and synthetic row numbers; NaN where they are too few."""
        a, b = self.real[rows], self.synthetic[others]
        enough = min(len(a), len(b)) >= 2
        figures = {
            "FID": frechet_distance(a, b) if enough else NAN,
            "KID": kernel_distance(a, b) if enough else NAN,
            "MMD": gaussian_mmd(a, b, bandwidth=self._bandwidth) if enough and self._bandwidth > 0 else NAN,
            "NDB": self._different_bins(rows, others) if enough else NAN,
        }
        found = manifold(a, b) if min(len(a), len(b)) > NEIGHBOURS else None
        for name in ("precision", "recall", "density", "coverage"):
            figures[name] = NAN if found is None else vars(found)[name]
        return figures

    def by_class(self, rows: np.ndarray, others: np.ndarray) -> dict[str, float]:
        """Means over classes, and the figure of every class under its `of_class`; NaN where images are too few."""
        found = {
            "intra-class FID": self.class_distances(rows, others),
            "within-class diversity": self.class_diversity(rows, others),
        }
        means = {name: _mean(values) for name, values in found.items()}
        return means | {of_class(name, k): float(v) for name, values in found.items() for k, v in enumerate(values)}

    def class_distances(self, rows: np.ndarray, others: np.ndarray) -> np.ndarray:
        """Frechet distance of every class, (n_classes,)."""
        return class_frechet_distances(
            self.real[rows], self.real_labels[rows], self.synthetic[others], self.labels[others], self.n_classes
        )

    def class_diversity(self, rows: np.ndarray, others: np.ndarray) -> np.ndarray:
        """Variance of every class over that of its real images, (n_classes,)."""
        chosen = others[self.right[others]]
        sides = ((self.synthetic, self.labels, chosen), (self.real, self.real_labels, rows))
        tensors = [torch.from_numpy(part[index]) for *parts, index in sides for part in parts]
        return within_class_diversity(tensors[0], tensors[1], tensors[2], tensors[3], self.n_classes)

    def _different_bins(self, rows: np.ndarray, others: np.ndarray) -> float:
        real, synthetic, cells = self._bins
        return share_of_different(
            np.bincount(real[rows], minlength=cells), np.bincount(synthetic[others], minlength=cells)
        )


def of_class(name: str, label: int) -> str:
    """What the figure of one class is called among those of all."""
    return f"{name} of class {label}"


def level(labels: np.ndarray, others: np.ndarray, n_classes: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Which items of two sets to compare: row numbers, as many of each class in one as in the other.

    The classes are in the proportions of the first set, and as many are chosen, by seed, as that allows.
    """
    there, given = np.bincount(labels, minlength=n_classes), np.bincount(others, minlength=n_classes)
    shared = (there > 0) & (given > 0)
    scale = min(1.0, (given[shared] / there[shared]).min(initial=np.inf))
    wanted = np.where(shared, np.maximum(1, np.floor(scale * there + 1e-9)), 0)
    chosen = (_ranks(part, seed) < wanted[part] for part in (labels, others))
    first, second = (np.flatnonzero(mask) for mask in chosen)
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
