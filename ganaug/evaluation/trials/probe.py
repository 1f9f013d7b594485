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
from ganaug.evaluation.trials.learner import ArrayLearner, Lesson, Menu, Trained
from ganaug.evaluation.trials.parts import Part, Parts
from ganaug.files.imagemap import ImageMap
from ganaug.reporting import Report


@dataclass(frozen=True, eq=False)
class Seen:
    """Images as the frozen network sees them. rows: of which part. features: (N, D)."""

    part: Part
    rows: np.ndarray
    features: np.ndarray


class ProbeLearner(ArrayLearner):
    """folder: of pictures and features, which are computed once and kept. views: of each training image and
    augmentation that are computed; each training sees some of them."""

    name = "probe"
    native = True
    shares = swift = True

    def __init__(self, backbone: Backbone, menu: Menu, folder: Path, views: int, report: Report):
        self.backbone, self.menu, self.folder, self.views, self.report = backbone, menu, folder, views, report
        height, width = backbone.frame.shape[1:]
        self.size = (height, width)
        self.words = f"linear probe of {backbone.name}, {height}x{width} px"
        self._pictures: dict[str, ImageMap] = {}
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

    def glance(self, part: Part) -> None:
        self.backbone.features(np.stack([self.backbone.frame.pixels(part.image(i)) for i in range(len(part))]))

    def _seen(self, part: Part, view: View) -> np.ndarray:
        """Features of a whole part, from disk if they are there."""
        key = (part.digest, repr(view))
        if key not in self._features:
            if part.digest not in self._pictures:
                self._pictures[part.digest] = part.pictures(self.backbone.frame, self.folder, self.report)
            pictures = self._pictures[part.digest]
            self._features[key] = features_of(self.backbone, pictures, self.folder, view=view, report=self.report)
        return self._features[key]
