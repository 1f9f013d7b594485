"""What an export format is, which one a file name asks for, and how what it writes is put in place."""

from __future__ import annotations

import io
import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from ganaug.data.pictures.images import SUFFIXES as PICTURES
from ganaug.data.sources.source import ImageSource
from ganaug.data.spec import KINDS
from ganaug.errors import OptionError
from ganaug.files.appear import appearing
from ganaug.generator.folder import Fitted
from ganaug.reporting import Report, silent

_OVERHEAD = 512  # bytes an image beyond its pixels: PNG chunks, a line of metadata, rounding up by the file system
Items = tuple[
    str, int, np.ndarray
]  # a class, the row in it of the first item, and items of rows that follow each other


@dataclass(frozen=True)
class Wanted:
    """What is to be written. plan: of known classes, none of them empty. items: in the order in which they are written;
    images uint8 (N, C, H, W), or rows and series in model space. total: how many they are, of the plan or of a part of
    it. made_from: of each class the names of the images that its items were made from, for a translator. real: images
    that are to stand beside them, or None."""

    fitted: Fitted
    plan: Mapping[str, int]
    items: Iterable[Items]
    total: int
    made_from: Mapping[str, list[str]] = field(default_factory=dict)
    seed: int = 0
    truncation: float | None = None
    real: ImageSource | None = None
    report: Report = silent

    @property
    def codec(self) -> Any:
        return self.fitted.card.codec

    def __iter__(self) -> Iterator[Items]:
        """Each is reported when it has been taken."""
        done = 0
        for name, row, items in self.items:
            yield name, row, items
            done += len(items)
            self.report("augment", done, self.total, f"class {name}")

    def images(self) -> Iterator[tuple[str, int, bytes]]:
        """Class, row and PNG file of each image, in the mode and size of the real ones."""
        for name, first, items in self:
            for row, pixels in enumerate(items, first):
                file = io.BytesIO()
                self.codec.to_image(pixels).save(file, "PNG", compress_level=3)
                yield name, row, file.getvalue()

    def facts(self, name: str, row: int) -> dict[str, Any]:
        """What it takes to make an item again; where a range was declared, what 0 and 255 stand for."""
        facts: dict[str, Any] = {"class": name, "seed": self.seed, "index": row}
        if self.truncation is not None:
            facts["truncation"] = self.truncation
        if self.codec.range is not None:
            facts["range"] = list(self.codec.range)
        if name in self.made_from:
            facts["made_from"] = self.made_from[name][row]
        return facts | {"generator": self.fitted.hash}


@dataclass(frozen=True)
class Format:
    """words: what is made, as the object of "write". kind: of the items, one of `KINDS`. suffixes: by which a file
    name asks for it; none for a folder, which every other name gets. numbered: whether who reads it numbers the classes
    by those that have items, so that none may be without. mixed: whether it is read from the front to the end, so that
    items of all classes come by turns."""

    words: str
    kind: str
    suffixes: tuple[str, ...]
    write: Callable[[Wanted, Path], None]
    numbered: bool
    mixed: bool

    @property
    def name(self) -> str:
        return self.write.__name__


FORMATS: dict[str, Format] = {}


def export_format(
    words: str, kind: str, *suffixes: str, numbered: bool = False, mixed: bool = False
) -> Callable[[Any], Any]:
    """List a function that writes what is `Wanted` to a path, where nothing is, as the format of its name. What it
    wrote appears in its place at once, when it is whole."""

    def listed(write: Callable[[Wanted, Path], None]) -> Callable[[Wanted, Path], None]:
        FORMATS[write.__name__] = Format(words, kind, suffixes, write, numbered, mixed)
        return write

    return listed


def format_for(fitted: Fitted, out: Path, named: str | None = None) -> Format:
    """The format of samples of this generator of that name, or else the one that the name of the file asks for. Raises
    OptionError, with the names that there are; for the ending of another kind's format or of a picture, too."""
    kind = KINDS[len(fitted.card.shape)]
    formats = {name: one for name, one in FORMATS.items() if one.kind == kind}
    if named is not None:
        if named not in formats:
            raise OptionError(f"{named!r} is not a format of {kind}.", f"There are: {', '.join(sorted(formats))}.")
        return formats[named]
    for one in formats.values():
        if out.suffix.lower() in one.suffixes:
            return one
    ending = out.suffix.lower()
    foreign = ending in PICTURES or any(ending in one.suffixes for one in FORMATS.values())
    for one in formats.values():
        if not one.suffixes and not foreign:
            return one
    names = " or ".join(f"--out OUT{one.suffixes[0] if one.suffixes else ''}" for one in formats.values())
    raise OptionError(f"Synthetic {kind} are not written to a file like {out.name}.", f"Give {names}.")


def formats_in_words() -> str:
    """What can be written, for a help text."""
    return "; ".join(f"{one.kind} as {one.words}" for one in FORMATS.values())


def put(wanted: Wanted, kind: Format, out: Path) -> None:
    """Write a file or a folder, which appears at once, when it is whole; an interruption leaves nothing behind.

    Raises OutputInUseError if it exists (an empty folder may), DiskFullError, UnwritableError."""
    with appearing(out, folder=not kind.suffixes, size=room(wanted)) as place:
        kind.write(wanted, place)


def room(wanted: Wanted) -> int:
    """Bytes that items take at most, on disk."""
    shape = wanted.fitted.card.shape
    if len(shape) < 3:
        return 16 * wanted.total * math.prod(shape)
    height, width = wanted.codec.size or shape[1:]
    items = wanted.total + (0 if wanted.real is None else len(wanted.real))
    return items * (shape[0] * height * width + _OVERHEAD)
