"""An image as its near-duplicates are looked for: small, under four flips and slight shifts."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from ganaug.data.duplicates.likeness import SIDE, chroma_of

SHIFT = 2  # px, but never more than a tenth of a side
FINE = 256  # parts of a grey level
_LARGE = 64  # px: larger images are reduced first
_LUMA = np.array([0.299, 0.587, 0.114], np.float32)


@dataclass(frozen=True)
class Reduced:
    """All that `find_near` needs of an image. luma: (h, w) of at most 64 px a side, in 256ths of a grey
    level; chroma: (4, 4, 2)."""

    luma: np.ndarray
    chroma: np.ndarray


def reduced(pixels: np.ndarray) -> Reduced:
    """uint8 (H, W) or (H, W, 3), of any size, in little memory."""
    luma = pixels.astype(np.float32) if pixels.ndim == 2 else pixels @ _LUMA
    if max(luma.shape) > _LARGE:
        rows, columns = (_averages(side, min(side, _LARGE), 0.0)[0] for side in luma.shape)
        luma = rows @ luma @ columns.T
    return Reduced(np.rint(FINE * luma).astype(np.uint16), chroma_of(pixels))


class Views:
    """cells: float32 (4, 25, 16, 16), under each flip and shift; inside: which the image covers, bool (25, 16, 16);
    chroma: float32 (4, 4, 4, 2), under each flip."""

    def __init__(self, image: np.ndarray | Reduced):
        image = image if isinstance(image, Reduced) else reduced(image)
        luma = image.luma.astype(np.float32) / FINE
        rows, rows_inside = _moved(luma.shape[0])
        columns, columns_inside = _moved(luma.shape[1])
        both = [rows @ flipped @ columns.T for flipped in _flips(luma)]
        count = len(_STEPS)
        cells = np.stack(both).reshape(4, count, SIDE, count, SIDE).transpose(0, 1, 3, 2, 4)
        self.cells = np.ascontiguousarray(cells).reshape(4, count * count, SIDE, SIDE)
        inside = rows_inside[:, None, :, None] & columns_inside[None, :, None, :]
        self.inside = inside.reshape(count * count, SIDE, SIDE)
        self.chroma = np.stack(_flips(image.chroma))


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


def _flips(luma: np.ndarray) -> tuple[np.ndarray, ...]:
    return luma, luma[:, ::-1], luma[::-1], luma[::-1, ::-1]
