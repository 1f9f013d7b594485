"""Residual recipes from 2019 on."""

from __future__ import annotations

import math

from ganaug.data.spec import DataSpec
from ganaug.game import Adam, Networks, Prior, Recipe, Schedule
from ganaug.losses import r1, r2, relativistic
from ganaug.losses.objectives import hinge
from ganaug.losses.weights import orthogonal
from ganaug.networks import biggan as big
from ganaug.networks import r3gan as r3
from ganaug.networks.eyes import AffineEye, OpenEye
from ganaug.networks.residual import Discriminator, Generator
from ganaug.recipes.named import duel, recipe


@recipe
def small(
    width: int = 24,
    widest: int = 96,
    latent: int = 64,
    gamma: float = 0.5,
    lazy: int = 4,
    lr: float = 7e-4,
    memory: float = 10_000,
    batch: int = 64,
    eye: float = 0.5,
) -> Recipe:
    """The default: relativistic pairing with lazy R1 and R2 (Huang et al. 2024, 2501.05441, equations 2 and 4) on a
    small residual pair without batch norm, with a projection discriminator and an affine eye, which moves a share `eye`
    of the images that the discriminator sees, or changes them in those ways that are allowed (`--allow`).

        discriminator ×1: relativistic.discriminator + 0.5·r1 (every 4) + 0.5·r2 (every 4)
        generator     ×1: relativistic.generator

    Expect: agreement 0.981 (0.978 to 0.983), diversity 0.95, CAS 0.969 (0.967 to 0.972) on MNIST with 100 images a
    class; agreement 0.908 (0.904 to 0.910), diversity 0.76, CAS 0.815 (0.808 to 0.821) on Fashion-MNIST with 200 a
    class; 3 seeds, 4,200 steps, about 10 minutes each (docs/quality.md has the command and more data sets).
    """

    def networks(spec: DataSpec, prior: Prior) -> Networks:
        return {
            "generator": Generator(spec.shape, len(spec.classes), prior.dim, width, widest),
            "discriminator": Discriminator(spec.shape, len(spec.classes), width, widest),
            "eye": AffineEye(p=eye, allow=spec.allow),
        }

    critic = relativistic.discriminator + gamma * (r1 + r2).every(lazy)
    return Recipe(
        networks,
        duel(critic, relativistic.generator, Adam(lr, (0.0, 0.99))),
        prior=Prior(latent),
        memory=memory,
        batch=batch,
        advised=3000,  # where its figures in docs/quality.md were good
    )


@recipe
def biggan(
    width: int = 12,
    widest: int = 96,
    latent: int = 60,
    moves: int = 2,
    beta: float = 1e-4,
    lr: float = 4e-4,
    batch: int = 32,
    conditional: bool = True,
) -> Recipe:
    """BigGAN (Brock et al. 2019, 1809.11096), small: residual pair, spectral norm in both, class-conditional batch
    norm, latent in parts, projection of the label; hinge loss E max(0, 1 - D(x)) + E max(0, 1 + D(G(z))) against
    -E D(G(z)) + beta ||W W' ⊙ (1 - I)||² (equation 3), `moves` of the discriminator for each of the generator.

        discriminator ×2: hinge.discriminator
        generator     ×1: hinge.generator + 0.0001·orthogonal

    Sampling with a `truncation` below 1 gives more typical and less varied images (under the batch statistics of whole
    latents). Without the non-local block.

    Expect: agreement 0.965 (0.965 to 0.965); diversity, rank correlation with truncation 1 (1 to 1); agreement, rank
    correlation with truncation -0.987 (-1 to -0.975) (mnist at 16 px, 1500 steps; 2 seeds, 5.0 minutes of a processor
    each).
    """

    def networks(spec: DataSpec, prior: Prior) -> Networks:
        return {
            "generator": big.Generator(spec.shape, len(spec.classes), prior.dim, width, widest),
            "discriminator": big.Discriminator(spec.shape, len(spec.classes), width, widest),
            "eye": OpenEye(),
        }

    return Recipe(
        networks,
        duel(hinge.discriminator, hinge.generator + beta * orthogonal, Adam(lr, (0.0, 0.999)), moves=moves),
        prior=Prior(latent),
        memory=10_000,
        batch=batch,
        labelled=conditional,
    )


@recipe
def r3gan(
    width: int = 16,
    widest: int = 64,
    blocks: int = 1,
    latent: int = 64,
    gamma: float = 20.0,
    last_gamma: float = 2.0,
    lr: float = 1e-3,
    last_lr: float = 2e-4,
    burn_in: float = 0.5,
    lazy: int = 2,
    memory: float = 10_000,
    batch: int = 32,
    conditional: bool = True,
) -> Recipe:
    """R3GAN (Huang et al. 2024, 2501.05441): E softplus(D(G(z)) - D(x)) + gamma / 2 (E ||grad D(x)||² +
    E ||grad D(G(z))||²) against E softplus(D(x) - D(G(z))) (equations 2 and 4), on residual networks without any
    normalisation.

        discriminator ×1: relativistic.discriminator + w(t)·r1 (every 2) + w(t)·r2 (every 2)
        generator     ×1: relativistic.generator

    gamma and the learning rate fall along a cosine during the share `burn_in` of the training, then stay; the half-life
    of the average rises to `memory` images. The penalties are lazy (every `lazy`-th move). Other than there, Adam's
    betas stay, and the networks are small.

    Expect: modes of 70, r3gan 67; modes of 70, gan 2; modes of 70, dcgan 4; agreement 0.997 (mnist at 16 px, digits in
    7 colours without labels, 4000 steps; 1 seed, 28.1 minutes of a processor each).
    """

    def networks(spec: DataSpec, prior: Prior) -> Networks:
        return {
            "generator": r3.Generator(spec.shape, len(spec.classes), prior.dim, width, widest, blocks),
            "discriminator": r3.Discriminator(spec.shape, len(spec.classes), width, widest, blocks),
            "eye": OpenEye(),
        }

    adam = Adam(_cosine(lr, last_lr, burn_in), (0.0, 0.99))
    penalties = _cosine(gamma, last_gamma, burn_in) * (r1 + r2).every(lazy)
    return Recipe(
        networks,
        duel(relativistic.discriminator + penalties, relativistic.generator, adam),
        prior=Prior(latent),
        memory=memory,
        batch=batch,
        labelled=conditional,
    )


def _cosine(first: float, last: float, until: float) -> Schedule:
    """Half a period of a cosine from `first` down to `last` at progress `until`, then `last`."""

    def at(progress: float) -> float:
        share = min(progress / until, 1.0) if until > 0 else 1.0
        return last + (first - last) * (1 + math.cos(math.pi * share)) / 2

    return at
