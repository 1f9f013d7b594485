"""How long work tells the outside where it stands.

Every function that may take more than a second accepts `report`, a callable `(phase, done, total, detail)`; library
code never prints. `silent` is the default; the command line passes `ganaug.console.terminal(...)`.
"""

from __future__ import annotations

from collections.abc import Callable

Report = Callable[[str, int, int, str], None]  # phase name, items done, items in all, free text ("loss 0.69")


def silent(phase: str, done: int, total: int, detail: str = "") -> None:
    """Say nothing."""


def printable(name: str) -> str:
    """A name from a file system without line breaks and terminal codes: such characters are shown as escapes."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in name)


def plain(text: str) -> str:
    """Text of several lines without terminal codes: all but the line breaks are shown as escapes."""
    return "\n".join(map(printable, text.split("\n")))
