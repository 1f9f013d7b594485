"""Multilayer perceptrons: the pair of the first GANs, with an embedding of the label as a further input of both."""

from __future__ import annotations

import math
from itertools import pairwise

import torch
from torch import Tensor, nn

from ganaug.networks.layers import MinibatchDiscrimination


def perceptron(sizes: list[int]) -> nn.Sequential:
    """Linear layers with leaky ReLU (0.2) between them."""
    layers: list[nn.Module] = []
    for a, b in pairwise(sizes):
        layers += [nn.Linear(a, b), nn.LeakyReLU(0.2)]
    return nn.Sequential(*layers[:-1])


class Generator(nn.Module):
    """(z (N, D), y (N,)) -> items (N, *shape) in [-1, 1]. norm: batch norm before the last layer."""

    def __init__(
        self,
        shape: tuple[int, ...],
        classes: int,
        latent: int,
        hidden: tuple[int, ...] = (256, 512),
        norm: bool = False,
    ):
        super().__init__()
        self.shape = shape
        self.embedding = nn.Embedding(classes, latent)
        self.layers = perceptron([2 * latent, *hidden, math.prod(shape)])
        if norm:
            self.layers.insert(len(self.layers) - 1, nn.BatchNorm1d(hidden[-1]))

    def forward(self, z: Tensor, y: Tensor) -> Tensor:
        h = torch.cat([z, self.embedding(y)], 1)
        return torch.tanh(self.layers(h)).view(-1, *self.shape)


class Discriminator(nn.Module):
    """(items (N, *shape), y (N,)) -> scores (N,).

    kernels: those of a minibatch discrimination before the last layer; 0 judges each item by itself.
    """

    def __init__(
        self, shape: tuple[int, ...], classes: int, hidden: tuple[int, ...] = (512, 256), kernels: int = 0, dim: int = 3
    ):
        super().__init__()
        features = math.prod(shape)
        label = min(64, 2 * features)  # numbers that stand for a label; more would drown a short row
        self.embedding = nn.Embedding(classes, label)
        self.layers = perceptron([features + label, *hidden, 1])
        if kernels:
            self.layers[-1] = nn.Linear(hidden[-1] + kernels, 1)
            self.layers.insert(len(self.layers) - 1, MinibatchDiscrimination(hidden[-1], kernels, dim))

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        return self.layers(torch.cat([x.flatten(1), self.embedding(y)], 1)).squeeze(1)
