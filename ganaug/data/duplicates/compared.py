"""How alike is an image to each of the likenesses that come nearest to it? Rows of residuals, the best first.

1. Candidates: its cells are taken under 4 flips x 25 shifts and correlated with all likenesses, coarsely.
2. For each candidate, the flip and shift that fit best, over the cells that lie inside both.
3. The residual: the share of the cells' variance that the candidate leaves unexplained, where its contrast, brightness,
   sharpness and the clipping of black and white are free.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from ganaug.data.duplicates.likeness import SIDE, Likenesses
from ganaug.data.duplicates.views import Reduced, Views
from ganaug.reporting import Report, silent

SHOTS = 8  # images seen that may show one subject, so that an image in question is near to all of them
_CANDIDATES = 24  # likenesses that are looked at closely
_FLAT = 0.05  # grey levels: below this spread of its cells, an image shows nothing that could be compared
_BRIGHTNESS, _CONTRAST, _COLOUR = 64.0, 2.2, 12.0  # in grey levels or as a factor: beyond, it is no copy
_PLAIN = 12.0  # grey levels: below this spread, contrast is not told
_COARSE = 6  # cells a side of the first comparison, over the inner 12 x 12
_ROWS, _COLUMNS = 64, 1024  # a block of comparisons that stays in the cache


@dataclass(frozen=True)
class Row:
    """The candidates of one image, the best first; none for an image that shows nothing. seen: their indices, (k,).
    other: which of them are certainly other images, by their colours, brightness or contrast."""

    seen: np.ndarray
    residuals: np.ndarray
    other: np.ndarray

    def gap(self) -> tuple[int, float, int]:
        """The place of the first candidate that may be a copy, the score, and the place behind the widest gap.

        Before the gap there are shots of one subject: only images that may be copies of each other.
        """
        if self.other.all():
            return 0, 1.0, len(self.seen)
        first = int(self.other.argmin())
        run = np.append(self.other[first : first + SHOTS], True).argmax()  # until one is certainly another
        before, after = self.residuals[first : first + run], np.append(self.residuals, 1.0)[first + 1 : first + run + 1]
        ratios = before / np.maximum(after, 1e-9)
        widest = int(ratios.argmin())
        return first, float(before[0] * ratios[widest]), first + widest + 1

    def kin(self, limit: float) -> list[tuple[int, float, float]]:
        """The candidates that may be copies or shots of one subject, up to a limit of the score, which for each is its
        residual x the widest gap behind it; with residual and score."""
        ratios = self.residuals / np.maximum(np.append(self.residuals, 1.0)[1:], 1e-9)
        ratios[SHOTS:] = 1.0
        widest = np.minimum.accumulate(ratios[::-1])[::-1]
        scores = self.residuals * np.minimum(widest, 1.0)
        places = np.flatnonzero(~self.other & (scores <= limit)).tolist()
        return [(int(self.seen[p]), float(self.residuals[p]), float(scores[p])) for p in places]

    def without(self, count: int) -> Row:
        """All but the first `count`."""
        return Row(self.seen[count:], self.residuals[count:], self.other[count:])


def ranked(
    images: Sequence[np.ndarray | Reduced],
    seen: Likenesses,
    own: np.ndarray | None = None,
    count: int = _CANDIDATES,
    report: Report = silent,
) -> Iterator[Row]:
    """The candidates of every image, `count` at most. own: for each image, an index that does not count."""
    coarse = _unit(_pooled(seen.cells))
    for start in range(0, len(images), _ROWS):
        chunk = [Views(image) for image in images[start : start + _ROWS]]
        queries = np.stack([views.cells for views in chunk])
        candidates = _candidates(queries, coarse, None if own is None else own[start : start + _ROWS], count)
        for views, chosen in zip(chunk, candidates, strict=True):
            cells = seen.cells[chosen]
            aligned, mask, flips = _aligned(views.cells, views.inside, cells)
            if aligned[0].std() < _FLAT:
                yield Row(chosen[:0], np.empty(0, np.float32), np.empty(0, bool))
                continue
            residuals = _residuals(aligned, mask, cells)
            other = _differs(aligned, mask, cells, views.chroma[flips], seen.chroma[chosen])
            order = residuals.argsort(kind="stable")
            yield Row(chosen[order], residuals[order], other[order])
        report("near-duplicates", min(start + _ROWS, len(images)), len(images), "")


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


def _candidates(queries: np.ndarray, coarse: np.ndarray, own: np.ndarray | None, count: int) -> np.ndarray:
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
    k = min(count, len(coarse) - (own is not None))
    return np.argpartition(-best, k - 1, axis=1)[:, :k]


def _aligned(
    views: np.ndarray, inside: np.ndarray, likenesses: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The view that correlates best with each likeness, (k, 16, 16), its cells that count, and its flip, (k,)."""
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
    return views.reshape(flips * shifts, SIDE, SIDE)[best], inside[best % shifts], best // shifts


def _differs(q: np.ndarray, mask: np.ndarray, t: np.ndarray, q_chroma: np.ndarray, t_chroma: np.ndarray) -> np.ndarray:
    """Which candidates t have other colours, brightness or contrast than a copy q can have, bool (k,)."""
    weight = mask / mask.sum((1, 2), keepdims=True)
    means = [(v * weight).sum((1, 2)) for v in (q, t)]
    spreads = [
        np.sqrt(((v - mean[:, None, None]) ** 2 * weight).sum((1, 2))) for v, mean in zip((q, t), means, strict=True)
    ]
    low, high = np.minimum(*spreads), np.maximum(*spreads)
    brightness, contrast = np.abs(means[0] - means[1]), np.where(high > _PLAIN, high / np.maximum(low, 1e-6), 1.0)
    a, b = q_chroma.reshape(len(q), -1), t_chroma.reshape(len(t), -1)
    scale = ((a * b).sum(1) / np.maximum((b * b).sum(1), 1e-6)).clip(0, _CONTRAST)  # 0 for a copy in grey
    colour = np.sqrt(((a - scale[:, None] * b) ** 2).mean(1)) * b.any(1)  # nothing is known of a grey picture's colours
    return (brightness > _BRIGHTNESS) | (contrast > _CONTRAST) | (colour > _COLOUR)


def _residuals(q: np.ndarray, mask: np.ndarray, t: np.ndarray) -> np.ndarray:
    """Share of the variance of q that t leaves unexplained, (k,): the least over t as it is and t clipped as q is."""
    weight = mask.astype(np.float32)
    centred = _centred(q, weight)
    best = _unexplained(centred, weight, t)
    white, black = (q > 254.5) & mask, (q < 0.5) & mask
    if white.any():
        ceiling = np.where(white, t, np.inf).min((1, 2), keepdims=True)
        best = np.minimum(best, _unexplained(centred, weight, np.minimum(t, ceiling)))
    if black.any():
        floor = np.where(black, t, -np.inf).max((1, 2), keepdims=True)
        best = np.minimum(best, _unexplained(centred, weight, np.maximum(t, floor)))
    return best


def _unexplained(q: np.ndarray, weight: np.ndarray, t: np.ndarray) -> np.ndarray:
    """1 - R2 of q (k, 16, 16), which is centred, on t and its Laplacian over the cells that weigh 1, not 0; contrast
    must not be inverted."""
    t, edges = _centred(t, weight), _centred(_laplacian(t), weight)
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
