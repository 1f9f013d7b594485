"""Classifiers of rows and series, on their values in model space."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import numpy as np

from ganaug.classifier.rows import ROW_MODELS, VERSION, RowTraining, train_rows
from ganaug.evaluation.trials.arms import Arm, Knobs
from ganaug.evaluation.trials.learner import ArrayLearner, Lesson, Menu, Trained
from ganaug.evaluation.trials.parts import Part, Parts
from ganaug.evaluation.trials.trial import Said, Trial

FIELDS = {"c": "c", "learning rate": "rate", "rows a leaf": "leaf"}  # what is tuned -> the field of the training


class RowLearner(ArrayLearner):
    """name: one of `ROW_MODELS`. blocks: widths of what a row consists of, () for numbers alone."""

    native = swift = True
    size = (0, 0)

    def __init__(self, name: str, menu: Menu, blocks: Sequence[int]):
        self.name, self.menu, self.blocks = name, menu, tuple(blocks)
        self.words = ROW_MODELS[name].words
        self._said: dict[Trial, Said] = {}
        self._glancing: Trained | None = None

    @property
    def identity(self) -> dict[str, Any]:
        return {"rows": VERSION, "blocks": self.blocks, **{name: _version(name) for name in _DECIDING}}

    def training(self, arm: Arm, knobs: Knobs) -> RowTraining:
        changes: dict[str, Any] = {FIELDS[name]: value for name, value in knobs} | arm.changes
        return replace(ROW_MODELS[self.name](ratio=arm.ratio, use=arm.use), **changes)

    def inputs(self, part: Part, rows: np.ndarray) -> np.ndarray:
        return part.items.flatten(1).numpy()[rows]

    def run(self, trial: Trial, parts: Parts) -> Said:
        """As of all; where nothing is drawn at random, the same for all seeds."""
        if trial.training.drawn:
            return super().run(trial, parts)
        alike = replace(trial, seed=0)
        if alike not in self._said:
            self._said[alike] = super().run(alike, parts)
        return self._said[alike]

    def fit(self, lesson: Lesson) -> Trained:
        found = train_rows(
            lesson.inputs, lesson.labels, lesson.n_classes, training=lesson.training, seed=lesson.seed,
            synthetic=lesson.synthetic, blocks=self.blocks,
        )  # fmt: skip
        return Trained(found.predict)

    def seconds_an_image(self, parts: Parts) -> float:
        if self._glancing is None:
            rows, training = np.arange(len(parts.train)), self.training(Arm(), self.menu.start)
            lesson = Lesson(self.inputs(parts.train, rows), parts.train.labels.numpy(), parts.n_classes, training, 0)
            self._glancing = self.fit(lesson)
        return super().seconds_an_image(parts)

    def glance(self, part: Part) -> None:
        assert self._glancing is not None
        self._glancing.logs(self.inputs(part, np.arange(len(part))))


_DECIDING = ("scikit-learn", "imbalanced-learn")


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""
