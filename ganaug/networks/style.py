"""What style-based generators have in common, and the first of them (Karras et al. 2019, 1812.04948).

A mapping network turns the latent into a style w; each layer of the synthesis network takes its own copy of w, so that
the styles of two latents can be mixed. Noise enters at each layer: fresh in training, one fixed picture in eval mode,
so that what is sampled is a function of latent and label.
"""

from __future__ import annotations

import math
from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ganaug.networks.equalised import EqualConv, EqualLinear
from ganaug.networks.layers import PixelNorm, crop, pyramid
from ganaug.networks.progressive import Level, painted


def smoothly_up(x: Tensor) -> Tensor:
    """Twice the height and width, bilinear."""
    return F.interpolate(x, scale_factor=2.0, mode="bilinear", align_corners=False)


class Mapping(nn.Module):
    """(z (N, D), y (N,)) -> styles w (N, D): `depth` layers that learn a hundred times slower than the others."""

    def __init__(self, classes: int, latent: int, depth: int = 8):
        super().__init__()
        self.latent = latent
        self.norm = PixelNorm()
        self.embedding = nn.Embedding(classes, latent)
        sizes = [2 * latent] + [latent] * depth
        self.layers = nn.ModuleList(
            EqualLinear(a, b, gain=math.sqrt(2), rate=0.01) for a, b in zip(sizes, sizes[1:], strict=False)
        )

    def forward(self, z: Tensor, y: Tensor) -> Tensor:
        h = torch.cat([self.norm(z), self.norm(self.embedding(y))], 1)
        for layer in self.layers:
            h = F.leaky_relu(layer(h), 0.2)
        return h


class StyleMixing(nn.Module):
    """In training, this share of the items takes the styles of a second latent from a random layer on (section 3.1)."""

    def __init__(self, share: float):
        super().__init__()
        self.share = share

    def forward(self, w: Tensor, y: Tensor, mapping: Mapping, layers: int) -> Tensor:
        """w (N, D) -> (N, layers, D)."""
        spread = w[:, None].expand(-1, layers, -1)
        if not self.training or self.share == 0 or layers < 2:
            return spread
        other = mapping(torch.randn(len(w), mapping.latent, device=w.device), y)[:, None]
        cut = torch.randint(1, layers, (len(w), 1, 1), device=w.device)
        chosen = torch.rand(len(w), 1, 1, device=w.device) < self.share
        later = torch.arange(layers, device=w.device).view(1, -1, 1) >= cut
        return torch.where(chosen & later, other, spread)


class Noise(nn.Module):
    """x + strength * noise, with a learned strength for each of `features` (1 for one strength in common)."""

    fixed: Tensor

    def __init__(self, features: int, side: int):
        super().__init__()
        self.strength = nn.Parameter(torch.zeros(features, 1, 1))
        self.register_buffer("fixed", torch.randn(1, 1, side, side))

    def forward(self, x: Tensor) -> Tensor:
        noise = torch.randn_like(x[:, :1]) if self.training else self.fixed
        return torch.addcmul(x, self.strength, noise)


class AdaIN(nn.Module):
    """Adaptive instance normalisation: zero mean and unit variance of each map, then scale and shift by the style
    (equation 1)."""

    def __init__(self, features: int, style: int):
        super().__init__()
        self.affine = EqualLinear(style, 2 * features)

    def forward(self, x: Tensor, w: Tensor) -> Tensor:
        scale, shift = self.affine(w)[:, :, None, None].chunk(2, 1)
        variance, mean = torch.var_mean(x, (2, 3), keepdim=True, correction=0)
        return torch.addcmul(shift, (x - mean) * torch.rsqrt(variance + 1e-8), 1 + scale)


class _Styled(nn.Module):
    """Noise, bias, leaky ReLU and AdaIN: what follows each convolution."""

    def __init__(self, features: int, side: int, style: int):
        super().__init__()
        self.noise, self.adain = Noise(features, side), AdaIN(features, style)
        self.bias = nn.Parameter(torch.zeros(features, 1, 1))

    def forward(self, x: Tensor, w: Tensor) -> Tensor:
        return self.adain(F.leaky_relu(self.noise(x) + self.bias, 0.2), w)


class _Block(nn.Module):
    """Twice the size, then two styled convolutions; takes two styles."""

    def __init__(self, inputs: int, outputs: int, side: int, style: int):
        super().__init__()
        self.conv1, self.conv2 = (EqualConv(n, outputs, bias=False) for n in (inputs, outputs))
        self.style1, self.style2 = _Styled(outputs, side, style), _Styled(outputs, side, style)

    def forward(self, x: Tensor, w: Tensor) -> Tensor:
        """w: (N, 2, D)."""
        h = self.style1(self.conv1(smoothly_up(x)), w[:, 0])
        return self.style2(self.conv2(h), w[:, 1])


class Generator(nn.Module):
    """(z (N, D), y (N,)) -> images (N, C, H, W) in [-1, 1], from a learned constant; it can grow.

    depth: layers of the mapping network. mixing: share of items with mixed styles in training. width: features at full
    size, doubled downwards up to `widest`.
    """

    def __init__(
        self,
        shape: tuple[int, ...],
        classes: int,
        latent: int,
        width: int = 12,
        widest: int = 64,
        depth: int = 8,
        mixing: float = 0.9,
    ):
        super().__init__()
        channels, self.height, self.width = shape
        start, w = pyramid(shape, width, widest)
        self.layers = 2 * len(w)
        self.mapping, self.mixing = Mapping(classes, latent, depth), StyleMixing(mixing)
        self.level = Level(len(w) - 1)
        self.constant = nn.Parameter(torch.ones(1, w[0], start, start))
        self.style1, self.style2 = _Styled(w[0], start, latent), _Styled(w[0], start, latent)
        self.conv = EqualConv(w[0], w[0], bias=False)
        self.blocks = nn.ModuleList(
            _Block(a, b, start * 2 ** (i + 1), latent) for i, (a, b) in enumerate(zip(w, w[1:], strict=False))
        )
        self.painters = nn.ModuleList(EqualConv(features, channels, 1, gain=1.0) for features in w)

    def styles(self, z: Tensor, y: Tensor) -> Tensor:
        """w (N, D)."""
        return self.mapping(z, y)

    def synthesise(self, w: Tensor) -> Tensor:
        """Images from styles: (N, D), or (N, layers, D) for other styles at each layer, coarse ones first."""
        if w.dim() == 2:
            w = w[:, None].expand(-1, self.layers, -1)
        h = self.style1(self.constant.expand(w.shape[0], -1, -1, -1), w[:, 0])
        h = self.style2(self.conv(h.contiguous(memory_format=torch.channels_last)), w[:, 1])
        blocks = [partial(block, w=w[:, 2 * i + 2 : 2 * i + 4]) for i, block in enumerate(self.blocks)]
        return torch.tanh(crop(painted(self.level, h, blocks, list(self.painters)), self.height, self.width))

    def forward(self, z: Tensor, y: Tensor) -> Tensor:
        return self.synthesise(self.mixing(self.styles(z, y), y, self.mapping, self.layers))
