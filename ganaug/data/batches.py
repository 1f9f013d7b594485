"""What the loop draws from: encoded batches as a pure function of a random stream."""

from __future__ import annotations

import torch
from torch import Tensor

from ganaug.data.spec import DataSpec, ImageCodec

GROUP = 4  # neighbours of one class in a batch


class ClassBalancedBatches:
    """Draws labels uniformly over the classes, then items uniformly within the class.

    Labels come in runs of `GROUP` equal ones, so that a discriminator can compare items within a class.

    pixels: uint8 (N, C, H, W), labels: int64 (N,) with at least one item in each class. The set is kept as one uint8
    tensor on `device`; every draw comes from the CPU generator that is passed in.
    """

    def __init__(self, pixels: Tensor, labels: Tensor, spec: DataSpec, device: torch.device | str = "cpu"):
        self.spec = spec
        self.pixels = pixels.to(device)
        self.order = torch.argsort(labels, stable=True)
        self.counts = torch.bincount(labels, minlength=len(spec.classes))
        self.starts = torch.cumsum(self.counts, 0) - self.counts

    def draw(self, n: int, rng: torch.Generator) -> tuple[Tensor, Tensor]:
        """(x, y): x float (n, C, H, W) in [-1, 1], y int64 (n,), both on the device."""
        groups = -(-n // GROUP)
        y = torch.randint(len(self.counts), (groups,), generator=rng).repeat_interleave(GROUP)[:n]
        within = (torch.rand(n, generator=rng, dtype=torch.float64) * self.counts[y]).long()
        index = self.order[self.starts[y] + within]
        device = self.pixels.device
        return ImageCodec.encode(self.pixels[index.to(device)]), y.to(device)
