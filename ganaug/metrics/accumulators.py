"""Measures over batches, used like torchmetrics: `update` with every batch, `compute` the figure, `reset`.

Any division into batches, in any order, gives the figure of the whole. What can be summed is summed in float64 and the
batches are let go; what looks at neighbours or at pairs keeps its features, as float32 on the CPU.
"""

from __future__ import annotations

from typing import TypeVar

import numpy as np
from torch import Tensor

from ganaug.errors import OptionError, TooFewImagesError
from ganaug.metrics.bins import different_bins
from ganaug.metrics.frechet import Moments, frechet_of_moments
from ganaug.metrics.kernels import gaussian_mmd, kernel_distance
from ganaug.metrics.manifold import NEIGHBOURS, Manifold, manifold
from ganaug.metrics.matrices import Matrix, Vector, labels_for, matrix
from ganaug.metrics.scores import Beliefs, am_of_beliefs, inception_of_beliefs

T = TypeVar("T")


class FrechetDistance:
    """FID of features (N, D); keeps two means and two matrices of D x D. `reset(real=False)` keeps the real side."""

    def __init__(self) -> None:
        self._sides: dict[bool, Moments] = {}

    def update(self, features: Matrix, *, real: bool) -> None:
        rows = matrix(features)
        self._sides.setdefault(real, Moments(rows.shape[1])).update(rows)

    def compute(self) -> float:
        return frechet_of_moments(*_both(self._sides))

    def reset(self, *, real: bool = True) -> None:
        self._sides = {side: moments for side, moments in self._sides.items() if side and not real}


class IntraClassFrechet:
    """Mean over classes of the FID within the class; keeps two matrices of D x D for every class."""

    def __init__(self, n_classes: int):
        self._classes = [FrechetDistance() for _ in range(n_classes)]

    def update(self, features: Matrix, labels: Vector, *, real: bool) -> None:
        rows = matrix(features)
        y = labels_for(len(rows), labels, len(self._classes))
        for label in np.unique(y):
            self._classes[label].update(rows[y == label], real=real)

    def compute(self) -> float:
        """NaN if no class has two images on both sides; classes that have not are left out."""
        values = []
        for one in self._classes:
            try:
                values.append(one.compute())
            except TooFewImagesError:
                continue
        return float(np.mean(values)) if values else float("nan")

    def reset(self) -> None:
        for one in self._classes:
            one.reset()


class _Kept:
    """The features of both sides, batch by batch."""

    def __init__(self) -> None:
        self.sides: dict[bool, list[np.ndarray]] = {}

    def add(self, features: Matrix, real: bool) -> None:
        self.sides.setdefault(real, []).append(matrix(features).astype(np.float32))

    def both(self) -> tuple[np.ndarray, np.ndarray]:
        real, synthetic = _both(self.sides)
        return np.concatenate(real), np.concatenate(synthetic)


class KernelDistance:
    """KID of features, over all pairs; keeps the features."""

    def __init__(self, degree: int = 3, coefficient: float = 1.0):
        self.degree, self.coefficient = degree, coefficient
        self._kept = _Kept()

    def update(self, features: Matrix, *, real: bool) -> None:
        self._kept.add(features, real)

    def compute(self) -> float:
        return kernel_distance(*self._kept.both(), degree=self.degree, coefficient=self.coefficient)

    def reset(self) -> None:
        self._kept = _Kept()


class GaussianMMD:
    """Squared MMD with a Gaussian kernel; keeps the features. bandwidth: None is the median distance of real ones."""

    def __init__(self, bandwidth: float | None = None):
        self.bandwidth = bandwidth
        self._kept = _Kept()

    def update(self, features: Matrix, *, real: bool) -> None:
        self._kept.add(features, real)

    def compute(self) -> float:
        return gaussian_mmd(*self._kept.both(), bandwidth=self.bandwidth)

    def reset(self) -> None:
        self._kept = _Kept()


class PRDC:
    """Precision, recall, density and coverage; keeps the features, never their distances."""

    def __init__(self, k: int = NEIGHBOURS):
        if k < 1:
            raise OptionError(f"There is no neighbour number {k}.", "Give k >= 1.")
        self.k = k
        self._kept = _Kept()

    def update(self, features: Matrix, *, real: bool) -> None:
        self._kept.add(features, real)

    def compute(self) -> Manifold:
        return manifold(*self._kept.both(), k=self.k)

    def reset(self) -> None:
        self._kept = _Kept()


class DifferentBins:
    """Share of statistically different bins (NDB / B); keeps the features."""

    def __init__(self, bins: int | None = None, seed: int = 0):
        self.bins, self.seed = bins, seed
        self._kept = _Kept()

    def update(self, features: Matrix, *, real: bool) -> None:
        self._kept.add(features, real)

    def compute(self) -> float:
        return different_bins(*self._kept.both(), bins=self.bins, seed=self.seed)

    def reset(self) -> None:
        self._kept = _Kept()


class InceptionScore:
    """Inception score of logits (N, K); keeps K sums."""

    def __init__(self) -> None:
        self._beliefs: Beliefs | None = None

    def update(self, scores: Matrix) -> None:
        rows = matrix(scores, "scores")
        if self._beliefs is None:
            self._beliefs = Beliefs(rows.shape[1])
        self._beliefs.update(rows)

    def compute(self) -> float:
        if self._beliefs is None:
            raise TooFewImagesError("There are no scores.", "Update with at least one image.")
        return inception_of_beliefs(self._beliefs)

    def reset(self) -> None:
        self._beliefs = None


class AMScore:
    """AM score of logits (N, K) against the labels of the real images; keeps K sums and K counts."""

    def __init__(self, n_classes: int):
        self.n_classes = n_classes
        self.reset()

    def update(self, scores: Matrix) -> None:
        self._beliefs.update(scores)

    def update_real(self, labels: Vector) -> None:
        self._real += np.bincount(labels_for(len(labels), labels, self.n_classes), minlength=self.n_classes)

    def compute(self) -> float:
        return am_of_beliefs(self._beliefs, self._real)

    def reset(self) -> None:
        self._beliefs, self._real = Beliefs(self.n_classes), np.zeros(self.n_classes, dtype=np.int64)


class LabelAgreement:
    """Share of samples that a classifier gives the label that they were made for."""

    def __init__(self) -> None:
        self.reset()

    def update(self, scores: Tensor, labels: Tensor) -> None:
        rows = matrix(scores, "scores")
        self.hits += int((rows.argmax(1) == labels_for(len(rows), labels)).sum())
        self.count += len(rows)

    def compute(self) -> float:
        if not self.count:
            raise TooFewImagesError("There are no scores.", "Update with at least one image.")
        return self.hits / self.count

    def reset(self) -> None:
        self.hits, self.count = 0, 0


class WithinClassDiversity:
    """Summed feature variance of synthetic over real images, class by class; keeps a mean and a sum of squares each."""

    def __init__(self, n_classes: int):
        self.n_classes = n_classes
        self.reset()

    def update(self, features: Matrix, labels: Vector, *, real: bool) -> None:
        rows = matrix(features)
        y = labels_for(len(rows), labels, self.n_classes)
        for label in np.unique(y):
            self._sides[real][label].update(rows[y == label])

    def compute(self) -> np.ndarray:
        """float64 (n_classes,), 1 is as varied; as the function `within_class_diversity`."""
        ratios = np.full(self.n_classes, np.nan)
        for label, (mine, real) in enumerate(zip(self._sides[False], self._sides[True], strict=True)):
            if real.count >= 2:
                ratios[label] = mine.variance / max(real.variance, 1e-12)
        return ratios

    def reset(self) -> None:
        self._sides = {real: [_Spread() for _ in range(self.n_classes)] for real in (False, True)}


class _Spread:
    """Running count, mean (D,) and summed squared deviation of rows."""

    def __init__(self) -> None:
        self.count, self.mean, self.squares = 0, np.zeros(1), 0.0

    def update(self, rows: np.ndarray) -> None:
        mean = rows.mean(0, dtype=np.float64)
        total, gap = self.count + len(rows), mean - self.mean
        self.squares += float(np.square(rows - mean).sum() + (gap * gap).sum() * (self.count * len(rows) / total))
        self.mean = self.mean + gap * (len(rows) / total)
        self.count = total

    @property
    def variance(self) -> float:
        """Summed over the features; 0 for fewer than two rows."""
        return self.squares / (self.count - 1) if self.count >= 2 else 0.0


def _both(sides: dict[bool, T]) -> tuple[T, T]:
    for side, name in ((True, "real"), (False, "synthetic")):
        if side not in sides:
            raise TooFewImagesError(f"There are no {name} images.", f"Call update(..., real={side}) first.")
    return sides[True], sides[False]
