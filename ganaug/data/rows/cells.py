"""Tables as text: a header, and rows of as many cells, from a CSV file or a pandas DataFrame."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ganaug.data.labels.csv_rows import SUFFIXES, Row, read_rows, some, table_of
from ganaug.data.sources.kinds import is_frame, is_text
from ganaug.data.sources.listed import is_image_list
from ganaug.data.sources.source import kind_of
from ganaug.errors import DataError, OptionError

DELIMITERS = ";\t|,"  # a comma comes last: it may be a decimal point


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
            raise OptionError(f"There is no column {name!r}.", f"The columns are: {some(self.header, 20)}.")
        return self.header.index(name)


def is_table(data: Any) -> bool:
    """Whether it is a CSV file, by its name, or a pandas DataFrame."""
    if is_text(data):
        return Path(data).suffix.lower() in SUFFIXES
    return is_frame(data)


def holds_rows(data: Any, drop: Sequence[str] = (), image: str | None = None) -> bool:
    """Whether it is a table, rather than a list of images: these are taken for one where columns are left out. Raises
    DataError for a file that is not there."""
    if is_text(data) and not Path(data).expanduser().exists():
        kind_of(data)  # it may be the name of a data set
    return is_table(data) and (bool(drop) or not is_image_list(data, image))


def read_cells(data: Any) -> Cells:
    """A CSV file or a DataFrame as text. Empty lines are passed over; the delimiter is found: comma, semicolon, tab, |.

    Raises DataError for a file that cannot be read, names that repeat, lines of another length, and no rows.
    """
    if is_frame(data):
        where, rows, delimiter = "The table", _from_frame(data), ","
    else:
        where, (rows, delimiter) = data, read_rows(data, DELIMITERS)
        if rows and len(rows[0][1]) < 2:
            fix = "Separate columns by comma, semicolon, tab or |, and give the target and another column."
            raise DataError(f"{where} has one column only, {rows[0][1][0]!r}.", fix)
    header, columns = table_of(rows, where) if rows else ((), ())
    if not columns:
        lacks = "has no rows" if rows else "is empty"
        raise DataError(f"{where} {lacks}.", "Give a line of names and at least two rows for each class.")
    return Cells(header, columns, delimiter)


def _from_frame(frame: Any) -> list[Row]:
    """What pandas writes into a CSV file: missing values of any type are empty, dates and times as they print."""
    if getattr(frame.columns, "nlevels", 1) > 1:
        raise DataError("The names of the columns have several levels.", 'Join them: frame.columns.map("_".join).')
    text = frame.to_csv(index=False, na_rep="", lineterminator="\r\n")
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    return [(number, [cell.strip() for cell in row]) for number, row in enumerate(reader, 1)]
