"""The kinds of sources. A function under `@source`, in any file of this folder, opens one of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ganaug.options import Reading
from ganaug.reporting import Report, counted, silent


@dataclass(frozen=True)
class Asked:
    """What is to be opened, and how."""

    data: Any
    reading: Reading = Reading()
    report: Report = silent

    @property
    def path(self) -> Path:
        """The data as a path."""
        return Path(self.data).expanduser()


@dataclass(frozen=True)
class Kind:
    """words: what it is, for help and errors. takes: whether it is this kind; the first kind that takes something opens
    it. parts: whether it brings a test part of its own; a function of the data where only they can tell. typed: whether
    a command line can name it. reads: the fields of `Reading` that it has a use for, besides `ALWAYS`. open: gives an
    `ImageSource`."""

    words: str
    takes: Callable[[Any], bool]
    parts: bool | Callable[[Any], bool]
    typed: bool
    reads: frozenset[str]
    open: Callable[[Asked], Any]


ALWAYS = ("groups", "skip_small", "range")  # what is read of `Reading` for every kind
SOURCES: dict[str, Kind] = {}


def source(
    words: str,
    takes: Callable[[Any], bool],
    *,
    parts: bool | Callable[[Any], bool] = False,
    typed: bool = True,
    reads: Sequence[str] = (),
) -> Callable[[Any], Any]:
    """List a function from `Asked` to an `ImageSource` as the kind of its name; what has parts reads `split`."""

    def listed(function: Callable[[Asked], Any]) -> Callable[[Asked], Any]:
        used = frozenset({*ALWAYS, *reads, *(("split",) if parts else ())})
        SOURCES[function.__name__] = Kind(words, takes, parts, typed, used, function)
        return function

    return listed


def in_short(source: Any) -> str:
    """How a source prints."""
    return f"{type(source).__name__}({counted(len(source), 'image')} of {counted(len(source.classes), 'class')})"


def is_text(data: Any) -> bool:
    """Whether it names something: a path or a data set."""
    return isinstance(data, (str, Path))


def is_frame(data: Any) -> bool:
    """Whether it is a pandas DataFrame."""
    return not isinstance(data, type) and all(hasattr(data, name) for name in ("columns", "iloc", "itertuples"))


def no_data_set(data: Any) -> tuple[str, str] | None:
    """Cause and fix where it is a class in place of one of its kind, or a table, neither of which has items."""
    if isinstance(data, type):
        return f"{data.__name__} is a class, not a data set.", f"Make one of it: {data.__name__}(...)."
    if is_frame(data) or (hasattr(data, "columns") and hasattr(data, "to_pandas")):  # of Polars and Arrow
        fix = "Give images and labels, (X, y) or a data set; if it lists image files, a CSV file of it beside them. "
        fix += "Rows of a table are for ganaug.fit and ganaug.bench, with target=, the column of classes."
        return f"A {type(data).__name__} is a table, not images.", fix
    return None


def is_file(data: Any, *suffixes: str) -> bool:
    """Whether it is the path of a file with one of these suffixes, which are in lower case."""
    return is_text(data) and Path(data).suffix.lower() in suffixes and Path(data).expanduser().is_file()
