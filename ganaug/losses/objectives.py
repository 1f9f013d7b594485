"""What the two sides of a game want. Each is a pure function of a round; higher scores mean more real."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor

from ganaug.game import Round, term


class nonsaturating:
    """Goodfellow et al. 2014 (1406.2661), section 3: the generator maximises log D(G(z)). Scores are logits."""

    @term
    def discriminator(r: Round) -> Tensor:
        """-E log D(x) - E log(1 - D(G(z)))."""
        return F.softplus(-r.real_scores).mean() + F.softplus(r.fake_scores).mean()

    @term
    def generator(r: Round) -> Tensor:
        """-E log D(G(z))."""
        return F.softplus(-r.fake_scores).mean()


class minimax:
    """Goodfellow et al. 2014 (1406.2661), equation 1: one value, V = E log D(x) + E log(1 - D(G(z))), for both sides.

    Where the discriminator is sure, the generator's slope vanishes: log(1 - D) is flat at D = 0.
    """

    @term
    def discriminator(r: Round) -> Tensor:
        """-V."""
        return F.softplus(-r.real_scores).mean() + F.softplus(r.fake_scores).mean()

    @term
    def generator(r: Round) -> Tensor:
        """E log(1 - D(G(z))), the part of V that depends on the generator."""
        return -F.softplus(r.fake_scores).mean()


class least_squares:
    """Mao et al. 2017 (1611.04076), equation 9: real scores are drawn to 1, those of fakes to 0."""

    @term
    def discriminator(r: Round) -> Tensor:
        """1/2 E (D(x) - 1)² + 1/2 E D(G(z))²."""
        return 0.5 * (r.real_scores - 1).square().mean() + 0.5 * r.fake_scores.square().mean()

    @term
    def generator(r: Round) -> Tensor:
        """E (D(G(z)) - 1)²."""
        return (r.fake_scores - 1).square().mean()


class wasserstein:
    """Arjovsky et al. 2017 (1701.07875), equation 3. Scores are unbounded; the critic must be kept Lipschitz."""

    @term
    def discriminator(r: Round) -> Tensor:
        """E f(G(z)) - E f(x): minus the estimate of the distance."""
        return r.fake_scores.mean() - r.real_scores.mean()

    @term
    def generator(r: Round) -> Tensor:
        """-E f(G(z))."""
        return -r.fake_scores.mean()


class relativistic:
    """Relativistic pairing (Jolicoeur-Martineau 2018, 1807.00734; as used by Huang et al. 2024, 2501.05441, eq. 2).

    The i-th fake is compared with the i-th real image, which has the same label.
    """

    @term
    def discriminator(r: Round) -> Tensor:
        """E softplus(D(G(z)) - D(x))."""
        return F.softplus(r.fake_scores - r.real_scores).mean()

    @term
    def generator(r: Round) -> Tensor:
        """E softplus(D(x) - D(G(z)))."""
        return F.softplus(r.real_scores - r.fake_scores).mean()


class hinge:
    """Lim & Ye 2017 (1705.02894), as used by Brock et al. 2019 (1809.11096). Scores are unbounded."""

    @term
    def discriminator(r: Round) -> Tensor:
        """E max(0, 1 - D(x)) + E max(0, 1 + D(G(z)))."""
        return F.relu(1 - r.real_scores).mean() + F.relu(1 + r.fake_scores).mean()

    @term
    def generator(r: Round) -> Tensor:
        """-E D(G(z))."""
        return -r.fake_scores.mean()
