"""The codec of a table: its columns in order, the target among them."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import accumulate, pairwise

import numpy as np
import torch
from torch import Tensor

from ganaug.data.rows.columns import Column


@dataclass(frozen=True)
class TableCodec:
    """Text of a CSV file <-> model space.

    columns: those of the table without the target, in order. target: its name; place: where it stands among all
    columns. delimiter: of the user's file, so that what is written can be appended to it."""

    columns: tuple[Column, ...]
    target: str
    place: int
    delimiter: str = ","

    @property
    def blocks(self) -> tuple[int, ...]:
        """Widths of the parts of a row in model space, see `DataSpec`."""
        return tuple(width for column in self.columns for width in column.blocks)

    @property
    def header(self) -> list[str]:
        """The names of all columns, in order."""
        names = [column.name for column in self.columns]
        return [*names[: self.place], self.target, *names[self.place :]]

    def encode(self, columns: Iterable[tuple[str, ...]], *, strict: bool = True) -> Tensor:
        """Cells of each column, the target left out -> float32 (N, F). strict: cells that a column does not know are
        refused."""
        parts = [column.encode(cells, strict=strict) for column, cells in zip(self.columns, columns, strict=True)]
        return torch.from_numpy(np.concatenate(parts, 1).astype(np.float32))

    def decode(self, x: Tensor, label: str) -> list[list[str]]:
        """Rows (N, F) of one class -> cells of all columns, as the table writes them."""
        values = x.double().numpy()
        ends = list(accumulate((sum(column.blocks) for column in self.columns), initial=0))
        made = [c.decode(values[:, a:b]) for c, (a, b) in zip(self.columns, pairwise(ends), strict=True)]
        made.insert(self.place, [label] * len(values))
        return [list(row) for row in zip(*made, strict=True)]

    def served(self, x: Tensor, label: str) -> Tensor:
        """What the user gets of rows (N, F), in model space again: categories are one-hot."""
        columns = list(zip(*self.decode(x, label), strict=True))
        del columns[self.place]
        return self.encode(columns)

    def lines(self, rows: Iterable[list[str]]) -> str:
        """Rows of cells as lines of CSV."""
        text = io.StringIO()
        csv.writer(text, delimiter=self.delimiter, lineterminator="\n").writerows(rows)
        return text.getvalue()
