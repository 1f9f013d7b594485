"""Frechet distance between two sets of features, as between Gaussians (FID, Heusel et al. 2017, 1706.08500).

    |m1 - m2|^2 + tr(S1) + tr(S2) - 2 tr((S1 S2)^(1/2))

The trace of the root is the sum of the roots of the eigenvalues of L' S2 L where L L' = S1: that matrix is symmetric,
so no general matrix root is taken. Means and covariances are float64 whatever the features are. The value depends on
the number of images (it is biased upwards by few), so it says something only beside its N.
"""

from __future__ import annotations

import numpy as np

from ganaug.errors import TooFewImagesError
from ganaug.metrics.matrices import Matrix, Vector, labels_for, matrix, pair

CHUNK = 4096  # rows that are float64 at a time


class Moments:
    """Running mean (D,) and scatter matrix (D, D) of features, float64, by the update of Chan et al. (1979).

    Memory does not grow with the number of rows: one matrix of D x D and one chunk.
    """

    def __init__(self, width: int):
        self.count = 0
        self.mean = np.zeros(width)
        self.scatter = np.zeros((width, width))

    def update(self, features: Matrix) -> Moments:
        """Add rows (N, D)."""
        rows = matrix(features)
        centred = np.empty((min(CHUNK, len(rows)), len(self.mean)))
        for start in range(0, len(rows), CHUNK):
            part = rows[start : start + CHUNK]
            self._add(part, centred[: len(part)])
        return self

    def _add(self, rows: np.ndarray, centred: np.ndarray) -> None:
        """centred: float64 of the shape of the rows, to work in: memory that is written to again is much faster."""
        mean = rows.mean(0, dtype=np.float64)
        np.subtract(rows, mean, out=centred)
        total, gap = self.count + len(rows), mean - self.mean
        self.scatter += centred.T @ centred
        if self.count:
            self.scatter += np.outer(gap, gap * (self.count * len(rows) / total))
        self.mean += gap * (len(rows) / total)
        self.count = total

    @property
    def covariance(self) -> np.ndarray:
        """Unbiased, float64 (D, D). Raises TooFewImagesError for fewer than two rows."""
        if self.count < 2:
            raise TooFewImagesError(
                f"A covariance needs at least 2 images, and there are {self.count}.", "Give at least 2."
            )
        return self.scatter / (self.count - 1)


def frechet_distance(real: Matrix, synthetic: Matrix) -> float:
    """Frechet distance between two sets of features, as between Gaussians (FID on features of Inception).

    It depends on the number of images (few make it larger), so that it says something only beside their numbers.

    Parameters
    ----------
    real, synthetic : array_like, (N, D) and (M, D)
        Features, two rows or more of each.

    Returns
    -------
    float
        0 or more; lower is nearer.

    Raises
    ------
    TooFewImagesError
        A side has fewer than two rows.

    References
    ----------
    Heusel et al. 2017, "GANs trained by a two time-scale update rule", 1706.08500.

    Examples
    --------
    >>> import numpy as np
    >>> from ganaug.metrics import frechet_distance
    >>> real = np.random.default_rng(0).normal(size=(500, 4))
    >>> round(frechet_distance(real, real + 1), 6)  # means that differ by 1 in 4 dimensions
    4.0
    """
    first, second = pair(real, synthetic, at_least=2)
    if min(len(first), len(second)) <= first.shape[1] // 2:
        return _of_few(first, second)
    width = first.shape[1]
    return frechet_of_moments(Moments(width).update(first), Moments(width).update(second))


def frechet_of_moments(real: Moments, synthetic: Moments) -> float:
    """The distance from running moments alone."""
    first, second = real.covariance, synthetic.covariance
    gap = real.mean - synthetic.mean
    return max(0.0, float(gap @ gap + np.trace(first) + np.trace(second) - 2 * trace_of_root(first, second)))


def trace_of_root(first: np.ndarray, second: np.ndarray) -> float:
    """tr((first second)^(1/2)) of two positive semi-definite matrices (D, D)."""
    try:
        root = np.linalg.cholesky(first)
    except np.linalg.LinAlgError:  # some direction has no variance
        values, vectors = np.linalg.eigh(first)
        root = vectors * np.sqrt(values.clip(min=0))
    return float(np.sqrt(np.linalg.eigvalsh(root.T @ second @ root).clip(min=0)).sum())


def _of_few(first: np.ndarray, second: np.ndarray) -> float:
    """The same for fewer rows than values: the trace of the root is the nuclear norm of the product of the centred
    matrices, which are small."""
    a, b = first.astype(np.float64), second.astype(np.float64)
    gap = a.mean(0) - b.mean(0)
    a = (a - a.mean(0)) / np.sqrt(len(a) - 1)
    b = (b - b.mean(0)) / np.sqrt(len(b) - 1)
    root = np.linalg.svd(a @ b.T, compute_uv=False).sum()
    return max(0.0, float(gap @ gap + np.square(a).sum() + np.square(b).sum() - 2 * root))


def class_frechet_distances(
    real: Matrix, real_labels: Vector, synthetic: Matrix, synthetic_labels: Vector, n_classes: int
) -> np.ndarray:
    """Frechet distance, class by class.

    A set with good images and wrong labels has a small distance as a whole and a large one within classes.

    Parameters
    ----------
    real : array_like, (N, D)
        Features of real images.
    real_labels : array_like, (N,)
        Their classes, in [0, n_classes).
    synthetic : array_like, (M, D)
        Features of synthetic images.
    synthetic_labels : array_like, (M,)
        Their classes.
    n_classes : int
        Number of classes.

    Returns
    -------
    ndarray
        Distances, float64 (n_classes,); NaN where a side has fewer than two images.

    Examples
    --------
    >>> import numpy as np
    >>> from ganaug.metrics import class_frechet_distances
    >>> real, y = np.random.default_rng(0).normal(size=(100, 4)), np.arange(100) % 2
    >>> class_frechet_distances(real, y, real, y, 3).round(6)
    array([ 0.,  0., nan])
    """
    first, second = pair(real, synthetic, at_least=0)
    y = labels_for(len(first), real_labels, n_classes)
    t = labels_for(len(second), synthetic_labels, n_classes)
    distances = np.full(n_classes, np.nan)
    for label in range(n_classes):
        a, b = first[y == label], second[t == label]
        if min(len(a), len(b)) >= 2:
            distances[label] = frechet_distance(a, b)
    return distances


def intra_class_frechet(
    real: Matrix, real_labels: Vector, synthetic: Matrix, synthetic_labels: Vector, n_classes: int
) -> float:
    """Mean Frechet distance within classes.

    Parameters
    ----------
    real : array_like, (N, D)
        Features of real images.
    real_labels : array_like, (N,)
        Their classes, in [0, n_classes).
    synthetic : array_like, (M, D)
        Features of synthetic images.
    synthetic_labels : array_like, (M,)
        Their classes.
    n_classes : int
        Number of classes.

    Returns
    -------
    float
        The mean of `class_frechet_distances` over the classes that have one; NaN if none has.

    References
    ----------
    Miyato and Koyama 2018, "cGANs with projection discriminator", 1802.05637.

    Examples
    --------
    >>> import numpy as np
    >>> from ganaug.metrics import intra_class_frechet
    >>> real, y = np.random.default_rng(0).normal(size=(100, 4)), np.arange(100) % 2
    >>> intra_class_frechet(real, y, real, 1 - y, 2) > intra_class_frechet(real, y, real, y, 2)
    True
    """
    distances = class_frechet_distances(real, real_labels, synthetic, synthetic_labels, n_classes)
    return float(distances[~np.isnan(distances)].mean()) if (~np.isnan(distances)).any() else float("nan")
