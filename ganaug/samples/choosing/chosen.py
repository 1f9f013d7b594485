"""What came of a choice, class by class."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ganaug.samples.choosing.rules import Rules


@dataclass(frozen=True)
class Chosen:
    """What `choose` found. folder: to be given wherever a run is: it serves what the choice lets through. Of images
    that were made elsewhere, the list of those that are kept.

    accepted: class name -> share of its samples that every rule accepts. refused: class name -> rule -> share that
    this rule refuses. withheld: classes that are not served. notes: what to know of the limits.
    """

    folder: Path
    rules: Rules
    accepted: dict[str, float]
    refused: dict[str, dict[str, float]]
    withheld: tuple[str, ...]
    notes: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        return {
            "folder": str(self.folder), "rules": vars(self.rules), "accepted": self.accepted, "refused": self.refused,
            "withheld": list(self.withheld), "notes": list(self.notes),
        }  # fmt: skip

    def lines(self) -> list[str]:
        names = list(next(iter(self.refused.values())))
        lines = [f"{'class':<24}{'accepted':>10}" + "".join(f"{name:>10}" for name in names) + "   (refused by)"]
        for label, share in self.accepted.items():
            cells = "".join(f"{value:>10.1%}" for value in self.refused[label].values())
            lines.append(f"{label[:23]:<24}{share:>10.1%}{cells}{'   not served' if label in self.withheld else ''}")
        lines += self.notes
        if len(self.withheld) == len(self.accepted):
            lines.append("No class passes, so nothing is served: choose less strictly, or make better ones.")
        else:
            lines.append(f"Serve them by naming {self.folder} in place of all.")
        return lines
