"""Columns of a table: what a column holds, and text <-> model space.

A number becomes one value in [-1, 1] by its quantiles, so that every column looks like a normal distribution cut at
three standard deviations; a category becomes probabilities, one-hot for real rows, and the most probable one is served.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Literal

import numpy as np

MISSING = frozenset({"", "na", "n/a", "nan", "null", "none", "?", "<na>", "#n/a"})  # in lower case
Form = Literal["whole", "decimal", "date"]


@dataclass(frozen=True)
class Number:
    """A continuous column.

    knots: values at equally spaced points of [-1, 1], rising; the first is the smallest real value, the last the
    largest. form: how a value is written; decimals, least: digits after the point, at most, -1 for as many as it takes,
    and at least; point: "." or ",". missing: how a missing cell is written, None if no cell is missing; otherwise a
    second block, of two, says whether the value is there.
    """

    name: str
    knots: tuple[float, ...]
    form: Form = "decimal"
    decimals: int = -1
    least: int = 0
    point: str = "."
    missing: str | None = None

    @property
    def blocks(self) -> tuple[int, ...]:
        return (1,) if self.missing is None else (1, 2)

    @property
    def words(self) -> str:
        """What the column holds, for people."""
        kind = {"whole": "whole numbers", "decimal": "numbers", "date": "dates"}[self.form]
        return f"{kind} from {self.write(self.knots[0])} to {self.write(self.knots[-1])}"

    def encode(self, cells: tuple[str, ...]) -> np.ndarray:
        """Text -> float64 (N, width)."""
        there = np.array([cell.lower() not in MISSING for cell in cells])
        values = np.array([self.read(cell) if here else np.nan for cell, here in zip(cells, there, strict=True)])
        x = np.zeros((len(cells), sum(self.blocks)))
        x[there, 0] = to_model(values[there], self.knots)
        if self.missing is not None:
            x[:, 1], x[:, 2] = there, ~there
        return x

    def decode(self, x: np.ndarray) -> list[str]:
        """(N, width) -> text in the column's own form, within its range."""
        values = from_model(x[:, 0], self.knots)
        gone = x[:, 2] > x[:, 1] if self.missing is not None else np.zeros(len(x), dtype=bool)
        return [self.missing or "" if away else self.write(v) for v, away in zip(values.tolist(), gone, strict=True)]

    def read(self, cell: str) -> float:
        return float(date.fromisoformat(cell).toordinal() if self.form == "date" else cell.replace(self.point, "."))

    def write(self, value: float) -> str:
        if self.form == "date":
            return date.fromordinal(round(value)).isoformat()
        if self.form == "whole":
            value = round(value)
        text = repr(value) if self.decimals < 0 else f"{value:.{self.decimals}f}"
        if self.decimals > self.least:
            kept = len(text) - self.decimals + self.least  # zeros after this place are left out
            text = (text[:kept] + text[kept:].rstrip("0")).removesuffix(".")
        text = text.removeprefix("-") if float(text) == 0 else text
        return text.replace(".", self.point)


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

    def encode(self, cells: tuple[str, ...]) -> np.ndarray:
        """Text -> one-hot (N, width)."""
        index = {value: i for i, value in enumerate(self.values)}
        return np.eye(len(self.values))[[index[cell] for cell in cells]]

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

    def encode(self, cells: tuple[str, ...]) -> np.ndarray:
        return np.zeros((len(cells), 0))

    def decode(self, x: np.ndarray) -> list[str]:
        return [self.value] * len(x)


Column = Number | Category | Constant


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
