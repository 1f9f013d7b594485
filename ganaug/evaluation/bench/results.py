"""What a bench found, as plain data (`results.json`) and as lines for a terminal."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ganaug.reporting import printable

WORDS = {
    "helps": "Synthetic images help",
    "no evidence": "No evidence that synthetic images help or harm",
    "harms": "Synthetic images harm",
    "withheld": "The verdict is withheld",
}


@dataclass(frozen=True)
class Results:
    """data: the content of `results.json`. folder: where it, `report.html` and the trials lie."""

    data: dict[str, Any]
    folder: Path

    @property
    def verdict(self) -> str:
        """`helps`, `no evidence`, `harms` or `withheld`."""
        return self.data["verdict"]

    @property
    def ratio(self) -> float:
        """The synthetic share to use: above 0 only if the verdict is `helps`."""
        return self.data["ratio"]

    @property
    def report_path(self) -> Path:
        return self.folder / "report.html"

    def table(self) -> str:
        return table(self.data)


def sentence(data: dict[str, Any]) -> str:
    """The verdict in words, with the interval it rests on."""
    change, arms = data["difference"], data["arms"]
    said = WORDS[data["verdict"]]
    if data["verdict"] == "withheld":
        said += ": " + " ".join(data["reasons"])
    elif data["verdict"] == "no evidence" and change["low"] > 0:
        said += f": a gain that is too small for bench number {data['looks']} of one generator."
    else:
        said += "."
    return (
        f"{said} {data['metric'].capitalize()} on {data['data']['test']['images']} test images changed by "
        f"{points(change['mean'])} points ({change['level']:.0%} interval {points(change['low'])} to "
        f"{points(change['high'])}) from '{arms['without']['name']}' to '{arms['with']['name']}', "
        f"over {len(change['per_seed'])} paired seed{'s' if len(change['per_seed']) != 1 else ''}. This holds for this "
        "generator (or folder) and this data set."
    )


def points(share: float) -> str:
    """A difference of shares as signed percentage points; with more digits where two would hide the sign."""
    digits = 2 if abs(share) < 1e-8 else min(6, max(2, math.ceil(-math.log10(abs(100 * share)))))
    return f"{round(100 * share, digits) + 0.0:+.{digits}f}"


def table(data: dict[str, Any]) -> str:
    """Plain lines: every arm on validation, the two compared arms on the test set, and the verdict."""
    metric = data["metric"]
    rows: list[tuple[str, ...]] = [("arm on validation", "lr", "decay", metric, "spread")]
    for arm in data["validation"]:
        mark = " <" if arm["selected"] else ""
        tuned = f"{arm['lr']:g}", f"{arm['weight decay']:g}"
        rows.append((arm["name"] + mark, *tuned, f"{arm['mean']:.4f}", f"{arm['spread']:.4f}"))
    lines = _aligned(rows)
    rows = [("arm on the test set", "accuracy", "balanced", "macro-F1", "NLL", "ECE")]
    for side in ("without", "with"):
        arm = data["arms"][side]
        values = [f"{arm['test'][name]:.4f}" for name in data["measures"]]
        rows.append((arm["name"], *values))
    lines += ["", *_aligned(rows), ""]
    if data["dropped"]:
        names = ", ".join(map(printable, data["dropped"][:3])) + (", ..." if len(data["dropped"]) > 3 else "")
        lines.append(f"{len(data['dropped'])} test images were seen before and are not counted: {names}.")
    lines += [printable(note) for note in data["notes"]]
    lines.append(f"primary metric: {metric} ({data['metric reason']})")
    quick = ", from a quick bench" if data["settings"]["quick"] else ""
    how = f", use of synthetic images {data['use']}" if data["ratio"] else ""
    lines.append(f"verdict: {data['verdict']} (ratio {data['ratio']:g}{how}{quick})")
    lines.append(data["sentence"])
    lines.append(data["power"]["sentence"])
    return "\n".join(lines)


def _aligned(rows: Sequence[tuple[str, ...]]) -> list[str]:
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    return [
        "  ".join([row[0].ljust(widths[0]), *(cell.rjust(w) for cell, w in zip(row[1:], widths[1:], strict=True))])
        for row in rows
    ]
