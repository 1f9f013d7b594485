"""What pages and tables are made of: Markdown, and shares with their intervals."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.stats import binomtest, t

PAGES = "python -m scripts.studies.pages"


def written_by(command: str) -> str:
    """What a page says of itself. command: makes its results."""
    return f"This page is written by `{PAGES}`; its figures are by `{command}`."


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Markdown. The texts of a page end in a line break, and are joined by another one."""
    first, *others = (f"| {' | '.join(line)} |" for line in (header, *rows))
    return "\n".join([first, "|" + "---|" * len(header), *others, ""])


def interval(changes: Sequence[float]) -> str:
    """Shares as points: their mean, and what Student's 95 % interval reaches; both, where there are two only."""
    mean = f"{100 * np.mean(changes):+.1f}"
    if len(changes) < 2:
        return mean
    if len(changes) == 2:
        return f"{mean} ({', '.join(f'{100 * change:+.1f}' for change in changes)})"
    reach = t.ppf(0.975, len(changes) - 1) * np.std(changes, ddof=1) / np.sqrt(len(changes))
    return f"{mean} ± {100 * reach:.1f}"


def wilson(hits: int, n: int) -> tuple[float, float]:
    """95 % interval of a share (Wilson 1927)."""
    low, high = binomtest(hits, n).proportion_ci(method="wilson")
    return float(low), float(high)


def share(part: int, whole: int) -> str:
    """In words, with Wilson's interval at 95 %."""
    if not whole:
        return "not measured"
    low, high = wilson(part, whole)
    return f"{part} of {whole} ({part / whole:.2f}; {low:.2f} to {high:.2f})"
