"""Near-duplicates: is this image one of those, flipped, shifted by up to 2 px, recompressed, brighter or resized?

Of the images that were seen, only likenesses are needed (16 x 16 cells). For each image in question:

1. Candidates: its cells are taken under 4 flips x 25 shifts and correlated with all likenesses, coarsely.
2. For each candidate, the flip and shift that fit best, over the cells that lie inside both.
3. The residual: the share of the cells' variance that the candidate leaves unexplained, where its contrast, brightness,
   sharpness and the clipping of black and white are free. A copy leaves almost nothing; and, what tells copies apart
   where all images are alike (digits, cells, X-rays), far less than the next image does.

The decision is one number, the score: the least residual x the widest gap in the row of residuals (one divided by the
next), looked for behind the first eight, since several images seen may be copies or shots of one subject. How small
the scores of unrelated images are depends on the data, so the limit is taken from the images that were seen: what about
one in 3,000 of them would reach among each other, by the tail of their scores, within `LIMITS`, or below where all of
them are alike. What is nearly plain (open sea from a satellite) is often not recognised once it was recompressed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from ganaug.data.duplicates.likeness import SIDE, Likenesses
from ganaug.data.duplicates.views import FINE, Reduced, Views
from ganaug.reporting import Report, silent

LIMITS = (0.0025, 0.06)  # of the score; set on planted copies, see scripts/studies/duplicates.py
_CANDIDATES = 24
_SAMPLE = 256  # images seen that are compared with all others to set the limit
_FLAT = 0.05  # grey levels: below this spread of its cells, an image shows nothing that could be compared
_SHOTS = 8  # images seen that may show one subject, so that an image in question is near to all of them
_TAIL = 64  # images seen, below which nothing is known of how near two other ones can be
_MARGIN = 0.7  # pictures that nobody rounded are nearer to likenesses than these are to each other
_CROWDED = 0.04  # residual of the candidate behind two such rows: below, the images seen are all alike
_BRIGHTNESS, _CONTRAST, _COLOUR = 64.0, 2.2, 12.0  # in grey levels or as a factor: beyond, it is no copy
_PLAIN = 12.0  # grey levels: below this spread, contrast is not told
_COARSE = 6  # cells a side of the first comparison, over the inner 12 x 12
_ROWS, _COLUMNS = 64, 1024  # a block of comparisons that stays in the cache


@dataclass(frozen=True)
class Match:
    """query: index of the image in question; seen: index of the likeness; residual, score: see above."""

    query: int
    seen: int
    residual: float
    score: float


def find_near(
    images: Sequence[np.ndarray | Reduced], seen: Likenesses, *, limit: float | None = None, report: Report = silent
) -> list[Match]:
    """Those of `images` that are near-duplicates of something seen, in order; at most one match each.

    images: uint8 (H, W) or (H, W, 3), of any sizes, or what `reduced` made of them. limit: of the score; by default
    `limit_for(seen)`.
    """
    if not len(seen) or not len(images):
        return []
    most = limit_for(seen) if limit is None else limit
    found = []
    for query, row in enumerate(_ranked(images, seen, report=report)):
        if not len(row.seen):
            continue
        first, score, _ = row.gap()
        if score <= most:
            found.append(Match(query, int(row.seen[first]), float(row.residuals[first]), score))
    return found


def limit_for(seen: Likenesses) -> float:
    """The score up to which an image counts as a near-duplicate of one of these, by how alike they are themselves.

    Several shots of one subject are set aside before. Where most images have many that are like them (parts before one
    camera, simple shapes), the limit may be below `LIMITS`: there, only the plainest copies can be told.
    """
    if len(seen) < 2:
        return LIMITS[0]
    sample = np.unique(np.linspace(0, len(seen) - 1, _SAMPLE).astype(int))
    ranked = _ranked([Reduced(FINE * seen.cells[i], seen.chroma[i]) for i in sample], seen, own=sample)
    rows = [replace(row, other=np.zeros(len(row.seen), bool)) for row in ranked if len(row.seen)]  # by form alone
    if not rows:
        return LIMITS[0]
    distant = np.quantile([row.residuals[: 2 * _SHOTS][-1] for row in rows], 0.05)
    least = LIMITS[0] * min(1.0, float(distant) / _CROWDED)
    scores = []
    for row in rows:
        _, score, shots = row.gap()
        scores.append(score if score > least else row.without(shots).gap()[1])
    return float(np.clip(_rare(scores), least, LIMITS[1] if len(rows) >= _TAIL else LIMITS[0]))


def _rare(scores: Sequence[float]) -> float:
    """What about one in 3,000 would reach: the tail is a power law, followed 1.5 decades further than it is known."""
    tenth, hundredth = np.quantile(scores, (0.1, 0.01))
    return float(_MARGIN * hundredth * (hundredth / max(tenth, 1e-9)) ** 1.5)


@dataclass(frozen=True)
class _Row:
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
        run = np.append(self.other[first : first + _SHOTS], True).argmax()  # until one is certainly another
        before, after = self.residuals[first : first + run], np.append(self.residuals, 1.0)[first + 1 : first + run + 1]
        ratios = before / np.maximum(after, 1e-9)
        widest = int(ratios.argmin())
        return first, float(before[0] * ratios[widest]), first + widest + 1

    def without(self, count: int) -> _Row:
        """All but the first `count`."""
        return _Row(self.seen[count:], self.residuals[count:], self.other[count:])


def _ranked(
    images: Sequence[np.ndarray | Reduced],
    seen: Likenesses,
    own: np.ndarray | None = None,
    report: Report = silent,
) -> Iterator[_Row]:
    """The candidates of every image. own: for each image, an index that does not count."""
    coarse = _unit(_pooled(seen.cells))
    for start in range(0, len(images), _ROWS):
        chunk = [Views(image) for image in images[start : start + _ROWS]]
        queries = np.stack([views.cells for views in chunk])
        candidates = _candidates(queries, coarse, None if own is None else own[start : start + _ROWS])
        for views, chosen in zip(chunk, candidates, strict=True):
            cells = seen.cells[chosen]
            aligned, mask, flips = _aligned(views.cells, views.inside, cells)
            if aligned[0].std() < _FLAT:
                yield _Row(chosen[:0], np.empty(0, np.float32), np.empty(0, bool))
                continue
            residuals = _residuals(aligned, mask, cells)
            other = _differs(aligned, mask, cells, views.chroma[flips], seen.chroma[chosen])
            order = residuals.argsort(kind="stable")
            yield _Row(chosen[order], residuals[order], other[order])
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
