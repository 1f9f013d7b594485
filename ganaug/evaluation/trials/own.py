"""A training of the user's own: their network, their transforms, their loop."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from PIL import Image

from ganaug.classifier.own import OwnTraining, run_own
from ganaug.evaluation.trials.arms import Arm, Knobs
from ganaug.evaluation.trials.learner import Learner, Menu
from ganaug.evaluation.trials.parts import Part, Parts
from ganaug.evaluation.trials.trial import Said, Trial
from ganaug.mixing.picture_set import PictureSet


@dataclass(frozen=True)
class OwnArm:
    """All that an arm tells a user's training is the share of synthetic images in its data set."""

    ratio: float = 0.0


@dataclass(frozen=True, eq=False)
class Pages:
    """The images of several parts, one after the other: of each a part and a row."""

    places: Sequence[tuple[Part, int]]

    def read(self, index: int) -> Image.Image:
        part, row = self.places[index]
        return part.image(row)


class OwnLearner(Learner):
    """own: the function. classes: their names. session: by which outcomes are known of a function whose code is not,
    so that they are used within one bench only."""

    name = "own"
    native = True

    def __init__(self, own: OwnTraining, menu: Menu, classes: Sequence[str], device: torch.device, session: str):
        self.own, self.menu, self.classes, self.device, self.session = own, menu, classes, device, session
        self.words, self.size = f"your training {own.name}", (0, 0)

    @property
    def identity(self) -> dict[str, Any]:
        return {"own": self.own.digest or self.session, "classes": list(self.classes), "device": self.device.type}

    def training(self, arm: Arm, knobs: Knobs) -> OwnArm:
        return OwnArm(arm.ratio)

    def run(self, trial: Trial, parts: Parts) -> Said:
        rows = np.arange(len(parts.train)) if trial.leave is None else np.flatnonzero(parts.fold != trial.leave)
        learned = [(parts.train, int(row)) for row in rows]
        labels = parts.train.labels.numpy()[rows]
        taught = parts.taught.get(trial.taught)
        if taught is not None and parts.unlabelled is not None:
            learned += [(parts.unlabelled, int(row)) for row in taught.rows]
            labels = np.concatenate([labels, taught.labels])
        asked = [(part, int(row)) for name in trial.on for part, own in [parts.asked(name, trial.leave)] for row in own]
        made = parts.named(trial.made) if trial.training.ratio else None
        dataset = PictureSet(
            Pages(learned), labels, self.classes, ratio=trial.training.ratio, seed=trial.seed,
            synthetic=None if made is None else (Pages([(made, i) for i in range(len(made))]), made.labels.numpy()),
        )  # fmt: skip
        validation = self._set([(parts.validation, i) for i in range(len(parts.validation))])
        started = time.perf_counter()
        logs = run_own(self.own, dataset, validation, self._set(asked), seed=trial.seed, device=self.device)
        return Said(logs, time.perf_counter() - started)

    def _set(self, places: Sequence[tuple[Part, int]]) -> PictureSet:
        labels = [int(part.labels[row]) for part, row in places]
        return PictureSet(Pages(places), labels, self.classes)

    def seconds_an_image(self, parts: Parts) -> float:
        """Nobody knows; several of its networks cost several times as much."""
        return 1.0
