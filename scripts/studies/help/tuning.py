"""The baseline of a cell: tuned once, on validation images of draws 0 and 1, in the order of `ganaug bench`.

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
from ganaug.evaluation.bench.arms import Arm, Design
from ganaug.evaluation.bench.selection import best, runner_up
from ganaug.evaluation.bench.sets import group_numbers
from ganaug.evaluation.bench.trial import Laboratory, Part, Parts, Trial
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


def baseline(cell: Cell, draws: Sequence[Draw], protocol: Protocol, trials: Path, report: Report = silent):
    """The tuned baseline and what the draws of the cell share: plain values.

    trials: folder of finished trainings, which are not done again.
    """
    started = time.monotonic()
    design = draws[0].design(cell, protocol)
    tried = tune([_laboratory(draw, trials, report) for draw in draws], design)
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


def tune(laboratories: Sequence[Laboratory], design: Design) -> list[Tried]:
    """Every candidate in the order of trying; one seed for each laboratory. The first of the best ones is the one."""
    tried: list[Tried] = []

    def attempt(arm: Arm, lr: float, decay: float) -> None:
        training = design.training(arm, lr, decay)
        found = [
            laboratory.run(Trial(training, design.seed + i, "validation")) for i, laboratory in enumerate(laboratories)
        ]
        labels = np.concatenate([laboratory.parts.validation.labels.numpy() for laboratory in laboratories])
        predictions = np.concatenate([outcome.predictions for outcome in found])
        values: dict[str, Any] = scores(labels, predictions, laboratories[0].parts.n_classes)
        tried.append(Tried(arm, lr, decay, float(values[design.metric])))

    def change(field: str, options: Sequence[str]) -> None:
        base = best(tried)
        for option in options:
            changed: dict[str, Any] = {field: option}
            attempt(replace(base.arm, **changed), base.lr, base.decay)

    attempt(Arm(remedy=design.remedies[0]), design.lrs[0], design.decays[0])
    change("augmentation", design.augmentations)
    change("blend", design.blends)
    base = best(tried)
    for rival in (base, *runner_up(tried, base)):
        for lr in design.lrs[1:]:
            attempt(rival.arm, lr, rival.decay)
    base = best(tried)
    for decay in design.decays[1:]:
        attempt(base.arm, base.lr, decay)
    change("remedy", design.remedies[1:])
    return tried


def _laboratory(draw: Draw, trials: Path, report: Report) -> Laboratory:
    """For trials on the validation images of a draw; there is nothing synthetic in it."""
    train, validation = draw.parts
    parts = Parts(_part(train), _part(validation), _part(draw.test), _part(train.take([])), len(train.classes))
    return Laboratory(parts, trials, device=draw.device, report=report)


def _part(images: LabelledImages) -> Part:
    return Part.of(images.pixels, images.labels)
