"""How many steps a time budget is worth here."""

from __future__ import annotations

import math
import time

import torch

from ganaug.game import Recipe
from ganaug.game.train import Batches, train

WARM_UP = 3  # rounds played and discarded before timing


def seconds_per_step(recipe: Recipe, batches: Batches, device: torch.device) -> float:
    """Measured on a game that is thrown away: the mean round after a warm-up, over whole cycles of the lazy terms."""
    interval = max(term.interval for player in recipe.players for term in player.loss.terms)
    rounds = interval * math.ceil(12 / interval)
    times = []
    for _ in train(recipe, batches, steps=WARM_UP + rounds, device=device):
        times.append(time.monotonic())
    return (times[-1] - times[WARM_UP]) / rounds


def steps_in(seconds: float, pace: float) -> int:
    """Rounds that fit into a budget at `pace` seconds a round, at least 20; pictures and saving take 4 %."""
    return max(20, math.floor(0.96 * seconds / pace))


def good_samples(advised: int, steps: int, pace: float) -> str:
    """What good samples take at `pace` seconds a round, in words, where that is known and more than is planned."""
    if steps >= advised:
        return ""
    return f"good samples took about {advised} steps in our studies: {in_minutes(advised * pace)} here"


def in_minutes(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 100 else f"{seconds / 60:.0f} min"
