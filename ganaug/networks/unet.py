"""U-Nets: an image becomes another image, with a shortcut from each resolution of the way down to the way up.

After Isola et al. 2017 (1611.07004, section 3.2.1), with two changes. Their noise is dropout that stays on in use; here
the latent and the label scale and shift the features on the way up, so that the same latent gives the same image. And
features are normalised within each image, so that an image does not depend on its neighbours in the batch.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ganaug.networks.layers import PixelNorm, halvings, widths

FINE = 8  # features at full size


class UNet(nn.Module):
    """(source (N, c, H, W), z (N, D), y (N,)) -> images (N, C, H, W) in [-1, 1].

    shape: (C, H, W), any sizes from 8 px. inputs: c. width: features at half the size, doubled at each further halving
    up to `widest`. Two by two pixels enter and leave as one position, so that only the last, narrow layer works at full
    size; it also sees the source.
    """

    def __init__(
        self, shape: tuple[int, ...], classes: int, latent: int, inputs: int, width: int = 32, widest: int = 64
    ):
        super().__init__()
        channels, height, image_width = shape
        steps = max(halvings(max(height, image_width)) - 1, 1)
        w = widths(width, steps, widest)[::-1]
        self.embedding = nn.Embedding(classes, latent)
        self.norm = PixelNorm()
        self.stem = nn.Conv2d(4 * inputs, w[0], 3, padding=1)
        self.downs = nn.ModuleList([_Down(a, b) for a, b in zip(w, w[1:], strict=False)])
        self.middle = _Styled(w[-1], w[-1], 2 * latent)
        self.ups = nn.ModuleList([_Styled(b + a, a, 2 * latent) for a, b in zip(w, w[1:], strict=False)][::-1])
        self.enlarge = nn.Conv2d(w[0], 4 * FINE, 3, padding=1)
        self.paint = nn.Conv2d(FINE + inputs, channels, 3, padding=1)

    def forward(self, source: Tensor, z: Tensor, y: Tensor) -> Tensor:
        return self.painted(self.features(source, z, y), source)

    def painted(self, features: Tensor, source: Tensor) -> Tensor:
        """The image (N, C, H, W) in [-1, 1] that features show."""
        return torch.tanh(self.paint(torch.cat([features, source], 1)))

    def features(self, source: Tensor, z: Tensor, y: Tensor) -> Tensor:
        """Features before the last layer, (N, FINE, H, W)."""
        style = torch.cat([self.norm(z), self.norm(self.embedding(y))], 1)
        h = self.stem(unshuffle(source))
        passed = []
        for down in self.downs:
            passed.append(h)
            h = down(h)
        h = h + self.middle(h, style)
        for up in self.ups:
            shortcut = passed.pop()
            h = torch.cat([F.interpolate(h, shortcut.shape[2:], mode="nearest"), shortcut], 1)
            h = up(h, style)
        h = F.pixel_shuffle(self.enlarge(F.leaky_relu(h, 0.2)), 2)[:, :, : source.shape[2], : source.shape[3]]
        return F.leaky_relu(h, 0.2)


class Inpainter(nn.Module):
    """A U-Net that fills holes: (source (N, C + 1, H, W), z, y) -> images (N, C, H, W) in [-1, 1].

    The last channel of the source is 1 in the hole and -1 outside; what is outside is kept, bit by bit.
    """

    def __init__(self, shape: tuple[int, ...], classes: int, latent: int, width: int = 32, widest: int = 64):
        super().__init__()
        self.net = UNet(shape, classes, latent, shape[0] + 1, width, widest)

    def forward(self, source: Tensor, z: Tensor, y: Tensor) -> Tensor:
        kept, hole = source[:, :-1], source[:, -1:]
        return torch.where(hole > 0, self.net(source, z, y), kept)


class _Down(nn.Module):
    """Half the size, rounded up: leaky ReLU, convolution with stride 2, normalisation within the image."""

    def __init__(self, inputs: int, outputs: int):
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, 3, stride=2, padding=1, bias=False)
        self.norm = nn.GroupNorm(groups(outputs), outputs)

    def forward(self, x: Tensor) -> Tensor:
        return self.norm(self.conv(F.leaky_relu(x, 0.2)))


class _Styled(nn.Module):
    """Leaky ReLU, convolution, normalisation within the image, then scale and shift by the style."""

    def __init__(self, inputs: int, outputs: int, style: int):
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, 3, padding=1, bias=False)
        self.norm = nn.GroupNorm(groups(outputs), outputs, affine=False)
        self.affine = nn.Linear(style, 2 * outputs)
        nn.init.normal_(self.affine.weight, std=0.5 * style**-0.5)
        nn.init.zeros_(self.affine.bias)

    def forward(self, x: Tensor, style: Tensor) -> Tensor:
        scale, shift = self.affine(style)[:, :, None, None].chunk(2, 1)
        return torch.addcmul(shift, self.norm(self.conv(F.leaky_relu(x, 0.2))), 1 + scale)


def unshuffle(x: Tensor) -> Tensor:
    """Two by two pixels as one position of four times the channels; odd sides are continued by one pixel."""
    x = F.pad(x, (0, x.shape[3] % 2, 0, x.shape[2] % 2), mode="replicate")
    return F.pixel_unshuffle(x, 2).contiguous(memory_format=torch.channels_last)


def groups(features: int) -> int:
    """Groups of at least 8 features for group normalisation."""
    return next(g for g in range(max(features // 8, 1), 0, -1) if features % g == 0)
