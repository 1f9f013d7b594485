"""Toys that every recipe can be played on: three classes that anyone can tell apart, in the form that it needs."""

from __future__ import annotations

import torch

from ganaug.data import DataSpec
from ganaug.data.batches import ClassBalancedBatches, OtherClassBatches
from ganaug.game import Recipe, Source

CLASSES = ("left", "right", "low")
SHAPE = {3: (1, 8, 8)}


def pictures(shape=(1, 8, 8), n=90, noise=20, classes=3) -> tuple[torch.Tensor, torch.Tensor]:
    """The left half bright, the right half, the lower half: uint8 (n, *shape), labels (n,)."""
    rng = torch.Generator().manual_seed(0)
    labels = torch.arange(n) % classes
    pixels = torch.full((n, *shape), 40.0)
    pixels[labels == 0, :, :, : shape[2] // 2] = 210
    pixels[labels == 1, :, :, shape[2] // 2 :] = 210
    pixels[labels == 2, :, shape[1] // 2 :, :] = 210
    pixels += noise * torch.randn(pixels.shape, generator=rng)
    return pixels.clamp(0, 255).to(torch.uint8), labels


def toy(recipe: Recipe, shape=(1, 8, 8)):
    """Batches that the recipe can learn from."""
    count = recipe.classes or len(CLASSES)
    pixels, labels = pictures(shape, classes=count)
    classes = CLASSES[:count]
    if not recipe.labelled:
        labels, classes = torch.zeros_like(labels), ("all",)
    if recipe.source is Source.OTHER_CLASS:
        return OtherClassBatches(pixels, labels, DataSpec(shape, classes))
    if recipe.source is Source.PAIR:  # the bright half as a mask
        masks = (pixels.float().mean(1, keepdim=True) > 125).to(torch.uint8) * 255
        return ClassBalancedBatches(pixels, labels, DataSpec(shape, classes, tuple(masks.shape[1:])), sources=masks)
    return ClassBalancedBatches(pixels, labels, DataSpec(shape, classes))
