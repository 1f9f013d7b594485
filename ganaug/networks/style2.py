"""The pair of StyleGAN2 (Karras et al. 2020, 1912.04958): modulated convolutions, skips in the generator, residual
blocks in the discriminator."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ganaug.networks.equalised import EqualConv, EqualLinear, MinibatchDeviation, equal_projection
from ganaug.networks.layers import crop, padded, pyramid
from ganaug.networks.style import Mapping, Noise, StyleMixing, smoothly_up


class ModulatedConv(nn.Module):
    """A convolution whose weights are scaled by a style for each item (equations 1 to 3).

    Modulation w' = s_i w_ijk scales inputs; demodulation divides each output by the norm of its weights, so that inputs
    of unit variance give outputs of unit variance. Both are done on the features, which gives the same and needs only
    one convolution.
    """

    def __init__(self, inputs: int, outputs: int, style: int, kernel: int = 3, demodulate: bool = True):
        super().__init__()
        self.affine = EqualLinear(style, inputs, bias=1.0)
        self.weight = nn.Parameter(torch.randn(outputs, inputs, kernel, kernel))
        self.scale, self.padding, self.demodulate = 1 / math.sqrt(inputs * kernel**2), kernel // 2, demodulate

    def forward(self, x: Tensor, w: Tensor) -> Tensor:
        style, weight = self.affine(w), self.weight * self.scale
        h = F.conv2d(x * style[:, :, None, None], weight, padding=self.padding)
        if not self.demodulate:
            return h
        norm = torch.rsqrt(style.square() @ weight.square().sum((2, 3)).T + 1e-8)
        return h * norm[:, :, None, None]


class _Layer(nn.Module):
    """Modulated convolution, noise, bias, leaky ReLU of unit gain."""

    def __init__(self, inputs: int, outputs: int, side: int, style: int):
        super().__init__()
        self.conv, self.noise = ModulatedConv(inputs, outputs, style), Noise(1, side)
        self.bias = nn.Parameter(torch.zeros(outputs, 1, 1))

    def forward(self, x: Tensor, w: Tensor) -> Tensor:
        return F.leaky_relu(self.noise(self.conv(x, w)) + self.bias, 0.2) * math.sqrt(2)


class _Painter(nn.Module):
    """Features to colours, without demodulation."""

    def __init__(self, features: int, channels: int, style: int):
        super().__init__()
        self.conv = ModulatedConv(features, channels, style, kernel=1, demodulate=False)
        self.bias = nn.Parameter(torch.zeros(channels, 1, 1))

    def forward(self, x: Tensor, w: Tensor) -> Tensor:
        return self.conv(x, w) + self.bias


class Generator(nn.Module):
    """(z (N, D), y (N,)) -> images (N, C, H, W) in [-1, 1]: each size adds its colours to those of the size below.

    The settings are those of `style.Generator`.
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
        self.layers = 2 * len(w)  # a painter shares the style of the layer after it, the last has its own
        self.mapping, self.mixing = Mapping(classes, latent, depth), StyleMixing(mixing)
        self.constant = nn.Parameter(torch.randn(1, w[0], start, start))
        self.first = _Layer(w[0], w[0], start, latent)
        sides = [start * 2 ** (i + 1) for i in range(len(w) - 1)]
        self.ups = nn.ModuleList(_Layer(a, b, s, latent) for a, b, s in zip(w[:-1], w[1:], sides, strict=True))
        self.convs = nn.ModuleList(_Layer(b, b, s, latent) for b, s in zip(w[1:], sides, strict=True))
        self.painters = nn.ModuleList(_Painter(features, channels, latent) for features in w)

    def styles(self, z: Tensor, y: Tensor) -> Tensor:
        """w (N, D)."""
        return self.mapping(z, y)

    def synthesise(self, w: Tensor) -> Tensor:
        """Images from styles: (N, D), or (N, layers, D) for other styles at each layer, coarse ones first."""
        if w.dim() == 2:
            w = w[:, None].expand(-1, self.layers, -1)
        constant = self.constant.expand(w.shape[0], -1, -1, -1).contiguous(memory_format=torch.channels_last)
        h = self.first(constant, w[:, 0])
        image = self.painters[0](h, w[:, 1])
        for i, (up, conv) in enumerate(zip(self.ups, self.convs, strict=True)):
            h = conv(up(smoothly_up(h), w[:, 2 * i + 1]), w[:, 2 * i + 2])
            image = smoothly_up(image) + self.painters[i + 1](h, w[:, 2 * i + 3])
        return torch.tanh(crop(image, self.height, self.width))

    def forward(self, z: Tensor, y: Tensor) -> Tensor:
        return self.synthesise(self.mixing(self.styles(z, y), y, self.mapping, self.layers))


class _ResidualBlock(nn.Module):
    """Half the size; both branches have unit variance, and so has their sum over sqrt 2."""

    def __init__(self, inputs: int, outputs: int):
        super().__init__()
        self.conv1, self.conv2 = EqualConv(inputs, inputs), EqualConv(inputs, outputs)
        self.skip = EqualConv(inputs, outputs, 1, gain=1.0, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        h = F.leaky_relu(self.conv1(x), 0.2)
        h = F.leaky_relu(self.conv2(F.avg_pool2d(h, 2)), 0.2)
        return (h + self.skip(F.avg_pool2d(x, 2))) * math.sqrt(0.5)


class Discriminator(nn.Module):
    """(images (N, C, H, W), y (N,)) -> scores (N,), with the deviation of the minibatch and projection of the label."""

    def __init__(self, shape: tuple[int, ...], classes: int, width: int = 12, widest: int = 64):
        super().__init__()
        start, w = pyramid(shape, width, widest)
        w, self.side = w[::-1], start * 2 ** (len(w) - 1)
        self.read = EqualConv(shape[0], w[0], 1)
        self.blocks = nn.Sequential(*[_ResidualBlock(a, b) for a, b in zip(w, w[1:], strict=False)])
        self.deviation = MinibatchDeviation()
        self.conv = EqualConv(w[-1] + 1, w[-1])
        self.flat = EqualLinear(w[-1] * start**2, w[-1], gain=math.sqrt(2))
        self.head = equal_projection(w[-1], classes)

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        x = padded(x, self.side).contiguous(memory_format=torch.channels_last)
        h = self.blocks(F.leaky_relu(self.read(x), 0.2))
        h = F.leaky_relu(self.conv(self.deviation(h)), 0.2)
        return self.head(F.leaky_relu(self.flat(h.flatten(1)), 0.2), y)
