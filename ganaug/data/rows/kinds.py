"""Which kind of column the cells of a table make: a number, a category, a constant, or nothing that can be learned."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import date

import numpy as np
import torch

from ganaug.data.rows.columns import MISSING, Category, Column, Constant, Form, Number
from ganaug.errors import DataError

KNOTS = 65
FEW = 10  # at most so many different numbers are categories, if each is there 5 times on average
MOST = 200  # categories of one column
EXACT = 2**53  # whole numbers above are not exact as floats

_NUMBER = re.compile(r"[+-]?(\d+([.,]\d*)?|[.,]\d+)([eE][+-]?\d{1,3})?")
_LEADING_ZERO = re.compile(r"[+-]?0\d")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_DROP = "Leave the column out: --drop {0} (drop=[{0!r}] in Python)."


def column_of(name: str, cells: tuple[str, ...]) -> Column:
    """The column that these cells make.

    Raises DataError, naming column and rows, for texts that differ nearly everywhere (names, identifiers), whole
    numbers too large to be exact, running numbers, infinite values, and numbers among which some cells are none.
    """
    different = set(cells)
    if len(different) == 1:
        return Constant(name, cells[0])
    gone = {cell for cell in different if cell.lower() in MISSING}
    present = [cell for cell in cells if cell not in gone]
    point = "," if any("," in cell for cell in present) and not any("." in cell for cell in present) else "."
    if all(map(_DATE.fullmatch, present)) and all(map(_is_date, set(present))):
        return _number(name, cells, gone, "date", point)
    numeric = [cell for cell in present if _is_number(cell, point)]
    if len(numeric) == len(present):
        return _from_numbers(name, cells, present, gone, point)
    if len(different) <= min(MOST, max(3, len(cells) // 2)):
        return Category(name, tuple(sorted(different)))
    odd = [cell for cell in present if not _is_number(cell, point)]
    if len(odd) < len(present) / 2:
        row = cells.index(odd[0]) + 1
        cause = (
            f"Column {name!r} holds numbers, but {len(odd)} of {len(cells)} rows do not (row {row}: {odd[0][:40]!r})."
        )
        raise DataError(cause, "Mend these cells, or empty them: an empty cell is a missing value.")
    cause = f"Column {name!r} holds {len(different)} different texts in {len(cells)} rows: names or identifiers."
    raise DataError(cause, _DROP.format(name) + " Dates are read as 2024-01-31.")


def _from_numbers(name: str, cells: tuple[str, ...], present: list[str], gone: set[str], point: str) -> Column:
    distinct = len(set(present))
    if distinct <= FEW and len(present) >= 5 * distinct:
        return Category(name, tuple(sorted(set(cells), key=lambda cell: _order(cell, gone, point))))
    values = np.array([float(cell.replace(point, ".")) for cell in present])
    if not np.isfinite(values).all():
        raise DataError(f"Column {name!r} holds numbers beyond any float.", _DROP.format(name))
    whole = bool((values == np.rint(values)).all())
    if whole and np.abs(values).max() > EXACT:
        longest = max(present, key=len)
        cause = f"Column {name!r} holds whole numbers too long to be exact, like {longest[:40]}: identifiers?"
        raise DataError(cause, _DROP.format(name))
    if whole and len(values) == len(cells) > FEW and (np.diff(values) == 1).all():
        raise DataError(f"Column {name!r} counts the rows: it says nothing about them.", _DROP.format(name))
    return _number(name, cells, gone, "whole" if whole else "decimal", point)


def _number(name: str, cells: tuple[str, ...], gone: set[str], form: Form, point: str) -> Number:
    present = [cell for cell in cells if cell not in gone]
    scientific = any("e" in cell.lower() for cell in present) and form != "date"
    digits = [0 if form == "date" else len(cell.partition(point)[2]) for cell in present]
    decimals, least = (-1, 0) if scientific or max(digits) > 15 else (max(digits), min(digits))
    usual = max(sorted(gone), key=cells.count) if gone else None
    draft = Number(name, (0.0, 0.0), form, decimals, least, point, usual)
    return replace(draft, knots=quantiles([draft.read(cell) for cell in present]))


def quantiles(values: Sequence[float]) -> tuple[float, ...]:
    """Quantiles at the levels of a normal distribution at equally spaced points up to three standard deviations."""
    levels = torch.special.ndtr(torch.linspace(-3, 3, KNOTS, dtype=torch.float64)).numpy()
    levels[0], levels[-1] = 0, 1
    return tuple(np.maximum.accumulate(np.quantile(np.asarray(values, dtype=np.float64), levels)).tolist())


def _is_number(cell: str, point: str) -> bool:
    other = "," if point == "." else "."
    return bool(_NUMBER.fullmatch(cell)) and other not in cell and not _LEADING_ZERO.match(cell)


def _is_date(cell: str) -> bool:
    try:
        date.fromisoformat(cell)
    except ValueError:
        return False
    return True


def _order(cell: str, gone: set[str], point: str) -> float:
    return -math.inf if cell in gone else float(cell.replace(point, "."))
