"""The names of classes that were left out as too small, in one file."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

SKIPPED = "skipped_classes.csv"


def skipped_list(skipped: Sequence[str]) -> bytes:
    """The names as a CSV file, in UTF-8."""
    text = io.StringIO(newline="")
    csv.writer(text).writerows([["class"], *([name] for name in skipped)])
    return text.getvalue().encode()
