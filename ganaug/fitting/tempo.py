"""Notices when the rounds of a fit become much slower than they were, and says why and how to go on."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

import torch

from ganaug.files.machine import usable_cores

WINDOW = 60.0  # seconds over which a pace is taken
FALLEN = 0.5  # of the pace so far, below


class Tempo:
    """pace: seconds of a round before the first one, as far as is known. folder: the run, named in what is said."""

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
