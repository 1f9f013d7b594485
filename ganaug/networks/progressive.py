"""The growing pair (Karras et al. 2018, 1710.10196): layers of twice the resolution are faded in during training.

Outside, both networks always have the full size: the generator repeats pixels and the discriminator averages them, as
far as they have not grown yet. So growth leaves the function of a network as it is at the moment when it begins.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ganaug.networks.equalised import EqualConv, EqualLinear, MinibatchDeviation, equal_projection
from ganaug.networks.layers import PixelNorm, crop, padded, pyramid, upsample


class Level(nn.Module):
    """How far a network has grown: `value` doublings of its smallest size, at first all of them (`most`).

    The fractional part is the weight of the newest layers. A buffer, so that it is saved, and follows into averages.
    """

    value: Tensor

    def __init__(self, most: int):
        super().__init__()
        self.most = most
        self.register_buffer("value", torch.tensor(float(most)))

    def put(self, share: float) -> None:
        """Grown by this share in [0, 1]: at each size, half of the time it stays, then the next one is faded in."""
        position = min(share, 1.0) * self.most
        whole = math.floor(position)
        self.value.fill_(whole + max(0.0, 2 * (position - whole) - 1))

    def split(self) -> tuple[int, float]:
        """Whole doublings, and the weight in [0, 1) of the next one."""
        value = self.value.item()
        whole = math.floor(value)
        return whole, value - whole


def grow(nets: Mapping[str, nn.Module], share: float) -> None:
    """Bring every network that can grow to this share of its growth; from the beginning (0) on it never shrinks, also
    where a fork has more rounds before it."""
    for net in nets.values():
        for module in net.modules():
            if isinstance(module, Level):
                before = module.value.clone()
                module.put(share)
                if share > 0:
                    torch.maximum(module.value, before, out=module.value)


Layer = Callable[[Tensor], Tensor]


def painted(level: Level, h: Tensor, blocks: Sequence[Layer], painters: Sequence[Layer]) -> Tensor:
    """Images of the full size from the smallest features: blocks double the size, painters turn features to colours."""
    whole, fade = level.split()
    for block in blocks[:whole]:
        h = block(h)
    image = painters[whole](h)
    if fade > 0:
        image = torch.lerp(upsample(image), painters[whole + 1](blocks[whole](h)), fade)
        whole += 1
    for _ in range(whole, level.most):
        image = upsample(image)
    return image


def _activated(x: Tensor) -> Tensor:
    return F.leaky_relu(x, 0.2)


class _GeneratorBlock(nn.Module):
    """Twice the size (unless it is the first), then two convolutions, each with leaky ReLU and pixel norm."""

    def __init__(self, inputs: int, outputs: int):
        super().__init__()
        self.conv1, self.conv2 = EqualConv(inputs, outputs), EqualConv(outputs, outputs)
        self.norm = PixelNorm()

    def forward(self, x: Tensor) -> Tensor:
        h = self.norm(_activated(self.conv1(upsample(x))))
        return self.norm(_activated(self.conv2(h)))


class Generator(nn.Module):
    """(z (N, D), y (N,)) -> images (N, C, H, W) in [-1, 1]. width: features at full size, doubled downwards."""

    def __init__(self, shape: tuple[int, ...], classes: int, latent: int, width: int = 12, widest: int = 64):
        super().__init__()
        channels, self.height, self.width = shape
        self.start, w = pyramid(shape, width, widest)
        self.level = Level(len(w) - 1)
        self.norm = PixelNorm()
        self.embedding = nn.Embedding(classes, latent)
        self.first = EqualLinear(2 * latent, w[0] * self.start**2, gain=math.sqrt(2) / 4)
        self.conv = EqualConv(w[0], w[0])
        self.blocks = nn.ModuleList(_GeneratorBlock(a, b) for a, b in zip(w, w[1:], strict=False))
        self.painters = nn.ModuleList(EqualConv(features, channels, 1, gain=1.0) for features in w)

    def forward(self, z: Tensor, y: Tensor) -> Tensor:
        h = self.first(torch.cat([self.norm(z), self.norm(self.embedding(y))], 1))
        h = self.norm(_activated(h.view(z.shape[0], -1, self.start, self.start)))
        h = self.norm(_activated(self.conv(h.contiguous(memory_format=torch.channels_last))))
        image = painted(self.level, h, list(self.blocks), list(self.painters))
        return torch.tanh(crop(image, self.height, self.width))


class _DiscriminatorBlock(nn.Module):
    """Two convolutions with leaky ReLU, then half the size."""

    def __init__(self, inputs: int, outputs: int):
        super().__init__()
        self.conv1, self.conv2 = EqualConv(inputs, inputs), EqualConv(inputs, outputs)

    def forward(self, x: Tensor) -> Tensor:
        return F.avg_pool2d(_activated(self.conv2(_activated(self.conv1(x)))), 2)


class Discriminator(nn.Module):
    """(images (N, C, H, W), y (N,)) -> scores (N,): `Generator` mirrored, without pixel norm, with the deviation of the
    minibatch before its end, and with projection of the label."""

    def __init__(self, shape: tuple[int, ...], classes: int, width: int = 12, widest: int = 64):
        super().__init__()
        start, w = pyramid(shape, width, widest)
        self.level = Level(len(w) - 1)
        self.side = start * 2**self.level.most
        self.readers = nn.ModuleList(EqualConv(shape[0], features, 1) for features in w)
        self.blocks = nn.ModuleList(_DiscriminatorBlock(b, a) for a, b in zip(w, w[1:], strict=False))
        self.deviation = MinibatchDeviation()
        self.conv = EqualConv(w[0] + 1, w[0])
        self.flat = EqualLinear(w[0] * start**2, w[0], gain=math.sqrt(2))
        self.head = equal_projection(w[0], classes)

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        x = padded(x, self.side).contiguous(memory_format=torch.channels_last)
        whole, fade = self.level.split()
        for _ in range(whole + (fade > 0), self.level.most):
            x = F.avg_pool2d(x, 2)
        if fade > 0:
            new = self.blocks[whole](_activated(self.readers[whole + 1](x)))
            h = torch.lerp(_activated(self.readers[whole](F.avg_pool2d(x, 2))), new, fade)
        else:
            h = _activated(self.readers[whole](x))
        for index in range(whole - 1, -1, -1):
            h = self.blocks[index](h)
        h = _activated(self.conv(self.deviation(h)))
        return self.head(_activated(self.flat(h.flatten(1))), y)
