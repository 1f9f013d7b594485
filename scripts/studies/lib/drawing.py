"""Figures, drawn without a screen."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402


@contextmanager
def figure(file: Path, rows: int = 1, columns: int = 1, dpi: int = 110, **options: Any) -> Iterator[tuple[Any, Any]]:
    """A figure and its axes to draw on; what was drawn is in the file afterwards. options: of `plt.subplots`."""
    drawn, axes = plt.subplots(rows, columns, **options)
    try:
        yield drawn, axes
        drawn.savefig(file, dpi=dpi)
    finally:
        plt.close(drawn)
