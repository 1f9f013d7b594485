"""The all-convolutional pair of DCGAN (Radford et al. 2016, 1511.06434, section 3), conditional on a label.

Strided convolutions in place of pooling, batch norm in both networks except at the generator's output and the
discriminator's input, no hidden fully connected layer, ReLU and tanh in the generator, leaky ReLU in the discriminator,
weights drawn from N(0, 0.02).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ganaug.networks.layers import Projection, crop, halvings, starting_size, transposed


def _initialise(net: nn.Module) -> None:
    for module in net.modules():
        if isinstance(module, (nn.Conv2d, nn.ConvTranspose2d)):
            nn.init.normal_(module.weight, std=0.02)
        elif isinstance(module, nn.BatchNorm2d):
            nn.init.normal_(module.weight, mean=1.0, std=0.02)


class Generator(nn.Module):
    """(z (N, D), y (N,)) -> images (N, C, H, W) in [-1, 1]. The label embedding is appended to the latent.

    width: features before the last layer; doubled at each halving of the size.
    """

    def __init__(self, shape: tuple[int, ...], classes: int, latent: int, width: int = 32):
        super().__init__()
        channels, self.height, self.width = shape
        size = max(self.height, self.width)
        steps = max(halvings(size), 1)
        self.embedding = nn.Embedding(classes, latent)
        features = width * 2 ** (steps - 1)
        first = nn.ConvTranspose2d(2 * latent, features, starting_size(size, steps), bias=False)
        self.layers = nn.Sequential(first, *transposed(features, channels, steps), nn.Tanh())
        _initialise(self)

    def forward(self, z: Tensor, y: Tensor) -> Tensor:
        h = torch.cat([z, self.embedding(y)], 1)[:, :, None, None]
        return crop(self.layers(h), self.height, self.width)


def strided(inputs: int, size: int, width: int, norm: bool) -> tuple[nn.Sequential, int, int]:
    """Strided convolutions down to 4 to 7 px; the layers, the number of features and the size that they end in."""
    layers: list[nn.Module] = []
    outputs = width
    for step in range(max(halvings(size), 1)):
        normed = norm and step > 0
        layers.append(nn.Conv2d(inputs, outputs, 4, stride=2, padding=1, bias=not normed))
        if normed:
            layers.append(nn.BatchNorm2d(outputs))
        layers.append(nn.LeakyReLU(0.2))
        inputs, outputs, size = outputs, 2 * outputs, size // 2
    return nn.Sequential(*layers), inputs, size


class Discriminator(nn.Module):
    """(images (N, C, H, W), y (N,)) -> scores (N,). The label enters as one more input channel, learned per class."""

    def __init__(self, shape: tuple[int, ...], classes: int, width: int = 32):
        super().__init__()
        channels, self.height, self.width = shape
        self.embedding = nn.Embedding(classes, self.height * self.width)
        self.layers, features, size = strided(channels + 1, min(self.height, self.width), width, norm=True)
        self.last = nn.Conv2d(features, 1, size)
        _initialise(self)

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        label = self.embedding(y).view(-1, 1, self.height, self.width)
        return self.last(self.layers(torch.cat([x, label], 1))).flatten(1).mean(1)


class Critic(nn.Module):
    """(images (N, C, H, W), y (N,)) -> scores (N,), with projection of the label.

    norm: batch norm, which a gradient penalty forbids: that holds item by item.
    """

    def __init__(self, shape: tuple[int, ...], classes: int, width: int = 32, norm: bool = False):
        super().__init__()
        channels, height, image_width = shape
        self.layers, features, _ = strided(channels, min(height, image_width), width, norm)
        self.head = Projection(features * positions(height, image_width), classes)

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        return self.head(self.layers(x).flatten(1), y)


class Embedder(nn.Module):
    """(images (N, C, H, W), y (N,)) -> points (N, dim) that are compared within a class; the label weighs the features.

    Without batch norm, as a gradient penalty wants it.
    """

    def __init__(self, shape: tuple[int, ...], classes: int, width: int = 32, dim: int = 128):
        super().__init__()
        channels, height, image_width = shape
        self.layers, features, _ = strided(channels, min(height, image_width), width, norm=False)
        features *= positions(height, image_width)
        self.embedding = nn.Embedding(classes, features)
        self.last = nn.Linear(features, dim)

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        return self.last(self.layers(x).flatten(1) * (1 + self.embedding(y)))


def positions(height: int, width: int) -> int:
    """How many positions the features of such an image have."""
    steps = max(halvings(min(height, width)), 1)
    return (height // 2**steps) * (width // 2**steps)
