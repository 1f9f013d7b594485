"""Near-duplicates: is this image one of those, flipped, shifted by up to 2 px, recompressed, brighter or resized?

Of the images that were seen, only likenesses are needed (16 x 16 cells). For each image in question:

1. Candidates: its cells are taken under 4 flips x 25 shifts and correlated with all likenesses, coarsely.
2. For each candidate, the flip and shift that fit best, over the cells that lie inside both.
3. The residual: the share of the cells' variance that the candidate leaves unexplained, where its contrast, brightness,
   sharpness and the clipping of black and white are free. A copy leaves almost nothing; and, what tells copies apart
   where all images are alike (digits, cells, X-rays), far less than the next image does.

The decision is one number, the score: residual x (residual / residual of the next), where the next is the best
candidate that is not itself a copy of the first. How small the scores of unrelated images are depends on the data, so
the limit is taken from the images that were seen: what about one in 3,000 of them would reach among each other, by the
tail of their scores, within `LIMITS`. What is nearly plain (open sea from a satellite) is often not recognised once it
was recompressed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from ganaug.data.likeness import SIDE
from ganaug.reporting import Report, silent

LIMITS = (0.0025, 0.06)  # of the score; set on planted copies, see scripts/duplicates_study.py
SHIFT = 2  # px, but never more than a tenth of a side
_CANDIDATES = 24
_SAMPLE = 256  # images seen that are compared with all others to set the limit
_LARGE = 64  # px: larger images are reduced first, which `reduced` does for whoever keeps them
_FLAT = 0.05  # grey levels: below this spread of its cells, an image shows nothing that could be compared
_KIN = 0.25  # a candidate this much nearer to the first one than the image in question is a copy of it
_COARSE = 6  # cells a side of the first comparison, over the inner 12 x 12
_LUMA = np.array([0.299, 0.587, 0.114], np.float32)
_ROWS, _COLUMNS = 64, 1024  # a block of comparisons that stays in the cache


@dataclass(frozen=True)
class Match:
    """query: index of the image in question; seen: index of the likeness; residual, score: see above."""

    query: int
    seen: int
    residual: float
    score: float


def find_near(
    images: Sequence[np.ndarray], seen: np.ndarray, *, limit: float | None = None, report: Report = silent
) -> list[Match]:
    """Those of `images` that are near-duplicates of something seen, in order; at most one match each.

    images: uint8 (H, W) or (H, W, 3), of any sizes. seen: float32 (N, 16, 16), see `read_likenesses`. limit: of the
    score; by default `limit_for(seen)`.
    """
    if not len(seen) or not len(images):
        return []
    most = limit_for(seen) if limit is None else limit
    return [match for match in _best(images, seen, report=report) if match.score <= most]


def limit_for(seen: np.ndarray) -> float:
    """The score up to which an image counts as a near-duplicate of one of these, by how alike they are themselves."""
    if len(seen) < 2:
        return LIMITS[0]
    sample = np.unique(np.linspace(0, len(seen) - 1, _SAMPLE).astype(int))
    scores = [match.score for match in _best(list(seen[sample] * 4), seen, own=sample)]
    if not scores:
        return LIMITS[0]
    tenth, hundredth = np.quantile(scores, (0.1, 0.01))
    rare = hundredth * (hundredth / max(tenth, 1e-9)) ** 1.5  # a power law, 1.5 decades further
    return float(np.clip(rare, *LIMITS))


def _best(
    images: Sequence[np.ndarray], seen: np.ndarray, own: np.ndarray | None = None, report: Report = silent
) -> Iterator[Match]:
    """The best match of every image that shows anything. own: for each image, an index that does not count."""
    coarse = _unit(_pooled(seen))
    for start in range(0, len(images), _ROWS):
        chunk = [_Views(image) for image in images[start : start + _ROWS]]
        queries = np.stack([views.cells for views in chunk])
        masks = np.stack([views.inside for views in chunk])
        candidates = _candidates(queries, coarse, None if own is None else own[start : start + _ROWS])
        for row, match in enumerate(_matches(queries, masks, candidates, seen)):
            if match is not None:
                yield Match(start + row, *match)
        report("near-duplicates", min(start + _ROWS, len(images)), len(images), "")


def reduced(pixels: np.ndarray) -> np.ndarray:
    """uint8 (H, W) or (H, W, 3) -> uint8 grey of at most 64 px a side: all that `find_near` needs of an image."""
    luma = _grey(pixels)
    rows, columns = (_averages(side, min(side, _LARGE), 0.0)[0] for side in luma.shape)
    return np.rint(rows @ luma @ columns.T).clip(0, 255).astype(np.uint8)


class _Views:
    """cells: float32 (4, 25, 16, 16), under each flip and shift; inside: which the image covers, bool (25, 16, 16)."""

    def __init__(self, pixels: np.ndarray):
        luma = _grey(reduced(pixels) if max(pixels.shape[:2]) > _LARGE else pixels)
        rows, rows_inside = _moved(luma.shape[0])
        columns, columns_inside = _moved(luma.shape[1])
        both = [rows @ flipped @ columns.T for flipped in _flips(luma)]
        count = len(_STEPS)
        cells = np.stack(both).reshape(4, count, SIDE, count, SIDE).transpose(0, 1, 3, 2, 4)
        self.cells = np.ascontiguousarray(cells).reshape(4, count * count, SIDE, SIDE)
        inside = rows_inside[:, None, :, None] & columns_inside[None, :, None, :]
        self.inside = inside.reshape(count * count, SIDE, SIDE)


_STEPS = (0.0, -1.0, -0.5, 0.5, 1.0)  # of the largest shift


def _moved(side: int) -> tuple[np.ndarray, np.ndarray]:
    """Averages under the shifts of one axis: (5 x 16, side), and which cells lie inside, (5, 16)."""
    most = min(float(SHIFT), side / 10)
    parts = [_averages(side, SIDE, step * most) for step in _STEPS]
    return np.concatenate([matrix for matrix, _ in parts]), np.stack([inside for _, inside in parts])


@lru_cache(maxsize=256)
def _averages(side: int, cells: int, shift: float) -> tuple[np.ndarray, np.ndarray]:
    """Matrix (cells, side) of means over `cells` equal parts of a line of `side` px that is moved by `shift` px, and
    which parts lie wholly inside, bool (cells,)."""
    edges = np.arange(cells + 1) * side / cells - shift
    inside = (edges[:-1] > -1e-6) & (edges[1:] < side + 1e-6)
    edges, pixel = edges.clip(0, side), np.arange(side)
    overlap = np.minimum(edges[1:, None], pixel + 1) - np.maximum(edges[:-1, None], pixel)
    overlap = overlap.clip(0) / np.maximum(np.diff(edges), 1e-9)[:, None]
    return overlap.astype(np.float32), inside


def _grey(pixels: np.ndarray) -> np.ndarray:
    """uint8 (H, W) or (H, W, 3) -> float32 luma (H, W)."""
    return pixels.astype(np.float32) if pixels.ndim == 2 else pixels @ _LUMA


def _flips(luma: np.ndarray) -> tuple[np.ndarray, ...]:
    return luma, luma[:, ::-1], luma[::-1], luma[::-1, ::-1]


def _pooled(cells: np.ndarray) -> np.ndarray:
    """(..., 16, 16) -> (..., 36): means over 2 x 2 cells of the inner 12 x 12, which no shift moves out of sight."""
    inner = cells[..., 2:-2, 2:-2]
    pooled = inner.reshape(*inner.shape[:-2], _COARSE, 2, _COARSE, 2).mean((-3, -1))
    return pooled.reshape(*pooled.shape[:-2], _COARSE * _COARSE)


def _unit(v: np.ndarray) -> np.ndarray:
    """Last axis to mean 0 and length 1; what has no spread becomes 0."""
    v = v - v.mean(-1, keepdims=True)
    length = np.sqrt((v * v).sum(-1, keepdims=True))
    return np.where(length > 1e-4, v / np.maximum(length, 1e-4), 0).astype(np.float32)


def _candidates(queries: np.ndarray, coarse: np.ndarray, own: np.ndarray | None) -> np.ndarray:
    """Indices of the likenesses that correlate best under any flip and shift, without each one's own: (n, k)."""
    views = np.ascontiguousarray(_unit(_pooled(queries)).reshape(len(queries), -1, _COARSE * _COARSE).swapaxes(0, 1))
    best = np.empty((len(queries), len(coarse)), np.float32)
    for start in range(0, len(coarse), _COLUMNS):
        block = np.ascontiguousarray(coarse[start : start + _COLUMNS].T)
        top = views[0] @ block
        for view in views[1:]:
            np.maximum(top, view @ block, out=top)
        best[:, start : start + _COLUMNS] = top
    if own is not None:
        best[np.arange(len(best)), own] = -np.inf
    k = min(_CANDIDATES, len(coarse) - (own is not None))
    return np.argpartition(-best, k - 1, axis=1)[:, :k]


def _matches(
    queries: np.ndarray, masks: np.ndarray, candidates: np.ndarray, seen: np.ndarray
) -> list[tuple[int, float, float] | None]:
    """For each query: index of the best likeness, its residual, and the score; None for what has no structure."""
    results: list[tuple[int, float, float] | None] = []
    for views, inside, chosen in zip(queries, masks, candidates, strict=True):
        likenesses = seen[chosen]
        aligned, mask = _aligned(views, inside, likenesses)
        if aligned[0].std() < _FLAT:
            results.append(None)
            continue
        residuals = _residuals(aligned, mask, likenesses)
        first = int(residuals.argmin())
        kin = 1 - _unit(likenesses.reshape(len(chosen), -1)) @ _unit(likenesses[first].reshape(-1))
        others = residuals[kin > _KIN * residuals[first]]
        following = float(others.min()) if len(others) else 1.0
        residual = float(residuals[first])
        results.append((int(chosen[first]), residual, residual * residual / max(following, residual, 1e-9)))
    return results


def _aligned(views: np.ndarray, inside: np.ndarray, likenesses: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The view (flip and shift) that correlates best with each likeness, (k, 16, 16), and its cells that count."""
    flips, shifts = views.shape[:2]
    mask = inside.reshape(shifts, -1).astype(np.float32)
    count = mask.sum(1)
    cells = views.reshape(flips, shifts, -1)
    cells = (cells - (cells * mask).sum(-1, keepdims=True) / count[:, None]) * mask
    length = np.sqrt((cells * cells).sum(-1))
    flat = likenesses.reshape(len(likenesses), -1)
    spread = np.sqrt(np.maximum((flat * flat) @ mask.T - (flat @ mask.T) ** 2 / count, 0))  # (k, shifts)
    products = cells.reshape(flips * shifts, -1) @ flat.T
    scale = length.reshape(-1, 1) * np.tile(spread.T, (flips, 1))
    best = (products / np.maximum(scale, 1e-4)).argmax(0)
    return views.reshape(flips * shifts, SIDE, SIDE)[best], inside[best % shifts]


def _residuals(q: np.ndarray, mask: np.ndarray, t: np.ndarray) -> np.ndarray:
    """Share of the variance of q that t leaves unexplained, (k,): the least over t as it is and t clipped as q is."""
    best = _unexplained(q, mask, t)
    white, black = (q > 254.5) & mask, (q < 0.5) & mask
    if white.any():
        ceiling = np.where(white, t, np.inf).min((1, 2), keepdims=True)
        best = np.minimum(best, _unexplained(q, mask, np.minimum(t, ceiling)))
    if black.any():
        floor = np.where(black, t, -np.inf).max((1, 2), keepdims=True)
        best = np.minimum(best, _unexplained(q, mask, np.maximum(t, floor)))
    return best


def _unexplained(q: np.ndarray, mask: np.ndarray, t: np.ndarray) -> np.ndarray:
    """1 - R2 of q (k, 16, 16) on t and its Laplacian over the cells of the mask; contrast must not be inverted."""
    weight = mask.astype(np.float32)
    q, t, edges = (_centred(v, weight) for v in (q, t, _laplacian(t)))
    qq, qt, tt = (np.maximum((a * b).sum((1, 2)), low) for a, b, low in ((q, q, 1e-6), (q, t, 0), (t, t, 1e-6)))
    edges -= t * ((edges * t).sum((1, 2)) / tt)[:, None, None]
    qe, ee = (q * edges).sum((1, 2)), np.maximum((edges * edges).sum((1, 2)), 1e-6)
    return np.where(qt > 0, (1 - qt * qt / (qq * tt) - qe * qe / (qq * ee)).clip(0, 1), 1.0)


def _centred(v: np.ndarray, weight: np.ndarray) -> np.ndarray:
    return (v - (v * weight).sum((1, 2), keepdims=True) / weight.sum((1, 2), keepdims=True)) * weight


def _laplacian(t: np.ndarray) -> np.ndarray:
    padded = np.pad(t, ((0, 0), (1, 1), (1, 1)), mode="edge")
    around = padded[:, :-2, 1:-1] + padded[:, 2:, 1:-1] + padded[:, 1:-1, :-2] + padded[:, 1:-1, 2:]
    return around - 4 * t
