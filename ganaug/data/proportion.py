"""Images of one set get one proportion of height and width: what is too wide or too high is cut at its margins.

A generator makes squares. Images of one proportion are squeezed into them and come back as they were; one of another
proportion would be squeezed more or less than the others, so its margins are cut before.
"""

from __future__ import annotations

import contextlib
import math

import numpy as np
from PIL import Image

from ganaug.data.pictures.images import size_of_file
from ganaug.data.sources.folder import file_of
from ganaug.data.sources.source import ImageSource
from ganaug.data.spec import Size
from ganaug.errors import UnreadableImageError

SLIGHT = 0.05  # of the area of an image: what one does not miss
LOOKED_AT = 128  # images that say which proportion is the usual one
Box = tuple[float, float, float, float]  # left, top, right, bottom: shares of width and height


def usual_proportion(source: ImageSource) -> Size | None:
    """(height, width), the medians over images from the whole source; None where none of these can be read."""
    if source.array is not None:
        return source.array.shape[1], source.array.shape[2]
    sizes = []
    looked_at = np.linspace(0, len(source) - 1, min(len(source), LOOKED_AT)).round().astype(int)
    for index in looked_at.tolist():
        with contextlib.suppress(UnreadableImageError):
            sizes.append(_size(source, index))
    if not sizes:
        return None
    height, width = np.sort(sizes, 0)[(len(sizes) - 1) // 2].tolist()
    return height, width


def kept_of(size: Size, proportion: Size | None) -> Box:
    """What is kept of an image of this size."""
    (height, width), (tall, wide) = size, proportion or size
    x, y = min(1.0, height * wide / (tall * width)), min(1.0, width * tall / (wide * height))
    return (1 - x) / 2, (1 - y) / 2, (1 + x) / 2, (1 + y) / 2


def cut_in_words(sizes: np.ndarray, proportion: Size | None) -> str:
    """How many images of these sizes, int (N, 2), are cut so that one sees it; an empty text for none."""
    if proportion is None or not len(sizes):
        return ""
    ratio = sizes[:, 1] * proportion[0] / (sizes[:, 0] * proportion[1])
    kept = np.minimum(ratio, 1 / ratio)
    if not (cut := int((kept < 1 - SLIGHT).sum())):
        return ""
    tall, wide = (side // math.gcd(*proportion) for side in proportion)
    return (
        f"{cut} of {len(sizes)} images have another proportion of height and width than {tall} to {wide}: their "
        f"margins are cut, of one {1 - kept.min():.0%} of its area"
    )


def squared(pixels: np.ndarray, side: int, resampling: Image.Resampling, kept: Box) -> np.ndarray:
    """uint8 (H, W) or (H, W, 3) -> the same with H = W = side."""
    height, width = pixels.shape[:2]
    box = kept[0] * width, kept[1] * height, kept[2] * width, kept[3] * height
    if (height, width) == (side, side) and box == (0, 0, side, side):
        return pixels
    return np.asarray(Image.fromarray(pixels).resize((side, side), resampling, box=box))


def _size(source: ImageSource, index: int) -> Size:
    """Raises UnreadableImageError."""
    file = file_of(source, index)
    found = None if file is None else size_of_file(file)
    if found is None:
        image = source.read(index)
        found = image.height, image.width
    return found
