"""Two generators, one on top of the other, that draw what words say (recipe `stackgan`)."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ganaug.networks import residual
from ganaug.networks.layers import PixelNorm, crop

FINE = 16  # features at full size


class Described(nn.Module):
    """y (N,) -> (N, features): the sum of the vectors of the words of each class, over the root of their number.

    rows: (K, V), 1 where a class has a word. They are a buffer: other classes can be described by the same words.
    """

    rows: Tensor

    def __init__(self, rows: Tensor, features: int, std: float = 1.0):
        super().__init__()
        self.register_buffer("rows", rows)
        self.vectors = nn.Linear(rows.shape[1], features, bias=False)
        nn.init.normal_(self.vectors.weight, std=std)

    def forward(self, y: Tensor) -> Tensor:
        rows = self.rows[y]
        return self.vectors(rows * rows.sum(1, keepdim=True).rsqrt())


def _halved(shape: tuple[int, ...]) -> tuple[int, ...]:
    return (shape[0], *(math.ceil(side / 2) for side in shape[1:]))


class Generator(nn.Module):
    """(z (N, 2 D), y (N,)) -> images (N, C, H, W) in [-1, 1], through small images of half the sides.

    Conditioning augmentation (Zhang et al. 2017, 1612.03242, section 3.2): the words become mean and log variance, and
    the second half of z draws a vector c from there. From the first half and c the first stage paints a small image;
    the second one reads this image and c, and paints what is to be added to it at twice the sides.
    """

    def __init__(self, shape: tuple[int, ...], rows: Tensor, latent: int, width: int = 24, widest: int = 96):
        super().__init__()
        self.latent = latent // 2
        self.sides = shape[1:]
        self.described = Described(rows, self.latent)
        self.spread = nn.Linear(self.latent, 2 * self.latent)
        nn.init.normal_(self.spread.weight, std=self.latent**-0.5)
        nn.init.zeros_(self.spread.bias)
        self.norm = PixelNorm()
        self.first = residual.Generator(_halved(shape), 1, self.latent, width, widest, embedding=nn.Identity())  # of c
        features = min(2 * width, widest)
        self.read = residual.conv(shape[0], features)
        self.blocks = nn.ModuleList(
            residual.GeneratorBlock(features, features, 2 * self.latent, False) for _ in range(2)
        )
        self.last = residual.Modulated(features, 2 * self.latent)
        self.finer = residual.conv(features, 4 * FINE)
        self.paint = residual.conv(FINE, shape[0], gain=0.5)

    def moments(self, y: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and log variance of c, each (N, D)."""
        mean, log_variance = self.spread(self.described(y)).chunk(2, 1)
        return mean, log_variance

    def stages(self, z: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        """The small images and the whole ones."""
        mean, log_variance = self.moments(y)
        z, noise = z.split(self.latent, 1)
        c = torch.addcmul(mean, torch.exp(0.5 * log_variance), noise)
        small = self.first(z, c)
        style = torch.cat([self.norm(z), self.norm(c)], 1)
        h = self.read(small)
        for block in self.blocks:
            h = block(h, style)
        fine = F.leaky_relu(F.pixel_shuffle(self.finer(self.last(h, style)), 2), 0.2)
        added = self.paint(fine)  # at full size: pixels that are painted apart from their neighbours make a chequer
        below = torch.atanh(small.clamp(-0.999, 0.999))
        below = F.interpolate(below, scale_factor=2.0, mode="bilinear")
        return small, torch.tanh(crop(below + added, self.sides[0], self.sides[1]))

    def forward(self, z: Tensor, y: Tensor) -> Tensor:
        return self.stages(z, y)[1]


class _Head(nn.Module):
    """Scores of features under words: the projection of `Projection`, on the vectors of words."""

    def __init__(self, features: int, rows: Tensor):
        super().__init__()
        self.linear = nn.Linear(features, 1)
        self.described = Described(rows, features, features**-0.5)

    def forward(self, h: Tensor, y: Tensor) -> Tensor:
        return self.linear(h).squeeze(1) + (h * self.described(y)).sum(1) * h.shape[1] ** -0.5


class Discriminator(nn.Module):
    """(small images, images (N, C, H, W), y (N,)) -> scores (N, 1, 2), of the small one and of the whole one."""

    rows: Tensor

    def __init__(self, shape: tuple[int, ...], rows: Tensor, width: int = 24, widest: int = 96):
        super().__init__()
        self.register_buffer("rows", rows)
        self.stages = nn.ModuleList(
            residual.Discriminator(sides, 1, width, widest, head=lambda features: _Head(features, rows))
            for sides in (_halved(shape), shape)
        )

    def forward(self, small: Tensor, x: Tensor, y: Tensor) -> Tensor:
        scores = [stage(images, y) for stage, images in zip(self.stages, (small, x), strict=True)]
        return torch.stack(scores, 1)[:, None]

    def others(self, y: Tensor, rng: torch.Generator) -> Tensor:
        """For each label another one: half of the time one of those that share most words with it, else any."""
        near = (torch.rand(len(y), 1, generator=rng) < 0.5).to(y.device)
        shared = self.rows[y] @ self.rows.T * near
        drawn = shared + 0.5 * torch.rand(shared.shape, generator=rng).to(y.device)
        return drawn.scatter(1, y[:, None], -1.0).argmax(1)
