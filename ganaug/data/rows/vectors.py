"""Labelled rows of a table, or labelled series, in model space: what `LabelledImages` is for images."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from ganaug.data.labelled import Labelled
from ganaug.data.rows.series_codec import SeriesCodec
from ganaug.data.rows.table_codec import TableCodec
from ganaug.data.spec import DataSpec
from ganaug.errors import DataError, OptionError, TooFewImagesError


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class LabelledVectors(Labelled):
    """Labelled rows or series in memory.

    items: float32 (N, F) or (N, C, T) in model space; labels: int64 (N,), label i means classes[i]; codec: the way back
    to the user's own form; fingerprints: of each item as the user has it, without its label; names: of each item.
    """

    items: torch.Tensor
    codec: TableCodec | SeriesCodec

    @property
    def spec(self) -> DataSpec:
        """What a generator for these items must produce."""
        return DataSpec(tuple(self.items.shape[1:]), self.classes, blocks=self.codec.blocks)


def usable(vectors: LabelledVectors, limit: int | None, seed: int, what: str) -> LabelledVectors:
    """At most `limit` items of each class, chosen by `seed`, after a check that each class has two.

    what: "rows" or "series". Raises DataError for one class or items too long, TooFewImagesError, OptionError.
    """
    if limit is not None and limit < 2:
        raise OptionError(f"A limit of {limit} {what} a class is too small.", "Give 2 or more.")
    if len(vectors.classes) < 2:
        cause = f"There is one class only, {vectors.classes[0]!r}; labels need at least two."
        raise DataError(cause, f"Give {what} of two classes, or another label.")
    few = {name: n for name, n in vectors.counts().items() if n < 2}
    if few:
        listed = ", ".join(f"{name!r}" for name in list(few)[:5]) + (", ..." if len(few) > 5 else "")
        cause = f"Each class needs at least 2 {what}: {listed} has 1." if len(few) == 1 else (
            f"Each class needs at least 2 {what}: {len(few)} of {len(vectors.classes)} classes have 1 ({listed})."
        )  # fmt: skip
        raise TooFewImagesError(cause, f"Add {what} to these classes or remove them. Is this the column of classes?")
    widest = max(vectors.items.shape[1:])
    if widest > 1024:
        raise DataError(
            f"Items of {widest} values are too long: at most 1024.", "Leave out columns, or thin out series."
        )
    return vectors.limited(limit, seed)
