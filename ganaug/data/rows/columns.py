"""Columns of a table: what a column holds, and text <-> model space.

A number becomes one value in [-1, 1] by its quantiles, so that every column looks like a normal distribution cut at
three standard deviations; a category becomes probabilities, one-hot for real rows, and the most probable one is served.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ganaug.data.rows.dates import Moments
from ganaug.data.rows.numerals import Numerals

MISSING = frozenset({"", "na", "n/a", "nan", "nat", "null", "none", "?", "<na>", "#n/a"})  # in lower case


@dataclass(frozen=True)
class Number:
    """A continuous column: numbers, dates, times.

    knots: values at equally spaced points of [-1, 1], rising; the first is the smallest real value, the last the
    largest. form: how a value is written. missing: how a missing cell is written, None if no cell is missing; otherwise
    a second block, of two, says whether the value is there.
    """

    name: str
    knots: tuple[float, ...]
    form: Numerals | Moments = Numerals()
    missing: str | None = None

    @property
    def blocks(self) -> tuple[int, ...]:
        return (1,) if self.missing is None else (1, 2)

    @property
    def words(self) -> str:
        """What the column holds, for people."""
        form = self.form
        if isinstance(form, Numerals) and form.whole:
            form = replace(form, decimals=0, least=0)
        return f"{form.words} from {form.write(self.knots[0])} to {form.write(self.knots[-1])}"

    def knows(self, cells: tuple[str, ...]) -> np.ndarray:
        """Which cells hold a value, or may be missing: bool (N,)."""
        return np.array([self.missing is not None or cell.lower() not in MISSING for cell in cells], dtype=bool)

    def encode(self, cells: tuple[str, ...], *, strict: bool = True) -> np.ndarray:
        """Text -> float64 (N, width). ValueError for a cell of another form, or, if `strict`, one that it does not
        know: that is the middle of the values."""
        if strict:
            _require_known(self, cells)
        there = np.array([cell.lower() not in MISSING for cell in cells], dtype=bool)
        values = np.array([self.form.read(cell) if here else np.nan for cell, here in zip(cells, there, strict=True)])
        x = np.zeros((len(cells), sum(self.blocks)))
        x[there, 0] = to_model(values[there], self.knots)
        if self.missing is not None:
            x[:, 1], x[:, 2] = there, ~there
        return x

    def decode(self, x: np.ndarray) -> list[str]:
        """(N, width) -> text in the column's own form, within its range."""
        values = from_model(x[:, 0], self.knots).tolist()
        gone = x[:, 2] > x[:, 1] if self.missing is not None else np.zeros(len(x), dtype=bool)
        return [self.missing or "" if away else self.form.write(v) for v, away in zip(values, gone, strict=True)]


@dataclass(frozen=True)
class Category:
    """A column of a few different texts. values: sorted; a missing cell is a value like the others."""

    name: str
    values: tuple[str, ...]

    @property
    def blocks(self) -> tuple[int, ...]:
        return (len(self.values),)

    @property
    def words(self) -> str:
        listed = ", ".join(repr(value) for value in self.values[:8]) + (", ..." if len(self.values) > 8 else "")
        return f"{len(self.values)} categories: {listed}"

    def knows(self, cells: tuple[str, ...]) -> np.ndarray:
        """Which cells are one of the values: bool (N,)."""
        return np.array([cell in self.values for cell in cells], dtype=bool)

    def encode(self, cells: tuple[str, ...], *, strict: bool = True) -> np.ndarray:
        """Text -> one-hot (N, width). ValueError, if `strict`, for a cell that it does not know: that is none of the
        values."""
        if strict:
            _require_known(self, cells)
        index = {value: i for i, value in enumerate(self.values)}
        one_hot = np.eye(len(self.values) + 1)[:, :-1]
        return one_hot[[index.get(cell, -1) for cell in cells]]

    def decode(self, x: np.ndarray) -> list[str]:
        """Probabilities (N, width) -> the most probable value."""
        return [self.values[i] for i in x.argmax(1).tolist()]


@dataclass(frozen=True)
class Constant:
    """A column that holds the same text in every row; the generator does not see it, and it is written again."""

    name: str
    value: str

    @property
    def blocks(self) -> tuple[int, ...]:
        return ()

    @property
    def words(self) -> str:
        return f"always {self.value!r}"

    def knows(self, cells: tuple[str, ...]) -> np.ndarray:
        """All: what they hold is not looked at."""
        return np.ones(len(cells), dtype=bool)

    def encode(self, cells: tuple[str, ...], *, strict: bool = True) -> np.ndarray:
        return np.zeros((len(cells), 0))

    def decode(self, x: np.ndarray) -> list[str]:
        return [self.value] * len(x)


Column = Number | Category | Constant


def _require_known(column: Column, cells: tuple[str, ...]) -> None:
    """Raises ValueError for a cell that the column does not know."""
    known = column.knows(cells)
    if not known.all():
        row = int(known.argmin())
        what = "no value" if cells[row].lower() in MISSING else f"the new value {cells[row][:40]!r}"
        raise ValueError(f"row {row + 1} has {what} in the column {column.name!r}")


def to_model(values: np.ndarray, knots: tuple[float, ...]) -> np.ndarray:
    """Values -> [-1, 1], linear between knots; a value that several knots share goes to their middle."""
    rising, grid = np.asarray(knots), np.linspace(-1, 1, len(knots))
    after = np.interp(values, rising, grid)
    before = -np.interp(-values, -rising[::-1], grid)
    return (after + before) / 2


def from_model(x: np.ndarray, knots: tuple[float, ...]) -> np.ndarray:
    """[-1, 1] -> values between the first and the last knot."""
    values = np.interp(x, np.linspace(-1, 1, len(knots)), knots)
    return np.clip(values, knots[0], knots[-1])  # interp can overstep by a rounding error
