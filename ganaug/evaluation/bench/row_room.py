"""Which classifiers of rows and series a bench trains: the one that it is about, the other one, and what was made."""

from __future__ import annotations

import math

import torch

from ganaug.classifier.rows import NO_SMOTE, ROW_MODELS, RowTraining, has_smote
from ganaug.data.rows.vectors import LabelledVectors
from ganaug.errors import OptionError
from ganaug.evaluation.bench.design import Design
from ganaug.evaluation.bench.room import Room
from ganaug.evaluation.bench.settings import BenchSettings
from ganaug.evaluation.trials.learner import Menu
from ganaug.evaluation.trials.parts import Part
from ganaug.evaluation.trials.rows import RowLearner
from ganaug.generator.folder import Fitted
from ganaug.samples.blocks import Renderer

USUAL = "boosting"
KNOBS: dict[str, dict[str, tuple[float, ...]]] = {  # the first of each is where tuning starts
    "boosting": {"rows a leaf": (5, 20, 2), "learning rate": (0.1, 0.03)},
    "logistic": {"c": (1.0, 0.1, 0.01, 10.0)},
}
QUICKLY = 2  # values of each
POOL = 2  # synthetic rows of a class, in those that one training takes
LEAST = 8  # of a class


def row_learners(asked: BenchSettings, design: Design, rows: LabelledVectors) -> Room:
    """rows: of the training part. Raises OptionError for an unknown classifier, and for uses that are about steps."""
    usual = asked.model or USUAL
    if usual not in ROW_MODELS:
        raise OptionError(f"There is no classifier of rows {usual!r}.", f"Choose one of: {', '.join(ROW_MODELS)}.")
    for use in design.uses:
        RowTraining.require_use(use)
    room = Room()
    if "smote" in design.remedies and not has_smote():
        room.left_out["smote"] = f"{NO_SMOTE[0]} Install it: {NO_SMOTE[1]}."
    remedies = tuple(name for name in design.changing(RowTraining) if name not in room.left_out)
    most = (QUICKLY if design.quick else None) if design.search else 1
    for name in (usual, *(other for other in ROW_MODELS if other != usual and other in design.remedies)):
        knobs = {knob: values[:most] for knob, values in KNOBS[name].items()}
        room.learners[name] = RowLearner(name, Menu(knobs, remedies=remedies, uses=design.uses), rows.spec.blocks)
    return room


def rendered_rows(fitted: Fitted, train: LabelledVectors, design: Design, where: torch.device) -> Part:
    """Rows or series of every class, as the user gets them, in proportion to the training part."""
    renderer, codec = Renderer(fitted, design.seed, device=where), fitted.card.codec
    items, labels = [], []
    share = max(design.ratios)
    for name, n in train.counts().items():
        label = fitted.card.classes.index(fitted.spelled(name))
        count = max(LEAST, math.ceil(POOL * n * share / (1 - share)))
        items.append(codec.served(torch.from_numpy(renderer.rows(label, range(count))), name))
        labels.append(torch.full((count,), train.place(name)))
    return Part.of(torch.cat(items), torch.cat(labels), codec)
