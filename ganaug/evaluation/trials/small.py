"""The small residual network, trained from scratch at the generator's size."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ganaug.classifier.fixmatch import FixMatch
from ganaug.classifier.small import VERSION, Classifier, Training, network, train_classifier
from ganaug.evaluation.trials.arms import BATCH, FIXMATCH, LONGER, Arm, Knobs
from ganaug.evaluation.trials.learner import ArrayLearner, Lesson, Menu, Trained
from ganaug.evaluation.trials.parts import TEST, Part, Parts
from ganaug.evaluation.trials.trial import Trial

WATCHED = 500  # validation images, at most, that are looked at during a training


class SmallLearner(ArrayLearner):
    """steps: optimiser steps of each training."""

    name = "small"
    native = False

    def __init__(self, side: int, menu: Menu, steps: int, device: torch.device | str = "cpu"):
        self.words, self.size = f"small network, {side} px", (side, side)
        self.menu, self.steps, self.device = menu, steps, torch.device(device)

    @property
    def identity(self) -> dict[str, Any]:
        """A GPU and the CPU have trials of their own."""
        return {"small": VERSION} | ({"device": self.device.type} if self.device.type != "cpu" else {})

    def training(self, arm: Arm, knobs: Knobs) -> Training:
        """The same batch in every arm, and the same steps in all that are not trained for longer."""
        given = dict(knobs)
        training = Training(
            steps=self.steps * (LONGER if arm.longer else 1), batch=BATCH, lr=given["lr"],
            weight_decay=given["weight decay"], augmentation=arm.augmentation, blend=arm.blend, ratio=arm.ratio,
            use=arm.use, strong=self.menu.fixmatch if arm.taught == FIXMATCH else "",
        )  # fmt: skip
        return replace(training, **arm.changes)

    def inputs(self, part: Part, rows: np.ndarray) -> Tensor:
        return part.items if len(rows) == len(part) else part.items[torch.from_numpy(rows)]

    def joined(self, one: Tensor, other: Tensor) -> Tensor:
        return torch.cat([one, other])

    def watching(self, trial: Trial, parts: Parts) -> np.ndarray | None:
        """For a curve of what is tested: validation images from all over the part; nothing is decided by them."""
        count = len(parts.validation)
        return np.arange(0, count, -(-count // WATCHED)) if count and TEST in trial.on else None

    def fit(self, lesson: Lesson) -> Trained:
        pixels, made = lesson.inputs, lesson.synthetic
        found = train_classifier(
            pixels, torch.from_numpy(lesson.labels), lesson.n_classes, training=lesson.training, seed=lesson.seed,
            synthetic=None if made is None else (made[0], torch.from_numpy(made[1])),
            soft=_tensor(lesson.soft), made_soft=_tensor(lesson.made_soft),
            unlabelled=None if lesson.unlabelled is None else FixMatch(lesson.unlabelled, lesson.training.strong),
            watch=None if lesson.watch is None else (lesson.watch[0], torch.from_numpy(lesson.watch[1])),
            device=self.device,
        )  # fmt: skip

        def logs(pixels: Tensor) -> np.ndarray:
            return torch.log_softmax(found.predict(pixels).double(), 1).numpy()

        return Trained(logs, found.losses, found.watched)

    def glance(self, part: Part) -> None:
        """An untrained network takes as long."""
        channels, height, width = part.items.shape[1:]
        with torch.random.fork_rng(devices=[]):
            untrained = network(channels, min(height, width), 2).to(self.device)
        Classifier(untrained, self.device, np.zeros(0)).predict(part.items)


def _tensor(given: np.ndarray | None) -> Tensor | None:
    return None if given is None else torch.from_numpy(given)
