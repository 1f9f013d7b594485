"""A pretrained network, fine-tuned at its own size; or the same network, trained from scratch."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ganaug.classifier.features import Backbone
from ganaug.classifier.finetune import SCRATCH, VERSION, FinetuneTraining, train_finetuned
from ganaug.classifier.finetuned import on_top
from ganaug.classifier.fixmatch import FixMatch
from ganaug.evaluation.trials.arms import FIXMATCH, LONGER, Arm, Knobs
from ganaug.evaluation.trials.learner import Lesson, Menu, PictureLearner, Trained
from ganaug.evaluation.trials.parts import Part, Parts
from ganaug.evaluation.trials.trial import Trial
from ganaug.reporting import Report


class FinetuneLearner(PictureLearner):
    """backbone: the network as it is before. weights: of it. scratch: it is trained from weights drawn at random."""

    name = "finetune"

    def __init__(
        self,
        backbone: Backbone,
        weights: str | Path,
        menu: Menu,
        folder: Path,
        report: Report,
        *,
        scratch: bool = False,
    ):
        super().__init__(backbone, menu, folder, report)
        self.weights, self.usual = weights, SCRATCH if scratch else FinetuneTraining()
        how = f"{backbone.name} from scratch" if scratch else f"fine-tuned {backbone.name}"
        self.words = f"{how}, {self.size[0]}x{self.size[1]} px"

    @property
    def identity(self) -> dict[str, Any]:
        return {"finetune": VERSION, "network": self.backbone.digest, "device": self.backbone.device.type}

    def training(self, arm: Arm, knobs: Knobs) -> FinetuneTraining:
        training = replace(
            self.usual, lr=dict(knobs)["lr"], augmentation=arm.augmentation, blend=arm.blend, ratio=arm.ratio,
            use=arm.use, epochs=self.usual.epochs * (LONGER if arm.longer else 1),
            strong=self.menu.fixmatch if arm.taught == FIXMATCH else "",
        )  # fmt: skip
        return replace(training, **arm.changes)

    def inputs(self, part: Part, rows: np.ndarray) -> np.ndarray:
        images = self.pictures(part).images
        return images if len(rows) == len(part) else images[rows]

    def watching(self, trial: Trial, parts: Parts) -> np.ndarray | None:
        """All validation images: the epoch is chosen by them."""
        return np.arange(len(parts.validation)) if len(parts.validation) else None

    def fit(self, lesson: Lesson) -> Trained:
        found = train_finetuned(
            lesson.inputs, lesson.labels, lesson.n_classes, training=lesson.training, seed=lesson.seed,
            name=self.backbone.name, weights=self.weights, synthetic=lesson.synthetic, validation=lesson.watch,
            soft=None if lesson.soft is None else torch.from_numpy(lesson.soft),
            made_soft=None if lesson.made_soft is None else torch.from_numpy(lesson.made_soft),
            unlabelled=None if lesson.unlabelled is None else _fixmatch(lesson),
            device=self.backbone.device,
        )  # fmt: skip
        return Trained(found.predict, found.losses, found.watched)


def _fixmatch(lesson: Lesson) -> FixMatch:
    return FixMatch(on_top(np.array(lesson.unlabelled)), lesson.training.strong)
