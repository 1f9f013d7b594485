"""What a run's metrics.jsonl tells of its past."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ganaug.files.integrity import read_whole, reading, unsealed_line
from ganaug.fitting.doctor.ailments import Past
from ganaug.fitting.doctor.checkup import Checkup
from ganaug.generator.interventions import Intervention

LOG, MOST_BYTES = "metrics.jsonl", 1 << 28


@dataclass(frozen=True)
class History:
    """losses: lines with "step" and the means of terms since the line before. interventions: what befell the fit."""

    losses: tuple[dict[str, Any], ...] = ()
    checkups: tuple[Checkup, ...] = ()
    interventions: tuple[Intervention, ...] = ()

    def past(self, counts: Mapping[str, int], steps: int, advised: int, what: str, held_out: float) -> Past:
        """What findings are made from. counts: items of each class, in the order of the classes. what: they are.
        held_out: share of them."""
        return Past(
            tuple(counts), counts, self.checkups, self.losses, steps, self.interventions, advised, what, held_out
        )


def read_history(run: Path) -> History:
    """Of a run folder; empty where there is no metrics.jsonl. A last line that was cut off is passed over. Raises
    ArtefactError for a file that is no such log, and for a line that was altered."""
    file, losses, checkups, interventions = run / LOG, [], [], []
    if not os.path.lexists(file):
        return History()
    with reading(file, "Fit the run again."):
        text = read_whole(file, MOST_BYTES).decode()
        for number, line in enumerate(text[: text.rfind("\n") + 1].splitlines(), start=1):
            values = _unsealed(line, number)
            if type(values.get("step")) is not int:
                raise ValueError(f"line {number} names no step")
            if "checkup" in values:
                checkups.append(Checkup.from_json(values["checkup"]))
            elif "intervention" in values:
                interventions.append(Intervention.from_json(values["intervention"]))
            else:
                losses.append(values)
    return History(tuple(losses), tuple(checkups), tuple(interventions))


def _unsealed(line: str, number: int) -> dict[str, Any]:
    try:
        return unsealed_line(line)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"line {number}: {error}") from error
