"""The course of a fit: where it begins, what of it is kept, what it goes back to, and what befell it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import torch

from ganaug.device import environment, out_of_memory
from ganaug.errors import DivergedError, OutOfMemoryError
from ganaug.fitting.journal import Journal, Track, untracked
from ganaug.game.train import Progress
from ganaug.generator.interventions import Intervention
from ganaug.generator.state import SavedState, load_anchor, load_state, require_finite, save_state
from ganaug.reporting import Report

ANCHORS = 20  # states over a fit that it can go back to
RETRIES = 2  # times that a fit goes back, with other draws, before it stops


class Course:
    """interventions: so far. anchor: the state at a round that the settings alone decide, to which the fit goes back.
    step: rounds played. journal: metrics.jsonl."""

    def __init__(self, folder: Path, device: torch.device, report: Report, track: Track = untracked):
        self.folder, self.device, self.report = folder, device, report
        self.states = folder / "state"
        self.journal = Journal(folder / "metrics.jsonl", track)
        self.interventions: tuple[Intervention, ...] = ()
        self.anchor = SavedState()
        self.step = 0

    def begin(self, saved: SavedState) -> SavedState:
        """Where the fit stands before its first round in this process; tells if it is not bit-exact from there on."""
        now = environment(self.device)
        before = saved.environment
        other = [f"{name} was {old}, is {now.get(name)}" for name, old in before.items() if now.get(name) != old]
        if before and self.device.type != "cpu":
            other.append("a GPU adds up in no fixed order")
        self.interventions = saved.interventions
        if other:
            cause = "; ".join(other)
            self.report("fit", 0, 0, f"not bit-exact from step {saved.step} on: {cause}")
            self.interventions += (Intervention("environment", saved.step, saved.step, cause),)
        self.step = saved.step
        return replace(saved, interventions=self.interventions, environment=now)

    def find_anchor(self, begin: SavedState, steps: int) -> None:
        """The anchor of a fit of so many rounds that goes on from `begin`."""
        forked = any(one.kind == "fork" for one in self.interventions)
        first = SavedState() if begin.step < every(steps, ANCHORS) and not forked else begin
        self.anchor = load_anchor(self.states) or first

    def keep(self, progress: Progress, due: bool) -> None:
        """Take the anchor where there is to be one; commit the state where it is due. Raises DivergedError if it is not
        finite, DiskFullError and UnwritableError with the earlier state intact."""
        at_anchor = progress.step % every(progress.steps, ANCHORS) == 0
        if not (at_anchor or due):
            return
        sums = {name: list(values) for name, values in self.journal.sums.items()}
        state = SavedState(
            progress.step, progress.state(), self.journal.keep(), sums, self.interventions, environment(self.device)
        )
        require_finite(state)
        if at_anchor:
            self.anchor = state
        if due:
            save_state(self.states, state, self.anchor)

    def go_back(self, error: DivergedError) -> SavedState:
        """To the anchor, for other draws; raises DivergedError where that was tried often enough."""
        kinds = [one.kind for one in self.interventions]
        while "fork" in kinds:
            kinds = kinds[kinds.index("fork") + 1 :]
        tried = kinds.count("retry")
        if tried >= RETRIES:
            self._keep_anchor()
            raise DivergedError(
                f"{error.cause} Going back to an earlier step, with other draws, was tried {tried} times.",
                f"{self._what_is_kept()}{error.fix} {self._go_on()}, with other settings.",
            ) from error
        back = Intervention("retry", self.step + 1, self.anchor.step, error.cause)
        self.report("fit", 0, 0, f"{error.cause} Back to step {back.start}, with other draws ({tried + 1}/{RETRIES})")
        self.journal.begin(self.anchor.log_bytes, self.anchor.sums)
        self.interventions += (back,)
        for one in self.interventions[len(self.anchor.interventions) :]:
            self.journal.note({"step": one.step, "intervention": one.to_json()})
        self.step = self.anchor.step
        return self.anchor

    @contextlib.contextmanager
    def memory_named(self, batch: int) -> Iterator[None]:
        """Turns the many ways in which memory runs out into OutOfMemoryError; the last good state is kept."""
        try:
            yield
        except (RuntimeError, MemoryError) as error:
            if not out_of_memory(error):
                raise
            with contextlib.suppress(RuntimeError, MemoryError, OSError):
                self._keep_anchor()
            resume = " and go on with --resume" if load_state(self.states) else ""
            raise OutOfMemoryError(
                f"There is not enough memory on {self.device} for step {self.step + 1}, a round of {batch} items: "
                f"{' '.join(str(error).split())[:200] or type(error).__name__}.",
                f"{self._what_is_kept()}Free memory{resume}, or take a smaller batch (--set batch=N). {self._go_on()}.",
            ) from error

    def _keep_anchor(self) -> None:
        saved = load_state(self.states)
        if self.anchor.tensors and (saved is None or saved.step < self.anchor.step):
            save_state(self.states, self.anchor, self.anchor)

    def _what_is_kept(self) -> str:
        saved = load_state(self.states)
        return f"The state of step {saved.step} is kept. " if saved is not None else "No state was saved yet. "

    def _go_on(self) -> str:
        """How to go on in another folder: from what was saved, or from the beginning."""
        if load_state(self.states) is None:
            return "Begin anew in another folder: --out NEW"
        return f"To go on from there: --fork {self.folder} --out NEW"


def every(steps: int, times: int) -> int:
    """The distance of things that happen so many times over a fit, at rounds that do not depend on the clock."""
    return max(1, steps // times)
