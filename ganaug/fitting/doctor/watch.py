"""The doctor during a fit: check-ups at fixed rounds, early warnings, and, where it was asked for, one knob turned."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any, Protocol

from ganaug.errors import ArtefactError
from ganaug.fitting.doctor.checkup import Examiner
from ganaug.fitting.doctor.findings import Finding, findings
from ganaug.fitting.doctor.history import read_history
from ganaug.game import Player, Recipe
from ganaug.game.loss import scaled
from ganaug.game.train import Progress
from ganaug.generator.interventions import Intervention
from ganaug.reporting import Report

CHECKUPS = 10  # over a fit
APART = 100  # rounds between them, at least
FIX_AT = 0.5  # of the rounds: the first check-up from there on may turn a knob


def slower(factor: float, *players: str) -> Callable[[Recipe], Recipe]:
    """The recipe with the learning rates of these players (all, if none is named) times `factor`."""

    def turned(recipe: Recipe) -> Recipe:
        def of(player: Player) -> Player:
            if players and player.name not in players:
                return player
            optimiser: Any = player.optimiser
            return replace(player, optimiser=replace(optimiser, lr=scaled(optimiser.lr, factor)))

        return replace(recipe, players=tuple(of(player) for player in recipe.players))

    return turned


FIXES: dict[str, tuple[str, Callable[[Recipe], Recipe]]] = {
    "no convergence": ("the discriminator's learning rate is cut to a quarter", slower(0.25, "discriminator")),
    "discriminator saturated": ("the discriminator's learning rate is cut to a quarter", slower(0.25, "discriminator")),
    "discriminator overfits": ("the discriminator's learning rate is halved", slower(0.5, "discriminator")),
    "oscillation": ("all learning rates are cut to a quarter", slower(0.25)),
}
"""What `--auto-fix` does about a finding, in words and as a change of the recipe."""


def mended(recipe: Recipe, interventions: Sequence[Intervention]) -> Recipe:
    """The recipe after the knobs that were turned so far."""
    for one in interventions:
        if one.kind == "fix":
            if one.cause not in FIXES:
                cause = f"The saved state tells of a fix for {one.cause!r}."
                raise ArtefactError(cause, "Start anew in another folder.")
            recipe = FIXES[one.cause][1](recipe)
    return recipe


class Log(Protocol):
    """The log of a fit, as far as it is written here."""

    def note(self, values: Mapping[str, Any]) -> None: ...
    def keep(self) -> int: ...


class Watch:
    """Looks at a fit from round to round.

    folder: the run, whose metrics.jsonl is the memory of this. counts: items of each class, held-out ones included, in
    the order of the classes. examiner: makes the one that is asked, once it is.
    """

    def __init__(
        self, folder: Path, counts: Mapping[str, int], steps: int, examiner: Callable[[], Examiner], report: Report
    ):
        self.folder, self.counts, self.steps, self.report = folder, counts, steps, report
        self.every = max(APART, steps // CHECKUPS)
        self.said: set[str] = set()
        self._examiner = cache(examiner)

    def due(self, step: int) -> bool:
        return step % self.every == 0

    def look(self, progress: Progress, journal: Log) -> tuple[Finding, ...]:
        """Make a check-up, write it down, and tell what is found for the first time."""
        checkup = self._examiner().examine(progress.networks(), progress.step)
        journal.note({"step": progress.step, "checkup": checkup.to_json()})
        journal.keep()
        past = read_history(self.folder)
        classes = tuple(self.counts)
        found = findings(classes, self.counts, past.checkups, past.losses, self.steps, past.interventions)
        for finding in found:
            if finding.name not in self.said and finding.name != "too few images":  # of these, a warning told at once
                self.said.add(finding.name)
                self.report("doctor", 0, 0, f"{finding.name}: {finding.text} Try: {finding.knob}")
        return found

    def fix(self, step: int, found: Sequence[Finding], interventions: Sequence[Intervention]) -> Intervention | None:
        """The knob to turn at this round, if there is one and none was turned yet."""
        now = FIX_AT * self.steps <= step < FIX_AT * self.steps + self.every
        if not now or any(one.kind == "fix" for one in interventions):
            return None
        names = [finding.name for finding in found if finding.name in FIXES]
        if not names:
            return None
        self.report("doctor", 0, 0, f"{names[0]}: from step {step} on {FIXES[names[0]][0]}")
        return Intervention("fix", step, step, names[0])
