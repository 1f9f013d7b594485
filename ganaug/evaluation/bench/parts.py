"""What trials train on and are asked about: real images, and synthetic ones of a run or of elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from ganaug.classifier.judge import folds
from ganaug.data.load import LabelledImages
from ganaug.data.sources.source import ImageSource, open_source
from ganaug.data.unlabelled import open_like
from ganaug.errors import TooFewImagesError
from ganaug.evaluation.bench.design import Design
from ganaug.evaluation.bench.room import Room
from ganaug.evaluation.bench.sets import Sets, rendered
from ganaug.evaluation.bench.settings import BenchSettings
from ganaug.evaluation.trials.parts import Part, Parts
from ganaug.generator.folder import Fitted
from ganaug.options import Reading
from ganaug.reporting import Report

CROSSWISE = ("shift", "pseudo-labels", "distillation")  # remedies that ask networks of images they have not seen
RUN = "run"  # the name of what a run makes
POOL = 2  # synthetic images of a class for classifiers that look at large pictures, in those that one training takes


@dataclass(frozen=True)
class Given:
    """What the user gave. synthetic: sources, by name."""

    data: Any
    asked: BenchSettings
    synthetic: Mapping[str, Any]
    fitted: Fitted | None


def parts_of(
    given: Given, sets: Sets, design: Design, room: Room, where: torch.device, report: Report
) -> Parts:  # fmt: skip
    """What trials train on and are asked about; synthetic images are rendered where they come from a run."""
    asked, largest = given.asked, max(design.ratios)

    def opened(data: Any, reading: Reading) -> ImageSource | None:
        """Where images are read at their own size, if somebody looks at them."""
        return None if not room.native or isinstance(data, LabelledImages) else open_source(data, reading)

    real, other = opened(given.data, sets.reading), opened(asked.test or given.data, sets.test_reading)
    made: dict[str, Part] = {}
    if given.fitted is not None:
        draws = int(design.steps * design.batch * largest)
        if room.native:
            draws = min(draws, int(np.ceil(POOL * len(sets.train) * largest / (1 - largest))))
        pixels, labels = rendered(given.fitted, sets.train, draws, design.seed, design.unequal, where, report)
        made[RUN] = Part.of(pixels, labels, given.fitted.card.codec)
    for name, images in sets.made.items():
        if room.native:
            most = int(np.ceil(POOL * max(sets.train.counts().values()) * largest / (1 - largest)))
            images = images.take(Part.of(images.pixels, images.labels).first(most))
        made[name] = Part.of_all(images, opened(given.synthetic[name], Reading()))
    for part in made.values():
        if len(part) == 0:
            withheld = given.fitted is not None and given.fitted.choice is not None
            raise TooFewImagesError(
                "There are no synthetic images to measure"
                + (": the choice withholds every class." if withheld else "."),
                "Choose less strictly, or fit for longer." if withheld else "Give a folder with at least one image.",
            )
    fold, crosswise = None, [name for name in CROSSWISE if name in design.remedies]
    if crosswise or any(learner.swift for learner in room.learners.values()):
        try:
            fold = folds(sets.train, design.seed)
        except TooFewImagesError as error:
            room.left_out.update(dict.fromkeys(crosswise, str(error)))
    unlabelled = None
    if sets.unlabelled is not None:
        there = room.native and not isinstance(asked.unlabelled, LabelledImages)
        source = open_like(asked.unlabelled, sets.train, Reading())[0] if there else None
        unlabelled = Part.of_all(sets.unlabelled, source)
    train, validation = Part.of_all(sets.train, real), Part.of_all(sets.validation, real)
    return Parts(train, validation, Part.of_all(sets.test, other), len(sets.train.classes), made, unlabelled, fold=fold)
