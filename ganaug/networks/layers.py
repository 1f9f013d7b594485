"""Small layers that several networks share."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def halvings(size: int, smallest: int = 4) -> int:
    """How often an image of `size` px can be halved (rounding up) and keep at least `smallest` px: 28 -> 2, 32 -> 3."""
    return max(0, math.floor(math.log2(size / smallest)))


def starting_size(size: int, doublings: int) -> int:
    """The smallest start that reaches at least `size` px after `doublings`: (28, 2) -> 7, (30, 2) -> 8."""
    return math.ceil(size / 2**doublings)


class PixelNorm(nn.Module):
    """Divides each position by the root mean square over its features (Karras et al. 2018, 1710.10196, section 4.2)."""

    def forward(self, x: Tensor) -> Tensor:
        return x * torch.rsqrt(x.square().mean(1, keepdim=True) + 1e-8)


class BatchSpread(nn.Module):
    """Appends, as one constant channel, how much a group of images of the batch differ (Karras et al. 2018, section 3).

    x: (N, C, H, W) -> (N, C + 1, H, W). N is cut into strided groups of at most `group` images.
    """

    def __init__(self, group: int = 8):
        super().__init__()
        self.group = group

    def forward(self, x: Tensor) -> Tensor:
        n = len(x)
        group = next(g for g in range(min(self.group, n), 0, -1) if n % g == 0)
        y = x.float().reshape(group, n // group, *x.shape[1:])
        spread = (y - y.mean(0)).square().mean(0).add(1e-8).sqrt().mean((1, 2, 3))  # (n // group,)
        channel = spread.to(x.dtype).repeat(group).view(n, 1, 1, 1).expand(n, 1, *x.shape[2:])
        return torch.cat([x, channel], 1)


class Projection(nn.Module):
    """Scores of features under labels: w·h + b + <h, e_y> (Miyato & Koyama 2018, 1802.05637, equation 3)."""

    def __init__(self, features: int, classes: int):
        super().__init__()
        self.linear = nn.Linear(features, 1)
        self.embedding = nn.Embedding(classes, features)
        nn.init.normal_(self.embedding.weight, std=features**-0.5)

    def forward(self, h: Tensor, y: Tensor) -> Tensor:
        return self.linear(h).squeeze(1) + (h * self.embedding(y)).sum(1) * h.shape[1] ** -0.5


def crop(x: Tensor, height: int, width: int) -> Tensor:
    """The central (height, width) part of (N, C, H, W)."""
    top, left = (x.shape[2] - height) // 2, (x.shape[3] - width) // 2
    return x[:, :, top : top + height, left : left + width]


def upsample(x: Tensor) -> Tensor:
    """Twice the height and width, nearest."""
    return F.interpolate(x, scale_factor=2.0, mode="nearest")
