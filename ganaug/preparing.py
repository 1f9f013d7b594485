"""What a fit is played with: settings, images, and the recipe, where strings become references. Writes nothing."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, field
from typing import Any

import torch

from ganaug.data import DataSpec, LabelledImages, hold_out, load_images
from ganaug.data.advice import FEW
from ganaug.data.batches import ClassBalancedBatches, OtherClassBatches
from ganaug.data.tables import printable
from ganaug.device import resolve_device
from ganaug.errors import DataError, FewImagesWarning, OptionError
from ganaug.game import Recipe, Source
from ganaug.recipes import RECIPES, make
from ganaug.recipes.choose import choose
from ganaug.reporting import Report
from ganaug.train import Batches


@dataclass(frozen=True)
class FitSettings:
    """Everything that decides what a fit gives, apart from the images.

    budget: seconds of training; turned into `steps` once, before the first step. steps: rounds of the game. size: px of
    the square images that the generator makes, or "auto". channels: 1, 3 or "auto". limit: at most so many images a
    class. validation: share held out. options: settings of the recipe.
    """

    recipe: str = "small"
    options: dict[str, Any] = field(default_factory=dict)
    budget: float | None = None
    steps: int | None = None
    size: int | str = "auto"
    channels: int | str = "auto"
    limit: int | None = None
    validation: float = 0.2
    seed: int = 0
    device: str = "auto"

    def __post_init__(self):
        if self.budget is not None and self.steps is not None:
            raise OptionError("Both a budget and steps are given.", "Give one of them.")
        if self.budget is not None and not 0 < self.budget < float("inf"):
            raise OptionError(f"The budget is {self.budget} seconds.", "Give a time above 0, like 10m.")
        if self.steps is not None and self.steps < 1:
            raise OptionError(f"The number of steps is {self.steps}.", "Give 1 or more.")
        if not 0 < self.validation < 1:
            raise OptionError(f"The validation share is {self.validation}.", "Give a share between 0 and 1.")
        if not 0 <= self.seed < 2**53:
            raise OptionError(f"The seed is {self.seed}.", "Give a whole number from 0 on.")


@dataclass(frozen=True)
class Prepared:
    """What a fit is about to be played with."""

    recipe: Recipe
    training: LabelledImages
    validation: LabelledImages
    device: torch.device
    batches: Batches


def prepare(
    data: Any, settings: FitSettings, *, root: Any, split: str, groups: Any, strict: bool, report: Report
) -> Prepared:
    """Read the images, hold out a part, choose the recipe; writes nothing. Raises as `fit` does."""
    recipe = choose(settings.recipe, settings.options)
    device = resolve_device(settings.device)
    if isinstance(data, LabelledImages):
        images = data
    else:
        images = load_images(
            data, size=settings.size, channels=settings.channels, limit=settings.limit, seed=settings.seed,
            device=device.type, strict=strict, split=split, groups=groups, root=root, report=report,
        )  # fmt: skip
    if recipe.labelled and len(images.classes) < 2:
        raise DataError(f"There is one class only, {images.classes[0]!r}.", "A classifier needs two or more.")
    _require_fit(recipe, settings.recipe, images.spec)
    _warn_of_few(images)
    training, validation = hold_out(images, fraction=settings.validation, seed=settings.seed)
    if not recipe.labelled:
        training, validation = training.unlabelled(), validation.unlabelled()
    return Prepared(recipe, training, validation, device, batches_for(recipe, training, device))


def _require_fit(recipe: Recipe, name: str, spec: DataSpec) -> None:
    reason = recipe.unfit_for(spec)
    if reason:
        fit = [other for other in RECIPES if not make(other, {}).unfit_for(spec)]
        raise DataError(f"The recipe {name} cannot learn from these data. {reason}", f"Use one of: {', '.join(fit)}.")


def batches_for(recipe: Recipe, images: LabelledImages, device: torch.device) -> Batches:
    """What the loop draws from, for a recipe that fits the images."""
    kind = OtherClassBatches if recipe.source is Source.OTHER_CLASS else ClassBalancedBatches
    return kind(images.pixels, images.labels, images.spec, device)


def _warn_of_few(images: LabelledImages) -> None:
    few = {name: n for name, n in images.counts().items() if n < FEW}
    if few:
        listed = ", ".join(f"{printable(name)} ({n})" for name, n in list(few.items())[:10])
        warnings.warn(
            f"{len(few)} of {len(images.classes)} classes have fewer than {FEW} images: {listed}. Expect little of "
            "their samples; more real images help more than any generator.",
            FewImagesWarning,
            stacklevel=3,
        )
