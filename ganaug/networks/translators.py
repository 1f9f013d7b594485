"""What CycleGAN is made of (Zhu et al. 2017, 1703.10593, section 4): residual translators, one for each direction, a
discriminator of patches, and a memory of past fakes."""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ganaug.networks.layers import halvings
from ganaug.networks.unet import groups, unshuffle


class ByLabel(nn.Module):
    """One network for each class: (things (N, ...), ..., y (N,)) -> for each item, what the network of its class says.

    build: makes one network, of all arguments but the label.
    """

    def __init__(self, build: Callable[[], nn.Module], classes: int):
        super().__init__()
        self.nets = nn.ModuleList([build() for _ in range(classes)])

    def forward(self, *inputs: Tensor) -> Tensor:
        *things, y = inputs
        answers, places = [], []
        for label, net in enumerate(self.nets):
            rows = torch.nonzero(y == label).squeeze(1)
            if len(rows):
                answers.append(net(*(thing[rows] for thing in things)))
                places.append(rows)
        return torch.cat(answers)[torch.argsort(torch.cat(places))]


class Translator(nn.Module):
    """(source (N, C, H, W), z) -> images (N, C, H, W) in [-1, 1]; the latent is not looked at.

    Half the size, then a quarter of it, `blocks` residual blocks there, and back; normalised within each image. width:
    features at half the size.
    """

    def __init__(self, shape: tuple[int, ...], width: int = 32, blocks: int = 3):
        super().__init__()
        channels = shape[0]
        self.stem = step(4 * channels, width)
        self.down = step(width, 2 * width, stride=2)
        self.blocks = nn.Sequential(*[Residual(2 * width) for _ in range(blocks)])
        self.up = step(2 * width, width)
        self.paint = nn.Conv2d(width, 4 * channels, 3, padding=1)

    def forward(self, source: Tensor, z: Tensor) -> Tensor:
        half = self.stem(unshuffle(source))
        h = self.blocks(self.down(half))
        h = self.up(F.interpolate(h, half.shape[2:], mode="nearest"))
        return torch.tanh(F.pixel_shuffle(self.paint(h), 2)[:, :, : source.shape[2], : source.shape[3]])


def normed_within(inputs: int, steps: int, width: int) -> tuple[nn.Sequential, int]:
    """Strided convolutions, each half the size, normalised within each image; the layers, and how many features they
    end in."""
    layers: list[nn.Module] = []
    outputs = width
    for number in range(steps):
        layers += [nn.Conv2d(inputs, outputs, 4, stride=2, padding=1)]
        layers += [_norm(outputs)] if number else []
        layers += [nn.LeakyReLU(0.2)]
        inputs, outputs = outputs, min(2 * outputs, 4 * width)
    return nn.Sequential(*layers), inputs


class PatchDiscriminator(nn.Module):
    """(things (N, c, H, W) that belong together, ...) -> scores (N, 1, h, w), one for each of the overlapping patches
    (Isola et al. 2017, 1611.07004, section 3.2.2).

    inputs: channels of all things together. halvings: strided layers; at 3 of them a patch is 38 px wide.
    """

    def __init__(self, inputs: int, size: int, width: int = 32):
        super().__init__()
        self.layers, self.features = normed_within(inputs, min(max(halvings(size), 1), 3), width)
        self.score = nn.Conv2d(self.features, 1, 3, padding=1)

    def forward(self, *things: Tensor) -> Tensor:
        return self.score(self.maps(*things))

    def maps(self, *things: Tensor) -> Tensor:
        """Features before the scores, (N, features, h, w)."""
        return self.layers(torch.cat(things, 1).contiguous(memory_format=torch.channels_last))


class LabelledPatches(nn.Module):
    """(things (N, c, H, W), ..., y (N,)) -> scores (N, 1, h, w) of patches under a label, by projection (Miyato &
    Koyama 2018, 1802.05637, equation 3)."""

    def __init__(self, inputs: int, size: int, classes: int, width: int = 32):
        super().__init__()
        self.patches = PatchDiscriminator(inputs, size, width)
        self.embedding = nn.Embedding(classes, self.patches.features)
        nn.init.normal_(self.embedding.weight, std=self.patches.features**-0.5)

    def forward(self, *inputs: Tensor) -> Tensor:
        *things, y = inputs
        maps = self.patches.maps(*things)
        e = self.embedding(y)[:, :, None, None] * maps.shape[1] ** -0.5
        return self.patches.score(maps) + (maps * e).sum(1, keepdim=True)


class Memory(nn.Module):
    """Past fakes of each class (Zhu et al. 2017, section 4, after Shrivastava et al. 2017, 1612.07828): until it is
    full it keeps what it sees; then half of the fakes go in, and a past one of their class comes out in their place.

    (fakes (N, C, H, W), y (N,), rng) -> fakes like them. size: fakes kept of each class.
    """

    def __init__(self, shape: tuple[int, ...], classes: int, size: int = 50):
        super().__init__()
        self.size = size
        self.register_buffer("past", torch.zeros(classes * size, *shape))
        self.register_buffer("filled", torch.zeros(classes, dtype=torch.int64))

    past: Tensor
    filled: Tensor

    @torch.no_grad()
    def forward(self, fake: Tensor, y: Tensor, rng: torch.Generator) -> Tensor:
        shown = fake.detach().clone()
        swap = (torch.rand(len(fake), generator=rng) < 0.5).tolist()
        places = torch.randint(self.size, (len(fake),), generator=rng).tolist()
        for i, label in enumerate(y.tolist()):
            n = int(self.filled[label])
            if n < self.size:
                self.past[label * self.size + n] = shown[i]
                self.filled[label] += 1
            elif swap[i]:
                place = label * self.size + places[i]
                shown[i], self.past[place] = self.past[place].clone(), fake[i].detach()
        return shown


def _norm(features: int) -> nn.GroupNorm:
    return nn.GroupNorm(groups(features), features)


def step(inputs: int, outputs: int, stride: int = 1) -> nn.Sequential:
    """Convolution, normalisation within the image, ReLU; stride 2 halves the size, rounded up."""
    return nn.Sequential(nn.Conv2d(inputs, outputs, 3, stride, padding=1), _norm(outputs), nn.ReLU())


class Residual(nn.Module):
    """Two convolutions, normalised within the image, added to what they are given."""

    def __init__(self, features: int):
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(features, features, 3, padding=1), _norm(features), nn.ReLU(),
            nn.Conv2d(features, features, 3, padding=1), _norm(features),
        )  # fmt: skip

    def forward(self, x: Tensor) -> Tensor:
        return x + self.layers(x)
