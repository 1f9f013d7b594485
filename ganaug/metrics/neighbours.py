"""Nearest neighbours among feature vectors, block by block: never a matrix of all distances in memory.

Squared distances come from one float32 matrix product a block, on centred features. What such a product cannot decide
(it is within its rounding error of a threshold) is computed again in float64, so that every comparison, and with it
every count, is that of exact distances.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch

from ganaug.errors import TooFewImagesError

BLOCK = 1024  # rows and columns of distances at a time
PAIRS = 256  # exact distances at a time
SPARE = 5  # neighbours kept beyond the k-th
ROUNDING = float(np.finfo(np.float32).eps)


class Points:
    """Feature vectors (N, D) prepared for products: `left @ right.T` of two sets holds squared distances.

    Both sets of a product must be shifted by the same `centre` (D,). `error` bounds, for squared distances between
    these points and others of norm up to `reach`, what float32 may add or take away.
    """

    def __init__(self, rows: np.ndarray, centre: np.ndarray):
        self.rows = rows
        self.centre = centre.astype(np.float64)
        n, width = rows.shape
        self.left = np.empty((n, width + 2), dtype=np.float32)
        self.right = np.empty((n, width + 2), dtype=np.float32)
        for start in range(0, n, BLOCK):
            part = slice(start, start + BLOCK)
            shifted = rows[part] - self.centre
            squares = np.square(shifted).sum(1)
            self.left[part, :width], self.left[part, width], self.left[part, width + 1] = -2 * shifted, squares, 1
            self.right[part, :width], self.right[part, width], self.right[part, width + 1] = shifted, 1, squares
        self.reach = float(self.left[:, width].max()) if n else 0.0

    def __len__(self) -> int:
        return len(self.rows)

    def error(self, other: Points) -> float:
        """Bound of the error of a float32 squared distance: (D + 4) roundings of at most 2 (|x|^2 + |y|^2)."""
        return (self.rows.shape[1] + 4) * ROUNDING * (self.reach + other.reach)

    def exact(self, mine: np.ndarray, other: Points, theirs: np.ndarray) -> np.ndarray:
        """Squared distances of the pairs (mine[i], theirs[i]), float64 (P,)."""
        squares = np.empty(len(mine))
        for start in range(0, len(mine), PAIRS):
            part = slice(start, start + PAIRS)
            gaps = self.rows[mine[part]].astype(np.float64) - other.rows[theirs[part]]
            squares[part] = np.einsum("nd,nd->n", gaps, gaps)
        return squares


def blocks(n: int) -> Iterator[slice]:
    return (slice(start, min(start + BLOCK, n)) for start in range(0, n, BLOCK))


def squared_distances(a: Points, rows: slice, b: Points, columns: slice) -> np.ndarray:
    """float32 (rows, columns), with an error of up to `a.error(b)`."""
    return torch.mm(torch.from_numpy(a.left[rows]), torch.from_numpy(b.right[columns]).T).numpy()


class Balls:
    """Balls around points, each reaching to the k-th nearest other point; squared radii. Needs more than k points.

    approximate: float64 (N,), each within `error` of the exact one, which `exact` computes for those that need it.
    """

    def __init__(self, points: Points, k: int):
        if len(points) <= k:
            raise TooFewImagesError(f"{len(points)} images have no {k}-th neighbour.", f"Give at least {k + 1}.")
        self.points, self.k = points, k
        self.error = points.error(points)
        self._best = _nearest_others(points, min(k + SPARE, len(points) - 1))
        self.approximate = self._best.values[:, k - 1].astype(np.float64)
        self._known = np.full(len(points), np.nan)

    def exact(self, numbers: np.ndarray) -> np.ndarray:
        """Exact squared radii of the balls with these numbers, float64."""
        fresh = np.unique(numbers[np.isnan(self._known[numbers])])
        self._known[fresh] = self._settle(fresh)
        return self._known[numbers]

    def _settle(self, rows: np.ndarray) -> np.ndarray:
        """From the candidates that float32 cannot put before or behind the k-th; from all points where one that was not
        kept may be nearer than one that was."""
        kept, n = self._best.kept, len(self.points)
        gaps = self._best.values[rows] - self.approximate[rows, None]
        squares = np.where(gaps < 0, -np.inf, np.inf)
        place, column = np.nonzero(np.abs(gaps) <= 2 * self.error)
        squares[place, column] = self.points.exact(rows[place], self.points, self._best.index[rows[place], column])
        found = np.partition(squares, self.k - 1, axis=1)[:, self.k - 1]
        if kept < n - 1:
            doubtful = np.flatnonzero(self._best.values[rows, -1] <= found + self.error)
            for i in doubtful:
                row = rows[i]
                every = self.points.exact(np.full(n - 1, row), self.points, np.delete(np.arange(n), row))
                found[i] = np.partition(every, self.k - 1)[self.k - 1]
        return found


def _nearest_others(points: Points, kept: int) -> _Nearest:
    """By float32 distances."""
    best = _Nearest(len(points), kept)
    parts = list(blocks(len(points)))
    for rows in parts:
        square = squared_distances(points, rows, points, rows)
        np.fill_diagonal(square, np.inf)
        best.begin(rows, square)
    for i, rows in enumerate(parts):
        for columns in parts[i + 1 :]:
            square = squared_distances(points, rows, points, columns)
            row, column = _where(square < best.values[rows, -1:])
            best.offer(row + rows.start, column + columns.start, square[row, column])
            row, column = _where(square < best.values[None, columns, -1])
            best.offer(column + columns.start, row + rows.start, square[row, column])
    return best


def _where(mask: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rows and columns of what is true; much faster than `np.nonzero` where little is."""
    places = np.flatnonzero(mask)
    return np.divmod(places, mask.shape[1])


class _Nearest:
    """The `kept` nearest points of every point so far: values (N, kept) ascending, and whose they are."""

    def __init__(self, n: int, kept: int):
        self.kept = kept
        self.values = np.full((n, kept), np.inf, dtype=np.float32)
        self.index = np.zeros((n, kept), dtype=np.int64)

    def begin(self, rows: slice, square: np.ndarray) -> None:
        """The first block of some rows: distances to those rows themselves, inf on the diagonal."""
        kept = min(self.kept, square.shape[1])
        found = torch.from_numpy(square).topk(kept, dim=1, largest=False, sorted=True)
        self.values[rows, :kept] = found.values.numpy()
        self.index[rows, :kept] = found.indices.numpy() + rows.start

    def offer(self, points: np.ndarray, others: np.ndarray, values: np.ndarray) -> None:
        """Further pairs, each nearer than what its point keeps: point numbers, the others' numbers, distances."""
        if not len(points):
            return
        changed = np.unique(points)
        everyone = np.concatenate([np.repeat(changed, self.kept), points])
        values = np.concatenate([self.values[changed].ravel(), values])
        index = np.concatenate([self.index[changed].ravel(), others])
        order = np.lexsort((values, everyone))
        starts = np.searchsorted(everyone[order], changed)
        chosen = order[starts[:, None] + np.arange(self.kept)]
        self.values[changed], self.index[changed] = values[chosen], index[chosen]


def inside(a: Points, rows: slice, b: Points, columns: slice, square: np.ndarray, balls: Balls):
    """Pairs of a block of which one lies in the other's ball: (row, column) numbers within the block.

    square: the block's `squared_distances`. balls: those of `a` or of `b`. Decided by exact distances and radii, which
    are computed only for pairs that float32 cannot decide.
    """
    of_rows = balls.points is a
    limits = balls.approximate[rows, None] if of_rows else balls.approximate[None, columns]
    doubt = a.error(b) + balls.error
    row, column = _where(square <= np.nextafter((limits + doubt).astype(np.float32), np.float32(np.inf)))
    kept = square[row, column] < np.broadcast_to(limits, square.shape)[row, column] - doubt
    unsure = np.flatnonzero(~kept)
    mine, theirs = row[unsure] + rows.start, column[unsure] + columns.start
    kept[unsure] = a.exact(mine, b, theirs) < balls.exact(mine if of_rows else theirs)
    return row[kept], column[kept]


def nearest(queries: np.ndarray, references: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Euclidean distance of each query to its nearest reference, float64 (N,), and which that is, int64 (N,)."""
    if not len(references):
        raise TooFewImagesError("There are no reference images to be near to.", "Give at least one reference image.")
    centre = references.mean(0, dtype=np.float64)
    a, b = Points(queries, centre), Points(references, centre)
    value = np.full(len(a), np.inf, dtype=np.float32)
    index = np.zeros(len(a), dtype=np.int64)
    for rows in blocks(len(a)):
        for columns in blocks(len(b)):
            square = squared_distances(a, rows, b, columns)
            place = square.argmin(1)
            found = square[np.arange(len(square)), place]
            nearer = found < value[rows]
            value[rows] = np.where(nearer, found, value[rows])
            index[rows] = np.where(nearer, place + columns.start, index[rows])
    return np.sqrt(a.exact(np.arange(len(a)), b, index)), index
