"""What a generator must produce, and how its tensors relate to the images of the user."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from statistics import median_low

import numpy as np
import torch
from PIL import Image, ImageOps
from torch import Tensor

from ganaug.data.words import Words
from ganaug.errors import DataError

KINDS = {1: "rows", 2: "series", 3: "images"}  # what items are, by their number of dimensions
ONE_OF = {"rows": "row", "series": "series", "images": "image"}
MODES = {1: "L", 3: "RGB"}
Size = tuple[int, int]  # (height, width) in px


@dataclass(frozen=True)
class DataSpec:
    """`shape` is that of one item in model space: (C, H, W) of an image, (C, T) of a series, (F,) of a row.

    classes: their names, never empty; unlabelled data has the one class "all". Label `i` means `classes[i]`, here and
    nowhere else: between two objects, classes are matched by name. pair: shape of the paired item, () without pairs.
    blocks: widths of what a row consists of, in order: 1 for a number in [-1, 1], k for the probabilities of k
    categories; () for images and series. allow: changes that keep the label of an image
    (`ganaug.networks.changes.CHANGES`), where somebody said so. words: of the classes, for a recipe that draws from
    words."""

    shape: tuple[int, ...]
    classes: tuple[str, ...]
    pair: tuple[int, ...] = ()
    blocks: tuple[int, ...] = ()
    allow: tuple[str, ...] | None = None
    words: Words | None = None

    def __post_init__(self):
        if self.blocks and self.shape != (sum(self.blocks),):
            raise DataError(f"Blocks {self.blocks} do not make up a row of {self.shape}.", "Give the width of each.")
        if not self.classes:
            raise DataError("A data set needs at least one class.", "Unlabelled data has the one class 'all'.")
        if len(set(self.classes)) != len(self.classes):
            raise DataError(f"Class names repeat: {self.classes}.", "Give every class its own name.")


def usual_size(sizes: Collection[Size]) -> Size:
    """The median height and width: the size of more than half of the images, where there is one. No larger than some
    image that there is."""
    return median_low([height for height, _ in sizes]), median_low([width for _, width in sizes])


@dataclass(frozen=True)
class ImageCodec:
    """Pixels <-> model space. `mode` and `size` are those of the user's own images.

    mode: "L" or "RGB". size: (height, width) in px, the usual one of the real images (`usual_size`); None in runs of
    earlier versions, where the images had several sizes (then an image is served at the generator's own). range: what
    was declared to be black and white, where the real images have values of more than 8 bits; None for the usual
    scales.
    """

    mode: str
    size: Size | None
    range: tuple[float, float] | None = None

    @staticmethod
    def encode(pixels: Tensor) -> Tensor:
        """uint8 (N, C, H, W) -> float32 in [-1, 1]."""
        return pixels.float().div_(127.5).sub_(1)

    @staticmethod
    def decode(x: Tensor) -> Tensor:
        """float (N, C, H, W) in [-1, 1] -> uint8, contiguous, rounded to nearest; values outside are clipped."""
        pixels = x.add(1).mul_(127.5).round_().clamp_(0, 255)
        return pixels.to(torch.uint8, memory_format=torch.contiguous_format)

    def to_image(self, pixels: np.ndarray | Image.Image) -> Image.Image:
        """uint8 (C, H, W) -> PIL image with the mode and size of the real images (bicubic where sizes differ).

        A picture that was made elsewhere is cut at its margins where its sides are in another proportion: it was not
        made square for these images, as those of a generator are, and is not squeezed.
        """
        if isinstance(pixels, Image.Image):
            image = pixels
        else:
            array = pixels[0] if pixels.shape[0] == 1 else np.ascontiguousarray(pixels.transpose(1, 2, 0))
            image = Image.fromarray(array)
        if image.mode != self.mode:
            image = image.convert(self.mode)
        if self.size is None or image.size == self.size[::-1]:
            return image
        size, how = self.size[::-1], Image.Resampling.BICUBIC
        return image.resize(size, how) if isinstance(pixels, np.ndarray) else ImageOps.fit(image, size, how)
