"""Pictures of a labelled set as a network of timm looks at them: at its own size, read from the user's own files.

They are laid out by timm's own evaluation transform, up to the normalisation, decoded once and kept on disk: one file
that is read through a memory map, named by what is in it.
"""

from __future__ import annotations

import hashlib
import json
import os
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import PIL
import timm
import torchvision
from PIL import Image
from timm.data import create_transform

from ganaug.data.duplicates.fingerprint import fingerprint
from ganaug.data.labelled import Labelled
from ganaug.data.labels.classes import alike
from ganaug.data.sources.folder import file_of, read_at_least
from ganaug.data.sources.source import ImageSource
from ganaug.data.spec import MODES, ImageCodec
from ganaug.errors import DataError, LabelMismatchError, OptionError, UnreadableImageError
from ganaug.files.imagemap import ImageMap
from ganaug.files.integrity import writing
from ganaug.reporting import Report, renamed, silent

VERSION = 1  # changes whenever the same picture would come out otherwise
BLOCK = 64  # pictures that are in memory at a time
DETAIL = 2  # a JPEG is decoded to at least so many times the side that is kept of it
LIBRARIES = {"pillow": PIL.__version__, "timm": timm.__version__, "torchvision": torchvision.__version__}


@dataclass(frozen=True)
class Frame:
    """How a network's evaluation lays a picture out.

    shape: (C, H, W) of what the network takes; interpolation, crop_pct, crop_mode, mean: as timm means them (the mean
    colours the borders of `crop_mode` "border").
    """

    shape: tuple[int, int, int]
    interpolation: str
    crop_pct: float
    crop_mode: str
    mean: tuple[float, ...]

    @staticmethod
    def of(config: Mapping[str, Any]) -> Frame:
        """The frame of a data config of timm, see `ganaug.classifier.pretrained.config_of`.

        Raises OptionError for a network that takes neither grey nor colour pictures.
        """
        channels, height, width = config["input_size"]
        if channels not in MODES:
            raise OptionError(
                f"The network takes {channels} channels, and pictures have {' or '.join(map(str, MODES))}.",
                "Choose another network.",
            )
        share, mode = float(config["crop_pct"] or 0.875), config.get("crop_mode") or "center"
        return Frame((channels, height, width), config["interpolation"], share, mode, tuple(config["mean"]))

    def pixels(self, image: Image.Image) -> np.ndarray:
        """A picture as the network takes it: uint8 (H, W, C)."""
        laid_out: Any = self._transform(image.convert(MODES[self.shape[0]]))
        return laid_out.permute(1, 2, 0).numpy()

    @cached_property
    def needed(self) -> int:
        """Side in px below which no side of a picture may be reduced beforehand."""
        return DETAIL * int(max(self.shape[1:]) / self.crop_pct)

    @cached_property
    def _transform(self) -> Callable[[Image.Image], Any]:
        return create_transform(
            self.shape, interpolation=self.interpolation, crop_pct=self.crop_pct, crop_mode=self.crop_mode,
            mean=self.mean, normalize=False,
        )  # fmt: skip


def rows_in(source: ImageSource, images: Labelled) -> np.ndarray:
    """Where in the source the items of a set that was read from it lie: int64 (N,).

    Raises LabelMismatchError where it was read from another one.
    """
    at = {name: row for row, name in enumerate(source.names)}
    if len(at) != len(source.names):
        raise LabelMismatchError("Several images of the source have one name.", "Give every image its own name.")
    found = np.array([at.get(name, -1) for name in images.names], dtype=np.int64)
    own = [alike(images.classes[label]) for label in images.labels.tolist()]
    theirs = [alike(source.classes[int(source.labels[row])]) for row in found]
    lost = [
        name
        for name, row, label, other in zip(images.names, found, own, theirs, strict=True)
        if row < 0 or label != other
    ]
    if lost:
        raise LabelMismatchError(
            f"{len(lost)} images are not in this source under their class, for instance {lost[0]}.",
            "Open the source in the way in which the images were read.",
        )
    return found


def pictures_of(
    source: ImageSource,
    rows: Sequence[int] | np.ndarray,
    fingerprints: Sequence[str],
    frame: Frame,
    folder: Path,
    *,
    threads: int | None = None,
    report: Report = silent,
) -> ImageMap:
    """The pictures of some items of a source, from its own images.

    Parameters
    ----------
    source
        Where they are read, with `rows`, the items that are wanted, in their order.
    fingerprints
        Of these items, as reading them before gave them: what they show, and so what the file on disk is named by.
    frame
        How the network takes them.
    folder
        Where the file lies; it is made if it is missing.
    threads
        That decode files at a time; by default as many as there are processors. Data sets are read item by item.

    Returns
    -------
    ImageMap
        uint8 (N, H, W, C), in the order of the items; decoded if they are not on disk yet as a whole.

    Raises
    ------
    UnreadableImageError
        For an item that cannot be read any more.
    DataError
        For an item of a data set that shows something else than before.
    DiskFullError, UnwritableError
        Where the file cannot be written.
    """
    rows = np.asarray(rows, dtype=np.int64)
    if len(rows) != len(fingerprints):
        raise DataError(f"{len(rows)} items but {len(fingerprints)} fingerprints.", "Give one for each item.")
    alone = source.array is None and any(file_of(source, int(row)) is None for row in rows)

    def laid_out(place: int) -> np.ndarray:
        row = int(rows[place])
        if source.array is not None:
            return frame.pixels(Image.fromarray(source.array[row]))
        try:
            image = read_at_least(source, row, frame.needed)
        except UnreadableImageError as error:
            cause = f"{source.names[row]} was read before and cannot be read now: {error.cause}"
            raise UnreadableImageError(cause, "Put it back as it was, or begin anew without it.") from error
        if alone and fingerprint(image) != fingerprints[place]:
            raise DataError(
                f"{source.names[row]} is another picture than when it was read before.",
                "Turn off what changes the items of the data set at random, or begin anew with the images as they are.",
            )
        return frame.pixels(image)

    identity = {"of": list(fingerprints), "jpeg": DETAIL}
    return _kept(identity, len(rows), laid_out, frame, folder, 1 if alone else threads, report)


def pictures_of_pixels(
    pixels: np.ndarray, codec: ImageCodec, frame: Frame, folder: Path, *, report: Report = silent
) -> ImageMap:
    """The pictures of pixels in memory, as they would be served: at the mode and size of the user's own images.

    pixels: uint8 (N, C, H, W), such as the rows of a pool.
    """
    pixels = np.ascontiguousarray(pixels)
    hashed = hashlib.sha256(json.dumps([pixels.shape, codec.mode, codec.size]).encode())
    hashed.update(pixels.data)
    identity = {"of": hashed.hexdigest()}
    return _kept(
        identity, len(pixels), lambda place: frame.pixels(codec.to_image(pixels[place])), frame, folder, None, report
    )  # fmt: skip


def _kept(
    identity: dict[str, Any], count: int, laid_out: Callable[[int], np.ndarray], frame: Frame, folder: Path,
    threads: int | None, report: Report,
) -> ImageMap:  # fmt: skip
    """From disk, or laid out and put there."""
    channels, height, width = frame.shape
    how = {
        "format": VERSION, **LIBRARIES, "shape": frame.shape, "interpolation": frame.interpolation,
        "crop_pct": frame.crop_pct, "crop_mode": frame.crop_mode, "mean": frame.mean,
    }  # fmt: skip
    plain = json.loads(json.dumps({"pictures": identity, "frame": how}))  # as it is read back
    with writing(Path(folder)):
        Path(folder).mkdir(parents=True, exist_ok=True)
    file = ImageMap(Path(folder), plain, (count, height, width, channels))
    if not file.complete():
        file.write(_blocks(laid_out, count, threads), renamed("pictures", report))
    return file


def _blocks(laid_out: Callable[[int], np.ndarray], count: int, threads: int | None) -> Iterator[tuple[np.ndarray, str]]:
    """In order, some at a time."""
    with warnings.catch_warnings(), ThreadPoolExecutor(threads or os.cpu_count() or 1) as pool:
        warnings.simplefilter("ignore")  # threads share the filters, and each decoding sets and resets them
        for start in range(0, count, BLOCK):
            yield np.stack(list(pool.map(laid_out, range(start, min(start + BLOCK, count))))), ""
