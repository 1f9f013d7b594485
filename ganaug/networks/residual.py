"""A small residual pair without batch norm, for little data and little compute (recipe `small`).

Most of the work is done at half resolution and below: the generator ends in a sub-pixel convolution (Shi et al. 2016,
1609.05158) and the discriminator begins with a strided one, so that a step costs much less than that of a
full-resolution pair of the same width.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ganaug.networks.layers import BatchSpread, PixelNorm, Projection, crop, halvings, starting_size, upsample, widths


def conv(inputs: int, outputs: int, kernel: int = 3, stride: int = 1, gain: float = 1.0) -> nn.Conv2d:
    """A convolution with He initialisation times `gain` and zero bias; padding keeps the size at stride 1."""
    conv = nn.Conv2d(inputs, outputs, kernel, stride, padding=(kernel - 1) // 2)
    with torch.no_grad():
        conv.weight.normal_(std=gain * math.sqrt(2 / (inputs * kernel**2)))
        if conv.bias is not None:
            conv.bias.zero_()
    return conv


class Modulated(nn.Module):
    """Pixel norm, then a scale and shift that depend on the latent and the label, then leaky ReLU."""

    def __init__(self, features: int, style: int):
        super().__init__()
        self.norm = PixelNorm()
        self.affine = nn.Linear(style, 2 * features)
        nn.init.normal_(self.affine.weight, std=0.5 * style**-0.5)
        nn.init.zeros_(self.affine.bias)

    def forward(self, x: Tensor, style: Tensor) -> Tensor:
        scale, shift = self.affine(style)[:, :, None, None].chunk(2, 1)
        return F.leaky_relu(torch.addcmul(shift, self.norm(x), 1 + scale), 0.2)


class GeneratorBlock(nn.Module):
    def __init__(self, inputs: int, outputs: int, style: int, up: bool):
        super().__init__()
        self.up = up
        self.first = Modulated(inputs, style)
        self.conv1 = conv(inputs, outputs)
        self.second = Modulated(outputs, style)
        self.conv2 = conv(outputs, outputs, gain=0.5)
        self.skip = nn.Identity() if inputs == outputs else conv(inputs, outputs, kernel=1, gain=0.7)

    def forward(self, x: Tensor, style: Tensor) -> Tensor:
        h = self.conv1(self.first(x, style))
        x = self.skip(x)
        if self.up:
            h, x = upsample(h), upsample(x)
        return x + self.conv2(self.second(h, style))


class Generator(nn.Module):
    """(z (N, D), y (N,)) -> images (N, C, H, W) in [-1, 1].

    shape: (C, H, W), H = W in 8..128 px. width: features at half resolution, doubled at each halving up to `widest`.
    embedding: y -> (N, D), by default of labels.
    """

    def __init__(
        self, shape: tuple[int, ...], classes: int, latent: int, width: int = 32, widest: int = 96,
        embedding: nn.Module | None = None,
    ):  # fmt: skip
        super().__init__()
        self.channels, self.height, self.width = shape
        steps = halvings(max(self.height, self.width)) - 1  # the last doubling is the sub-pixel convolution
        w = widths(width, max(steps, 0), widest)
        self.start = starting_size(max(self.height, self.width), steps + 1)
        self.norm = PixelNorm()
        self.embedding = nn.Embedding(classes, latent) if embedding is None else embedding
        style = 2 * latent
        self.first = nn.Linear(style, w[0] * self.start**2)
        self.blocks = nn.ModuleList(
            [GeneratorBlock(w[0], w[0], style, up=False)]
            + [GeneratorBlock(a, b, style, up=True) for a, b in zip(w, w[1:], strict=False)]
        )
        self.last = Modulated(w[-1], style)
        self.paint = conv(w[-1], 4 * self.channels, gain=0.5)

    def forward(self, z: Tensor, y: Tensor) -> Tensor:
        style = torch.cat([self.norm(z), self.norm(self.embedding(y))], 1)
        x = self.first(style).view(z.shape[0], -1, self.start, self.start)
        x = x.contiguous(memory_format=torch.channels_last)
        for block in self.blocks:
            x = block(x, style)
        x = F.pixel_shuffle(self.paint(self.last(x, style)), 2)
        return torch.tanh(crop(x, self.height, self.width))


class _DiscriminatorBlock(nn.Module):
    def __init__(self, inputs: int, outputs: int, down: bool):
        super().__init__()
        self.down = down
        self.conv1 = conv(inputs, inputs)
        self.conv2 = conv(inputs, outputs, gain=0.5)
        self.skip = nn.Identity() if inputs == outputs else conv(inputs, outputs, kernel=1, gain=0.7)

    def forward(self, x: Tensor) -> Tensor:
        h = self.conv1(F.leaky_relu(x, 0.2))
        if self.down:
            h, x = F.avg_pool2d(h, 2, ceil_mode=True), F.avg_pool2d(x, 2, ceil_mode=True)
        return self.skip(x) + self.conv2(F.leaky_relu(h, 0.2))


class Discriminator(nn.Module):
    """(images (N, C, H, W), y (N,)) -> scores (N,): `Generator` mirrored, with the spread of the batch at its end.

    head: of a number of features, what scores them, (N, features), under y; by default `Projection`.
    """

    def __init__(
        self, shape: tuple[int, ...], classes: int, width: int = 32, widest: int = 96,
        head: Callable[[int], nn.Module] | None = None,
    ):  # fmt: skip
        super().__init__()
        channels, height, image_width = shape
        size = max(height, image_width)
        steps = max(halvings(size) - 1, 0)
        w = widths(width, steps, widest)[::-1]
        self.stem = conv(channels, w[0], kernel=4, stride=2)
        self.blocks = nn.Sequential(
            *[_DiscriminatorBlock(a, b, down=True) for a, b in zip(w, w[1:], strict=False)],
            _DiscriminatorBlock(w[-1], w[-1], down=False),
        )
        end = starting_size(math.ceil((size - 1) / 2) if size % 2 else size // 2, steps)
        self.spread = BatchSpread()
        inputs = w[-1] * (end**2 + 1)
        self.flat = nn.Linear(inputs, 2 * w[-1])
        nn.init.normal_(self.flat.weight, std=math.sqrt(2 / inputs))
        nn.init.zeros_(self.flat.bias)
        self.head = Projection(2 * w[-1], classes) if head is None else head(2 * w[-1])

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        h = self.blocks(self.stem(x.contiguous(memory_format=torch.channels_last)))
        h = F.leaky_relu(h, 0.2)
        h = torch.cat([h.flatten(1), self.spread(h)], 1)
        return self.head(F.leaky_relu(self.flat(h), 0.2), y)
