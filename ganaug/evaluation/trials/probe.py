"""A linear classifier on the features of a frozen pretrained network, at the network's own size."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from ganaug.classifier.features import Backbone, View, features_of
from ganaug.classifier.probe import VERSION, ProbeTraining, train_probe
from ganaug.classifier.spread import spread_labels
from ganaug.evaluation.trials.arms import Arm, Knobs
from ganaug.evaluation.trials.learner import Lesson, Menu, PictureLearner, Trained
from ganaug.evaluation.trials.parts import Part, Parts
from ganaug.reporting import Report


@dataclass(frozen=True, eq=False)
class Seen:
    """Images as the frozen network sees them. rows: of which part. features: (N, D)."""

    part: Part
    rows: np.ndarray
    features: np.ndarray


class ProbeLearner(PictureLearner):
    """folder: of pictures and features, which are computed once and kept. views: of each training image and
    augmentation that are computed; each training sees some of them."""

    name = "probe"
    shares = swift = True

    def __init__(self, backbone: Backbone, menu: Menu, folder: Path, views: int, report: Report):
        super().__init__(backbone, menu, folder, report)
        self.views, self.words = views, f"linear probe of {backbone.name}, {self.size[0]}x{self.size[1]} px"
        self._features: dict[tuple[str, str], np.ndarray] = {}

    @property
    def identity(self) -> dict[str, Any]:
        return {
            "probe": VERSION,
            "views": self.views,
            "backbone": self.backbone.digest,
            "device": self.backbone.device.type,
        }

    def training(self, arm: Arm, knobs: Knobs) -> ProbeTraining:
        training = ProbeTraining(c=dict(knobs)["c"], augmentation=arm.augmentation, ratio=arm.ratio, use=arm.use)
        return replace(training, **arm.changes)

    def inputs(self, part: Part, rows: np.ndarray) -> Seen:
        return Seen(part, rows, self._seen(part, View())[rows])

    def joined(self, one: Seen, other: Seen) -> Seen:
        return Seen(one.part, one.rows, np.concatenate([one.features, other.features]))

    def prepare(self, lesson: Lesson) -> None:
        self._views(lesson)

    def _views(self, lesson: Lesson) -> list[np.ndarray]:
        """Features of whole parts; none without an augmentation."""
        name = lesson.training.augmentation
        return [] if name == "none" else [self._seen(lesson.inputs.part, View(name, i)) for i in range(self.views)]

    def fit(self, lesson: Lesson) -> Trained:
        seen, made, views = lesson.inputs, lesson.synthetic, None
        if each := self._views(lesson):
            views = np.stack([one[seen.rows] for one in each])
            lone = seen.features[len(seen.rows) :]  # unlabelled images have no views, and stand in for them
            views = np.concatenate([views, np.broadcast_to(lone, (self.views, *lone.shape))], axis=1)
        found = train_probe(
            seen.features, lesson.labels, lesson.n_classes, training=lesson.training, seed=lesson.seed, views=views,
            synthetic=None if made is None else (made[0].features, made[1]), soft=lesson.soft,
            made_soft=lesson.made_soft,
        )  # fmt: skip
        return Trained(lambda seen: found.predict(seen.features))

    def spread(self, parts: Parts) -> np.ndarray:
        assert parts.unlabelled is not None
        seen = [self._seen(part, View()) for part in (parts.train, parts.validation, parts.unlabelled)]
        return spread_labels(seen[0], parts.train.labels.numpy(), parts.n_classes, np.concatenate(seen[1:]))

    def _seen(self, part: Part, view: View) -> np.ndarray:
        """Features of a whole part, from disk if they are there."""
        key = (part.digest, repr(view))
        if key not in self._features:
            pictures = self.pictures(part)
            self._features[key] = features_of(self.backbone, pictures, self.folder, view=view, report=self.report)
        return self._features[key]
