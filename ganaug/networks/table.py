"""Perceptrons for rows of a table: numbers in [-1, 1], and a softmax for each column of categories.

The generator's probabilities are shown to the critic as they are, next to the one-hot codes of real rows; only what is
served is made one-hot. With a Wasserstein loss that converges, since the distance between the two is finite and smooth.
"""

from __future__ import annotations

from itertools import accumulate

import torch
from torch import Tensor, nn

from ganaug.networks.layers import Projection
from ganaug.networks.mlp import perceptron


class Blocks(nn.Module):
    """(N, F) of any numbers -> tanh of the blocks of width 1, softmax of each wider one.

    blocks: widths in order; their sum is F.
    """

    def __init__(self, blocks: tuple[int, ...]):
        super().__init__()
        starts = list(accumulate(blocks, initial=0))
        self.groups: list[tuple[int, list[int]]] = []  # blocks of one width are worked out together
        for width in sorted(set(blocks)):
            places = [range(a, a + k) for a, k in zip(starts, blocks, strict=False) if k == width]
            self.groups.append((width, [place for block in places for place in block]))
        order = [place for _, places in self.groups for place in places]
        self.back = sorted(range(len(order)), key=order.__getitem__)

    def forward(self, x: Tensor) -> Tensor:
        parts = []
        for width, places in self.groups:
            part = x[:, places]
            parts.append(part.tanh() if width == 1 else part.unflatten(1, (-1, width)).softmax(2).flatten(1))
        return torch.cat(parts, 1)[:, self.back]


class Generator(nn.Module):
    """(z (N, D), y (N,)) -> rows (N, F). The label embedding is appended to the latent.

    Each hidden layer sees everything before it, so that a column can follow another closely.
    """

    def __init__(self, blocks: tuple[int, ...], classes: int, latent: int, width: int = 256, depth: int = 2):
        super().__init__()
        self.embedding = nn.Embedding(classes, latent)
        inputs = [2 * latent + i * width for i in range(depth)]
        self.layers = nn.ModuleList(nn.Sequential(nn.Linear(n, width), nn.LayerNorm(width), nn.ReLU()) for n in inputs)
        self.last = nn.Linear(inputs[-1] + width, sum(blocks))
        self.blocks = Blocks(blocks)

    def forward(self, z: Tensor, y: Tensor) -> Tensor:
        h = torch.cat([z, self.embedding(y)], 1)
        for layer in self.layers:
            h = torch.cat([h, layer(h)], 1)
        return self.blocks(self.last(h))


class Critic(nn.Module):
    """(rows (N, F), y (N,)) -> scores (N,), with projection of the label and without any norm over the batch."""

    def __init__(self, features: int, classes: int, width: int = 256, depth: int = 2):
        super().__init__()
        self.layers = perceptron([features, *[width] * depth]).append(nn.LeakyReLU(0.2))
        self.head = Projection(width, classes)

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        return self.head(self.layers(x), y)
