"""Tar files in the convention of WebDataset: KEY.jpg and KEY.cls are the image and the class of one item.

Nothing is unpacked, and no decoder is called by name: the archive is walked once, by its headers, and an image is read
from its place in the file when it is asked for.
"""

from __future__ import annotations

import contextlib
import json
import re
import sys
import tarfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from PIL import Image

from ganaug.data.labels.classes import named_labels
from ganaug.data.pictures.depth import Range
from ganaug.data.pictures.images import BYTE_LIMIT, SUFFIXES, check_bytes, content_of, decode_image
from ganaug.data.sources.arrays import labels_and_names
from ganaug.data.sources.keys import LABELS, image_key, label_key
from ganaug.data.sources.kinds import Asked, in_short, is_file, is_text, source
from ganaug.data.sources.shards import are_shards, shards_of
from ganaug.errors import DataError
from ganaug.files.machine import readers

WITHOUT_IMAGE = "item without an image"
_NAME = re.compile(r"((?:.*/)?[^/.]+)\.([^/]+)", re.DOTALL)  # key and ending
_LABEL = 1 << 16  # bytes of a label, at most
_EMPTY = bytes(512)  # the block that ends an archive
_WRITE = "Write the shard again, or fetch it again."


class Place(NamedTuple):
    """Where the bytes of a file lie: the archive, and the first of them."""

    archive: int
    start: int
    size: int


@dataclass(frozen=True, eq=False, repr=False)
class TarSource:
    """archives: the files; places: of the images in them, int64 (N, 3), see `Place`."""

    archives: Sequence[Path]
    places: np.ndarray
    labels: np.ndarray
    classes: tuple[str, ...]
    names: Sequence[str]
    groups: tuple[str, ...] | None = None
    ignored: Mapping[str, Sequence[str]] = field(default_factory=dict)
    span: Range | None = None
    array: None = None

    __repr__ = in_short

    def __len__(self) -> int:
        return len(self.labels)

    def read(self, index: int) -> Image.Image:
        """Decode one image to mode "L" or "RGB"; raises UnreadableImageError, and DataError where the file is gone."""
        place = Place(*self.places[index].tolist())
        check_bytes(place.size, BYTE_LIMIT)
        return decode_image(_bytes(self.archives, place), self.span)

    @property
    def threads(self) -> int:
        """How many may read it at once: by the first of its images."""
        return readers([Place(*place).size for place in self.places[:20].tolist()])

    def content(self) -> Iterator[bytes]:
        """Of each file a hash of what it holds, and where the images are."""
        yield self.places.tobytes()
        yield from (content_of(path, sys.maxsize) for path in self.archives)


def _is_tar(data: Any) -> bool:
    return is_file(data, ".tar") or (is_text(data) and are_shards(Path(data).expanduser(), ".tar"))


@source("a .tar file of WebDataset (KEY.jpg, KEY.cls)", takes=_is_tar, reads=("image", "target", "classes"))
def tar(asked: Asked) -> TarSource:
    how, archives = asked.reading, shards_of(asked.path)
    items: dict[str, dict[str, Place]] = {}
    for number, path in enumerate(archives):
        before = f"{path.stem}/" if len(archives) > 1 else ""
        for key, ending, start, size in _members(path):
            files = items.setdefault(f"{before}{key}", {})
            if ending in files:
                cause = f"{path} holds {key}.{ending} twice."
                raise DataError(cause, "Give each item a key of its own: one would be lost.")
            files[ending] = Place(number, start, size)
    if not items:
        raise DataError(f"{asked.path} holds no items.", "Write KEY.jpg and KEY.cls for each.")
    kinds = {ending: _kind(ending) for files in items.values() for ending in files}
    several = any(sum(kinds[ending] == "Image" for ending in files) > 1 for files in items.values())
    pictures = [ending for ending, kind in kinds.items() if kind == "Image"]
    if several or how.image is not None or not pictures:
        pictures = [image_key(kinds, how.image)]
    others = {ending: kind for ending, kind in kinds.items() if ending not in pictures[1:]}
    if len(others) == 1 and how.target is None:
        cause = f"{asked.path} holds images, and nothing that names their classes."
        raise DataError(cause, "Write KEY.cls beside each: the number or the name of its class.")
    target = label_key(others, pictures[0], how.target)
    found = {name: [files[one] for one in pictures if one in files] for name, files in items.items()}
    names = [name for name, places in found.items() if places]
    bare = tuple(name for name, places in found.items() if not places)
    ignored = {WITHOUT_IMAGE: bare} if bare else {}
    missing = [name for name in names if target not in items[name]]
    if missing:
        cause = f"{len(missing)} of {len(names)} items of {asked.path} have no .{target}, the first is {missing[0]}."
        raise DataError(cause, "Write a class beside each image, or name another ending: --target ENDING.")
    cells = [_cell(_bytes(archives, items[name][target], _LABEL + 1), f"{name}.{target}") for name in names]
    values, given = labels_and_names(_alike(cells), how.classes)
    labels, classes, dropped = named_labels(values, given, drop_empty=how.classes is None)
    ignored |= {"class without items": dropped} if dropped else {}
    places = np.array([found[name][0] for name in names], np.int64).reshape(-1, 3)
    return TarSource(archives, places, labels, classes, names, ignored=ignored, span=how.range)


def _members(path: Path) -> Iterator[tuple[str, str, int, int]]:
    """Of each file in an archive its key, ending, first byte and size. Raises DataError for an archive that is damaged,
    cut off, compressed, or several in one."""
    try:
        with tarfile.open(path, "r:") as archive:
            for member in archive:
                match = _NAME.fullmatch(member.name)
                if match and member.isreg() and not Path(member.name).name.startswith("."):
                    yield match[1], match[2].lower(), member.offset_data, member.size
            end = archive.offset
        with open(path, "rb") as file:
            file.seek(end)
            if file.read(len(_EMPTY)) != _EMPTY:
                raise DataError(f"{path} is cut off: its end is missing.", _WRITE)
            while data := file.read(1 << 20):
                if data.strip(b"\0"):
                    cause = f"{path} goes on behind its end: several archives in one."
                    raise DataError(cause, "Write them as one archive, or give them one by one.")
    except (tarfile.TarError, OSError, EOFError, ValueError) as error:
        if isinstance(error, DataError):
            raise
        cause = f"{path} cannot be read: {str(error).rstrip('.')}."
        raise DataError(
            cause, f"{_WRITE} Images are read from their places in it, so it must not be compressed."
        ) from (error)


def _bytes(archives: Sequence[Path], place: Place, most: int = BYTE_LIMIT) -> bytes:
    """The bytes at a place, the first ones where these are more than `most`."""
    path = archives[place.archive]
    try:
        with open(path, "rb") as file:
            file.seek(place.start)
            return file.read(min(place.size, most))
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}.", "Put it back, or fetch it again.") from error


def _kind(ending: str) -> str:
    if f".{ending.rpartition('.')[2]}" in SUFFIXES:
        return "Image"
    return "ClassLabel" if ending == "cls" else ending


def _cell(data: bytes, name: str) -> int | str:
    """A class as it was written: a number, a text, or JSON of one or of an object with one key for it."""
    with contextlib.suppress(ValueError, RecursionError):
        text = data[: _LABEL + 1].decode().strip()
        value = json.loads(text) if name.endswith(".json") else text
        if isinstance(value, dict):
            keys = [key for key in value if key.lower() in LABELS]
            value = value[keys[0]] if len(keys) == 1 else None
        if isinstance(value, (int, str)) and not isinstance(value, bool) and value != "" and len(data) <= _LABEL:
            return value
    raise DataError(f"{name} holds no class.", "Write the number or the name of the class as text.")


def _alike(cells: Sequence[int | str]) -> np.ndarray:
    """Numbers where all are written as such, else names: 02 and 1_1 are names."""
    names = [str(cell) for cell in cells]
    with contextlib.suppress(ValueError, OverflowError):
        numbers = np.array([int(name) for name in names], np.int64)
        if list(map(str, numbers)) == names:
            return numbers
    return np.array(names)
