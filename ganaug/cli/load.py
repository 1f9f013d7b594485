"""A run that the user named, with the recipe file that the user named, if any."""

from __future__ import annotations

from ganaug.generator import Fitted, load
from ganaug.recipes.choose import choose


def load_run(run: str, recipe: str | None) -> Fitted:
    return load(run, recipe=None if recipe is None else choose(recipe, {}))
