"""What a fit is played with: settings, data, and the recipe, where strings become references. Writes nothing."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ganaug.data.advice import FEW
from ganaug.data.labels.classes import alike
from ganaug.data.load import LabelledImages, load_images
from ganaug.data.rows.series import axes_of, load_series
from ganaug.data.rows.table import load_table
from ganaug.data.rows.vectors import LabelledVectors, usable
from ganaug.data.rows.which import kind_of_data, refuse_foreign
from ganaug.data.spec import DataSpec
from ganaug.data.split import groups_in_words, hold_out
from ganaug.data.words import Words
from ganaug.device import resolve_device
from ganaug.errors import DataError, DivergedError, FewImagesWarning, OptionError
from ganaug.fitting.settings import RECIPES_OF, FitSettings
from ganaug.fitting.unlabelled import images_beside
from ganaug.game import Recipe, Source
from ganaug.game.batches import batches_for
from ganaug.game.train import Batches, train
from ganaug.options import IMAGES, SERIES
from ganaug.recipes import RECIPES, make
from ganaug.recipes.named import other_changes, recipe_named
from ganaug.reporting import Report, printable


@dataclass(frozen=True)
class Prepared:
    """What a fit is about to be played with. settings: as they were given, kind and recipe made definite. beside:
    unlabelled images, under the labels that were found for them; batches come from these, too."""

    settings: FitSettings
    recipe: Recipe
    training: LabelledImages | LabelledVectors
    validation: LabelledImages | LabelledVectors
    device: torch.device
    batches: Batches
    beside: LabelledImages | None = None


def prepare(data: Any, settings: FitSettings, report: Report, began: Path | None = None) -> Prepared:
    """Read the data, hold out a part, look up the recipe; writes nothing. began: the run that the fit goes on with.
    Raises as `fit` does."""
    settings = _definite(data, settings)
    recipe = recipe_named(settings.recipe, settings.options)
    device = resolve_device(settings.device)
    _check_options(data, settings, recipe)
    items = read_items(data, settings, recipe, device, report)
    if recipe.labelled and len(items.classes) < 2:
        raise DataError(f"There is one class only, {items.classes[0]!r}.", "A classifier needs two or more.")
    _require_fit(recipe, settings.recipe, items.spec)
    if settings.allow is not None:
        _require_allowed(recipe, settings.recipe, items.spec, report)
    if isinstance(items, LabelledImages) and recipe.source is not Source.PAIR:
        items = replace(items, stored_pairs=None)
    _warn_of_few(items)
    training, validation = hold_out(items, fraction=settings.validation, seed=settings.seed)
    if training.groups is not None:
        report("groups", 0, 0, groups_in_words(training, validation))
    beside = None
    if isinstance(training, LabelledImages) and isinstance(validation, LabelledImages):
        beside = images_beside(
            settings, training, validation, labelled=recipe.labelled, device=device, began=began, report=report
        )
    if not recipe.labelled:
        training, validation = training.unlabelled(), validation.unlabelled()
    drawn = training
    if isinstance(training, LabelledImages) and beside is not None:
        drawn = training.followed_by(beside)
    batches = batches_for(recipe, drawn, device)
    if recipe.batch == settings.slices:
        _require_single(recipe, settings.recipe, batches, device)
    return Prepared(settings, recipe, training, validation, device, batches, beside)


def read_items(
    data: Any, settings: FitSettings, recipe: Recipe, device: torch.device, report: Report
) -> LabelledImages | LabelledVectors:
    """Images, rows or series, as the settings, whose kind is definite, say. Raises as `fit` does."""
    if isinstance(data, LabelledVectors):
        what = {"table": "rows"}.get(settings.kind, settings.kind)
        return data if settings.limit is None else usable(data, settings.limit, settings.seed, what)
    if settings.kind == "table":
        return load_table(data, settings.target, drop=settings.drop, limit=settings.limit, seed=settings.seed)
    if settings.kind == "series":
        return load_series(data, split=settings.split, limit=settings.limit, seed=settings.seed)
    images = load_images(
        data, settings.reading, size=settings.size, channels=settings.channels, limit=settings.limit,
        seed=settings.seed, device=device.type, strict=settings.strict, pairs=settings.pairs, report=report,
    )  # fmt: skip
    words = Words.of_classes(images.classes, settings.words) if recipe.words else None
    there = {alike(name) for name in (*images.classes, *images.skipped)}
    if idle := sorted(name for name in settings.words or () if alike(name) not in there):
        report("words", 0, 0, f"words of classes that are not in the data: {', '.join(map(printable, idle[:10]))}")
    return replace(images, allow=settings.allow, words=words)


def _definite(data: Any, settings: FitSettings) -> FitSettings:
    """The settings with the kind of the data, and the recipe that is the default for it; what may be images or series
    is what the recipe makes."""
    kind = kind_of_data(data, settings.kind, settings.drop, settings.image)
    recipe = RECIPES_OF[kind] if settings.recipe == "auto" else settings.recipe
    of_series = kind == IMAGES and settings.kind == "auto" and axes_of(data) == 3
    if of_series and recipe_named(recipe, settings.options).axes == (2,):
        kind = SERIES
    return replace(settings, kind=kind, recipe=recipe)


_OF_IMAGES = frozenset({"size", "channels", "pairs", "unlabelled", "strict", "allow", "words"})


def _check_options(data: Any, settings: FitSettings, recipe: Recipe) -> None:
    """Refuse what would change nothing, so that nobody believes it to have worked."""
    refuse_foreign(data, settings, settings.kind, _OF_IMAGES)
    if recipe.batch % settings.slices:
        raise OptionError(
            f"A batch of {recipe.batch} items cannot be divided into {settings.slices} equal slices.",
            "Give --slices a number that divides it, or take another batch: --set batch=N.",
        )
    if settings.pairs is not None and recipe.source is not Source.PAIR:
        raise OptionError(
            f"The recipe {settings.recipe} does not learn from pairs: the paired images would change nothing.",
            "Leave out --pairs (pairs=), or choose a recipe that learns from them, such as pix2pix.",
        )
    if settings.words is not None and not recipe.words:
        raise OptionError(
            f"The recipe {settings.recipe} does not draw from words: they would change nothing.",
            "Leave out --words (words=), or choose a recipe that does: stackgan.",
        )
    if settings.unlabelled is not None and recipe.source is Source.PAIR:
        raise OptionError(
            f"The recipe {settings.recipe} learns from pairs, and unlabelled images have none.",
            "Leave out --unlabelled (unlabelled=), or choose a recipe that needs no pairs.",
        )


def _require_fit(recipe: Recipe, name: str, spec: DataSpec) -> None:
    reason = recipe.unfit_for(spec)
    if reason:
        fit = [other for other in RECIPES if not make(other, {}).unfit_for(spec)]
        fit.sort(key=lambda other: other not in RECIPES_OF.values())  # first the one that "auto" takes
        fix = f"Use one of: {', '.join(fit)}."
        if recipe.source is Source.PAIR and len(spec.shape) == 3:
            fix = f"Give the paired images, of the same names, as --pairs FOLDER (pairs=...); or u{fix[1:]}"
        raise DataError(f"The recipe {name} cannot learn from these data. {reason}", fix)


def _require_allowed(recipe: Recipe, name: str, spec: DataSpec, report: Report) -> None:
    """That the discriminator of a recipe of the user's own sees nothing that is not allowed."""
    others = other_changes(recipe, spec)
    if others:
        raise OptionError(
            f"The recipe {name} shows its discriminator changes that are not allowed: {', '.join(others)}.",
            "Write AffineEye(allow=spec.allow) in it.",
        )
    if others is None:
        report("allow", 0, 0, f"whether the eye of {name} keeps to the allowed changes is not known: it is its own")


def _require_single(recipe: Recipe, name: str, batches: Batches, device: torch.device) -> None:
    """That the recipe can be played on one item at a time: some layers take statistics over several."""
    try:
        for _ in train(replace(recipe, batch=1), batches, steps=1, device=device):
            pass
    except DivergedError:
        return
    except ValueError as error:
        raise OptionError(
            f"The recipe {name} cannot be played on one item at a time: {error}.",
            "Take a larger batch (--set batch=N), or fewer slices.",
        ) from error


def _warn_of_few(images: LabelledImages | LabelledVectors) -> None:
    """Of each class, what is there twice counts once."""
    labels, marks = images.labels.numpy(), np.array(images.fingerprints)
    counts = {name: len({*marks[labels == label]}) for label, name in enumerate(images.classes)}
    few = {name: n for name, n in counts.items() if n < FEW}
    if few:
        smallest = sorted(few.items(), key=lambda item: item[1])
        listed = ", ".join(f"{printable(name)} ({n})" for name, n in smallest[:10])
        listed += f" and {len(few) - 10} more" if len(few) > 10 else ""
        what = "images" if isinstance(images, LabelledImages) else "items"
        warnings.warn(
            f"{len(few)} of {len(images.classes)} classes have fewer than {FEW} {what}: {listed}. Expect little of "
            f"their samples; more real {what} help more than any generator.",
            FewImagesWarning,
            stacklevel=3,
        )
