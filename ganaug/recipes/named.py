"""A recipe from what a user typed: a name, or `file.py:function` for a recipe of the user's own."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import nn

from ganaug.data.spec import DataSpec
from ganaug.errors import RecipeError
from ganaug.files.functions import function_in, names_a_file
from ganaug.game import Loss, Optimiser, Player, Recipe
from ganaug.game.recipe import nothing
from ganaug.networks.eyes import AffineEye, OpenEye

Maker = Callable[..., Recipe]
RECIPES: dict[str, Maker] = {}
MAY_BE_NONE = {"steps", "kernels", "codes"}  # counts of which there may be none


def recipe(function: Maker) -> Maker:
    """List a function of settings as the recipe of its name."""
    RECIPES[function.__name__] = function
    return function


def duel(
    discriminator: Loss, generator: Loss, optimiser: Optimiser, other: Optimiser | None = None, *,
    moves: int = 1, after: Callable[[Mapping[str, nn.Module]], None] = nothing,
) -> tuple[Player, Player]:  # fmt: skip
    """Discriminator and generator in turns, from their losses. other: optimiser of the generator, if it has its own.
    moves, after: of the discriminator."""
    return (
        Player("discriminator", ("discriminator",), discriminator, optimiser, moves, after),
        Player("generator", ("generator",), generator, optimiser if other is None else other),
    )


def make(name: str, settings: Mapping[str, Any]) -> Recipe:
    """The recipe of this name with these settings; raises RecipeError for an unknown name or setting, and for a number
    that no setting of ours can be: below 0, not finite, or 0 where something is counted that must be there."""
    if name not in RECIPES:
        raise RecipeError(f"There is no recipe {name!r}.", f"Choose one of: {', '.join(RECIPES)}.")
    defaults = {p.name: p.default for p in inspect.signature(RECIPES[name]).parameters.values()}
    for setting, value in settings.items():
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            continue
        counted = type(defaults.get(setting)) is int and defaults[setting] >= 1 and setting not in MAY_BE_NONE
        if not math.isfinite(value) or value < (1 if counted else 0):
            raise RecipeError(
                f"The setting {setting} of {name} is {value!r}.",
                f"Give a number from {1 if counted else 0} on; its default is {defaults.get(setting)!r}.",
            )
    return call(RECIPES[name], settings)


def call(function: Callable[..., Recipe], settings: Mapping[str, Any]) -> Recipe:
    """A recipe from a function of named settings; each must exist and have the type of its default."""
    known = {p.name: p.default for p in inspect.signature(function).parameters.values()}
    for name, value in settings.items():
        if name not in known:
            raise RecipeError(
                f"The recipe {function.__name__} has no setting {name!r}.", f"It has: {', '.join(known) or 'none'}."
            )
        default = known[name]
        if type(value) is not type(default) and not (type(default) is float and type(value) is int):
            raise RecipeError(
                f"The setting {name} of {function.__name__} is {value!r}.", f"Give it like its default, {default!r}."
            )
    try:
        return function(**settings)
    except ZeroDivisionError:
        given = ", ".join(f"{name}={value!r}" for name, value in settings.items())
        raise RecipeError(
            f"The recipe {function.__name__} divides by 0 with {given}.", "Give numbers above 0."
        ) from None


def other_changes(recipe: Recipe, spec: DataSpec) -> tuple[str, ...] | None:
    """Changes that the discriminator of a recipe sees although they are not allowed; None where that is not known."""
    with torch.random.fork_rng(devices=[]):
        eye = recipe.networks(spec, recipe.prior).get("eye")
    if isinstance(eye, AffineEye):
        return tuple(name for name in eye.allow if name not in (spec.allow or ()))
    return () if eye is None or isinstance(eye, OpenEye) else None


def recipe_named(name: str, settings: Mapping[str, Any]) -> Recipe:
    """The recipe called `name`, with these settings; `file.py:function` as `maker_of` reads it.

    Raises RecipeError if there is no such recipe, file, function or setting.
    """
    if not names_a_file(name):
        return make(name, settings)
    made = call(maker_of(name), settings)
    if not isinstance(made, Recipe):
        raise RecipeError(f"{name} returns {type(made).__name__}.", "Return a ganaug.game.Recipe.")
    return made


def maker_of(name: str) -> Maker:
    """The function that makes a recipe.

    `file.py:function` runs that file: it is code, and is run only because the user named it, never because a card does.
    """
    if not names_a_file(name):
        make(name, {})
        return RECIPES[name]
    return function_in(name, "a recipe", RecipeError)[0]
