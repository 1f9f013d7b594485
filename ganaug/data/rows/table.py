"""Tables in: a CSV file or a DataFrame with a column of classes -> rows in model space."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from typing import Any

import torch

from ganaug.data.labels.classes import check_names, place_of
from ganaug.data.rows.cells import Cells, read_cells
from ganaug.data.rows.kinds import column_of
from ganaug.data.rows.table_codec import TableCodec
from ganaug.data.rows.vectors import LabelledVectors, usable
from ganaug.errors import DataError, LabelMismatchError, OptionError

NO_LABEL = frozenset({"", "nan", "na", "<na>", "null"})  # in lower case
_WHOLE = re.compile(r"-?[0-9]+")


def load_table(
    data: Any, target: str | None, *, drop: Sequence[str] = (), limit: int | None = None, seed: int = 0
) -> LabelledVectors:
    """Read a CSV file or a pandas DataFrame.

    target: the column of classes. drop: columns to leave out. limit: at most so many rows a class, chosen by `seed`.
    Quantiles and categories of the codec are those of all rows. Raises OptionError for a column that is not there,
    DataError for a table or a column that cannot be learned.
    """
    cells = labelled_cells(data, target, drop)
    place = cells.place(str(target))
    names = class_names(cells.columns[place])
    rest = cells.without([str(target)])
    columns = tuple(column_of(name, column) for name, column in zip(rest.header, rest.columns, strict=True))
    codec = TableCodec(columns, str(target), place, cells.delimiter)
    if not codec.blocks:
        raise DataError("Every column but the target is constant: there is nothing to learn.", "Give other columns.")
    vectors = _vectors(rest, codec.encode(rest.columns), cells.columns[place], check_names(names), codec)
    return usable(vectors, limit, seed, "rows")


def rows_like(
    data: Any, codec: TableCodec, classes: tuple[str, ...], *, strict: bool = True, what: str = "The table"
) -> LabelledVectors:  # fmt: skip
    """Rows of another table, or of the same one, in the model space of a codec: columns and classes by their names.

    Columns that the codec does not know are left out. strict: cells that a column does not know are refused, too. what:
    the subject of a refusal. Raises OptionError for columns that are not there, DataError for cells that the codec
    cannot take, LabelMismatchError for other classes.
    """
    cells = labelled_cells(data, codec.target, (), what)
    absent = [column.name for column in codec.columns if column.name not in cells.header]
    if absent:
        more = f" and {len(absent) - 1} more" if len(absent) > 1 else ""
        raise OptionError(
            f"{what} has no column {absent[0]!r}{more}.",
            f"Columns are matched by name: {', '.join(codec.header[:20])}.",
        )
    labels = cells.columns[cells.place(codec.target)]
    foreign = [name for name in class_names(labels) if place_of(name, classes) < 0]
    if foreign:
        raise LabelMismatchError(
            f"{what} has the class {foreign[0]!r}.", f"Classes are matched by name: {', '.join(classes[:20])}."
        )
    names = tuple(column.name for column in codec.columns)
    chosen = Cells(names, tuple(cells.columns[cells.place(name)] for name in names), cells.delimiter)
    try:
        items = codec.encode(chosen.columns, strict=strict)
    except ValueError as error:
        raise DataError(
            f"{what} holds a cell that the rows which were learned from could not: {error}.",
            "Give rows of the same kind.",
        ) from error
    return _vectors(chosen, items, labels, classes, codec)


def unknown_cells(data: Any, codec: TableCodec) -> dict[str, int]:
    """Column -> how many cells of a table hold what the column of a codec does not know, where there are any."""
    cells = read_cells(data)
    known = {column.name: column.knows(cells.columns[cells.place(column.name)]) for column in codec.columns}
    return {name: int((~one).sum()) for name, one in known.items() if not one.all()}


def _vectors(
    cells: Cells, items: torch.Tensor, labels: Sequence[str], classes: tuple[str, ...], codec: TableCodec
) -> LabelledVectors:
    index = {name: place_of(name, classes) for name in class_names(labels)}
    return LabelledVectors(
        items=items,
        labels=torch.tensor([index[cell] for cell in labels]),
        classes=classes,
        codec=codec,
        fingerprints=row_fingerprints(cells),
        names=tuple(f"row {i}" for i in range(1, len(cells) + 1)),
    )


def labelled_cells(data: Any, target: str | None, drop: Sequence[str], what: str = "The table") -> Cells:
    """The table as text without the columns to drop; every row has a label. what: the subject of a refusal."""
    cells = read_cells(data)
    if target is None:
        listed = ", ".join(cells.header[:20]) + (", ..." if len(cells.header) > 20 else "")
        raise OptionError(
            "A table needs the name of its column of classes.",
            f"Give --target COLUMN (target= in Python). The columns are: {listed}.",
        )
    if target in drop:
        raise OptionError(f"The target {target!r} cannot be left out.", "Take it out of --drop.")
    cells = cells.without(drop)
    if target not in cells.header:
        listed = ", ".join(map(repr, cells.header[:20]))
        raise OptionError(f"{what} has no column {target!r}.", f"The columns are: {listed}.")
    none = sum(cell.lower() in NO_LABEL for cell in cells.columns[cells.place(target)])
    if none:
        cause = f"{none} of {len(cells)} rows have no value in the target column {target!r}."
        raise DataError(cause, "Remove these rows or label them.")
    if len(cells.header) < 2:
        raise DataError("The table has no column but the target.", "Give the columns to learn.")
    return cells


def class_names(cells: Sequence[str]) -> list[str]:
    """The different labels, sorted: as numbers where all are whole numbers."""
    different = sorted(set(cells))
    return sorted(different, key=int) if all(map(_WHOLE.fullmatch, different)) else different


def row_fingerprints(cells: Cells) -> tuple[str, ...]:
    """SHA-256 of the cells of each row."""
    rows = zip(*cells.columns, strict=True)
    return tuple(hashlib.sha256("\x1f".join(row).encode()).hexdigest() for row in rows)
