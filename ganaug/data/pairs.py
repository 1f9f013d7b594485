"""Paired images: for each item of a source, the image that a translator starts from (a mask, an outline)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path, PurePath
from typing import Any

import numpy as np
import torch
from PIL import Image

from ganaug.data.duplicates.fingerprint import in_colour
from ganaug.data.pictures.convert import as_numpy, pixels_of_pairs
from ganaug.data.pictures.depth import Deep, Stored, stored_in, unfit
from ganaug.data.proportion import kept_of, squared
from ganaug.data.sources.folder import from_folder
from ganaug.data.sources.source import ImageSource
from ganaug.data.spec import Size
from ganaug.errors import DataError, OptionError, UnreadableImageError
from ganaug.reporting import printable

Reader = Callable[[int], Any]  # index in the source of the images -> uint8 (H, W) or (H, W, 3), or a PIL image


def open_pairs(opened: ImageSource, pairs: Any = None, follow_links: bool = False) -> Reader | None:
    """Where the paired images of a source are read; None if it has none.

    pairs: a folder with a file of the same name for each image (`A/CLASS/17.png` for `B/CLASS/17.jpg`), or an array
    (N, H, W[, C]) in the order of the images; by default those that the source brings. Raises DataError for images
    without a pair, or more pairs than images.
    """
    own = getattr(opened, "pairs", None)
    if pairs is None:
        return None if own is None else lambda index: own[index]
    if isinstance(pairs, (str, Path)):
        return _from_folder(opened, Path(pairs).expanduser(), follow_links)
    if as_numpy(pairs) is None:
        raise OptionError(f"{type(pairs).__name__} does not hold paired images.", "Give a folder or an array.")
    pixels = pixels_of_pairs(pairs, len(opened))
    return lambda index: pixels[index]


def read_pairs(
    read: Reader, rows: np.ndarray, side: int, sizes: np.ndarray, proportion: Size | None, names: Sequence[str]
) -> torch.Tensor:
    """uint8 (N, c, side, side) of the pairs of these items; c is 1 if none has colour. Resizing averages areas. sizes,
    names: of their images, int (N, 2) and N: the same part is kept of a pair as of its image. Raises DataError for a
    pair of another proportion than its image, and for values of more than 8 bits on an unknown scale."""
    pictures: list[np.ndarray] = []
    deep: dict[str, Deep] = {}
    for row, (height, width), name in zip(rows, sizes.tolist(), names, strict=True):
        found = read(int(row))
        stored = stored_in(found) if isinstance(found, Image.Image) else Stored()
        deep |= {f"pair {row}": stored.deep} if stored.deep else {}
        pair = np.asarray(found)
        _require_proportion(pair.shape[:2], (height, width), name)
        pictures.append(squared(pair, side, Image.Resampling.BOX, kept_of((height, width), proportion)))
    doubt = unfit(deep)
    if doubt:
        raise DataError(f"The paired images: {doubt[0]}", "Save them with 8 bits, 0 to 255: a range is for the images.")
    colour = any(in_colour(picture) for picture in pictures)
    out = torch.empty((len(rows), 3 if colour else 1, side, side), dtype=torch.uint8)
    view = out.numpy()
    for place, picture in enumerate(pictures):
        grey = picture if picture.ndim == 2 else picture[..., 0]
        view[place] = picture.transpose(2, 0, 1) if colour and picture.ndim == 3 else grey
    return out


def _require_proportion(pair: tuple[int, ...], image: Size, name: str) -> None:
    """One side may be a pixel off, in the pair or in its image."""
    if abs(pair[0] * image[1] - pair[1] * image[0]) > max(*pair, *image):
        here, there = (" x ".join(map(str, size)) for size in (pair, image))
        raise DataError(
            f"The pair of {printable(name)} has another proportion than the image: {here} px (height x width), and the "
            f"image {there}.",
            "Give pairs that show what their images show, in any size of the same proportion.",
        )


def _from_folder(opened: ImageSource, folder: Path, follow_links: bool) -> Reader:
    if not folder.is_dir():
        raise DataError(f"{folder} is not a folder.", "Give the folder of the paired images, with the same file names.")
    there = from_folder(folder, follow_links)
    place = {_stem(name): index for index, name in enumerate(there.names)}
    at = [place.get(_stem(name)) for name in opened.names]
    missing = [name for name, index in zip(opened.names, at, strict=True) if index is None]
    if missing:
        raise DataError(
            f"{len(missing)} of {len(at)} images have no pair in {folder}, for instance {missing[0]}.",
            "A pair has the same class folder and file name, up to the ending.",
        )

    def read(index: int) -> Image.Image:
        pair = at[index]
        assert pair is not None
        try:
            return there.read(pair)
        except UnreadableImageError as error:
            name = there.names[pair]
            raise UnreadableImageError(
                f"The pair {name} in {folder} cannot be read: {error.cause}", error.fix
            ) from None

    return read


def _stem(name: str) -> str:
    return PurePath(name).with_suffix("").as_posix()
