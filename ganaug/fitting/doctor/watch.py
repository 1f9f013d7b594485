"""The doctor during a fit: check-ups at fixed rounds, early warnings, and, where it was asked for, one knob turned."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Protocol

from ganaug.errors import ArtefactError
from ganaug.fitting.doctor.ailments import AILMENTS
from ganaug.fitting.doctor.checkup import Examiner
from ganaug.fitting.doctor.findings import Finding, findings
from ganaug.fitting.doctor.history import read_history
from ganaug.game import Recipe
from ganaug.game.train import Progress
from ganaug.generator.interventions import Intervention
from ganaug.reporting import Report

CHECKUPS = 10  # over a fit
APART = 100  # rounds between them, at least
TOLD_BEFORE = {"too few images", "far too few steps"}  # the first round
FIX_AT = 0.5  # of the rounds: the first check-up from there on may turn a knob


def mended(recipe: Recipe, interventions: Sequence[Intervention]) -> Recipe:
    """The recipe after the knobs that were turned so far."""
    for name in (one.cause for one in interventions if one.kind == "fix"):
        if not (fix := name in AILMENTS and AILMENTS[name].fix):
            raise ArtefactError(
                f"The saved state names a fix that this version does not know, {name!r}.",
                "Start anew in another folder.",
            )
        recipe = fix.change(recipe)
    return recipe


class Log(Protocol):
    """The log of a fit, as far as it is written here."""

    def note(self, values: Mapping[str, Any]) -> None: ...
    def keep(self) -> int: ...


class Watch:
    """Looks at a fit from round to round.

    folder: the run, whose metrics.jsonl is the memory of this. counts: items of each class, held-out ones included, in
    the order of the classes. advised: rounds that good samples take. examiner: makes the one that is asked, once it is.
    what: the items are, one of `KINDS`. held_out: share of the items.
    """

    def __init__(
        self, folder: Path, counts: Mapping[str, int], steps: int, advised: int, examiner: Callable[[], Examiner],
        report: Report, what: str, held_out: float,
    ):  # fmt: skip
        self.folder, self.counts, self.steps, self.advised, self.report = folder, counts, steps, advised, report
        self.what, self.held_out = what, held_out
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
        known = self.counts, self.steps, self.advised, self.what, self.held_out
        found = findings(read_history(self.folder).past(*known))
        for finding in found:
            if finding.name not in self.said and finding.name not in TOLD_BEFORE:
                self.said.add(finding.name)
                self.report("doctor", 0, 0, f"{finding.name}: {finding.text} Try: {finding.knob}")
        return found

    def fix(self, step: int, found: Sequence[Finding], interventions: Sequence[Intervention]) -> Intervention | None:
        """The knob to turn at this round, if there is one and none was turned yet."""
        now = FIX_AT * self.steps <= step < FIX_AT * self.steps + self.every
        if not now or any(one.kind == "fix" for one in interventions):
            return None
        for name in (finding.name for finding in found):
            if fix := AILMENTS[name].fix:
                self.report("doctor", 0, 0, f"{name}: from step {step} on {fix.words}")
                return Intervention("fix", step, step, name)
        return None
