"""Pixels as they are read, one after the other, brought to one size at once, so that large photographs are not kept."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from PIL import Image

from ganaug.data.pictures.convert import resized
from ganaug.data.spec import Size
from ganaug.data.survey import Survey

SMALL = 32  # px: images up to this size keep their own
Shape = tuple[int, int, int]  # (C, H, W)
Shelf = Callable[[Shape], np.ndarray]  # gives room for all images of this shape: uint8 (N, C, H, W)


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
    """At most so many images, in the order in which they come, in the room that a `Shelf` gives.

    side, depth: of the images in the end; None where they depend on the images: they keep their own size where all
    share one of at most 32 px, else they get the `likely` one; they have colours where one has any. Room is asked for
    anew, and what is there moves, where an image changes what was believed: once or twice, mostly after few images.
    """

    def __init__(self, shelf: Shelf, *, side: int | None, depth: int | None, likely: int):
        self.shelf, self.side, self.depth, self.likely = shelf, side, depth, likely
        self.common: Size | None = None  # of all images so far, as long as they keep their own
        self.images: np.ndarray | None = None
        self.count = 0

    def add(self, pixels: np.ndarray, colour: bool) -> None:
        """uint8 (H, W) or (H, W, 3); colour: whether it has any."""
        pixels = pixels if colour or pixels.ndim == 2 else pixels[..., 0]
        size: Size = pixels.shape[:2]
        if self.side is None and self.common is None and 4 <= max(size) <= SMALL:
            self.common = size
        if self.side is None and size != self.common:
            self.side, self.common = self.likely, None
            if self.images is not None:
                self._move(self.images.shape[1])
        picture = self._formed(pixels)
        channels = self.depth if self.depth and self.common is None else 1 if picture.ndim == 2 else 3
        if self.images is None:
            self.images = self.shelf((channels, *picture.shape[:2]))
        elif channels > self.images.shape[1]:
            self._move(channels)
        self.images[self.count] = _planes(picture)
        self.count += 1

    def finish(self) -> np.ndarray:
        """All of them: uint8 (N, C, side, side)."""
        assert self.images is not None
        if self.common is not None:
            self.side, self.common = max(self.common), None
        channels = self.depth or self.images.shape[1]
        if self.images.shape[1:] != (channels, self.side, self.side):
            self._move(channels)
        return self.images[: self.count]

    def _move(self, channels: int) -> None:
        """Bring what is there to the size that it has from now on."""
        old, side = self.images, self.side or self.likely
        assert old is not None
        shape = (self.depth or channels, side, side) if self.common is None else (channels, *self.common)
        self.images = self.shelf(shape)
        for row in range(self.count):
            pixels = old[row, 0] if len(old[row]) == 1 else np.ascontiguousarray(old[row].transpose(1, 2, 0))
            self.images[row] = _planes(self._formed(pixels))

    def _formed(self, pixels: np.ndarray) -> np.ndarray:
        """At its size and depth, as far as these are known."""
        if self.side is None:
            return pixels
        pixels = resized(pixels, self.side, Image.Resampling.BICUBIC)
        return np.asarray(Image.fromarray(pixels).convert("L")) if self.depth == 1 and pixels.ndim == 3 else pixels


def _planes(pixels: np.ndarray) -> np.ndarray:
    return pixels[None] if pixels.ndim == 2 else pixels.transpose(2, 0, 1)
