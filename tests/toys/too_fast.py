"""A recipe that must not converge: the discriminator learns 5,000 times as fast as the generator, without a penalty."""

from __future__ import annotations

from dataclasses import replace

from ganaug.game import Adam, Recipe
from ganaug.recipes import make

TOO_FAST = f"{__file__}:too_fast"  # as `ganaug fit --recipe` names it


def too_fast() -> Recipe:
    recipe = make("small", {"width": 8, "widest": 16, "batch": 32, "gamma": 0.0})
    discriminator, generator = recipe.players
    quick, slow = (Adam(lr, (0.0, 0.99)) for lr in (5e-3, 1e-6))
    return replace(recipe, players=(replace(discriminator, optimiser=quick), replace(generator, optimiser=slow)))
