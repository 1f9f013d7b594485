"""How long work tells the outside where it stands.

Every function that may take more than a second accepts `report`, a callable `(phase, done, total, detail)`; library
code never prints. `silent` is the default; the command line passes `ganaug.console.terminal(...)`.
"""

from __future__ import annotations

from collections.abc import Callable

Report = Callable[[str, int, int, str], None]  # phase name, items done, items in all, free text ("loss 0.69")


def silent(phase: str, done: int, total: int, detail: str = "") -> None:
    """Say nothing."""
