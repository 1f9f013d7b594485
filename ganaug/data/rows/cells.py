"""Tables as text: a header, and rows of as many cells, from a CSV file or a pandas DataFrame."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from ganaug.data.sources.listed import is_image_list
from ganaug.errors import DataError, OptionError

DELIMITERS = ";\t|,"  # a comma comes last: it may be a decimal point
LOOKED_AT = 50  # rows, to find the delimiter
SUFFIXES = frozenset({".csv", ".tsv", ".tab"})


@dataclass(frozen=True, eq=False)
class Cells:
    """header: unique names; columns: the cells of each, as text without white space around; delimiter: of the file."""

    header: tuple[str, ...]
    columns: tuple[tuple[str, ...], ...]
    delimiter: str = ","

    def __len__(self) -> int:
        return len(self.columns[0])

    def without(self, names: Sequence[str]) -> Cells:
        """The table without these columns; OptionError for one that it does not have."""
        for name in names:
            self.place(name)
        kept = [i for i, name in enumerate(self.header) if name not in names]
        return Cells(tuple(self.header[i] for i in kept), tuple(self.columns[i] for i in kept), self.delimiter)

    def place(self, name: str) -> int:
        """Where a column stands; OptionError with the names that there are."""
        if name not in self.header:
            raise OptionError(f"There is no column {name!r}.", f"The columns are: {_listed(self.header)}.")
        return self.header.index(name)


def is_table(data: Any) -> bool:
    """Whether it is a CSV file, by its name, or a pandas DataFrame."""
    if isinstance(data, (str, Path)):
        return Path(data).suffix.lower() in SUFFIXES
    return is_frame(data)


def holds_rows(data: Any, drop: Sequence[str] = (), image: str | None = None) -> bool:
    """Whether it is a table, rather than a list of images: these are taken for one where columns are left out."""
    return is_table(data) and (bool(drop) or not is_image_list(data, image))


def is_frame(data: Any) -> bool:
    """Whether it is a pandas DataFrame."""
    return hasattr(data, "columns") and hasattr(data, "iloc") and hasattr(data, "itertuples")


def read_cells(data: Any) -> Cells:
    """A CSV file or a DataFrame as text. Empty lines are passed over; the delimiter is found: comma, semicolon, tab, |.

    Raises DataError for a file that cannot be read, names that repeat, lines of another length, and no rows.
    """
    if is_frame(data):
        header, rows, delimiter = _from_frame(data)
    else:
        header, rows, delimiter = _from_file(Path(data).expanduser())
    twice = [name for name, n in Counter(header).items() if n > 1]
    if twice:
        raise DataError(f"Column names repeat: {_listed(twice)}.", "Give every column its own name.")
    if not rows:
        raise DataError("The table has no rows.", "Give a line of names and at least two rows for each class.")
    return Cells(tuple(header), tuple(zip(*rows, strict=True)), delimiter)


def _from_frame(frame: Any) -> tuple[list[str], list[list[str]], str]:
    """What pandas writes into a CSV file: missing values of any type are empty, dates and times as they print."""
    if getattr(frame.columns, "nlevels", 1) > 1:
        raise DataError("The names of the columns have several levels.", 'Join them: frame.columns.map("_".join).')
    text = frame.to_csv(index=False, na_rep="", lineterminator="\r\n")
    header, *rows = ([cell.strip() for cell in row] for row in csv.reader(io.StringIO(text, newline=""), strict=True))
    return header, rows, ","


def _from_file(path: Path) -> tuple[list[str], list[list[str]], str]:
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        cause = f"{path} is not UTF-8 text: {error.reason} at byte {error.start}."
        fix = "Save it as UTF-8 (in Excel: CSV UTF-8), or give a DataFrame: pandas.read_csv(FILE, encoding=...)"
        raise DataError(cause, f"{fix}, often cp1252 or utf-16.") from error
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror or error}.", "Give a CSV file.") from error
    if "\0" in text:
        raise DataError(f"{path} holds NUL characters: it is not text, or it is damaged.", "Save it as UTF-8.")
    delimiter = _delimiter(text)
    try:
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
        lines = [(reader.line_num, [cell.strip() for cell in row]) for row in reader]
    except csv.Error as error:
        raise DataError(
            f"{path} cannot be read as CSV: {error}.", "Save it again as CSV, with matching quotes."
        ) from error
    lines = [(number, row) for number, row in lines if any(row)]
    if not lines:
        raise DataError(f"{path} is empty.", "Give a line of names and at least two rows for each class.")
    header = lines[0][1]
    if len(header) < 2:
        cause = f"{path} has one column only, {header[0]!r}."
        raise DataError(
            cause, "Separate columns by comma, semicolon, tab or |, and give the target and another column."
        )
    odd = [(number, len(row)) for number, row in lines if len(row) != len(header)]
    if odd:
        number, width = odd[0]
        cause = f"{path} has {len(header)} columns, but line {number} has {width} cells ({len(odd)} such lines)."
        raise DataError(cause, "Mend these lines; put cells that hold the delimiter into double quotes.")
    return header, [row for _, row in lines[1:]], delimiter


def _delimiter(text: str) -> str:
    """The delimiter that divides the first lines into the most cells, as many in each; a comma last, for it is also a
    decimal point. Where none does, the one that divides the first line into the most."""

    def widths(delimiter: str) -> list[int]:
        try:
            rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
            return list(islice((len(row) for row in rows if any(map(str.strip, row))), LOOKED_AT))
        except csv.Error:
            return []

    found = {delimiter: widths(delimiter) or [0] for delimiter in DELIMITERS}
    even = [delimiter for delimiter in DELIMITERS if len(set(found[delimiter])) == 1]
    return max(even if any(found[d][0] > 1 for d in even) else DELIMITERS, key=lambda delimiter: found[delimiter][0])


def _listed(names: Sequence[str]) -> str:
    return ", ".join(map(repr, names[:20])) + (f" and {len(names) - 20} more" if len(names) > 20 else "")
