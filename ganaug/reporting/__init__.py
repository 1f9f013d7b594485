"""How long work tells the outside where it stands.

Every function that may take more than a second accepts `report`, a callable `(phase, done, total, detail)`. `silent` is
the default; what takes minutes has `automatic`, which shows bars where somebody looks (`shows_progress`).
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import ParamSpec, TypeVar

Report = Callable[[str, int, int, str], None]  # phase name, items done, items in all, free text ("loss 0.69")


P = ParamSpec("P")
R = TypeVar("R")


def silent(phase: str, done: int, total: int, detail: str = "") -> None:
    """Show no progress: what to give as `report` for silence.

    Parameters
    ----------
    phase : str
        What is being done.
    done, total : int
        Items done, and items in all; a total of 0 or 1 marks a remark.
    detail : str, default ""
        Free text.

    Examples
    --------
    >>> import ganaug
    >>> run = ganaug.fit("digits", "runs/quiet", steps=2, limit=10, report=ganaug.silent)
    """


def automatic(phase: str, done: int, total: int, detail: str = "") -> None:
    """The default of functions under `shows_progress`."""


def shows_progress(function: Callable[P, R]) -> Callable[P, R]:
    """Where the caller leaves `report` at `automatic`, show bars on a terminal and in a notebook."""

    @functools.wraps(function)
    def shown(*args: P.args, **given: P.kwargs) -> R:
        if given.get("report", automatic) is not automatic:
            return function(*args, **given)
        from ganaug.reporting.console import where_seen  # rich, which `import ganaug` does without

        with where_seen() as report:
            given["report"] = report
            return function(*args, **given)

    return shown


def renamed(phase: str, report: Report) -> Report:
    """The same report under another name of the phase."""

    def report_as(_: str, done: int, total: int, detail: str = "") -> None:
        report(phase, done, total, detail)

    return report_as


def printable(name: str) -> str:
    """A name from a file system without line breaks and terminal codes: such characters are shown as escapes."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in name)


def plain(text: str) -> str:
    """Text of several lines without terminal codes: all but the line breaks are shown as escapes."""
    return "\n".join(map(printable, text.split("\n")))


def aligned(counts: Mapping[str, object], most: int = 30) -> list[str]:
    """Lines "  name   12", names padded and numbers right-aligned; at most `most` of them."""
    rows = [(name, str(value)) for name, value in list(counts.items())[:most]]
    name_width = max((len(name) for name, _ in rows), default=0)
    value_width = max((len(value) for _, value in rows), default=0)
    lines = [f"  {name:<{name_width}}  {value:>{value_width}}" for name, value in rows]
    return lines + ([f"  ... and {len(counts) - most} more"] if len(counts) > most else [])


def listed(names: Iterable[str], most: int = 8) -> str:
    """The first `most` names in one line, and how many more there are; names may come from a file system."""
    shown = list(map(printable, names))
    return ", ".join(shown[:most]) + (f" and {len(shown) - most} more" if len(shown) > most else "")


def counted(n: int, what: str) -> str:
    """ "1 image", "2 images"; "1 class", "2 classes"."""
    return f"{n} {what}{'' if n == 1 else 'es' if what.endswith('s') else 's'}"


def shortened(entries: Sequence[str], most: int) -> list[str]:
    """The first `most` entries, and a line that says how many more there are."""
    return [*entries[:most], *([f"... and {len(entries) - most} more"] if len(entries) > most else [])]
