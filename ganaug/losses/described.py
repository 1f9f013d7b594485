"""What makes items follow their words."""

from __future__ import annotations

from typing import Any

import torch.nn.functional as F
from torch import Tensor

from ganaug.game import Round, term


@term
def matching(r: Round) -> Tensor:
    """E softplus(D(x, y') - D(x, y)): a real item fits its own words better than those of another class, which shares
    most of them half of the time. The discriminator that heeds matching of Reed et al. 2016 (1605.05396, section 4.2),
    in relativistic form."""
    discriminator: Any = r.nets["discriminator"]
    return F.softplus(discriminator(*r.real_seen, discriminator.others(r.y, r.rng)) - r.real_scores).mean()


@term
def conditioning(r: Round) -> Tensor:
    """KL(N(mu(y), sigma(y)²) || N(0, 1)) of what the words become, a mean over its features (Zhang et al. 2017,
    1612.03242, equation 2)."""
    generator: Any = r.nets["generator"]
    mean, log_variance = generator.moments(r.y)
    return 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance).mean()
