"""What TP-GAN is made of (Huang et al. 2017, 1704.04086, section 3.1): a pathway that sees the whole source, local ones
that each see a part of it, one image from both, and a classifier by whose features identities are compared."""

from __future__ import annotations

import math
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ganaug.networks.layers import halvings
from ganaug.networks.translators import normed_within
from ganaug.networks.unet import FINE, UNet

SHARE = 0.625  # of each side, that a local pathway sees


class TwoPathways(nn.Module):
    """(source (N, c, H, W), z (N, D), y (N,)) -> images (N, C, H, W) in [-1, 1].

    A U-Net of the whole, and one of half its width for each of the four quarters, which overlap (`SHARE`). Where
    quarters overlap, the larger of their features counts; the last layers see the features and the images of both
    pathways, and the source. inputs: c. width: as in `UNet`.
    """

    def __init__(self, shape: tuple[int, ...], classes: int, latent: int, inputs: int, width: int = 32):
        super().__init__()
        channels, height, image_width = shape
        rows, columns = _halves(height), _halves(image_width)
        self.quarters = [(row, column) for row in rows for column in columns]
        quarter = (channels, rows[0].stop, columns[0].stop)
        self.whole = UNet(shape, classes, latent, inputs, width)
        self.local = nn.ModuleList(UNet(quarter, classes, latent, inputs, max(width // 2, 8)) for _ in self.quarters)
        self.fuse = nn.Conv2d(2 * (FINE + channels) + inputs, 2 * FINE, 3, padding=1)
        self.paint = nn.Conv2d(2 * FINE, channels, 3, padding=1)

    def forward(self, source: Tensor, z: Tensor, y: Tensor) -> Tensor:
        whole, local = self._seen(source, z, y)
        everywhere = [self._in_place(part, box, source) for part, box in zip(local, self.quarters, strict=True)]
        h = torch.cat([*whole, torch.stack(everywhere).amax(0), source], 1)
        return torch.tanh(self.paint(F.leaky_relu(self.fuse(h), 0.2)))

    def pathways(self, source: Tensor, z: Tensor, y: Tensor) -> list[Tensor]:
        """What each pathway alone would paint: the whole image, then the four quarters."""
        whole, local = self._seen(source, z, y)
        return [whole[1], *(part[:, FINE:] for part in local)]

    def views(self, x: Tensor) -> list[Tensor]:
        """The whole of images and their four quarters, as `pathways` gives them."""
        return [x, *(x[:, :, row, column] for row, column in self.quarters)]

    def _seen(self, source: Tensor, z: Tensor, y: Tensor) -> tuple[tuple[Tensor, Tensor], list[Tensor]]:
        """Features and image of the whole, and of each quarter both as one, (N, FINE + C, h, w)."""
        features = self.whole.features(source, z, y)
        local, nets = [], list[Any](self.local)
        for net, part in zip(nets, self.views(source)[1:], strict=True):
            own = net.features(part, z, y)
            local.append(torch.cat([own, net.painted(own, part)], 1))
        return (features, self.whole.painted(features, source)), local

    @staticmethod
    def _in_place(part: Tensor, box: tuple[slice, slice], source: Tensor) -> Tensor:
        """A quarter at its place in the whole, and below everything elsewhere."""
        (top, bottom), (left, right) = ((side.start, side.stop) for side in box)
        outside = (left, source.shape[3] - right, top, source.shape[2] - bottom)
        return F.pad(part, outside, value=-math.inf)


class Recogniser(nn.Module):
    """(images (N, C, H, W)) -> logits of their classes (N, K), normalised within each image."""

    def __init__(self, shape: tuple[int, ...], classes: int, width: int = 32, hidden: int = 64):
        super().__init__()
        steps = max(halvings(min(shape[1:])), 1)
        self.layers, features = normed_within(shape[0], steps, width)
        sides = [size // 2**steps for size in shape[1:]]
        self.hidden = nn.Linear(features * sides[0] * sides[1], hidden)
        self.last = nn.Linear(hidden, classes)

    def forward(self, x: Tensor) -> Tensor:
        return self.last(self.features(x)[1])

    def features(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Of the two layers before the last: maps (N, features, h, w) and vectors (N, hidden)."""
        maps = self.layers(x)
        return maps, F.leaky_relu(self.hidden(maps.flatten(1)), 0.2)


def _halves(side: int) -> tuple[slice, slice]:
    """The first and the last `SHARE` of a side."""
    length = math.ceil(SHARE * side)
    return slice(0, length), slice(side - length, side)
