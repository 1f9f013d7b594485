"""Translators that need no training and whose answers are known, and sets of images for them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from ganaug.data.spec import DataSpec, ImageCodec
from ganaug.game import CycleRound, Prior, Recipe, Source, TranslationRound
from ganaug.generator.card import Card
from ganaug.generator.folder import save
from ganaug.networks.degrade import Erase

SIDE = 8


class Fill(torch.nn.Module):
    """Fills holes with a grey that the latent decides: 0.5 tanh z0."""

    def __init__(self):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.tensor(0.5))

    def forward(self, source, z, y):
        grey = (self.weight * torch.tanh(z[:, :1, None, None])).expand(-1, source.shape[1] - 1, *source.shape[2:])
        return torch.where(source[:, -1:] > 0, grey, source[:, :-1])


class Paint(torch.nn.Module):
    """Half the mask, plus a grey that the latent decides."""

    def __init__(self):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.tensor(0.5))

    def forward(self, source, z, y):
        return self.weight * source + 0.2 * torch.tanh(z[:, :1, None, None])


class Negative(torch.nn.Module):
    """The negative of the image, times 1 (to class 0) or 0.5 (to class 1)."""

    def __init__(self):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.tensor([1.0, 0.5]))

    def forward(self, source, z, y):
        return -source * self.weight[y][:, None, None, None]


def fill() -> Recipe:
    networks = {"generator": Fill, "degrade": Erase}
    return Recipe(
        lambda spec, prior: {role: build() for role, build in networks.items()}, (), prior=Prior(4),
        wiring=TranslationRound, keeps=("generator", "degrade"),
    )  # fmt: skip


def paint() -> Recipe:
    return Recipe(
        lambda spec, prior: {"generator": Paint()}, (), prior=Prior(4), wiring=TranslationRound, source=Source.PAIR
    )


def negative() -> Recipe:
    return Recipe(
        lambda spec, prior: {"generator": Negative()}, (), prior=Prior(1), wiring=CycleRound,
        source=Source.OTHER_CLASS, classes=2,
    )  # fmt: skip


TOYS = {"toy_fill": fill, "toy_paint": paint, "toy_negative": negative}


def save_translator(
    folder: Path, name: str, *, channels: int = 1, fingerprints: tuple[str, ...] = (), held_out: tuple[str, ...] = ()
) -> Path:
    """A run folder of one of the toys; classes "dark" and "light"."""
    recipe = TOYS[name]()
    source = (1, SIDE, SIDE) if recipe.source is Source.PAIR else ()
    spec = DataSpec((channels, SIDE, SIDE), ("dark", "light"), source)
    codec = ImageCodec({1: "L", 3: "RGB"}[channels], (SIDE, SIDE))
    card = Card(
        name, {}, spec.classes, spec.shape, codec, recipe.prior, steps=1, seed=0, counts={"dark": 9, "light": 9},
        fingerprints=fingerprints, held_out=held_out, versions={}, pair=source,
    )  # fmt: skip
    networks = recipe.networks(spec, recipe.prior)
    save(folder / "generator", {role: networks[role] for role in recipe.keeps}, card)
    return folder


def pictures(n: int = 20, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Noisy images, dark and light in turn, their classes, and masks that tell which is which: uint8 (n, 8, 8)."""
    rng = np.random.default_rng(seed)
    y = np.arange(n) % 2
    x = (rng.integers(0, 100, (n, SIDE, SIDE)) + 120 * y[:, None, None]).astype(np.uint8)
    masks = np.zeros_like(x)
    masks[np.arange(n), np.arange(n) % SIDE] = 255
    return x, y, masks


def names_of(y: np.ndarray) -> np.ndarray:
    return np.array(["dark", "light"])[y]
