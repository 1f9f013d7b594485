"""Plain text for a terminal: aligned counts, shortened lists."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ganaug.reporting import printable as printable


def aligned(counts: Mapping[str, object], most: int = 30) -> list[str]:
    """Lines "  name   12", names padded and numbers right-aligned; at most `most` of them."""
    rows = [(name, str(value)) for name, value in list(counts.items())[:most]]
    name_width = max((len(name) for name, _ in rows), default=0)
    value_width = max((len(value) for _, value in rows), default=0)
    lines = [f"  {name:<{name_width}}  {value:>{value_width}}" for name, value in rows]
    return lines + ([f"  ... and {len(counts) - most} more"] if len(counts) > most else [])


def shortened(entries: Sequence[str], most: int) -> list[str]:
    """The first `most` entries, and a line that says how many more there are."""
    return [*entries[:most], *([f"... and {len(entries) - most} more"] if len(entries) > most else [])]
