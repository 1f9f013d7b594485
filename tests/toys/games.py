"""Toys that every recipe can be played on: three classes that anyone can tell apart, in the form that it needs."""

from __future__ import annotations

import torch

from ganaug.data.batches import ClassBalancedBatches, EncodedBatches, OtherClassBatches
from ganaug.data.rows.columns import Category, Number
from ganaug.data.rows.series_codec import SeriesCodec
from ganaug.data.rows.table_codec import TableCodec
from ganaug.data.spec import DataSpec, ImageCodec
from ganaug.game import Recipe, Source

CLASSES = ("left", "right", "low")
BLOCKS = (1, 1, 3)  # a row: two numbers and three categories


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


def series(shape=(1, 8), n=90, noise=0.16, classes=3) -> tuple[torch.Tensor, torch.Tensor]:
    """High in the first half, in the second half, throughout: float (n, C, T) in [-1, 1], labels (n,)."""
    rng = torch.Generator().manual_seed(0)
    labels = torch.arange(n) % classes
    items = torch.full((n, *shape), -0.7)
    items[labels != 1, :, : shape[1] // 2] = 0.7
    items[labels != 0, :, shape[1] // 2 :] = 0.7
    return (items + noise * torch.randn(items.shape, generator=rng)).clamp(-1, 1), labels


def rows(n=90, noise=0.16, classes=3) -> tuple[torch.Tensor, torch.Tensor]:
    """Two numbers, one or both of them high, and the category of the class: float (n, 5), labels (n,)."""
    rng = torch.Generator().manual_seed(0)
    labels = torch.arange(n) % classes
    numbers = torch.stack([torch.where(labels != 1, 0.7, -0.7), torch.where(labels != 0, 0.7, -0.7)], 1)
    numbers += noise * torch.randn(numbers.shape, generator=rng)
    return torch.cat([numbers.clamp(-1, 1), torch.eye(3)[labels]], 1), labels


def axes_of(recipe: Recipe) -> int:
    """Images where the recipe makes them, else series, else rows."""
    return max(recipe.axes)


def class_means(recipe: Recipe, axes: int = 0) -> torch.Tensor:
    """The mean item of each class, flat, in model space: (classes, ...)."""
    count = recipe.classes or len(CLASSES)
    axes = axes or axes_of(recipe)
    if axes == 3:
        pixels, labels = pictures(classes=count)
        items = ImageCodec.encode(pixels)
    else:
        items, labels = series(classes=count) if axes == 2 else rows(classes=count)
    return torch.stack([items[labels == c].mean(0).flatten() for c in range(count)])


def codec_of(spec: DataSpec):
    """A codec for items of this shape."""
    if len(spec.shape) == 3:
        return ImageCodec("L", (8, 8))
    if len(spec.shape) == 2:
        return SeriesCodec((0.0,) * spec.shape[0], (1.0,) * spec.shape[0])
    columns = (Number("a", (0.0, 1.0)), Number("b", (0.0, 2.0)), Category("c", ("x", "y", "z")))
    return TableCodec(columns, "class", 3)


def toy(recipe: Recipe, shape=(1, 8, 8), axes: int = 0, device="cpu"):
    """Batches that the recipe can learn from; series have the channels and the height of the shape as their steps."""
    count = recipe.classes or len(CLASSES)
    axes = axes or axes_of(recipe)
    if axes < 3:
        items, labels = series(shape[:2], classes=count) if axes == 2 else rows(classes=count)
        names = CLASSES[:count] if recipe.labelled else ("all",)
        labels = labels if recipe.labelled else torch.zeros_like(labels)
        spec = DataSpec(tuple(items.shape[1:]), names, blocks=BLOCKS if axes == 1 else ())
        return EncodedBatches(items, labels, spec, device)
    pixels, labels = pictures(shape, classes=count)
    classes = CLASSES[:count]
    if not recipe.labelled:
        labels, classes = torch.zeros_like(labels), ("all",)
    if recipe.source is Source.OTHER_CLASS:
        return OtherClassBatches(pixels, labels, DataSpec(shape, classes), device)
    if recipe.source is Source.PAIR:  # the bright half as a mask
        masks = (pixels.float().mean(1, keepdim=True) > 125).to(torch.uint8) * 255
        return ClassBalancedBatches(
            pixels, labels, DataSpec(shape, classes, tuple(masks.shape[1:])), device, pairs=masks
        )
    return ClassBalancedBatches(pixels, labels, DataSpec(shape, classes), device)
