"""Synthetic rows as a file with the columns, order, forms and delimiter of the real one, and nothing else."""

from __future__ import annotations

from pathlib import Path

import torch

from ganaug.errors import DataError
from ganaug.samples.exports.formats import Wanted, export_format


@export_format("a .csv file like the real one", "rows", ".csv", ".tsv", ".tab")
def csv(wanted: Wanted, out: Path) -> None:
    """Raises DataError where a generator knows no classes."""
    codec = wanted.codec
    if len(wanted.fitted.card.classes) == 1:
        cause = f"The generator was trained without labels: its rows have no value in the column {codec.target!r}."
        raise DataError(cause, "Fit one that knows the classes: `ganaug fit ... --recipe wgan_gp`.")
    with out.open("wb") as file:
        file.write(codec.lines([codec.header]).encode())
        for name, _, items in wanted:
            file.write(codec.lines(codec.decode(torch.from_numpy(items), name)).encode())
