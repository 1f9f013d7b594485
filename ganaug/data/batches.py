"""What the loop draws from: encoded batches as a pure function of a random stream."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from ganaug.data.pixels import Pixels
from ganaug.data.spec import DataSpec, ImageCodec

GROUP = 4  # neighbours of one class in a batch


class Batch(NamedTuple):
    """real: (N, ...) in [-1, 1]; y: their labels int64 (N,). source: what a translator starts from, with its labels;
    the real items themselves where the data offers nothing else."""

    real: Tensor
    y: Tensor
    source: Tensor
    source_y: Tensor


class _Chooser:
    """Draws labels uniformly over the classes that have items, in runs of `GROUP` equal ones (so that a discriminator
    can compare items within a class), then items uniformly within the class."""

    def __init__(self, labels: Tensor, classes: int):
        self.order = torch.argsort(labels, stable=True)
        self.counts = torch.bincount(labels, minlength=classes)
        self.starts = torch.cumsum(self.counts, 0) - self.counts
        self.present = self.counts.nonzero()[:, 0]

    def labels(self, n: int, rng: torch.Generator) -> Tensor:
        groups = -(-n // GROUP)
        chosen = torch.randint(len(self.present), (groups,), generator=rng)
        return self.present[chosen].repeat_interleave(GROUP)[:n]

    def others(self, y: Tensor, rng: torch.Generator) -> Tensor:
        """For each label another one, uniformly; the same where there is only one."""
        k = len(self.present)
        steps = torch.randint(min(1, k - 1), k, (len(y),), generator=rng)
        return self.present[(torch.searchsorted(self.present, y) + steps) % k]

    def items(self, y: Tensor, rng: torch.Generator) -> Tensor:
        within = (torch.rand(len(y), generator=rng, dtype=torch.float64) * self.counts[y]).long()
        return self.order[self.starts[y] + within]


class EncodedBatches:
    """Items of all classes, equally often, that are in model space already: rows (N, F) or series (N, C, T)."""

    def __init__(self, items: Tensor, labels: Tensor, spec: DataSpec, device: torch.device | str = "cpu"):
        self.spec = spec
        self.items = items.to(device)
        self.chooser = _Chooser(labels, len(spec.classes))

    def draw(self, n: int, rng: torch.Generator) -> Batch:
        y = self.chooser.labels(n, rng)
        device = self.items.device
        real = self.items[self.chooser.items(y, rng).to(device)]
        y = y.to(device)
        return Batch(real, y, real, y)


class Kept:
    """Images as uint8, kept on `device`; where they are more than memory should hold, they stay where they are, and
    only what is drawn goes there."""

    def __init__(self, images: Tensor | Pixels, device: torch.device | str):
        pixels = Pixels.of(images) if isinstance(images, Tensor) else images
        self.device = torch.device(device)
        stays = pixels.mapped or self.device.type == "cpu"
        self.images: Tensor | Pixels = pixels if stays else pixels.whole().to(device)

    def encoded(self, rows: Tensor) -> Tensor:
        """float32 (len(rows), C, H, W) on the device."""
        here = rows if isinstance(self.images, Pixels) else rows.to(self.device)
        return ImageCodec.encode(self.images[here].to(self.device))


class ClassBalancedBatches:
    """Images of all classes, equally often.

    items: uint8 (N, C, H, W), labels: int64 (N,) with at least one item in each class; pairs: uint8 (N, c, h, w),
    the pair of each item. Every draw comes from the CPU generator passed in.
    """

    def __init__(
        self,
        items: Tensor | Pixels,
        labels: Tensor,
        spec: DataSpec,
        device: torch.device | str = "cpu",
        pairs: Tensor | Pixels | None = None,
    ):
        self.spec = spec
        self.chooser = _Chooser(labels, len(spec.classes))
        self.items = Kept(items, device)
        self.pairs = None if pairs is None else Kept(pairs, device)

    def draw(self, n: int, rng: torch.Generator) -> Batch:
        y = self.chooser.labels(n, rng)
        rows = self.chooser.items(y, rng)
        real = self.items.encoded(rows)
        y = y.to(self.items.device)
        return Batch(real, y, real if self.pairs is None else self.pairs.encoded(rows), y)


class OtherClassBatches(ClassBalancedBatches):
    """Images of all classes, equally often, each with an unrelated image of another class as its source."""

    def draw(self, n: int, rng: torch.Generator) -> Batch:
        y = self.chooser.labels(n, rng)
        other = self.chooser.others(y, rng)
        real, source = (self.items.encoded(self.chooser.items(c, rng)) for c in (y, other))
        device = self.items.device
        return Batch(real, y.to(device), source, other.to(device))
