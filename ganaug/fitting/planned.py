"""How many rounds a fit plays, with how many threads, when its time is over, and whether it became much slower."""

from __future__ import annotations

import math
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

import torch

from ganaug.files.machine import usable_cores
from ganaug.fitting.budget import GRACE, SHARE, SMALL, process_memory, require_memory, steps_in, warm_up, what_it_takes
from ganaug.fitting.prepare import Prepared
from ganaug.fitting.settings_file import Plan, agreed_plan, store_end
from ganaug.generator.state import SavedState
from ganaug.reporting import Report

WINDOW = 60.0  # seconds over which a pace is taken
FALLEN = 0.5  # of the pace so far, below


class Tempo:
    """Notices when rounds become much slower than they were, and says why and how to go on.

    pace: seconds of a round before the first one, as far as is known. folder: the run, named in what is said."""

    def __init__(self, pace: float | None, folder: Path, clock: Callable[[], float] = time.monotonic):
        self.usual = None if pace is None else 1 / pace
        self.folder, self.clock = folder, clock
        self.since, self.rounds, self.slow = clock(), 0, False

    def round(self) -> str:
        """Call it after every round. What to tell, once for every fall of the pace; "" is nothing."""
        self.rounds += 1
        elapsed = self.clock() - self.since
        if elapsed < WINDOW:
            return ""
        now, usual, told = self.rounds / elapsed, self.usual, self.slow
        self.since, self.rounds = self.clock(), 0
        self.usual = now if usual is None else max(now, usual)
        self.slow = usual is not None and now < FALLEN * usual
        if not self.slow or told:
            return ""
        return f"{now:.2g} steps/s for a minute, {usual:.2g} before: {_why()} {self._go_on()}"

    def _go_on(self) -> str:
        stop = f"Stop it (Ctrl-C; the state is saved) and go on with --resume when it is over; {self.folder} is kept."
        if torch.get_num_threads() > 1:
            return f"{stop} One thread loses least: OMP_NUM_THREADS=1 ganaug fit ... --resume."
        return stop


def _why() -> str:
    """What keeps this process from working, as far as the system tells."""
    cores = usable_cores()
    load = 0.0 if sys.platform == "win32" else os.getloadavg()[0]
    if load > cores + 0.5:
        return f"other processes work on the same cores (load {load:.1f} on {cores})."
    return "the machine gives this process less: heat, a limit on it, or memory that is short."


class Planned:
    """plan: as it was made before the first round. end: the round after which the fit ends. deadline: on the clock."""

    def __init__(self, folder: Path, plan: Plan, tempo: Tempo, deadline: float, report: Report):
        self.folder, self.plan, self.tempo, self.deadline, self.report = folder, plan, tempo, deadline, report
        self.end = plan.last

    def is_last(self, step: int) -> bool:
        """Call it after every round. Whether the fit ends with it, which is stored where the time is over; tells where
        the fit has become slower."""
        if slower := self.tempo.round():
            self.report("pace", 0, 0, slower)
        if step < self.end and time.monotonic() > self.deadline:
            store_end(self.folder, step)
            self.end = step
            over = f"The time is over after step {step} of {self.plan.steps}: the fit was slower than in its warm-up."
            self.report("fit", 0, 0, f"{over} To go on from there: --fork {self.folder} --out NEW")
        return step == self.end


def planned(
    folder: Path, prepared: Prepared, digest: str, resume: bool, saved: SavedState, world: int, report: Report
) -> Planned:
    """Decide it, or take what is stored where a fit is resumed, which must agree; torch gets the threads. A budget of
    time counts no round that another run played; a resume has the share of the time that its rounds are of those of
    this run. world: processes that share each batch. Raises OutOfMemoryError for what does not fit."""
    began, pace, settings, device = time.monotonic(), None, prepared.settings, prepared.device
    plan = agreed_plan(folder, settings, digest) if resume else None
    played, began_at = saved.step, max((one.step for one in saved.interventions if one.kind == "fork"), default=0)
    share = 1.0 if plan is None else (plan.steps - played) / (plan.steps - began_at)
    if plan is None:
        timed = settings.steps is None
        needed = require_memory(
            prepared.recipe, prepared.batches, device, 0 if timed else SMALL, slices=settings.slices
        )
        held = process_memory(needed, prepared.training.spec.shape, device)
        plan = Plan(settings.steps or 1, torch.get_num_threads())
        if timed:
            report("warm-up", 0, 1, "")
            limit = SHARE * settings.seconds
            measured = warm_up(prepared.recipe, prepared.batches, device, limit, slices=settings.slices, world=world)
            pace, left = measured.seconds, settings.seconds - (time.monotonic() - began)
            more = steps_in(left, pace)
            plan = Plan(played + more, measured.threads)
            report("warm-up", 1, 1, what_it_takes(more, measured, prepared.recipe.advised, held))
    torch.set_num_threads(min(plan.threads, torch.get_num_threads()))
    bounded = settings.steps is None and not plan.end
    deadline = began + GRACE * share * settings.seconds if bounded else math.inf
    return Planned(folder, plan, Tempo(pace, folder), deadline, report)
