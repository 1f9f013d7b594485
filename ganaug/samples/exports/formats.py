"""What an export format is, and which one a file name asks for."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from ganaug.data.sources.source import ImageSource
from ganaug.data.spec import KINDS
from ganaug.errors import OptionError, OutputInUseError
from ganaug.files.integrity import clear_parts, need_space, write_atomically
from ganaug.generator.folder import Fitted
from ganaug.reporting import Report, silent


@dataclass(frozen=True)
class Wanted:
    """What is to be written. plan: of known classes, none of them empty. blocks: of each class its items block by
    block, images uint8 (N, C, H, W), or rows and series in model space. made_from: of each class the names of the
    images that its items were made from, for a translator. real: images that are to stand beside them, or None."""

    fitted: Fitted
    plan: Mapping[str, int]
    blocks: Mapping[str, Iterator[np.ndarray]]
    made_from: Mapping[str, list[str]] = field(default_factory=dict)
    seed: int = 0
    truncation: float | None = None
    real: ImageSource | None = None
    report: Report = silent

    @property
    def codec(self) -> Any:
        return self.fitted.card.codec

    def __iter__(self) -> Iterator[tuple[str, np.ndarray]]:
        """(class, block) after (class, block), reported when each has been taken."""
        done, total = 0, sum(self.plan.values())
        for name, blocks in self.blocks.items():
            for items in blocks:
                yield name, items
                done += len(items)
                self.report("augment", done, total, f"class {name}")


@dataclass(frozen=True)
class Format:
    """words: what is made, as the object of "write". kind: of the items, one of `KINDS`. suffixes: by which a file
    name asks for it; none for what every other name gets. numbered: whether who reads it numbers the classes by those
    that have items, so that none may be without."""

    words: str
    kind: str
    suffixes: tuple[str, ...]
    write: Callable[[Wanted, Path], None]
    numbered: bool


FORMATS: dict[str, Format] = {}


def export_format(words: str, kind: str, *suffixes: str, numbered: bool = False) -> Callable[[Any], Any]:
    """List a function that writes what is `Wanted` to a path as the format of its name."""

    def listed(write: Callable[[Wanted, Path], None]) -> Callable[[Wanted, Path], None]:
        FORMATS[write.__name__] = Format(words, kind, suffixes, write, numbered)
        return write

    return listed


def format_for(fitted: Fitted, out: Path) -> Format:
    """The format of samples of this generator that a name asks for. Raises OptionError, with the names that do."""
    kind = KINDS[len(fitted.card.shape)]
    formats = [one for one in FORMATS.values() if one.kind == kind]
    for one in formats:
        if out.suffix.lower() in one.suffixes:
            return one
    for one in formats:
        if not one.suffixes:
            return one
    names = " or ".join(f"--out OUT{one.suffixes[0]}" for one in formats)
    raise OptionError(f"Synthetic {kind} are written to a file, and {out} is none.", f"Give {names}.")


def formats_in_words() -> str:
    """What can be written, for a help text."""
    return "; ".join(f"{one.kind} as {one.words}" for one in FORMATS.values())


def write_file(wanted: Wanted, out: Path, data: Callable[[], bytes]) -> None:
    """Write one file, which appears at once. Raises OutputInUseError if it exists, DiskFullError, UnwritableError."""
    if out.exists():
        raise OutputInUseError(f"{out} exists.", "Choose a new name.")
    out.parent.mkdir(parents=True, exist_ok=True)
    need_space(out.parent, 16 * sum(wanted.plan.values()) * int(np.prod(wanted.fitted.card.shape)))
    clear_parts(out.parent, out.name)
    write_atomically(out, data())
