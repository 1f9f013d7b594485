"""What a survey saw of each image, as records of one size: arrays, in memory or in a file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import overload

import numpy as np

from ganaug.data.duplicates.likeness import LENGTH
from ganaug.data.pictures.depth import Deep, Stored
from ganaug.data.pictures.images import TRAITS
from ganaug.data.texts import Texts

_SCALES = ("", "16 bits", "8 bits", "upper byte", "0 to 1", "0 to 255", "range")  # of `Deep`; "" for none
RECORD = np.dtype([
    ("index", "<i8"), ("height", "<i4"), ("width", "<i4"), ("rgb", "?"), ("colour", "?"), ("traits", "u1"),
    ("scale", "u1"), ("low", "<f8"), ("high", "<f8"), ("outside", "<f8"), ("fingerprint", "S64"),
    ("likeness", f"S{LENGTH}"),
])  # fmt: skip


@dataclass(frozen=True)
class Seen:
    """One readable image. index: in the source; size: (height, width) in px; colour: whether any pixel has some;
    stored: what it was before it was read."""

    index: int
    mode: str
    size: tuple[int, int]
    colour: bool
    fingerprint: str
    likeness: str
    stored: Stored = Stored()

    @property
    def record(self) -> np.ndarray:
        """The same as a record: RECORD, ()."""
        deep = self.stored.deep or Deep(0.0, 0.0, "")
        traits = sum(1 << bit for bit, name in enumerate(TRAITS) if name in self.stored.traits)
        values = (
            self.index, *self.size, self.mode == "RGB", self.colour, traits, _SCALES.index(deep.scale), deep.low,
            deep.high, deep.outside, self.fingerprint.encode(), self.likeness.encode(),
        )  # fmt: skip
        return np.array(values, RECORD)


class Records(Sequence[Seen]):
    """What was seen of many images. rows: RECORD (N,)."""

    def __init__(self, rows: np.ndarray):
        self.rows = rows

    def __len__(self) -> int:
        return len(self.rows)

    @overload
    def __getitem__(self, index: int) -> Seen: ...
    @overload
    def __getitem__(self, index: slice) -> Records: ...
    def __getitem__(self, index: int | slice) -> Seen | Records:
        if isinstance(index, slice):
            return Records(self.rows[index])
        number, height, width, rgb, colour, bits, scale, low, high, outside, mark, alike = self.rows[index].tolist()
        traits = frozenset(name for bit, name in enumerate(TRAITS) if bits >> bit & 1)
        deep = Deep(low, high, _SCALES[scale], outside) if scale else None
        mode, texts = "RGB" if rgb else "L", (mark.decode(), alike.decode())
        return Seen(number, mode, (height, width), bool(colour), *texts, Stored(traits, deep))

    def column(self, name: str) -> np.ndarray:
        """One field of all of them: a view."""
        return self.rows[name]

    @property
    def fingerprints(self) -> Texts:
        return Texts(self.rows["fingerprint"])

    @property
    def likenesses(self) -> Texts:
        return Texts(self.rows["likeness"])

    def in_order(self) -> Records:
        """The same in the order of the source."""
        order = self.rows["index"]
        return self if (order[1:] > order[:-1]).all() else Records(self.rows[np.argsort(order)])

    def odd(self) -> Records:
        """Those that the reader did something to, or that had values of more than 8 bits."""
        return Records(self.rows[(self.rows["traits"] > 0) | (self.rows["scale"] > 0)])


class Log:
    """Records of at most so many images, as they are seen."""

    def __init__(self, most: int):
        self.rows = np.empty(most, RECORD)
        self.count = 0

    def holds(self, index: int) -> bool:
        """Whether this item of the source was seen before."""
        return False

    def add(self, seen: Seen) -> None:
        self.rows[self.count] = seen.record
        self.count += 1

    def written(self) -> np.ndarray:
        """In the order in which they came: RECORD (N,)."""
        return self.rows[: self.count]
