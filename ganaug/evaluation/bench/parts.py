"""What a bench is given, and what trials train on and are asked about: real images, and synthetic ones of a run or of
elsewhere."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ganaug.classifier.judge import folds
from ganaug.data.load import LabelledImages
from ganaug.data.sources.ours import made_here
from ganaug.data.sources.source import ImageSource, is_source, open_source
from ganaug.data.spec import KINDS
from ganaug.data.unlabelled import links_as, open_like
from ganaug.errors import ArtefactError, OptionError, TooFewImagesError
from ganaug.evaluation.bench.design import Design
from ganaug.evaluation.bench.room import Room
from ganaug.evaluation.bench.row_room import rendered_rows
from ganaug.evaluation.bench.sets import Items, Sets, rendered
from ganaug.evaluation.bench.settings import BenchSettings
from ganaug.evaluation.trials.parts import NAMES as PARTS
from ganaug.evaluation.trials.parts import Part, Parts
from ganaug.generator.folder import Fitted
from ganaug.options import Reading, as_text
from ganaug.reporting import Report, listed
from ganaug.samples.run import Loadable, as_loaded

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


def loaded(run: Loadable) -> Fitted:
    """The run. Raises OptionError for synthetic items in its place."""
    try:
        return as_loaded(run)
    except ArtefactError as error:
        made = made_here(str(run)) if isinstance(run, (str, Path)) else None
        if made is not None and "bench" in made:
            raise OptionError(f"{run} is {made}, and no run.", "Name the run that was benched.") from error
        if isinstance(run, (str, Path)) and is_source(run) and not (Path(run) / "state").is_dir():
            raise OptionError(f"{run} holds data and no generator.", "Name it as --synthetic (synthetic=).") from error
        raise


def sources(synthetic: Any) -> dict[str, Any]:
    """Folders of synthetic images, by name."""
    if synthetic is None:
        return {}
    if not isinstance(synthetic, Mapping):
        return {"folder": synthetic}
    if not all(isinstance(name, str) and name for name in synthetic) or taken(synthetic):
        names = listed(map(repr, (RUN, *PARTS)))
        raise OptionError(f"The names of synthetic images must be texts, none of them {names}.", "Give them others.")
    return dict(synthetic)


def taken(names: Iterable[str]) -> bool:
    """Whether one of these names is that of something else in a bench."""
    return not {RUN, *PARTS}.isdisjoint(names)


def words_of(fitted: Fitted | None, synthetic: Mapping[str, Any]) -> str:
    said = [] if fitted is None else [f"run {fitted.hash[:12]} ({fitted.card.recipe})"]
    said += [f"folder {as_text(source)}" for source in synthetic.values()]
    return "; ".join(said) or "none"


def parts_of(
    given: Given, sets: Sets, design: Design, room: Room, where: torch.device, report: Report
) -> Parts:  # fmt: skip
    """What trials train on and are asked about; synthetic images are rendered where they come from a run."""
    asked = given.asked

    def opened(data: Any, reading: Reading) -> ImageSource | None:
        """Where images are read at their own size, if somebody looks at them."""
        in_memory = isinstance(data, LabelledImages) or not isinstance(sets.train, LabelledImages)
        return None if in_memory or not room.native else open_source(data, reading)

    test = given.data if asked.test is None else asked.test
    real, other = opened(given.data, sets.reading), opened(test, sets.test_reading)
    made: dict[str, Part] = {}
    if given.fitted is not None:
        made[RUN] = _rendered(given.fitted, sets.train, design, room, where, report)
    for name, images in sets.made.items():
        if isinstance(images, LabelledImages) and room.native:
            largest = max(design.ratios)
            most = int(np.ceil(POOL * max(sets.train.counts().values()) * largest / (1 - largest)))
            images = images.take(Part.of(images.pixels, images.labels).first(most))
        how = Reading(range=sets.reading.range or getattr(sets.train.codec, "range", None))
        made[name] = Part.of_all(images, opened(given.synthetic[name], how))
    for part in made.values():
        if len(part) == 0:
            withheld = given.fitted is not None and given.fitted.choice is not None
            raise TooFewImagesError(
                f"There are no synthetic {KINDS[len(sets.train.spec.shape)]} to measure"
                + (": the choice withholds every class." if withheld else "."),
                "Choose less strictly, or fit for longer." if withheld else "Give at least one.",
            )
    fold, crosswise = None, [name for name in CROSSWISE if name in design.remedies]
    if crosswise or any(learner.swift for learner in room.learners.values()):
        try:
            fold = folds(sets.train, design.seed, KINDS[len(sets.train.spec.shape)])
        except TooFewImagesError as error:
            room.left_out.update(dict.fromkeys(crosswise, str(error)))
    unlabelled = None
    if sets.unlabelled is not None and isinstance(sets.train, LabelledImages):
        there = room.native and not isinstance(asked.unlabelled, LabelledImages)
        source = open_like(asked.unlabelled, sets.train, links_as(asked.unlabelled, asked))[0] if there else None
        unlabelled = Part.of_all(sets.unlabelled, source)
    train, validation = Part.of_all(sets.train, real), Part.of_all(sets.validation, real)
    return Parts(train, validation, Part.of_all(sets.test, other), len(sets.train.classes), made, unlabelled, fold=fold)


def _rendered(
    fitted: Fitted, train: Items, design: Design, room: Room, where: torch.device, report: Report
) -> Part:  # fmt: skip
    """What a run makes, enough for the largest share."""
    if not isinstance(train, LabelledImages):
        return rendered_rows(fitted, train, design, where)
    largest = max(design.ratios)
    draws = int(design.steps * design.batch * largest)
    if room.native:
        draws = min(draws, int(np.ceil(POOL * len(train) * largest / (1 - largest))))
    pixels, labels = rendered(fitted, train, draws, design.seed, design.unequal, where, report)
    return Part.of(pixels, labels, fitted.card.codec)
