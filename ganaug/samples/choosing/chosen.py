"""What came of a choice, class by class."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ganaug.options import as_text
from ganaug.reporting.notebook import block
from ganaug.samples.choosing.rules import Rules

HEADS = {"label": "refused for its label", "copies": "refused as a copy"}


@dataclass(frozen=True)
class Chosen:
    """What `ganaug.choose` found.

    Attributes
    ----------
    folder : Path
        What can be given wherever a run is: it serves what the choice lets through. Of images that were made elsewhere,
        the list of those that are kept.
    rules : Rules
        How strict the choice is.
    accepted : dict of str to float
        Class name -> share of its samples that every rule accepts.
    refused : dict of str to dict of str to float
        Class name -> rule -> share that this rule refuses.
    withheld : tuple of str
        Classes that are not served.
    notes : tuple of str
        What to know of the limits.
    """

    folder: Path
    rules: Rules
    accepted: dict[str, float]
    refused: dict[str, dict[str, float]]
    withheld: tuple[str, ...]
    notes: tuple[str, ...] = ()

    def __repr__(self) -> str:
        mean = sum(self.accepted.values()) / max(1, len(self.accepted))
        return (
            f"Chosen({str(self.folder)!r}, {mean:.0%} of the samples accepted, {len(self.withheld)} of "
            f"{len(self.accepted)} classes withheld)"
        )

    def _repr_html_(self) -> str:
        return block(repr(self), table="\n".join(self.lines()))

    def to_json(self) -> dict[str, Any]:
        """Give all of it as plain data.

        Returns
        -------
        dict
            The attributes by name.
        """
        return {
            "folder": str(self.folder), "rules": vars(self.rules), "accepted": self.accepted, "refused": self.refused,
            "withheld": list(self.withheld), "notes": list(self.notes),
        }  # fmt: skip

    def lines(self) -> list[str]:
        """Give the shares as lines for a terminal.

        Returns
        -------
        list of str
            One line for each class, and what to do next.
        """
        names = list(next(iter(self.refused.values())))
        heads = "".join(f"{HEADS.get(name, f'refused by {name}'):>23}" for name in names)
        lines = [f"{'class':<24}{'accepted':>10}{heads}"]
        for label, share in self.accepted.items():
            cells = "".join(f"{value:>23.1%}" for value in self.refused[label].values())
            lines.append(f"{label[:23]:<24}{share:>10.1%}{cells}{'   not served' if label in self.withheld else ''}")
        lines += self.notes
        if len(self.withheld) == len(self.accepted):
            lines.append("No class passes, so nothing is served: choose less strictly, or make better ones.")
        else:
            what, option = ("folder", "--synthetic") if self.folder.suffix == ".csv" else ("run", "--run")
            lines.append(
                f"Use {self.folder} in place of the {what}, for example: ganaug bench DATA --test TEST {option} "
                f"{as_text(self.folder)} --out OUT"
            )
        return lines
