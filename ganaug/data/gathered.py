"""Pixels as they are read, at the side that a generator is likely to have."""

from __future__ import annotations

import numpy as np
import torch
from PIL import Image

from ganaug.data.pictures.convert import resized
from ganaug.data.survey import Seen, Survey

SMALL = 32  # px: images up to this size keep their own


def auto_side(found: Survey, device: str = "cpu") -> int:
    """The side in px that size "auto" means for these images."""
    common = found.common_size()
    if common is not None and 4 <= max(common) <= SMALL:
        return max(common)
    return likely_side(device)


def likely_side(device: str) -> int:
    """The side where the images are larger."""
    return 32 if str(device) == "cpu" else 64


class Gathered:
    """Pixels as they are read: reduced to the likely size at once, so that large photographs are not kept.

    Where the size is still open (auto), images of at most `SMALL` px also stay as they are.
    """

    def __init__(self, side: int, keep_small: bool):
        self.side, self.keep_small = side, keep_small
        self.reduced: dict[int, np.ndarray] = {}
        self.small: dict[int, np.ndarray] = {}

    def add(self, seen: Seen, pixels: np.ndarray) -> None:
        if not seen.colour and pixels.ndim == 3:
            pixels = pixels[..., 0]
        if self.keep_small and max(seen.size) <= SMALL:
            self.small[seen.index] = pixels
        else:
            self.reduced[seen.index] = resized(pixels, self.side, Image.Resampling.BICUBIC)

    def tensor(self, rows: np.ndarray, side: int, depth: int) -> torch.Tensor:
        """uint8 (N, depth, side, side) of these items."""
        out = torch.empty((len(rows), depth, side, side), dtype=torch.uint8)
        view = out.numpy()
        for place, row in enumerate(rows.tolist()):
            pixels = self.reduced.pop(row) if row in self.reduced else self.small.pop(row)
            pixels = resized(pixels, side, Image.Resampling.BICUBIC)
            if depth == 1 and pixels.ndim == 3:
                pixels = np.asarray(Image.fromarray(pixels).convert("L"))
            view[place] = pixels if pixels.ndim == 2 else pixels.transpose(2, 0, 1)
        return out
