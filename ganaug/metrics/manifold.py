"""Precision and recall (Kynkaanniemi et al. 2019, 1904.06991), density and coverage (Naeem et al. 2020, 2002.09797).

A set's manifold is the union of balls around its points, each as large as the distance to the k-th nearest other point.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ganaug.errors import OptionError
from ganaug.metrics.matrices import Matrix, pair
from ganaug.metrics.neighbours import Balls, Points, blocks, inside, squared_distances

NEIGHBOURS = 5


@dataclass(frozen=True)
class Manifold:
    """Four figures that compare the manifolds of two sets of features.

    Attributes
    ----------
    precision : float
        Share of synthetic images within the real manifold, 0 to 1.
    recall : float
        Share of real images within the synthetic manifold, 0 to 1.
    density : float
        Real balls around a synthetic image, over k: about 1 for real images, above it where synthetic images crowd the
        middle.
    coverage : float
        Share of real images with a synthetic one in their ball, 0 to 1.

    Examples
    --------
    >>> from ganaug.metrics import Manifold
    >>> Manifold(precision=0.9, recall=0.5, density=1.1, coverage=0.8).recall
    0.5
    """

    precision: float
    recall: float
    density: float
    coverage: float


def manifold(real: Matrix, synthetic: Matrix, *, k: int = NEIGHBOURS) -> Manifold:
    """Compute precision, recall, density and coverage of synthetic images.

    The manifold of a set is the union of balls around its points, each as large as the distance to the k-th nearest
    other point. A point lies in a ball if it is nearer than the radius, as in the authors' `prdc`. Memory O(N D), time
    O(N^2 D).

    Parameters
    ----------
    real, synthetic : array_like, (N, D) and (M, D)
        Features, more than k rows of each.
    k : int, default 5
        Number of the neighbour.

    Returns
    -------
    Manifold
        The four figures.

    Raises
    ------
    OptionError
        `k` is below 1.
    TooFewImagesError
        A side has k rows or fewer.

    References
    ----------
    Kynkaanniemi et al. 2019, "Improved precision and recall metric", 1904.06991. Naeem et al.
    2020, "Reliable fidelity and diversity metrics", 2002.09797.

    Examples
    --------
    >>> import numpy as np
    >>> from ganaug.metrics import manifold
    >>> a, b = np.random.default_rng(0).normal(size=(2, 200, 4))
    >>> found = manifold(a, b + 100)
    >>> found.precision, found.coverage
    (0.0, 0.0)
    """
    if k < 1:
        raise OptionError(f"There is no neighbour number {k}.", "Give k >= 1.")
    first, second = pair(real, synthetic, at_least=k + 1)
    centre = first.mean(0, dtype=np.float64)
    a, b = Points(first, centre), Points(second, centre)
    own, theirs = Balls(a, k), Balls(b, k)
    balls = np.zeros(len(b), dtype=np.int64)  # real balls around each synthetic image
    covered, reached = np.zeros(len(a), dtype=bool), np.zeros(len(a), dtype=bool)
    for rows in blocks(len(a)):
        for columns in blocks(len(b)):
            square = squared_distances(a, rows, b, columns)
            row, column = inside(a, rows, b, columns, square, own)
            balls[columns] += np.bincount(column, minlength=square.shape[1])
            covered[row + rows.start] = True
            row, _ = inside(a, rows, b, columns, square, theirs)
            reached[row + rows.start] = True
    return Manifold(float((balls > 0).mean()), float(reached.mean()), float(balls.mean() / k), float(covered.mean()))
