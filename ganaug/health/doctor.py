"""`ganaug doctor`: what is wrong with a run, from its past and, with data, from its samples as they are now."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ganaug.data.split import hold_out
from ganaug.device import resolve_device
from ganaug.errors import ArtefactError, DataError, LabelMismatchError
from ganaug.generator.folder import Fitted, OwnRecipe, rules_of, run_folder
from ganaug.health.checkup import Checkup, Examiner
from ganaug.health.findings import Finding, findings
from ganaug.health.history import read_history
from ganaug.preparing import FitSettings, batches_for, read_items
from ganaug.reporting import Report, silent
from ganaug.samples.run import Loadable, as_loaded


@dataclass(frozen=True)
class Diagnosis:
    """findings: faults first; () if there are none. checkups: what they rest on. notes: what could not be looked at."""

    findings: tuple[Finding, ...]
    checkups: tuple[Checkup, ...]
    notes: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        return {
            "findings": [finding.to_json() for finding in self.findings],
            "checkups": [checkup.to_json() for checkup in self.checkups],
            "notes": list(self.notes),
        }

    def lines(self) -> list[str]:
        """For a terminal."""
        lines = []
        for finding in self.findings:
            of = f" ({', '.join(finding.classes)})" if finding.classes else ""
            lines += [f"{finding.severity}: {finding.name}{of}", f"  {finding.text}", f"  Try: {finding.knob}"]
        if not self.checkups:
            lines.append("The samples were not looked at: no check-up was made.")
        elif not self.findings:
            n = len(self.checkups)
            lines.append(f"Nothing is wrong as far as {n} check-up{'s show' if n > 1 else ' shows'}.")
        return [*lines, *self.notes]


def doctor(
    run: Loadable,
    data: Any = None,
    *,
    source: Any = None,
    root: Any = None,
    label: str | None = None,
    recipe: OwnRecipe | None = None,
    device: str = "auto",
    report: Report = silent,
) -> Diagnosis:
    """Name what is wrong with a finished run.

    Check-ups are made during a fit, ten in all, at least 100 rounds apart; data: what the run was fitted on, from which
    another one is made now, for runs without a past (a generator folder alone, a very short fit). source, root, label:
    as in `fit`. Raises LabelMismatchError for data of other classes, DataError without a past and without data,
    ArtefactError for damaged files.
    """
    fitted = as_loaded(run)
    folder = run_folder(fitted)
    history = read_history(folder) if folder is not None else read_history(Path(fitted.path))
    checkups, notes = list(history.checkups), []
    if data is not None:
        checkups = [checkup for checkup in checkups if checkup.step < fitted.card.steps]
        checkups.append(_now(fitted, data, source, root, label, recipe, device, report))
        notes.append("The newest check-up is of the generator alone: its discriminator is not kept.")
    if not checkups and not history.losses:
        raise DataError(
            f"{fitted.path} has no past: there is no metrics.jsonl beside it.", "Give the data that it was fitted on."
        )
    if not checkups:
        notes.append("The fit was too short for check-ups: give the data, and its samples are looked at now.")
    card = fitted.card
    try:
        found = findings(card.classes, card.counts, checkups, history.losses, card.steps, history.interventions)
    except (TypeError, ValueError, IndexError, KeyError, ArithmeticError) as error:
        raise ArtefactError(
            f"The log of {fitted.path} tells of another game than the card: {error}.", "Fit the run again."
        ) from error
    return Diagnosis(found, tuple(checkups), tuple(notes))


def _now(
    fitted: Fitted, data: Any, source: Any, root: Any, label: str | None, recipe: OwnRecipe | None, device: str,
    report: Report,
) -> Checkup:  # fmt: skip
    card = fitted.card
    rules = rules_of(card, recipe)
    kind = {1: "table", 2: "series", 3: "images"}[len(card.shape)]
    settings = FitSettings(
        card.recipe, card.settings, size=card.shape[-1], channels=card.shape[0], kind=kind, label=label
    )
    items = read_items(data, settings, source=source, root=root, report=report)
    if set(items.classes) != set(card.classes) or items.spec.shape != card.shape:
        raise LabelMismatchError(
            f"The run was fitted on {', '.join(card.classes)}; the data have {', '.join(items.classes)}, as "
            f"{'x'.join(map(str, items.spec.shape))}.",
            "Give the data that the run was fitted on.",
        )
    seen = np.isin(items.fingerprints, card.fingerprints)
    parts = hold_out(items) if not seen.any() or seen.all() else (
        items.take(np.flatnonzero(seen)), items.take(np.flatnonzero(~seen))
    )  # fmt: skip
    chosen = torch.device(resolve_device(device))
    training, validation = (batches_for(rules, part, chosen) for part in parts)
    owned = {name for player in rules.players for name in player.owns}
    others = {name: net for name, net in rules.networks(card.spec, card.prior).items() if name not in owned}
    nets = {name: net.to(chosen).eval() for name, net in {**others, **fitted.networks}.items()}
    return Examiner(rules, training, validation, card.seed, chosen).examine(nets, card.steps)
