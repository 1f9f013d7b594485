"""Which kind of data these are: images, the rows of a table, or series; and which settings mean nothing to them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

from ganaug.data.load import LabelledImages
from ganaug.data.rows.cells import holds_rows, is_table
from ganaug.data.rows.series import is_series
from ganaug.data.rows.vectors import LabelledVectors
from ganaug.errors import OptionError
from ganaug.options import IMAGES, SERIES, TABLE, Reading, flag_of, is_given

OF_TABLES = frozenset({"target", "drop"})
_WORDS = {IMAGES: "images", TABLE: "rows of a table", SERIES: "series"}
_READ = frozenset(field.name for field in fields(Reading))  # settings of how data are read


def kind_of_data(data: Any, kind: str, drop: Sequence[str] = (), image: str | None = None) -> str:
    """One of `DATA_KINDS`. kind: what was asked for, or "auto". drop, image: columns to leave out, and of images.

    Raises OptionError where data in memory are of another kind than the one that is asked for.
    """
    own = None  # of what is open already
    if isinstance(data, LabelledVectors):
        own = SERIES if len(data.spec.shape) == 2 else TABLE
    elif isinstance(data, LabelledImages):
        own = IMAGES
    if own is not None:
        if kind not in ("auto", own):
            raise OptionError(f"The kind {kind!r} is asked for, and the data are of the kind {own!r}.", "Leave it out.")
        return own
    if kind == "auto":
        return TABLE if holds_rows(data, drop, image) else SERIES if is_series(data) else IMAGES
    if not isinstance(data, (str, Path)):
        arrays = isinstance(data, tuple) and len(data) == 2
        if (kind == TABLE and not is_table(data)) or (kind == SERIES and not arrays):
            wanted = "a DataFrame" if kind == TABLE else "(X, y)"
            raise OptionError(f"A {type(data).__name__} is no {kind}.", f"Give {wanted}, or leave out kind=.")
    return kind


def refuse_foreign(data: Any, settings: Any, kind: str, of_images: Collection[str]) -> None:
    """Refuse what would change nothing, so that nobody believes it to have worked. settings: a dataclass that has the
    fields of `Reading`. of_images: its other fields that are for images alone. Raises OptionError."""
    idle = {"drop"}
    if kind != IMAGES:
        idle = {*of_images, *_READ} - OF_TABLES - {"split"}
        idle |= {"split"} if kind == TABLE or not isinstance(data, (str, Path)) else set()
        idle |= OF_TABLES if kind == SERIES or isinstance(data, LabelledVectors) else set()
    given = [field for field in fields(settings) if field.name in idle and is_given(settings, field)]
    if given:
        whose = "for tables alone" if given[0].name in OF_TABLES else "for images alone"
        read = ", in memory" if isinstance(data, LabelledVectors) else ""
        raise OptionError(
            f"{' and '.join(field.name for field in given)} would change nothing: these data are {_WORDS[kind]}{read}.",
            f"Leave out {' and '.join(map(flag_of, given))}, {whose}.",
        )
