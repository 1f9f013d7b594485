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
SPARE = 2  # neighbours kept beyond the k-th
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


def radii(points: Points, k: int) -> np.ndarray:
    """Squared distance of every point to its k-th nearest other point, float64 (N,). Needs more than k points."""
    if len(points) <= k:
        raise TooFewImagesError(f"{len(points)} images have no {k}-th neighbour.", f"Give at least {k + 1}.")
    best = _Nearest(len(points), min(k + SPARE, len(points) - 1))
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
    return _settled(points, best, k)


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


def _settled(points: Points, best: _Nearest, k: int) -> np.ndarray:
    """The exact k-th distances: of one pair where rounding cannot have changed who is k-th, else of all candidates."""
    n, error = len(points), points.error(points)
    everyone = np.arange(n)
    result = points.exact(everyone, points, best.index[:, k - 1])
    values = best.values.astype(np.float64)
    clear = np.ones(n, dtype=bool)
    if k > 1:
        clear &= values[:, k - 1] - values[:, k - 2] > 2 * error
    if best.kept > k:
        clear &= values[:, k] - values[:, k - 1] > 2 * error
    unclear = np.flatnonzero(~clear)
    others = best.index[unclear]
    exact = points.exact(np.repeat(unclear, best.kept), points, others.ravel())
    exact = np.sort(exact.reshape(others.shape), axis=1)
    result[unclear] = exact[:, k - 1]
    if best.kept < n - 1:  # a point that was not kept may be nearer than one that was
        for row in unclear[values[unclear, -1] <= exact[:, k - 1] + 2 * error]:
            every = points.exact(np.full(n - 1, row), points, np.delete(everyone, row))
            result[row] = np.partition(every, k - 1)[k - 1]
    return result


def within(a: Points, rows: slice, b: Points, columns: slice, square: np.ndarray, limits: np.ndarray):
    """Pairs nearer than a limit: (row, column) numbers within the block, of exact distance below `limits`.

    square: the block's `squared_distances`. limits: squared, float64, (rows, 1) or (1, columns).
    """
    error = a.error(b)
    upper = np.nextafter((limits + error).astype(np.float32), np.float32(np.inf))
    row, column = _where(square <= upper)
    limit = np.broadcast_to(limits, square.shape)[row, column]
    kept = square[row, column] < limit - error
    unsure = np.flatnonzero(~kept)
    kept[unsure] = a.exact(row[unsure] + rows.start, b, column[unsure] + columns.start) < limit[unsure]
    return row[kept], column[kept]


def nearest(queries: np.ndarray, references: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Euclidean distance of each query to its nearest reference, float64 (N,), and which that is, int64 (N,)."""
    if not len(references):
        raise TooFewImagesError("There is nothing to be near to.", "Give at least one reference image.")
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
