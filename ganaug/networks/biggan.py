"""The residual pair of BigGAN (Brock et al. 2019, 1809.11096, appendix B), small, without its non-local block.

Every weight matrix is divided by its largest singular value (Miyato et al. 2018, 1802.05957), followed by one power
iteration a forward pass. The generator's batch norm is scaled and shifted by the class and by a part of the latent.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

from ganaug.networks.layers import crop, padded, pyramid, upsample


def _conv(inputs: int, outputs: int, kernel: int = 3) -> nn.Module:
    conv = nn.Conv2d(inputs, outputs, kernel, padding=kernel // 2)
    nn.init.orthogonal_(conv.weight)
    nn.init.zeros_(conv.bias)  # type: ignore[arg-type]
    return spectral_norm(conv)


def _linear(inputs: int, outputs: int, bias: bool = True) -> nn.Module:
    linear = nn.Linear(inputs, outputs, bias=bias)
    nn.init.orthogonal_(linear.weight)
    if bias:
        nn.init.zeros_(linear.bias)
    return spectral_norm(linear)


class ConditionalBatchNorm(nn.Module):
    """Batch norm, then a scale about 1 and a shift that are linear in the condition."""

    def __init__(self, features: int, condition: int):
        super().__init__()
        self.norm = nn.BatchNorm2d(features, affine=False)
        self.scale, self.shift = (_linear(condition, features, bias=False) for _ in range(2))

    def forward(self, x: Tensor, condition: Tensor) -> Tensor:
        scale, shift = (f(condition)[:, :, None, None] for f in (self.scale, self.shift))
        return torch.addcmul(shift, self.norm(x), 1 + scale)


class _GeneratorBlock(nn.Module):
    def __init__(self, inputs: int, outputs: int, condition: int):
        super().__init__()
        self.norm1, self.norm2 = ConditionalBatchNorm(inputs, condition), ConditionalBatchNorm(outputs, condition)
        self.conv1, self.conv2 = _conv(inputs, outputs), _conv(outputs, outputs)
        self.skip = _conv(inputs, outputs, 1)

    def forward(self, x: Tensor, condition: Tensor) -> Tensor:
        h = self.conv1(upsample(F.relu(self.norm1(x, condition))))
        h = self.conv2(F.relu(self.norm2(h, condition)))
        return h + upsample(self.skip(x))


class Generator(nn.Module):
    """(z (N, D), y (N,)) -> images (N, C, H, W) in [-1, 1].

    The latent is cut into one part for the first layer and one for each block, where it joins the embedding of the
    class, which all blocks share. width: features at full size, doubled downwards up to `widest`.
    """

    def __init__(
        self,
        shape: tuple[int, ...],
        classes: int,
        latent: int,
        width: int = 12,
        widest: int = 96,
        embedding: int = 32,
    ):
        super().__init__()
        channels, self.height, self.width = shape
        self.start, w = pyramid(shape, width, widest)
        self.part = latent // len(w)
        rest = latent - (len(w) - 1) * self.part
        self.embedding = nn.Embedding(classes, embedding)
        self.first = _linear(rest, w[0] * self.start**2)
        self.blocks = nn.ModuleList(
            _GeneratorBlock(a, b, embedding + self.part) for a, b in zip(w, w[1:], strict=False)
        )
        self.norm = nn.BatchNorm2d(w[-1])
        self.paint = _conv(w[-1], channels)

    def forward(self, z: Tensor, y: Tensor) -> Tensor:
        label = self.embedding(y)
        first, *parts = torch.split(z, [z.shape[1] - len(self.blocks) * self.part] + [self.part] * len(self.blocks), 1)
        h = self.first(first).view(z.shape[0], -1, self.start, self.start).contiguous(memory_format=torch.channels_last)
        for block, part in zip(self.blocks, parts, strict=True):
            h = block(h, torch.cat([label, part], 1))
        return torch.tanh(crop(self.paint(F.relu(self.norm(h))), self.height, self.width))


class _DiscriminatorBlock(nn.Module):
    """Two convolutions beside a skip; `first`: what comes in are colours, which are not rectified."""

    def __init__(self, inputs: int, outputs: int, *, first: bool = False, down: bool = True):
        super().__init__()
        self.first, self.down = first, down
        self.conv1, self.conv2 = _conv(inputs, outputs), _conv(outputs, outputs)
        self.skip = _conv(inputs, outputs, 1) if inputs != outputs else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        h = self.conv2(F.relu(self.conv1(x if self.first else F.relu(x))))
        return self._halved(h) + self.skip(self._halved(x))

    def _halved(self, x: Tensor) -> Tensor:
        return F.avg_pool2d(x, 2) if self.down else x


class Discriminator(nn.Module):
    """(images (N, C, H, W), y (N,)) -> scores (N,): features summed over positions, w·h + b + <h, e_y> (Miyato & Koyama
    2018, 1802.05637, equation 3)."""

    def __init__(self, shape: tuple[int, ...], classes: int, width: int = 12, widest: int = 96):
        super().__init__()
        start, w = pyramid(shape, width, widest)
        w, doublings = w[::-1], len(w) - 1
        self.side = start * 2**doublings
        self.blocks = nn.Sequential(
            _DiscriminatorBlock(shape[0], w[0], first=True),
            *[_DiscriminatorBlock(w[i], w[i + 1], down=i < doublings - 1) for i in range(doublings)],
        )
        self.linear = _linear(w[-1], 1)
        embedding = nn.Embedding(classes, w[-1])
        nn.init.orthogonal_(embedding.weight)
        self.embedding = spectral_norm(embedding)

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        x = padded(x, self.side).contiguous(memory_format=torch.channels_last)
        h = F.relu(self.blocks(x)).sum((2, 3))
        return self.linear(h).squeeze(1) + (h * self.embedding(y)).sum(1)
