"""The recipes: one function per model. RECIPES is the table of names."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Mapping
from typing import Any

from ganaug.errors import RecipeError
from ganaug.game import Recipe
from ganaug.recipes.classic import cgan, dcgan, gan, minibatch, unrolled
from ganaug.recipes.inference import aae, bigan, infogan, vae
from ganaug.recipes.modern import biggan, r3gan, small
from ganaug.recipes.series import rcgan
from ganaug.recipes.style import pggan, stylegan, stylegan2
from ganaug.recipes.translation import context_encoder, cyclegan, pix2pix
from ganaug.recipes.wasserstein import cramer, wgan, wgan_gp

RECIPES: dict[str, Callable[..., Recipe]] = {
    "small": small,
    "gan": gan,
    "dcgan": dcgan,
    "cgan": cgan,
    "wgan": wgan,
    "wgan_gp": wgan_gp,
    "cramer": cramer,
    "unrolled": unrolled,
    "minibatch": minibatch,
    "bigan": bigan,
    "infogan": infogan,
    "aae": aae,
    "vae": vae,
    "rcgan": rcgan,
    "pggan": pggan,
    "stylegan": stylegan,
    "stylegan2": stylegan2,
    "biggan": biggan,
    "pix2pix": pix2pix,
    "cyclegan": cyclegan,
    "context_encoder": context_encoder,
    "r3gan": r3gan,
}


MAY_BE_NONE = {"steps", "kernels", "codes"}  # counts of which there may be none


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
    return function(**settings)
