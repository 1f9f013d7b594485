"""Synthetic rows as a file with the columns, order, forms and delimiter of the real one, and nothing else."""

from __future__ import annotations

from pathlib import Path

import torch

from ganaug.errors import DataError
from ganaug.samples.exports.formats import Wanted, export_format, write_file


@export_format("a .csv file like the real one", "rows", ".csv", ".tsv", ".tab")
def table(wanted: Wanted, out: Path) -> None:
    """Raises DataError where a generator knows no classes."""
    codec = wanted.codec
    if len(wanted.fitted.card.classes) == 1:
        cause = f"The generator was trained without labels: its rows have no value in the column {codec.target!r}."
        raise DataError(cause, "Fit one that knows the classes: `ganaug fit ... --recipe wgan_gp`.")

    def data() -> bytes:
        parts = [codec.lines([codec.header])]
        parts += [codec.lines(codec.decode(torch.from_numpy(items), name)) for name, items in wanted]
        return "".join(parts).encode()

    write_file(wanted, out, data)
