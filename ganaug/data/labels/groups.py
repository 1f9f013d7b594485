"""Groups: which images show the same subject, so that a split never divides it."""

from __future__ import annotations

import dataclasses
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from ganaug.data.labels.csv_rows import read_rows
from ganaug.data.pictures.convert import as_numpy
from ganaug.errors import DataError, LabelMismatchError

GROUP = "group"  # the column of subjects
_NONE = frozenset({"", "nan", "na", "<na>", "none", "null", "nat"})  # in small letters


def read_groups_csv(path: str | Path, names: Sequence[str]) -> tuple[str, ...]:
    """Read a CSV file of item and group -> group of each name.

    There are two columns, or a first line that calls one of them "group"; a first line is optional; comma, semicolon,
    tab or | divides them. Items are named as ganaug lists them: the path relative to the data folder, or "item 17" or
    plain 17 for arrays. A bare file name will do where it is unique. Raises DataError for a file of another form and
    for an image without a group, LabelMismatchError for one with two.
    """
    rows, _ = read_rows(path)
    called = [cell.lower() for cell in rows[0][1]] if rows else []
    column, first = (called.index(GROUP), 1) if GROUP in called else (1, 0)
    named = 0 if column else 1
    for number, row in rows[first:]:
        if len(row) <= max(column, named):
            raise DataError(f"Row {number} of {path} has no second column.", "Each row is: item, group.")
        if not first and len(row) > 2:
            cause = f"Row {number} of {path} has {len(row)} columns, and no first line says which holds the groups."
            raise DataError(cause, f"Call that column {GROUP!r} in a first line, or leave two: item, group.")
    return _by_name([(row[named], row[column]) for _, row in rows[first:]], names, str(path))


def with_groups(source: Any, groups: Any) -> Any:
    """A copy of a source with these groups: a CSV file, {name: group}, or one value for each item; None leaves it as it
    is."""
    if groups is None:
        return source
    if isinstance(groups, (str, Path)):
        kin = read_groups_csv(groups, source.names)
    elif isinstance(groups, Mapping):
        kin = _by_name([(str(name), str(group)) for name, group in groups.items()], source.names, "groups=")
    else:
        array = as_numpy(groups)
        kin = require_all(groups if array is None else array.tolist(), "groups=")
    if len(kin) != len(source):
        raise LabelMismatchError(f"{len(source)} images but {len(kin)} groups.", "Give one group for each image.")
    return dataclasses.replace(source, groups=kin)


def require_all(groups: Iterable[Any], where: str) -> tuple[str, ...]:
    """The groups as text, in one spelling. Raises DataError where some are missing: nothing is not one subject."""
    texts = tuple(map(spelling, groups))
    missing = sum(text.lower() in _NONE for text in texts)
    if missing:
        cause = f"{where} has no subject for {missing} of {len(texts)} images."
        raise DataError(cause, "Name the subject of every image; one that is alone may be its own.")
    return texts


def spelling(group: Any) -> str:
    """A subject as text: 3, 3.0 and " 3" are one, and so is a name whose accents are written in two ways."""
    text = unicodedata.normalize("NFC", str(group).strip())
    return text.split(".")[0] if re.fullmatch(r"-?\d+\.0+", text) else text


def _by_name(pairs: Sequence[tuple[str, str]], names: Sequence[str], where: str) -> tuple[str, ...]:
    table: dict[str, str] = {}
    for name, given in pairs:
        group = spelling(given)
        for known in {name, _plain(name)}:
            if table.setdefault(known, group) != group:
                cause = f"{where} gives {name} more than one group: {table[known]!r} and {group!r}."
                raise LabelMismatchError(cause, "Correct these rows: an image needs one group.")
    bare = Counter(name.rsplit("/", 1)[-1] for name in names)
    found = [_look_up(table, name, bare) for name in names]
    missing = [name for name, group in zip(names, found, strict=True) if group is None]
    if missing:
        cause = f"{where} has no group for {len(missing)} of {len(names)} images, for instance {missing[0]}."
        raise DataError(cause, "Name every image by its path relative to the data folder.")
    return require_all((group for group in found if group is not None), where)


def _plain(name: str) -> str:
    return unicodedata.normalize("NFC", name.replace("\\", "/").removeprefix("./"))


def _look_up(table: dict[str, str], name: str, bare: Counter[str]) -> str | None:
    short = name.removeprefix("item ") if name.startswith("item ") else name.rsplit("/", 1)[-1]
    others = (short, _plain(short)) if bare[name.rsplit("/", 1)[-1]] == 1 else ()
    return next((table[known] for known in (name, _plain(name), *others) if known in table), None)
