"""Networks of systems that infer: image encoders, discriminators of pairs and of latents, the reader of InfoGAN, and
the generator that they share.

The generator is the small convolutional one with batch norm of Chen et al. 2016 (1606.03657, appendix C.1). Nothing
else here has batch norm, so that what is known about an image does not depend on the others of its batch.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ganaug.networks.dcgan import positions, strided
from ganaug.networks.layers import crop, halvings, starting_size, transposed
from ganaug.networks.mlp import perceptron

LABEL = 32  # numbers that a label is embedded in


class Generator(nn.Module):
    """(z (N, D), y (N,)) -> images (N, C, H, W) in [-1, 1]: linear layers, then transposed convolutions.

    width: features before the last layer, doubled at each halving of the size. hidden: features of a linear layer in
    which latent and label, which enters beside it, meet first; 0 for none.
    """

    def __init__(self, shape: tuple[int, ...], classes: int, latent: int, width: int = 32, hidden: int = 256):
        super().__init__()
        channels, self.height, self.width = shape
        size = max(self.height, self.width)
        steps = max(halvings(size), 1)
        self.start = starting_size(size, steps)
        features = width * 2 ** (steps - 1)
        self.embedding = nn.Embedding(classes, LABEL)
        meet: list[nn.Module] = []
        if hidden:
            meet = [nn.Linear(latent + LABEL, hidden, bias=False), nn.BatchNorm1d(hidden), nn.ReLU()]
        self.first = nn.Sequential(*meet, nn.Linear(hidden or latent + LABEL, features * self.start**2, bias=False))
        self.layers = nn.Sequential(*transposed(features, channels, steps))

    def forward(self, z: Tensor, y: Tensor) -> Tensor:
        h = self.first(torch.cat([z, self.embedding(y)], 1)).view(z.shape[0], -1, self.start, self.start)
        x = self.layers(h.contiguous(memory_format=torch.channels_last))
        return torch.tanh(crop(x, self.height, self.width))


class Body(nn.Module):
    """Images (N, C, H, W) -> features (N, hidden): strided convolutions down to 4 to 7 px, then one linear layer."""

    def __init__(self, shape: tuple[int, ...], width: int = 32, hidden: int = 256):
        super().__init__()
        channels, height, image_width = shape
        self.layers, features, _ = strided(channels, min(height, image_width), width, norm=False)
        self.last = nn.Linear(features * positions(height, image_width), hidden)
        for module in self.modules():
            if isinstance(module, (nn.Conv2d, nn.Linear)):
                nn.init.kaiming_normal_(module.weight, a=0.2)

    def forward(self, x: Tensor) -> Tensor:
        return F.leaky_relu(self.last(self.layers(x).flatten(1)), 0.2)


class Encoder(nn.Module):
    """(images (N, C, H, W), y (N,)) -> (mean, log variance) of the latent, each (N, D). The code is exact, its log
    variance -inf. The label is not looked at: the encoder can be asked about images whose label nobody knows."""

    def __init__(self, shape: tuple[int, ...], latent: int, width: int = 32):
        super().__init__()
        self.body = Body(shape, width)
        self.code = nn.Linear(self.body.last.out_features, latent)

    def forward(self, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        code = self.code(self.body(x))
        return code, torch.full_like(code, -torch.inf)


class LabelledEncoder(nn.Module):
    """(images (N, C, H, W), y (N,)) -> (mean, log variance) of the latent, each (N, D), where the label is known: the
    code may leave out what it says."""

    def __init__(self, shape: tuple[int, ...], classes: int, latent: int, width: int = 32):
        super().__init__()
        self.body = Body(shape, width)
        self.embedding = nn.Embedding(classes, LABEL)
        hidden = self.body.last.out_features
        self.code = perceptron([hidden + LABEL, hidden, 2 * latent])

    def forward(self, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        mean, log_variance = self.code(torch.cat([self.body(x), self.embedding(y)], 1)).chunk(2, 1)
        return mean, log_variance


class JointDiscriminator(nn.Module):
    """(images (N, C, H, W), z (N, D), y (N,)) -> scores (N,): does the latent belong to the image?"""

    def __init__(self, shape: tuple[int, ...], classes: int, latent: int, width: int = 32, hidden: int = 256):
        super().__init__()
        self.body = Body(shape, width, hidden)
        self.code = nn.Linear(latent, hidden)
        self.embedding = nn.Embedding(classes, LABEL)
        self.head = perceptron([2 * hidden + LABEL, 2 * hidden, 1])

    def forward(self, x: Tensor, z: Tensor, y: Tensor) -> Tensor:
        code = F.leaky_relu(self.code(z), 0.2)
        return self.head(torch.cat([self.body(x), code, self.embedding(y)], 1)).squeeze(1)


class LatentDiscriminator(nn.Module):
    """(z (N, D), y (N,)) -> scores (N,): is the code drawn from the prior?"""

    def __init__(self, classes: int, latent: int, hidden: int = 256):
        super().__init__()
        self.embedding = nn.Embedding(classes, LABEL)
        self.layers = perceptron([latent + LABEL, hidden, hidden, 1])

    def forward(self, z: Tensor, y: Tensor) -> Tensor:
        return self.layers(torch.cat([z, self.embedding(y)], 1)).squeeze(1)


class BodyEye(nn.Module):
    """An eye that learns: the discriminator, and whoever else looks through it, sees its features (N, hidden)."""

    def __init__(self, shape: tuple[int, ...], width: int = 32, hidden: int = 256):
        super().__init__()
        self.body = Body(shape, width, hidden)

    def forward(self, x: Tensor, rng: torch.Generator) -> Tensor:
        return self.body(x)


class FeatureDiscriminator(nn.Module):
    """(features (N, hidden), y (N,)) -> scores (N,): one linear layer on the body that it shares."""

    def __init__(self, classes: int, hidden: int = 256):
        super().__init__()
        self.linear = nn.Linear(hidden, 1)
        self.embedding = nn.Embedding(classes, hidden)
        nn.init.zeros_(self.embedding.weight)

    def forward(self, h: Tensor, y: Tensor) -> Tensor:
        return self.linear(h).squeeze(1) + (h * self.embedding(y)).sum(1)


class Reader(nn.Module):
    """Features (N, hidden) -> (logits of each one-hot code, means of the uniform codes (N, uniform)): what can be read
    off an image about the codes that it was made from (Chen et al. 2016, 1606.03657, section 6)."""

    def __init__(self, categories: tuple[int, ...], uniform: int, hidden: int = 256, between: int = 128):
        super().__init__()
        self.categories, self.uniform = categories, uniform
        self.layers = perceptron([hidden, between, sum(categories) + uniform])

    def forward(self, h: Tensor) -> tuple[tuple[Tensor, ...], Tensor]:
        *logits, means = self.layers(h).split([*self.categories, self.uniform], 1)
        return tuple(logits), means
