"""How long work tells the outside where it stands.

Every function that may take more than a second accepts `report`, a callable `(phase, done, total, detail)`; library
code never prints. `silent` is the default; the command line passes `ganaug.cli.console.terminal(...)`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

Report = Callable[[str, int, int, str], None]  # phase name, items done, items in all, free text ("loss 0.69")


def silent(phase: str, done: int, total: int, detail: str = "") -> None:
    """Say nothing."""


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


def shortened(entries: Sequence[str], most: int) -> list[str]:
    """The first `most` entries, and a line that says how many more there are."""
    return [*entries[:most], *([f"... and {len(entries) - most} more"] if len(entries) > most else [])]
