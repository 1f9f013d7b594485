"""A bench without a training: how many trials it will be, about."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ganaug.evaluation.bench.contenders import Arena, seeds_of
from ganaug.evaluation.bench.design import RUNGS, Design
from ganaug.evaluation.bench.ladder import climb_all
from ganaug.evaluation.bench.room import Room
from ganaug.evaluation.trials.parts import TEST, UNLABELLED, Parts
from ganaug.evaluation.trials.trial import Laboratory, Outcome, Trial


class _Rehearsal(Laboratory):
    """Every trial is there already, and none knows anything."""

    def _read(self, trial: Trial) -> Outcome:
        count = sum(len(self.parts.asked(name, trial.leave)[1]) for name in trial.on)
        logs = np.full((count, self.parts.n_classes), -np.log(self.parts.n_classes))
        return Outcome(trial, "", logs, (), (), 0.0)

    def spread(self) -> np.ndarray | None:
        """Features are not looked at."""
        count = len(self.parts.validation) + len(self.parts.named(UNLABELLED))
        return np.full((count, self.parts.n_classes), -np.log(self.parts.n_classes))


def trials_about(parts: Parts, room: Room, design: Design) -> int:
    """If nothing that is tried does better than the classifier as it is; else somewhat more."""
    arena = Arena(_Rehearsal(parts, Path(), room.learners), room.learners, design)
    ladder = climb_all(arena, list(parts.made), {})
    seeds = seeds_of(design, "test", design.seeds)
    arena.on(TEST, [ladder.as_it_is.contender, ladder.rest.contender], seeds)
    arena.on(TEST, [one.contender for one in ladder.mixed.values()], seeds)
    rungs = [rung.tried.contender for rung in ladder.rungs if rung.tried is not None]
    arena.on(TEST, rungs, seeds[:RUNGS])
    return len(arena.laboratory.outcomes) + len(ladder.mixed)
