"""A CSV file that lists images and their classes: its cells, and which column holds what."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ganaug.data.labels.csv_rows import read_rows, some, table_of
from ganaug.data.labels.groups import GROUP
from ganaug.errors import DataError, OptionError

LABEL_NAMES = frozenset({
    "label", "labels", "class", "class_name", "classname", "class_id", "target", "targets", "category",
    "diagnosis", "species",
})  # fmt: skip
_PARTS = {"training": "train", "val": "val", "valid": "val", "validation": "val", "dev": "val", "testing": "test"}
_PARTS |= {"train": "train", "test": "test"}
_MISSING = ("", "nan", "NaN", "NA", "<NA>", "null", "NULL", "None")  # among numbers; among words only "" is none
_MARKS = "|;"  # between several labels of one image; other marks are found by what stands between them


@dataclass(frozen=True, eq=False)
class Listing:
    """header: unique names; columns: the cells of each, without white space around."""

    path: Path
    header: tuple[str, ...]
    columns: tuple[tuple[str, ...], ...]

    def __len__(self) -> int:
        return len(self.columns[0])

    def column(self, name: str) -> tuple[str, ...]:
        """Raises OptionError, with the names that there are, for one that there is not."""
        if name not in self.header:
            raise OptionError(f"{self.path} has no column {name!r}.", f"Its columns are: {some(self.header)}.")
        return self.columns[self.header.index(name)]

    def rows(self, chosen: Sequence[int]) -> Listing:
        """Only these rows."""
        return Listing(self.path, self.header, tuple(tuple(cells[i] for i in chosen) for cells in self.columns))


def read_list(path: Path, columns: int = 2, what: str = "") -> Listing:
    """what: what it lists, by default images, with labels where there are several columns. Raises DataError for a file
    that cannot be read, for less than so many columns, and for lines that do not fit the first one."""
    rows, _ = read_rows(path)
    if len(rows) < 2 or len(rows[0][1]) < columns:
        labels = (" and labels", ", label") if columns > 1 else ("", "")
        fix = f"Give a line of names, then a line for each image: image{labels[1]}."
        raise DataError(f"{path} is not a list of {what or f'images{labels[0]}'}.", fix)
    return Listing(path, *table_of(rows, path))


def part_column(listing: Listing, besides: Sequence[str]) -> str | None:
    """The column that says of each image whether it is for training, validation or test."""
    for name, cells in zip(listing.header, listing.columns, strict=True):
        words = {cell.lower() for cell in cells}
        if name not in besides and words <= _PARTS.keys() and (len(words) > 1 or name.lower() in ("split", "set")):
            return name
    return None


def parts_in(cells: Sequence[str]) -> set[str]:
    """Which of "train", "val" and "test" there are."""
    return {_PARTS[cell.lower()] for cell in cells}


def group_column(listing: Listing, besides: Sequence[str], target: str | None) -> str | None:
    """The column of subjects, which is called "group"; not where it is the only one that can hold the classes, or one
    of one-hot columns."""
    others = [name for name in listing.header if name not in (*besides, target)]
    found = next((name for name in others if name.lower() == GROUP), None)
    if found is None or (target is None and len(others) == 1):
        return None
    called = target is not None or any(name.lower() in LABEL_NAMES for name in others)
    return found if called or not all(_is_01(listing.column(name)) for name in others) else None


def rows_of_part(cells: Sequence[str], part: str, path: Path) -> list[int]:
    """The rows of "train", "val" or "test". Raises DataError, with the parts that there are, if there are none."""
    wanted = _PARTS.get(part.lower())
    rows = [row for row, cell in enumerate(cells) if _PARTS[cell.lower()] == wanted]
    if not rows:
        raise DataError(f"{path} has no part {part!r}.", f"It has: {', '.join(sorted(parts_in(cells)))} (--split).")
    return rows


def label_cells(listing: Listing, target: str | None, besides: Sequence[str]) -> tuple[str, tuple[str, ...]]:
    """What the class of each image is called, and by which column.

    target: that column. Without it, the only one besides those named is taken; or several of which in every row just
    one is 1 or True, the others 0 or False: these are named by their columns; or the only one that is called like a
    label. Raises DataError where nothing decides it, and for several labels of one image.
    """
    if target is not None:
        return target, _single(listing, target)
    others = [name for name in listing.header if name not in besides]
    if len(others) == 1:
        return others[0], _single(listing, others[0])
    if not others:
        raise DataError(f"{listing.path} has no column of classes.", "Add one.")
    called = [name for name in others if name.lower() in LABEL_NAMES]
    if all(_is_01(listing.column(name)) for name in others):
        rows = list(zip(*(map(_bit, listing.column(name)) for name in others), strict=True))
        if len(called) != 1 or all(sum(row) == 1 for row in rows):
            return f"{others[0]} ... {others[-1]}", _from_one_hot(listing, others, rows)
    if len(called) == 1:
        return called[0], _single(listing, called[0])
    raise DataError(
        f"{listing.path} does not say which of its columns holds the class: {some(called or others)}.",
        f"Name it: --target {(called or others)[0]} (target= in Python).",
    )


def _from_one_hot(listing: Listing, names: Sequence[str], rows: Sequence[tuple[float, ...]]) -> tuple[str, ...]:
    odd = [number for number, row in enumerate(rows, 1) if sum(row) != 1]
    if odd:
        cause = f"{some(names)} of {listing.path} are 0 and 1, but in {len(odd)} of {len(rows)} rows not just one is 1"
        fix = "An image needs one class: give one column of classes, by --target."
        raise DataError(f"{cause} (first: row {odd[0]}).", fix)
    return tuple(names[row.index(1)] for row in rows)


def _single(listing: Listing, name: str) -> tuple[str, ...]:
    """The cells of a column of classes; whole numbers are written in one way."""
    cells = listing.column(name)
    given = [cell for cell in cells if cell not in _MISSING]
    numbers = [_number(cell) for cell in given]
    if given and None not in numbers:
        odd = [cell for cell, number in zip(given, numbers, strict=True) if number != int(number or 0)]
        if odd:
            cause = f"The column {name!r} of {listing.path} holds numbers such as {odd[0]}: these are not classes."
            raise DataError(cause, "Name the column of classes: --target COLUMN.")
        plain = [str(int(number or 0)) for number in numbers]
        known = dict(zip(given, plain if all(map(_is_plain, given)) else given, strict=True))
        return tuple(known.get(cell, "") for cell in cells)
    several = _several(set(given))
    if several:
        raise DataError(
            f"The column {name!r} of {listing.path} gives an image several labels: {several!r}.",
            "An image needs one class: give a column with one label for each.",
        )
    return cells


def _several(texts: set[str]) -> str | None:
    """A text that is several labels: a list, or names of others with a mark or a space between them."""
    for text in sorted(texts):
        if text.startswith(("[", "{")) and text.endswith(("]", "}")):
            return text
        for mark in (*_MARKS, ",", "/", "+", " "):
            parts = [part.strip() for part in text.split(mark)]
            known = [part in texts for part in parts]
            if len(parts) > 1 and all(parts) and (all(known) or (mark in _MARKS and any(known))):
                return text
    for mark in _MARKS:
        times = Counter(part.strip() for text in texts if mark in text for part in set(text.split(mark)))
        shared = next((part for part, n in sorted(times.items()) if n > 1), None)
        if shared:
            return next(text for text in sorted(texts) if mark in text and shared in map(str.strip, text.split(mark)))
    return None


def _is_plain(text: str) -> bool:
    """Whether it is a whole number as a program writes it: "3", or "3.0" beside missing values."""
    return text in (str(int(_number(text) or 0)), f"{int(_number(text) or 0)}.0")


def _is_01(cells: Sequence[str]) -> bool:
    return all(_bit(cell) in (0, 1) for cell in cells)


def _bit(text: str) -> float:
    """A number, where True is 1 and False is 0; -1 for other texts."""
    number = {"true": 1.0, "false": 0.0}.get(text.lower(), _number(text))
    return -1 if number is None else number


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if abs(value) < 1e15 else None
