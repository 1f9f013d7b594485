"""Distributions on a line and in a plane, and how recipes are played on them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from scipy.stats import wasserstein_distance
from torch import Tensor

from ganaug.data.batches import Batch
from ganaug.data.spec import DataSpec
from ganaug.game import Networks, Prior, Recipe
from ganaug.game.train import train
from ganaug.networks import mlp
from ganaug.networks.eyes import OpenEye
from ganaug.recipes import make
from scripts.studies.lib.drawing import figure

Draw = Callable[[int, torch.Generator], Tensor]
SHOTS = 5  # pictures over a game on the ring
FORESIGHT = 5
RING_ROUNDS = 6000
RADIUS, SPREAD = 0.7, 0.03  # of the ring, in model space


@dataclass(frozen=True)
class Points:
    """Batches of points (N, F) in model space, drawn anew each time, without labels."""

    from_: Draw
    features: int

    @property
    def spec(self) -> DataSpec:
        return DataSpec((self.features,), ("all",))

    def draw(self, n: int, rng: torch.Generator) -> Batch:
        x, y = self.from_(n, rng), torch.zeros(n, dtype=torch.long)
        return Batch(x, y, x, y)


# A ring of eight


def centres() -> Tensor:
    angles = torch.arange(8) * (torch.pi / 4)
    return RADIUS * torch.stack([angles.cos(), angles.sin()], 1)


def on_a_ring(n: int, rng: torch.Generator) -> Tensor:
    which = torch.randint(8, (n,), generator=rng)
    return centres()[which] + SPREAD * torch.randn(n, 2, generator=rng)


def modes_met(points: Tensor) -> int:
    """How many of the eight hold a fifth of their share of the points, within three standard deviations."""
    nearest = torch.cdist(points, centres()).min(1)
    counts = torch.bincount(nearest.indices[nearest.values < 3 * SPREAD], minlength=8)
    return int((counts >= len(points) / 8 / 5).sum())


def ring(steps: int, rounds: int, seed: int) -> tuple[int, list[Tensor]]:
    """The recipe `unrolled` on the ring, `steps` ahead: modes met at the end, and samples at SHOTS moments.

    The last weights are looked at, not their average: where a game runs in circles, the average stands in the middle.
    """
    settings = {"steps": steps, "width": 64, "latent": 16, "batch": 128, "conditional": False}
    recipe = replace(make("unrolled", settings), memory=0.0)
    z = recipe.prior.draw(1000, torch.Generator().manual_seed(seed))
    shots = []
    for p in train(recipe, Points(on_a_ring, 2), steps=rounds, seed=seed):
        if p.step and p.step % (rounds // SHOTS) == 0:
            with torch.inference_mode():
                shots.append(p.averages()["generator"](z, torch.zeros(len(z), dtype=torch.long)))
    return modes_met(shots[-1]), shots


def draw_ring(file: Path, shots: dict[int, list[Tensor]]) -> None:
    data, size = on_a_ring(1000, torch.Generator().manual_seed(0)), (2 * (SHOTS + 1), 2 * len(shots))
    with figure(file, len(shots), SHOTS + 1, figsize=size, layout="constrained") as (_, axes):
        for row, (steps, pictures) in zip(axes, shots.items(), strict=True):
            for i, (ax, points) in enumerate(zip(row, [*pictures, data], strict=True)):
                ax.hexbin(*points.T.numpy(), gridsize=30, extent=(-1, 1, -1, 1), cmap="Greens", bins="log")
                ax.set(xticks=[], yticks=[], xlim=(-1, 1), ylim=(-1, 1), aspect="equal")
                if steps == next(iter(shots)):
                    ax.set_title("data" if i == SHOTS else f"{i + 1}/{SHOTS} of the rounds", fontsize=9)
            row[0].set_ylabel(f"{steps} steps ahead", fontsize=9)


# A line

SCALE = 16.0  # numbers of the article over numbers in model space


@dataclass(frozen=True)
class Mixture:
    """Numbers from normal distributions of equal share: (mean, standard deviation) of each."""

    parts: tuple[tuple[float, float], ...]

    def draw(self, n: int, rng: torch.Generator) -> Tensor:
        means, spreads = torch.tensor(self.parts).T
        which = torch.randint(len(self.parts), (n,), generator=rng)
        return (means[which] + spreads[which] * torch.randn(n, generator=rng))[:, None]

    def encoded(self, n: int, rng: torch.Generator) -> Tensor:
        return (self.draw(n, rng) / SCALE).clamp(-1, 1)


def normal(mean: float, spread: float) -> Mixture:
    return Mixture(((mean, spread),))


def line_recipe(name: str, layers: int, width: int = 16, lr: float = 2e-3, batch: int = 64) -> Recipe:
    """The recipe on networks of the article's kind: `layers` hidden layers in the generator, twice as many in the
    discriminator, `width` units each."""
    base = make(name, {"lr": lr, "batch": batch, "latent": 4, "conditional": False})
    kernels = 8 if name == "minibatch" else 0

    def networks(spec: DataSpec, prior: Prior) -> Networks:
        return {
            "generator": mlp.Generator(spec.shape, 1, prior.width, (width,) * layers),
            "discriminator": mlp.Discriminator(spec.shape, 1, (2 * width,) * (2 * layers), kernels),
            "eye": OpenEye(),
        }

    return replace(base, networks=networks)


def play_line(recipe: Recipe, data: Mixture, rounds: int, seed: int, n: int = 2000) -> np.ndarray:
    """`n` samples, in the article's numbers, after so many rounds."""
    *_, end = train(recipe, Points(data.encoded, 1), steps=rounds, seed=seed)
    z = recipe.prior.draw(n, torch.Generator().manual_seed(seed))
    with torch.inference_mode():
        x = end.averages()["generator"](z, torch.zeros(n, dtype=torch.long))
    return (SCALE * x[:, 0]).numpy()


def line_distance(samples: np.ndarray, data: Mixture) -> float:
    """Wasserstein distance to fresh data, over the standard deviation of the data: 1 is what a constant has at best."""
    real = data.draw(20_000, torch.Generator().manual_seed(1))[:, 0].numpy()
    return float(wasserstein_distance(samples, real) / real.std())


def draw_line(file: Path, drawn: dict[str, np.ndarray], data: Mixture) -> None:
    real = data.draw(4000, torch.Generator().manual_seed(2))[:, 0].numpy()
    bins, size = np.linspace(real.min() - real.std(), real.max() + real.std(), 60), (3.4 * len(drawn), 2.4)
    with figure(file, 1, len(drawn), figsize=size, sharex=True, layout="constrained", squeeze=False) as (_, axes):
        for ax, (name, samples) in zip(axes[0], drawn.items(), strict=True):
            ax.hist(real, bins, density=True, color="0.8", label="data")
            ax.hist(samples, bins, density=True, histtype="step", color="C3", label="samples")
            ax.set(title=name, yticks=[])
        axes[0, 0].legend(frameon=False, fontsize=8)
