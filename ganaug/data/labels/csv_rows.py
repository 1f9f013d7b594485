"""CSV files, whoever wrote them: their rows, by whatever delimiter."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Sequence
from itertools import islice
from pathlib import Path

from ganaug.errors import DataError

SUFFIXES = (".csv", ".tsv", ".tab")
Row = tuple[int, list[str]]  # the number of its line, and its cells
_LOOKED_AT = 50  # rows, to find the delimiter


def read_rows(path: str | Path, delimiters: str = ",;\t|") -> tuple[list[Row], str]:
    """The rows of a file that are not blank, with cells without white space around, and the delimiter: one of these,
    the first of equals. Raises DataError for a file that cannot be read, or is no CSV file in UTF-8."""
    try:
        text = Path(path).expanduser().read_bytes().decode("utf-8-sig")
        delimiter = _delimiter(text, delimiters)
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
        rows = [(reader.line_num, [cell.strip() for cell in row]) for row in reader]
    except UnicodeDecodeError as error:
        cause = f"{path} is not UTF-8 text: {error.reason} at byte {error.start}."
        fix = "Save it as UTF-8 (in Excel: CSV UTF-8), or by pandas: read_csv(FILE, encoding=...)"
        raise DataError(cause, f"{fix}, often cp1252 or utf-16, then to_csv.") from error
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror or error}.", "Give a CSV file.") from error
    except csv.Error as error:
        fix = "Save it again as CSV, with matching quotes."
        raise DataError(f"{path} cannot be read as CSV: {error}.", fix) from error
    if "\0" in text:
        raise DataError(f"{path} holds NUL characters: it is not text, or it is damaged.", "Save it as UTF-8.")
    return [(number, cells) for number, cells in rows if any(cells)], delimiter


def table_of(rows: Sequence[Row], where: str | Path) -> tuple[tuple[str, ...], tuple[tuple[str, ...], ...]]:
    """The names in the first row, and the columns below them. Raises DataError for rows of another length, and for
    names that repeat."""
    header = rows[0][1]
    odd = [(number, len(cells)) for number, cells in rows if len(cells) != len(header)]
    if odd:
        number, width = odd[0]
        cause = f"{where} has {len(header)} columns, but line {number} has {width} cells ({len(odd)} such lines)."
        raise DataError(cause, "Mend these lines; put cells that hold the delimiter into double quotes.")
    twice = [name for name, n in Counter(header).items() if n > 1]
    if twice:
        raise DataError(f"{where}: column names repeat: {some(twice)}.", "Give every column its own name.")
    return tuple(header), tuple(zip(*(cells for _, cells in rows[1:]), strict=True))


def some(names: Sequence[str], most: int = 5) -> str:
    """The first of them, and how many more there are."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(map(repr, names[:most])) + more


def _delimiter(text: str, delimiters: str) -> str:
    """The delimiter that divides the first lines into the most cells, as many in each. Where none does, the one that
    divides the first line into the most."""

    def widths(delimiter: str) -> list[int]:
        try:
            rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
            return list(islice((len(row) for row in rows if any(map(str.strip, row))), _LOOKED_AT)) or [0]
        except csv.Error:
            return [0]

    found = {delimiter: widths(delimiter) for delimiter in delimiters}
    even = [delimiter for delimiter in delimiters if len(set(found[delimiter])) == 1 and found[delimiter][0] > 1]
    return max(even or delimiters, key=lambda delimiter: found[delimiter][0])
