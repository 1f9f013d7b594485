"""Many texts of one length, as they lie in an array: a letter takes a byte, and nothing is read before it is needed."""

from __future__ import annotations

import operator
from collections.abc import Iterable, Iterator, Sequence
from typing import overload

import numpy as np


class Texts(Sequence[str]):
    """Texts in ASCII. values: dtype "S", (M,), in memory or a memory map. rows: which of them, int64; None for all."""

    def __init__(self, values: np.ndarray, rows: np.ndarray | None = None):
        self.values, self.rows = values, rows

    def __len__(self) -> int:
        return len(self.values if self.rows is None else self.rows)

    @overload
    def __getitem__(self, index: int) -> str: ...
    @overload
    def __getitem__(self, index: slice) -> Texts: ...
    def __getitem__(self, index: int | slice) -> str | Texts:
        if isinstance(index, slice):
            return self.take(np.arange(len(self))[index])
        return self.values[index if self.rows is None else self.rows[index]].decode("ascii")

    def __iter__(self) -> Iterator[str]:
        for start in range(0, len(self), 1024):
            rows = slice(start, start + 1024)
            for value in self.values[rows if self.rows is None else self.rows[rows]].tolist():
                yield value.decode("ascii")

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Sequence) or isinstance(other, str):
            return NotImplemented
        return len(self) == len(other) and all(map(operator.eq, self, other))

    __hash__ = None  # type: ignore[assignment]

    def __add__(self, other: Sequence[str]) -> tuple[str, ...]:
        return (*self, *other)

    def __radd__(self, other: Sequence[str]) -> tuple[str, ...]:
        return (*other, *self)

    def __repr__(self) -> str:
        return repr(tuple(self))

    def take(self, rows: np.ndarray) -> Texts:
        """These alone, int64, in this order; none is copied."""
        return Texts(self.values, rows if self.rows is None else self.rows[rows])


def in_letters(texts: Sequence[str], length: int) -> np.ndarray:
    """Texts in ASCII of one length: dtype "S", (N,)."""
    if isinstance(texts, Texts):
        return texts.values if texts.rows is None else texts.values[texts.rows]
    return np.array([text.encode("ascii") for text in texts], f"S{length}")


def among(texts: Iterable[str], known: Iterable[str]) -> np.ndarray:
    """Which of the texts are known: bool (N,). In sets, since `np.isin` copies each of a million texts to four bytes a
    letter."""
    held = frozenset(known)
    return np.array([text in held for text in texts], dtype=bool)
