"""A run that the user named, with the recipe file that the user named, if any."""

from __future__ import annotations

from functools import partial

from ganaug.generator.folder import Fitted, OwnRecipe
from ganaug.recipes.named import recipe_named
from ganaug.samples.run import load


def load_run(run: str, recipe: str | None) -> Fitted:
    return load(run, recipe=own_recipe(recipe))


def own_recipe(recipe: str | None) -> OwnRecipe | None:
    """What file.py:function means, as a function of the settings on the card."""
    return None if recipe is None else partial(recipe_named, recipe)
