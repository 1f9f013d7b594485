"""Which kind of column the cells of a table make: a number, a category, a constant, or nothing that can be learned."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch

from ganaug.data.pictures.files import SUFFIXES
from ganaug.data.rows.columns import MISSING, Category, Column, Constant, Number
from ganaug.data.rows.date_forms import find_dates, nearly_dates
from ganaug.data.rows.dates import Moments
from ganaug.data.rows.numerals import Numerals, find_numerals
from ganaug.errors import DataError

KNOTS = 65
FEW = 10  # at most so many different numbers are categories, if each is there 5 times on average
MOST = 200  # categories of one column
EXACT = 2**53  # whole numbers above are not exact as floats
CENTURIES = 300  # years: dates that are so far apart are hardly all meant
ROWS = 50  # from here on, whole numbers that are all different may be names of rows
CLOCKS = {"seconds": 10**9, "milliseconds": 10**12, "microseconds": 10**15}  # since 1970, in 2001; twice that in 2033

_NUMBER = re.compile(r"[+-]?([0-9]+([.,][0-9]*)?|[.,][0-9]+)([eE][+-]?[0-9]{1,3})?")
_LEADING_ZERO = re.compile(r"[+-]?0[0-9]+")
_DURATION = re.compile(r"-?([0-9]+ days?\b|P[0-9T]|[0-9]+:[0-9]{2}(:[0-9]{2})?\b)")
_DROP = "Leave the column out: --drop {0} (drop=[{0!r}] in Python)."
_READ = "Dates like 2024-01-31, 31.01.2024, 01/31/2024 13:45:00 and numbers like -1,234.50 are read, one form a column."


@dataclass(frozen=True)
class Found:
    """notes: what was guessed about a column, or may be meant otherwise, as sentences."""

    column: Column
    notes: tuple[str, ...] = ()


def column_of(name: str, cells: tuple[str, ...]) -> Column:
    """The column that these cells make, see `find_column`."""
    return find_column(name, cells).column


def find_column(name: str, cells: tuple[str, ...]) -> Found:
    """The column that these cells make.

    Raises DataError, naming column and rows, for texts that differ nearly everywhere (names, identifiers), whole
    numbers too large to be exact, running numbers, infinite values, and numbers and dates among which some cells are
    none.
    """
    tally = Counter(cells)
    if len(tally) == 1:
        return Found(Constant(name, cells[0]))
    gone = {cell for cell in tally if cell.lower() in MISSING}
    texts = [cell for cell in tally if cell not in gone]
    numerals = find_numerals(name, texts) if texts else None
    if len(texts) <= FEW and len(cells) - sum(tally[cell] for cell in gone) >= 5 * len(texts):
        return _category(name, tally, numerals[0] if numerals else None)
    if len(tally) > len(cells) // 2 and 2 * sum(Path(text).suffix.lower() in SUFFIXES for text in texts) > len(texts):
        cause = f"Column {name!r} names image files, like {texts[0][:40]!r}."
        fix = "To learn these images, write the table as a CSV file beside them, and give that."
        raise DataError(cause, f"{fix} To learn the other columns: --drop {name} (drop=[{name!r}] in Python).")
    dates = find_dates(name, texts)
    if dates is not None:
        column = _number(name, cells, gone, dates.moments)
        return Found(column, (*dates.notes, *_far(column, dates.moments)))
    if numerals is not None:
        _refuse_numbers_that_say_nothing(name, cells, texts, numerals[0])
        form = _with_digits(numerals[0], texts)
        return Found(_number(name, cells, gone, form), (*numerals[1], *_doubts(name, texts, len(cells), form)))
    return _from_texts(name, tally, texts, cells)


def _from_texts(name: str, tally: Counter[str], texts: list[str], cells: tuple[str, ...]) -> Found:
    codes = any(map(_LEADING_ZERO.fullmatch, texts))
    few = len(tally) <= min(MOST, max(3, len(cells) // 2))
    for what, odd in _nearly(texts):
        row = cells.index(odd[0]) + 1
        n = sum(tally[cell] for cell in odd)
        cause = f"Column {name!r} holds {what}, but {n} of {len(cells)} rows do not (row {row}: {odd[0][:40]!r})."
        if few:
            note = f"{cause} It is read as {len(tally)} categories: mend or empty these cells to change that."
            return replace(_category(name, tally), notes=(note,) if not codes and len(texts) > FEW else ())
        if what != "numbers" or not codes:
            raise DataError(cause, "Mend these cells, or empty them: an empty cell is a missing value.")
    if few:
        return _category(name, tally)
    if codes:
        cause = f"Column {name!r} holds {len(tally)} different texts in {len(cells)} rows, codes with zeros in front."
        raise DataError(
            cause, f"Shorten them to at most {MOST} regions or groups, or leave the column out: --drop {name}."
        )
    if all(map(_DURATION.match, texts)):
        cause = f"Column {name!r} holds durations, like {texts[0][:40]!r}."
        raise DataError(cause, "Write them as numbers, for instance of seconds (pandas: column.dt.total_seconds()).")
    cause = f"Column {name!r} holds {len(tally)} different texts in {len(cells)} rows: names or identifiers."
    raise DataError(cause, f"{_DROP.format(name)} {_READ}")


def _nearly(texts: list[str]) -> list[tuple[str, list[str]]]:
    """What most of these different texts are, and those that are not; empty where that is nothing."""
    dates = nearly_dates(texts)
    if dates is not None:
        return [dates]
    odd = [text for text in texts if not _NUMBER.fullmatch(text) or _LEADING_ZERO.match(text)]
    return [("numbers", odd)] if 0 < len(odd) < len(texts) / 2 else []


def _category(name: str, tally: Counter[str], numerals: Numerals | None = None) -> Found:
    """Sorted by text, or as numbers."""

    def place(cell: str) -> tuple[float, str]:
        return (numerals.read(cell) if numerals and cell.lower() not in MISSING else -math.inf, cell)

    values = sorted(tally, key=place)
    return Found(Category(name, tuple(values)), tuple(spellings(f"Column {name!r}", values)))


def spellings(what: str, values: Sequence[str]) -> list[str]:
    """A sentence where some of these texts differ in capital letters only."""
    same = Counter(value.casefold() for value in values)
    alike = [value for value in values if same[value.casefold()] > 1]
    if not alike:
        return []
    listed = ", ".join(map(repr, alike[:6])) + (", ..." if len(alike) > 6 else "")
    return [f"{what} has values that differ in capital letters only: {listed}. They count as different ones."]


def _refuse_numbers_that_say_nothing(name: str, cells: tuple[str, ...], texts: list[str], numerals: Numerals) -> None:
    values = np.array([numerals.read(text) for text in texts])
    if not np.isfinite(values).all():
        raise DataError(f"Column {name!r} holds numbers beyond any float.", _DROP.format(name))
    if not (values == np.rint(values)).all():
        return
    if np.abs(values).max() > EXACT:
        longest = max(texts, key=len)
        cause = f"Column {name!r} holds whole numbers too long to be exact, like {longest[:40]}: identifiers?"
        raise DataError(cause, f"{_DROP.format(name)} Times in nanoseconds: write them as dates, or in seconds.")
    if len(values) == len(cells) > FEW and (np.diff(values) == 1).all():
        raise DataError(f"Column {name!r} counts the rows: it says nothing about them.", _DROP.format(name))
    near = nearly_dates(texts)
    if near is not None:
        what, odd = near
        row = cells.index(odd[0]) + 1
        cause = f"Column {name!r} holds {what}, but {len(odd)} of {len(texts)} values are none (row {row}: {odd[0]!r})."
        raise DataError(cause, f"Mend these cells, or empty them; if it holds no dates, leave it out: --drop {name}.")


def _far(column: Number, moments: Moments) -> list[str]:
    """Dates that may stand for none."""
    ends = [moments.write(knot) for knot in (column.knots[0], column.knots[-1])]
    first, last = (Moments(moments.pattern, "year", moments.twelve).read(end) for end in ends)
    if last - first < CENTURIES:
        return []
    between = f"Column {column.name!r} goes from {ends[0]} to {ends[1]}, and dates between them are made."
    return [f"{between} If one of them stands for none, empty these cells."]


def _doubts(name: str, texts: list[str], rows: int, form: Numerals) -> list[str]:
    """What whole numbers may be besides."""
    if form != Numerals(whole=True, decimals=0):
        return []
    values = np.array([form.read(text) for text in texts])
    for what, since in CLOCKS.items():
        if since <= values.min() and values.max() <= 2.2 * since:
            return [
                f"Column {name!r} may hold times, as {what} since 1970: it is learned as whole numbers. "
                "Write it as dates if the day or the hour counts."
            ]
    if len(texts) == rows >= ROWS:
        return [f"Column {name!r} holds another whole number in every row. If it names the rows: --drop {name}."]
    return []


def _with_digits(numerals: Numerals, texts: list[str]) -> Numerals:
    """The same with the digits after the point that these texts have."""
    cores = [numerals.core(text) for text in texts]
    whole = all(float(core).is_integer() for core in cores)
    digits = [len(core.partition(".")[2]) for core in cores]
    if any("e" in core.lower() for core in cores) or max(digits) > 15:
        return replace(numerals, whole=whole, decimals=-1)
    return replace(numerals, whole=whole, decimals=max(digits), least=min(digits))


def _number(name: str, cells: tuple[str, ...], gone: set[str], form: Numerals | Moments) -> Number:
    usual = max(sorted(gone), key=cells.count) if gone else None
    return Number(name, quantiles([form.read(cell) for cell in cells if cell not in gone]), form, usual)


def quantiles(values: Sequence[float]) -> tuple[float, ...]:
    """Quantiles at the levels of a normal distribution at equally spaced points up to three standard deviations."""
    levels = torch.special.ndtr(torch.linspace(-3, 3, KNOTS, dtype=torch.float64)).numpy()
    levels[0], levels[-1] = 0, 1
    return tuple(np.maximum.accumulate(np.quantile(np.asarray(values, dtype=np.float64), levels)).tolist())
