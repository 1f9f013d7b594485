"""The recipes: one function per model. A function under `@recipe`, in any file of this folder, is one of them."""

import importlib
import pkgutil

from ganaug.recipes.named import RECIPES as RECIPES
from ganaug.recipes.named import make as make
from ganaug.recipes.named import recipe as recipe

for _module in pkgutil.iter_modules(__path__):
    importlib.import_module(f"{__name__}.{_module.name}")
