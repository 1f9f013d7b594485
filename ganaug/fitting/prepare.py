"""What a fit is played with: settings, data, and the recipe, where strings become references. Writes nothing."""

from __future__ import annotations

import operator
import warnings
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import torch

from ganaug.data.advice import FEW
from ganaug.data.load import LabelledImages, load_images
from ganaug.data.rows.cells import is_table
from ganaug.data.rows.series import is_series, load_series
from ganaug.data.rows.table import load_table
from ganaug.data.rows.vectors import LabelledVectors
from ganaug.data.spec import DataSpec
from ganaug.data.split import hold_out
from ganaug.device import resolve_device
from ganaug.errors import DataError, FewImagesWarning, OptionError
from ganaug.game import Recipe, Source
from ganaug.game.batches import batches_for
from ganaug.game.train import Batches
from ganaug.recipes import RECIPES, make
from ganaug.recipes.choose import choose
from ganaug.reporting import Report, printable

DEFAULTS = {"images": "small", "table": "wgan_gp", "series": "rcgan"}  # kind of data -> recipe


@dataclass(frozen=True)
class FitSettings:
    """Everything that decides what a fit gives, apart from the data.

    recipe: a name, file.py:function, or "auto" for the default of the kind of data (`DEFAULTS`). budget: seconds of
    training; turned into `steps` once, before the first step. steps: rounds of the game. size: px of the square images
    that the generator makes, or "auto". channels: 1, 3 or "auto". limit: at most so many images a class. validation:
    share held out. options: settings of the recipe. kind: "images", "table", "series" or "auto". label: the column of
    classes of a table. drop: columns of a table to leave out. auto_fix: turn a knob once, where the doctor finds that
    one helps.
    """

    recipe: str = "auto"
    options: dict[str, Any] = field(default_factory=dict)
    budget: float | None = None
    steps: int | None = None
    size: int | str = "auto"
    channels: int | str = "auto"
    limit: int | None = None
    validation: float = 0.2
    seed: int = 0
    device: str = "auto"
    kind: str = "auto"
    label: str | None = None
    drop: list[str] = field(default_factory=list)
    auto_fix: bool = False

    def __post_init__(self):
        for name in ("steps", "size", "channels", "limit", "seed"):
            object.__setattr__(self, name, _whole(name, getattr(self, name)))
        object.__setattr__(self, "options", {name: _plain(value) for name, value in self.options.items()})
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
        if self.kind not in ("auto", *DEFAULTS):
            raise OptionError(
                f"There is no kind of data {self.kind!r}.", f"Choose one of: auto, {', '.join(DEFAULTS)}."
            )


def _whole(name: str, value: Any) -> Any:
    """A whole number as Python's own; "auto" and None as they are. Raises OptionError for anything else."""
    if value is None or isinstance(value, str):
        return value
    try:
        return operator.index(value)
    except TypeError:
        raise OptionError(f"{name} is {value!r}.", "Give a whole number.") from None


def _plain(value: Any) -> Any:
    """A number of numpy's as Python's own."""
    return value.item() if isinstance(value, np.generic) else value


@dataclass(frozen=True)
class Prepared:
    """What a fit is about to be played with. settings: as they were given, kind and recipe made definite."""

    settings: FitSettings
    recipe: Recipe
    training: LabelledImages | LabelledVectors
    validation: LabelledImages | LabelledVectors
    device: torch.device
    batches: Batches


def prepare(
    data: Any,
    settings: FitSettings,
    *,
    root: Any,
    split: str,
    groups: Any,
    strict: bool,
    source: Any = None,
    report: Report,
) -> Prepared:
    """Read the data, hold out a part, choose the recipe; writes nothing. Raises as `fit` does."""
    settings = _definite(data, settings)
    recipe = choose(settings.recipe, settings.options)
    device = resolve_device(settings.device)
    _check_options(settings, groups, source)
    items = read_items(
        data, settings, root=root, split=split, groups=groups, strict=strict, source=source, report=report
    )
    if recipe.labelled and len(items.classes) < 2:
        raise DataError(f"There is one class only, {items.classes[0]!r}.", "A classifier needs two or more.")
    _require_fit(recipe, settings.recipe, items.spec)
    if isinstance(items, LabelledImages) and recipe.source is not Source.PAIR:
        items = replace(items, sources=None)
    _warn_of_few(items)
    training, validation = hold_out(items, fraction=settings.validation, seed=settings.seed)
    if not recipe.labelled:
        training, validation = training.unlabelled(), validation.unlabelled()
    return Prepared(settings, recipe, training, validation, device, batches_for(recipe, training, device))


def read_items(
    data: Any,
    settings: FitSettings,
    *,
    root: Any = None,
    split: str = "train",
    groups: Any = None,
    strict: bool = False,
    source: Any = None,
    report: Report,
) -> LabelledImages | LabelledVectors:
    """Images, rows or series, as the settings, whose kind is definite, say. Raises as `fit` does."""
    if isinstance(data, (LabelledImages, LabelledVectors)):
        if groups is not None or source is not None:
            raise DataError(
                "Groups and paired images belong to images as they are read.", "Give them to load_images, not later."
            )
        return data
    if settings.kind == "table":
        return load_table(data, settings.label, drop=settings.drop, limit=settings.limit, seed=settings.seed)
    if settings.kind == "series":
        return load_series(data, split=split, limit=settings.limit, seed=settings.seed)
    return load_images(
        data, size=settings.size, channels=settings.channels, limit=settings.limit, seed=settings.seed,
        device=resolve_device(settings.device).type, strict=strict, split=split, groups=groups, root=root, pairs=source,
        report=report,
    )  # fmt: skip


def _definite(data: Any, settings: FitSettings) -> FitSettings:
    """The settings with the kind of the data, and the recipe that is the default for it."""
    kind = settings.kind
    if isinstance(data, LabelledVectors):
        kind = "series" if len(data.spec.shape) == 2 else "table"
    elif kind == "auto":
        kind = "table" if is_table(data) else "series" if is_series(data) else "images"
    recipe = DEFAULTS[kind] if settings.recipe == "auto" else settings.recipe
    return replace(settings, kind=kind, recipe=recipe)


def _check_options(settings: FitSettings, groups: Any, source: Any) -> None:
    """Options of one kind of data are refused for another, so that nobody believes them to have worked."""
    if settings.kind != "table" and (settings.label is not None or settings.drop):
        raise OptionError("--label and --drop are for tables.", "Leave them out, or give a .csv file or a DataFrame.")
    if settings.kind != "images" and (settings.size, settings.channels, groups, source) != ("auto", "auto", None, None):
        raise OptionError(
            "size, channels, groups and source are for images.", f"Leave them out: these data are a {settings.kind}."
        )


def _require_fit(recipe: Recipe, name: str, spec: DataSpec) -> None:
    reason = recipe.unfit_for(spec)
    if reason:
        fit = [other for other in RECIPES if not make(other, {}).unfit_for(spec)]
        fix = f"Use one of: {', '.join(fit)}."
        if recipe.source is Source.PAIR and len(spec.shape) == 3:
            fix = f"Give the paired images, of the same names, as --source FOLDER (source=...); or u{fix[1:]}"
        raise DataError(f"The recipe {name} cannot learn from these data. {reason}", fix)


def _warn_of_few(images: LabelledImages | LabelledVectors) -> None:
    few = {name: n for name, n in images.counts().items() if n < FEW}
    if few:
        listed = ", ".join(f"{printable(name)} ({n})" for name, n in list(few.items())[:10])
        what = "images" if isinstance(images, LabelledImages) else "items"
        warnings.warn(
            f"{len(few)} of {len(images.classes)} classes have fewer than {FEW} {what}: {listed}. Expect little of "
            f"their samples; more real {what} help more than any generator.",
            FewImagesWarning,
            stacklevel=3,
        )
