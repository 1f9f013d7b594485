"""A recipe from what a user typed: a name, or `file.py:function` for a recipe of the user's own."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ganaug.errors import RecipeError
from ganaug.game import Recipe
from ganaug.recipes import call, make


def choose(name: str, settings: Mapping[str, Any]) -> Recipe:
    """The recipe called `name`, with these settings.

    `file.py:function` runs that file: it is code, and is run only because the user named it, never because a card does.
    Raises RecipeError if there is no such recipe, file, function or setting.
    """
    if ".py:" not in name:
        return make(name, settings)
    file, _, function = name.rpartition(":")
    recipe = call(_function(Path(file), function), settings)
    if not isinstance(recipe, Recipe):
        raise RecipeError(f"{name} returns {type(recipe).__name__}.", "Return a ganaug.game.Recipe.")
    return recipe


def _function(file: Path, name: str) -> Callable[..., Recipe]:
    if not file.is_file():
        raise RecipeError(f"There is no file {file}.", "Give a recipe as file.py:function.")
    spec = importlib.util.spec_from_file_location(f"ganaug_recipe_{file.stem}", file)
    if spec is None or spec.loader is None:
        raise RecipeError(f"{file} is not a Python file.", "Give a recipe as file.py:function.")
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        raise RecipeError(f"{file} fails when it is run: {error!r}.", "Mend the recipe file.") from error
    function = vars(module).get(name)
    if not callable(function):
        raise RecipeError(f"{file} has no function {name!r}.", "Give a recipe as file.py:function.")
    return function
