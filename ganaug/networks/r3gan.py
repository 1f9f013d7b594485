"""The residual pair of R3GAN (Huang et al. 2024, 2501.05441, section 4): no normalisation, no style, mirrored networks.

Inverted bottlenecks with grouped convolutions, bilinear resampling, and the initialisation of Zhang et al. 2019
(1901.09321): the last convolution of each block starts at zero, the others are scaled down with the number of blocks.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ganaug.networks.layers import Projection, crop, padded, pyramid
from ganaug.networks.style import smoothly_up


def _conv(inputs: int, outputs: int, kernel: int = 1, groups: int = 1, gain: float = 1.0, bias: bool = False):
    conv = nn.Conv2d(inputs, outputs, kernel, padding=kernel // 2, groups=groups, bias=bias)
    nn.init.normal_(conv.weight, std=gain / math.sqrt(inputs // groups * kernel**2))
    if conv.bias is not None:
        nn.init.zeros_(conv.bias)
    return conv


class Bottleneck(nn.Module):
    """x + W3 a(W2 a(W1 x)): widen to `expansion` times the features, 3x3 in groups of `group`, narrow again.

    blocks: how many such blocks the network has.
    """

    def __init__(self, features: int, blocks: int, expansion: int = 2, group: int = 8):
        super().__init__()
        inner = expansion * features
        gain = math.sqrt(2) * blocks**-0.25
        self.widen = _conv(features, inner, gain=gain, bias=True)
        self.mix = _conv(inner, inner, 3, max(1, inner // group), gain=gain, bias=True)
        self.narrow = _conv(inner, features, gain=0.0)

    def forward(self, x: Tensor) -> Tensor:
        h = F.leaky_relu(self.widen(x), 0.2)
        h = F.leaky_relu(self.mix(h), 0.2)
        return x + self.narrow(h)


def _stages(sizes: list[int], blocks: int) -> nn.ModuleList:
    """For each size, a change of features and `blocks` bottlenecks."""
    total = blocks * len(sizes)
    stages = nn.ModuleList()
    for before, features in zip([sizes[0], *sizes], sizes, strict=False):
        change = nn.Identity() if before == features else _conv(before, features)
        stages.append(nn.Sequential(change, *[Bottleneck(features, total) for _ in range(blocks)]))
    return stages


class Generator(nn.Module):
    """(z (N, D), y (N,)) -> images (N, C, H, W) in [-1, 1]: a learned basis of the smallest size, weighed by a linear
    function of latent and label, then bottlenecks at each size.

    blocks: bottlenecks a size. width: features at full size, doubled downwards up to `widest`.
    """

    def __init__(
        self, shape: tuple[int, ...], classes: int, latent: int, width: int = 16, widest: int = 64, blocks: int = 1
    ):
        super().__init__()
        channels, self.height, self.width = shape
        start, w = pyramid(shape, width, widest)
        self.embedding = nn.Embedding(classes, latent)
        self.weigh = nn.Linear(2 * latent, w[0], bias=False)
        nn.init.normal_(self.weigh.weight, std=1 / math.sqrt(2 * latent))
        self.basis = nn.Parameter(torch.randn(1, w[0], start, start))
        self.stages = _stages(w, blocks)
        self.paint = _conv(w[-1], channels)

    def forward(self, z: Tensor, y: Tensor) -> Tensor:
        weights = self.weigh(torch.cat([z, self.embedding(y)], 1))
        h = (self.basis * weights[:, :, None, None]).contiguous(memory_format=torch.channels_last)
        for index, stage in enumerate(self.stages):
            h = stage(smoothly_up(h) if index else h)
        return torch.tanh(crop(self.paint(h), self.height, self.width))


class Discriminator(nn.Module):
    """(images (N, C, H, W), y (N,)) -> scores (N,): `Generator` mirrored; a depthwise convolution ends it."""

    def __init__(self, shape: tuple[int, ...], classes: int, width: int = 16, widest: int = 64, blocks: int = 1):
        super().__init__()
        start, w = pyramid(shape, width, widest)
        w, self.side = w[::-1], start * 2 ** (len(w) - 1)
        self.read = _conv(shape[0], w[0])
        self.stages = _stages(w, blocks)
        self.end = nn.Conv2d(w[-1], w[-1], start, groups=w[-1], bias=False)
        nn.init.normal_(self.end.weight, std=1 / start)
        self.head = Projection(w[-1], classes)

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        h = self.read(padded(x, self.side).contiguous(memory_format=torch.channels_last))
        for index, stage in enumerate(self.stages):
            h = stage(F.avg_pool2d(h, 2) if index else h)
        return self.head(self.end(h).flatten(1), y)
