"""Data sets and a generator whose images tell where they come from.

Every image has the brightness of its class. Real ones carry their index in the first two pixels and are flat elsewhere;
synthetic ones have noise.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch.utils.data import Dataset

from ganaug.data.spec import ImageCodec
from ganaug.game import Prior, Recipe
from ganaug.generator.card import Card
from ganaug.generator.folder import save
from ganaug.generator.known import keep_likenesses
from ganaug.samples.blocks import Renderer

CLASSES = ("ant", "bee", "cow")
LEVELS = {"ant": 40, "bee": 128, "cow": 220, "1": 60, "2": 190}  # brightness, 0..255
SIDE = 8


class Generator(torch.nn.Module):
    """(z (N, 8), y (N,)) -> images of the brightness of their class, with noise and faint stripes."""

    def __init__(self, spec):
        super().__init__()
        levels = torch.tensor([LEVELS[name] / 127.5 - 1 for name in spec.classes])
        pattern = 0.02 * torch.randn(8, *spec.shape, generator=torch.Generator().manual_seed(0))
        stripes = torch.zeros(spec.shape)
        stripes[..., ::2] = 0.05  # so that no image is flat
        for name, value in {"levels": levels, "pattern": pattern, "stripes": stripes}.items():
            self.register_buffer(name, value)

    def forward(self, z, y):
        return self.levels[y][:, None, None, None] + torch.einsum("nd,dchw->nchw", z, self.pattern) + self.stripes


def recipe() -> Recipe:
    return Recipe(lambda spec, prior: {"generator": Generator(spec)}, (), prior=Prior(8))


def save_generator(
    folder: Path,
    classes: tuple[str, ...] = CLASSES,
    *,
    channels: int = 1,
    fingerprints: tuple[str, ...] = (),
    unlabelled: tuple[str, ...] = (),
    held_out: tuple[str, ...] = (),
    likenesses: tuple[str, ...] = (),
    native_size: tuple[int, int] | None = (SIDE, SIDE),
    skipped: tuple[str, ...] = (),
) -> Path:
    """A generator folder; the likenesses go into the folder above it."""
    card = Card(
        recipe="toy",
        settings={},
        classes=classes,
        shape=(channels, SIDE, SIDE),
        codec=ImageCodec({1: "L", 3: "RGB"}[channels], native_size),
        prior=Prior(8),
        steps=1,
        seed=0,
        counts=dict.fromkeys(classes, 10),
        fingerprints=fingerprints,
        unlabelled=unlabelled,
        held_out=held_out,
        versions={},
        likenesses=keep_likenesses(folder.parent, likenesses) if likenesses else "",
        skipped=skipped,
    )
    save(folder, {"generator": Generator(card.spec)}, card)
    return folder


def real_pixels(index: int, label: int, side: int = SIDE) -> np.ndarray:
    """uint8 (side, side)"""
    pixels = np.full((side, side), LEVELS[CLASSES[label]], dtype=np.uint8)
    pixels[0, 0], pixels[0, 1] = divmod(index, 256)
    return pixels


def is_synthetic(pixels: np.ndarray) -> bool:
    """Whether uint8 (..., H, W) pixels come from the generator."""
    return np.ptp(np.asarray(pixels).reshape(-1)[2:]) > 1e-3


def labels(n: int) -> list[int]:
    """Unequal classes: half are ants, a third bees."""
    return [0 if i % 6 < 3 else 1 if i % 6 < 5 else 2 for i in range(n)]


class Pictures(Dataset):
    """PIL images with class names, and transforms as torchvision has them."""

    def __init__(self, n=60, transform=None, target_transform=None, mode="L", side=SIDE):
        self.targets, self.classes = labels(n), list(CLASSES)
        self.transform, self.target_transform, self.mode, self.side = transform, target_transform, mode, side

    def __len__(self):
        return len(self.targets)

    def __getitem__(self, index):
        image, label = Image.fromarray(real_pixels(index, self.targets[index], self.side)), self.targets[index]
        image = image.convert(self.mode)
        image = image if self.transform is None else self.transform(image)
        return image, label if self.target_transform is None else self.target_transform(label)


class Arrays(Dataset):
    """Arrays (H, W, C), kept in memory, no names and no transform."""

    def __init__(self, n=60, dtype=np.uint8):
        self.targets = labels(n)
        self.images = np.stack([real_pixels(i, y) for i, y in enumerate(self.targets)])[..., None]
        self.images = self.images if dtype == np.uint8 else (self.images / 255).astype(dtype)

    def __len__(self):
        return len(self.targets)

    def __getitem__(self, index):
        return self.images[index], self.targets[index]


def as_tensor(image) -> torch.Tensor:
    """PIL -> uint8 (1, H, W); a transform that ganaug has never heard of."""
    return torch.from_numpy(np.array(image))[None]


def write_folder(root: Path, counts: dict[str, int]) -> Path:
    """ROOT/CLASS/i.png, so many of each class; a class of no level of its own is black."""
    for name, n in counts.items():
        (root / name).mkdir(parents=True)
        for index in range(n):
            pixels = np.full((SIDE, SIDE), LEVELS.get(name, 0), dtype=np.uint8)
            pixels[0, 0] = index
            Image.fromarray(pixels).save(root / name / f"{index}.png")
    return root


def render(fitted, label: int, rows, seed: int = 0) -> np.ndarray:
    """Chosen rows of class `label` (an index into `fitted.card.classes`)."""
    return Renderer(fitted, seed).rows(label, rows)
