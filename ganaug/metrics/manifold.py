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
    """precision: share of synthetic images within the real manifold. recall: share of real images within the synthetic
    one. density: real balls around a synthetic image, over k; about 1 for real images, above it where synthetic images
    crowd the middle. coverage: share of real images with a synthetic one in their ball. All but density in [0, 1].
    """

    precision: float
    recall: float
    density: float
    coverage: float


def manifold(real: Matrix, synthetic: Matrix, *, k: int = NEIGHBOURS) -> Manifold:
    """All four, of features (N, D) and (M, D), with more than k rows each.

    A point lies in a ball if it is nearer than the radius, as in the authors' `prdc`. Memory O(N D), time O(N^2 D).
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
