"""How near an image comes to the one that it should become, in which game of translation."""

from __future__ import annotations

from typing import Any

import torch.nn.functional as F
from torch import Tensor

from ganaug.game import CycleRound, TranslationRound, term


@term
def likeness(r: TranslationRound) -> Tensor:
    """E |G(s, z) - x|, the mean over pixels (Isola et al. 2017, 1611.07004, equation 3)."""
    return (r.fake - r.real).abs().mean()


@term
def refill(r: TranslationRound) -> Tensor:
    """E ||G(s, z) - x||² over the hole alone, per pixel (Pathak et al. 2016, 1604.07379, equation 1)."""
    hole = (r.source[:, -1:] > 0).float()
    return ((r.fake - r.real).square() * hole).sum() / (hole.sum() * r.real.shape[1]).clamp_min(1)


@term
def sameness(r: TranslationRound) -> Tensor:
    """E |z - z'| / |G(s, z) - G(s, z')|, both means over their elements: lower if the latent changes more (Mao et al.
    2019, 1903.05628, equation 3). z' is the latent of the neighbour in the batch. Images are compared by averages over
    4 by 4 pixels: otherwise a fine pattern would be the cheapest difference."""
    other = r.z.roll(1, 0)
    change = r.fake - r.nets["generator"](r.source, other, r.y)
    return (r.z - other).abs().mean() / (F.avg_pool2d(change, 4).abs().mean() + 1e-3)


@term
def cycle(r: CycleRound) -> Tensor:
    """E |F(G(s)) - s|: there and back again (Zhu et al. 2017, 1703.10593, equation 2)."""
    return (r.returned - r.source).abs().mean()


@term
def identity(r: CycleRound) -> Tensor:
    """E |G(x) - x| for x that is what G makes already (Zhu et al. 2017, 1703.10593, section 5.2)."""
    return (r.unchanged - r.real).abs().mean()


@term
def pathways(r: TranslationRound) -> Tensor:
    """E |P(s, z) - x| of each pathway P of the generator alone, where it looks: of the whole, plus the mean over the
    local ones (Huang et al. 2017, 1704.04086, section 3.2)."""
    generator: Any = r.nets["generator"]
    made = generator.pathways(r.source, r.z, r.y)
    whole, *local = ((image - part).abs().mean() for image, part in zip(made, generator.views(r.real), strict=True))
    return whole + sum(local) / len(local)


@term
def symmetry(r: TranslationRound) -> Tensor:
    """E |G(s, z) - mirrored G(s, z)| of pixels, plus the same of their Laplacians, which changes of light leave alone
    (Huang et al. 2017, 1704.04086, section 3.2)."""
    return sum(((image - image.flip(3)).abs().mean() for image in (r.fake, laplacian(r.fake))), r.fake.new_zeros(()))


@term
def recognition(r: TranslationRound) -> Tensor:
    """-E log p(y | x), the cross entropy of the classifier of real items, in nats."""
    return F.cross_entropy(r.nets["classifier"](r.real), r.y)


@term
def kept_identity(r: TranslationRound) -> Tensor:
    """E |F(G(s, z)) - F(x)|, summed over the two layers of the classifier before its last one, each a mean over its
    features (Huang et al. 2017, 1704.04086, section 3.2)."""
    classifier: Any = r.nets["classifier"]
    sides = zip(classifier.features(r.fake), classifier.features(r.real), strict=True)
    return sum(((fake - real).abs().mean() for fake, real in sides), r.fake.new_zeros(()))


@term
def total_variation(r: TranslationRound) -> Tensor:
    """E |difference of neighbouring pixels|, downwards plus to the right (Huang et al. 2017, 1704.04086, section
    3.2)."""
    return r.fake.diff(dim=2).abs().mean() + r.fake.diff(dim=3).abs().mean()


def laplacian(x: Tensor) -> Tensor:
    """Each pixel minus the mean of its four neighbours; the border is continued."""
    y = F.pad(x, (1, 1, 1, 1), mode="replicate")
    return x - (y[:, :, 1:-1, 2:] + y[:, :, 1:-1, :-2] + y[:, :, 2:, 1:-1] + y[:, :, :-2, 1:-1]) / 4
