"""A classifier that knows how good it is: what it says depends on how it is trained, and on chance."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from ganaug.classifier.small import Training
from ganaug.evaluation.trials.arms import Arm, Knobs
from ganaug.evaluation.trials.learner import Learner, Menu
from ganaug.evaluation.trials.parts import Parts
from ganaug.evaluation.trials.trial import Said, Trial
from ganaug.keys import numpy_stream


@dataclass(frozen=True)
class OracleTraining:
    lr: float
    augmentation: str = "none"
    blend: str = "none"
    longer: bool = False
    class_weights: bool = False
    ratio: float = 0.0
    use: str = "plain"


class Oracle(Learner):
    """sure: of a training, how far the logit of the right class lies above the others, which have noise of spread 1;
    prior: log-odds that are added to each class, as by unequal classes. taught: what it gains by being taught, by
    name."""

    native, size, words = True, (8, 8), "oracle, 8 px"

    def __init__(
        self, sure: Callable[[OracleTraining], float], menu: Menu, name: str = "small", *, prior: Any = 0.0,
        cost: float = 1.0, taught: Mapping[str, float] | None = None,
    ):  # fmt: skip
        self.taught = {"": 0.0, **(taught or {})}
        self.sure, self.menu, self.name, self.prior, self.cost = sure, menu, name, np.asarray(prior), cost
        self.asked: list[Trial] = []

    @property
    def identity(self) -> Mapping[str, Any]:
        return {"oracle": self.name}

    def training(self, arm: Arm, knobs: Knobs) -> OracleTraining:
        weights = Training(**arm.changes).class_weights
        return OracleTraining(
            dict(knobs)["lr"], arm.augmentation, arm.blend, arm.longer, weights, arm.ratio, arm.use
        )  # fmt: skip

    def run(self, trial: Trial, parts: Parts) -> Said:
        self.asked.append(trial)
        found = []
        for name in trial.on:
            part, rows = parts.asked(name, trial.leave)
            labels = part.labels.numpy()[rows]
            text = json.dumps([self.name, asdict(trial.training), trial.seed, name, trial.made, trial.taught])
            logits = numpy_stream(text, "oracle").standard_normal((len(labels), parts.n_classes)) + self.prior
            logits[np.arange(len(labels)), labels] += self.sure(trial.training) + self.taught[trial.taught]
            found.append(logits - np.log(np.exp(logits).sum(1, keepdims=True)))
        return Said(np.concatenate(found), 0.0)

    def seconds_an_image(self, parts: Parts) -> float:
        return self.cost
