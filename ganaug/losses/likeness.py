"""How near an image comes to the one that it should become, in which game of translation."""

from __future__ import annotations

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
