"""Small layers that several networks share."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def halvings(size: int) -> int:
    """How often an image of `size` px can be halved (rounding up) and keep at least 4 px: 28 -> 2, 32 -> 3."""
    return max(0, math.floor(math.log2(size / 4)))


def starting_size(size: int, doublings: int) -> int:
    """The smallest start that reaches at least `size` px after `doublings`: (28, 2) -> 7, (30, 2) -> 8."""
    return math.ceil(size / 2**doublings)


def widths(width: int, doublings: int, widest: int) -> list[int]:
    """Features from the smallest size to the full one: `width` at the full size, doubled downwards up to `widest`."""
    return [min(width * 2**i, widest) for i in range(doublings, -1, -1)]


def pyramid(shape: tuple[int, ...], width: int, widest: int) -> tuple[int, list[int]]:
    """For images (C, H, W): the smallest size that doublings begin at, and the `widths` from there to the full size."""
    side = max(shape[1:])
    doublings = halvings(side)
    return starting_size(side, doublings), widths(width, doublings, widest)


class PixelNorm(nn.Module):
    """Divides each position by the root mean square over its features (Karras et al. 2018, 1710.10196, section 4.2)."""

    def forward(self, x: Tensor) -> Tensor:
        return x * torch.rsqrt(x.square().mean(1, keepdim=True) + 1e-8)


class BatchSpread(nn.Module):
    """How much neighbours in the batch differ: the standard deviation of each feature over groups of `group` items.

    x: (N, C, H, W) -> (N, C), the same row for all items of a group; averaged over positions. After Karras et al. 2018
    (1710.10196, section 3), but feature by feature, and, since batches come in groups of one class
    (`ClassBalancedBatches`), within classes: a generator that draws one picture a class is seen through at once.
    """

    def __init__(self, group: int = 4):
        super().__init__()
        self.group = group

    def forward(self, x: Tensor) -> Tensor:
        return spread_of_groups(x, self.group, (2, 3))


def spread_of_groups(x: Tensor, most: int, over: tuple[int, ...]) -> Tensor:
    """Standard deviations of x (N, C, H, W) over groups of up to `most` items, averaged over the axes `over`, as many
    rows as items."""
    group = next(g for g in range(min(most, len(x)), 0, -1) if len(x) % g == 0)
    y = x.float().unflatten(0, (-1, group))
    spread = (y - y.mean(1, keepdim=True)).square().mean(1).add(1e-8).sqrt().mean(over)  # (N // group, ...)
    return spread.to(x.dtype).repeat_interleave(group, 0)


class MinibatchDiscrimination(nn.Module):
    """Lets a discriminator see how alike the items of a batch are (Salimans et al. 2016, 1606.03498, section 3.2).

    h: (N, features) -> (N, features + kernels). Item i becomes rows M_i = h_i T, one of `dim` numbers for each kernel;
    appended is, kernel by kernel, the sum over all items j of the batch of exp(-|M_i - M_j|_1): 1 among strangers, N
    where all are equal. group: items that are compared with each other; None for the whole batch.
    """

    def __init__(self, features: int, kernels: int, dim: int = 3):
        super().__init__()
        self.kernels = kernels
        self.group: int | None = None
        self.project = nn.Linear(features, kernels * dim, bias=False)

    def forward(self, h: Tensor) -> Tensor:
        rows = self.project(h).unflatten(1, (self.kernels, -1))  # (N, kernels, dim)
        groups = rows.split(self.group or max(1, len(h)))
        near = [torch.exp(-(part[:, None] - part[None]).abs().sum(3)).sum(1) for part in groups]
        return torch.cat([h, torch.cat(near)], 1)


def transposed(features: int, channels: int, steps: int) -> list[nn.Module]:
    """What follows the first layer of a convolutional generator: batch norm and ReLU, and twice the size and half the
    features, by turns; `steps` doublings, of which the last gives `channels`."""
    layers: list[nn.Module] = [nn.BatchNorm2d(features), nn.ReLU()]
    for _ in range(steps - 1):
        layers.append(nn.ConvTranspose2d(features, features // 2, 4, stride=2, padding=1, bias=False))
        features //= 2
        layers += [nn.BatchNorm2d(features), nn.ReLU()]
    return [*layers, nn.ConvTranspose2d(features, channels, 4, stride=2, padding=1)]


class Projection(nn.Module):
    """Scores of features under labels: w·h + b + <h, e_y> / sqrt(features) (Miyato & Koyama 2018, 1802.05637, equation
    3). linear: gives w·h + b; embedding: gives e_y, by default small ones."""

    def __init__(
        self, features: int, classes: int, linear: nn.Module | None = None, embedding: nn.Embedding | None = None
    ):
        super().__init__()
        self.linear = linear or nn.Linear(features, 1)
        self.embedding = embedding or nn.Embedding(classes, features)
        if embedding is None:
            nn.init.normal_(self.embedding.weight, std=features**-0.5)

    def forward(self, h: Tensor, y: Tensor) -> Tensor:
        return self.linear(h).squeeze(1) + (h * self.embedding(y)).sum(1) * h.shape[1] ** -0.5


class RunningMean(nn.Module):
    """The moving average of what it is given, from 0 on; each call moves it by `share` towards the mean of the call."""

    value: Tensor

    def __init__(self, share: float = 0.01):
        super().__init__()
        self.share = share
        self.register_buffer("value", torch.zeros(()))

    @torch.no_grad()
    def forward(self, x: Tensor) -> Tensor:
        self.value.lerp_(x.mean(), self.share)
        return self.value.clone()


def crop(x: Tensor, height: int, width: int) -> Tensor:
    """The central (height, width) part of (N, C, H, W)."""
    top, left = (x.shape[2] - height) // 2, (x.shape[3] - width) // 2
    return x[:, :, top : top + height, left : left + width]


def padded(x: Tensor, side: int) -> Tensor:
    """(N, C, side, side): the image in the middle, its border repeated."""
    top, left = (side - x.shape[2]) // 2, (side - x.shape[3]) // 2
    if x.shape[2] == x.shape[3] == side:
        return x
    return F.pad(x, (left, side - x.shape[3] - left, top, side - x.shape[2] - top), mode="replicate")


def upsample(x: Tensor) -> Tensor:
    """Twice the height and width, nearest."""
    return F.interpolate(x, scale_factor=2.0, mode="nearest")
