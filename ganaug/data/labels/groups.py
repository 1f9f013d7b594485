"""Groups: which images show the same subject, so that a split never divides it."""

from __future__ import annotations

import csv
import dataclasses
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ganaug.data.pictures.convert import as_numpy
from ganaug.errors import DataError, LabelMismatchError


def read_groups_csv(path: str | Path, names: Sequence[str]) -> tuple[str, ...]:
    """Read a CSV file of two columns, item and group (a first line "name,group" is optional) -> group of each name.

    Items are named as ganaug lists them: the path relative to the data folder, or "item 17" or plain 17 for arrays. A
    bare file name will do where it is unique. Raises DataError for an image without a group.
    """
    try:
        with open(path, newline="", encoding="utf-8-sig") as file:
            rows = [row for row in csv.reader(file) if any(cell.strip() for cell in row)]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{path} cannot be read: {error}.", "Give a CSV file of item and group.") from error
    short = next((number for number, row in enumerate(rows, 1) if len(row) < 2), None)
    if short is not None:
        raise DataError(f"Row {short} of {path} has no second column.", "Each row is: item, group.")
    table = {row[0].strip().replace("\\", "/").removeprefix("./"): row[1].strip() for row in rows}
    bare = Counter(name.rsplit("/", 1)[-1] for name in names)
    found = [_look_up(table, name, bare) for name in names]
    missing = [name for name, group in zip(names, found, strict=True) if not group]
    if missing:
        cause = f"{path} has no group for {len(missing)} of {len(names)} images, for instance {missing[0]}."
        raise DataError(cause, "Name every image by its path relative to the data folder.")
    return tuple(group for group in found if group)


def with_groups(source: Any, groups: Any) -> Any:
    """A copy of a source with these groups: a CSV file, or one value for each item; None leaves it as it is."""
    if groups is None:
        return source
    if isinstance(groups, (str, Path)):
        kin = read_groups_csv(groups, source.names)
    else:
        array = as_numpy(groups)
        kin = tuple(map(str, groups if array is None else array.tolist()))
    if len(kin) != len(source):
        raise LabelMismatchError(f"{len(source)} images but {len(kin)} groups.", "Give one group for each image.")
    return dataclasses.replace(source, groups=kin)


def _look_up(table: dict[str, str], name: str, bare: Counter[str]) -> str | None:
    short = name.removeprefix("item ") if name.startswith("item ") else name.rsplit("/", 1)[-1]
    return table.get(name) or (table.get(short) if bare[name.rsplit("/", 1)[-1]] == 1 else None)
