"""The baseline of a cell: tuned once, on validation images of draws 0 and 1.

One choice after the other, each on top of those before: the augmentation; MixUp, CutMix or neither; the learning
rate, for the best so far and for the best of another augmentation or blend; the weight decay; and, where classes are
unequal, balanced sampling, class weights or neither. No synthetic image and no test image is looked at.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from ganaug.data.load import LabelledImages
from ganaug.evaluation.bench.contenders import best
from ganaug.evaluation.bench.design import Design
from ganaug.evaluation.bench.ladder import runner_up
from ganaug.evaluation.bench.sets import group_numbers
from ganaug.evaluation.trials.arms import Arm
from ganaug.evaluation.trials.parts import VALIDATION, Part, Parts
from ganaug.evaluation.trials.small import SmallLearner
from ganaug.evaluation.trials.trial import Laboratory, Trial
from ganaug.metrics.classification import scores
from ganaug.reporting import Report, silent
from scripts.studies.help.cells import Cell, Protocol
from scripts.studies.help.draw import Draw
from scripts.studies.lib.facts import machine, now
from scripts.studies.lib.results import pack_numbers

TUNED_ON = (0, 1)  # draws on whose validation images a baseline is tuned; one seed each


@dataclass(frozen=True)
class Tried:
    """One arm without synthetic images. score: the metric over the validation images of both draws together."""

    arm: Arm
    lr: float
    decay: float
    score: float
    crosswise: float | None = None

    @property
    def validation(self) -> float:
        return self.score


def baseline(cell: Cell, draws: Sequence[Draw], protocol: Protocol, trials: Path, report: Report = silent):
    """The tuned baseline and what the draws of the cell share: plain values.

    trials: folder of finished trainings, which are not done again.
    """
    started = time.monotonic()
    design = draws[0].design(cell, protocol)
    learner = draws[0].learner(cell, protocol)
    tried = tune([_laboratory(draw, trials, learner, report) for draw in draws], design, learner)
    chosen = best(tried)
    images, test = draws[0].images, draws[0].test
    counts, groups = list(images.counts().values()), group_numbers(test)
    return {
        "cell": cell.name,
        "metric": design.metric,
        "classes": list(images.classes),
        "images": counts,
        "tail": [label for label, n in enumerate(counts) if 2 * n < max(counts)],
        "groups": images.groups is not None,
        "arm": asdict(chosen.arm),
        "lr": chosen.lr,
        "weight decay": chosen.decay,
        "tried": [
            {"arm": str(one.arm), "lr": one.lr, "weight decay": one.decay, "score": round(one.score, 6)}
            for one in tried
        ],
        "draws": [draw.number for draw in draws],
        "steps": design.steps,
        "test labels": pack_numbers(test.labels.numpy()),
        "test groups": None if groups is None else pack_numbers(groups),
        "seconds": round(time.monotonic() - started, 1),
        "machine": machine(draws[0].device),
        "ended": now(),
    }


def tune(laboratories: Sequence[Laboratory], design: Design, learner: SmallLearner) -> list[Tried]:
    """Every candidate in the order of trying; one seed for each laboratory. The first of the best ones is the one."""
    tried: list[Tried] = []
    menu, (lrs, decays) = learner.menu, learner.menu.knobs.values()
    remedies = ("sampling", "weights", "") if design.unequal else ("",)

    def attempt(arm: Arm, lr: float, decay: float) -> None:
        training = learner.training(arm, (("lr", lr), ("weight decay", decay)))
        trials = [Trial(learner.name, training, design.seed + i, (VALIDATION,)) for i in range(len(laboratories))]
        outcomes = [one.run_all([trial])[0] for one, trial in zip(laboratories, trials, strict=True)]
        found = [one.answers(outcome, VALIDATION) for one, outcome in zip(laboratories, outcomes, strict=True)]
        labels = np.concatenate([answers.labels for answers in found])
        predictions = np.concatenate([answers.predictions for answers in found])
        values: dict[str, Any] = scores(labels, predictions, laboratories[0].parts.n_classes)
        tried.append(Tried(arm, lr, decay, float(values[design.metric])))

    def change(field: str, options: Sequence[str]) -> None:
        base = best(tried)
        for option in options:
            changed: dict[str, Any] = {field: option}
            attempt(replace(base.arm, **changed), base.lr, base.decay)

    attempt(Arm(remedy=remedies[0]), lrs[0], decays[0])
    change("augmentation", menu.augmentations)
    change("blend", menu.blends)
    base = best(tried)
    for rival in (base, *runner_up(tried, base)):
        for lr in lrs[1:]:
            attempt(rival.arm, lr, rival.decay)
    base = best(tried)
    for decay in decays[1:]:
        attempt(base.arm, base.lr, decay)
    change("remedy", remedies[1:])
    return tried


def _laboratory(draw: Draw, trials: Path, learner: SmallLearner, report: Report) -> Laboratory:
    """For trials on the validation images of a draw; there is nothing synthetic in it."""
    train, validation = draw.parts
    parts = Parts(_part(train), _part(validation), _part(draw.test), len(train.classes))
    return Laboratory(parts, trials, {learner.name: learner}, report=report)


def _part(images: LabelledImages) -> Part:
    return Part.of(images.pixels, images.labels)
