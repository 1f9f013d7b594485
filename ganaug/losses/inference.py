"""Losses of systems with an inference network: reconstruction, divergence from the prior, information about codes."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor

from ganaug.game import JointRound, LatentRound, NoiseRound, term
from ganaug.losses.penalties import slopes


class joint:
    """Donahue et al. 2017 (1605.09782), equation 3: generator and encoder against a discriminator of pairs (x, z)."""

    @term
    def generator(r: JointRound) -> Tensor:
        """-E log D(G(z), z) - E log(1 - D(x, E(x))): both sides change places (section 3.4). Scores are logits."""
        return F.softplus(-r.fake_scores).mean() + F.softplus(r.real_scores).mean()


@term
def r1_through_eye(r: NoiseRound) -> Tensor:
    """1/2 E ||grad D(T(x))||² with respect to real images x, for an eye T that learns: `r1` is taken behind the eye."""
    x = r.real.detach().requires_grad_()
    return 0.5 * slopes(r.score((r.nets["eye"](x, r.rng),)), (x,)).mean()


@term
def reconstruction(r: LatentRound) -> Tensor:
    """E 1/2 ||x - G(E(x))||², summed over an item: -log of a normal density of variance 1, without its constant."""
    return 0.5 * (r.real - r.fake).square().flatten(1).sum(1).mean()


@term
def divergence(r: LatentRound) -> Tensor:
    """E KL(N(mean, variance) || N(0, 1)), summed over the latent, in nats (Kingma & Welling 2014, 1312.6114, B)."""
    mean, log_variance = r.posterior
    return 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance).sum(1).mean()


class information:
    """-L_I, the variational bound on the mutual information of codes and images (Chen et al. 2016, 1606.03657, eq. 5),
    without the constant entropy of the codes. nets["reader"] reads them off what the discriminator sees of the fakes.
    """

    @term
    def categories(r: NoiseRound) -> Tensor:
        """-E log Q(c | G(z, c)) of the one-hot codes, in nats."""
        logits, means = r.nets["reader"](*r.fake_seen)
        widths = [part.shape[1] for part in logits]
        first = r.z.shape[1] - means.shape[1] - sum(widths)
        codes = r.z[:, first : first + sum(widths)].split(widths, 1)
        return sum((F.cross_entropy(read, code) for read, code in zip(logits, codes, strict=True)), r.z.new_zeros(()))

    @term
    def uniform(r: NoiseRound) -> Tensor:
        """The same of the uniform codes, read as a normal density of variance 1, without its constant."""
        _, means = r.nets["reader"](*r.fake_seen)
        return 0.5 * (means - r.z[:, r.z.shape[1] - means.shape[1] :]).square().sum(1).mean()
