"""Recipes of 2014 to 2016."""

from __future__ import annotations

from ganaug.data.spec import DataSpec
from ganaug.game import Adam, Networks, Player, Prior, Recipe
from ganaug.losses import nonsaturating
from ganaug.networks import dcgan as convolutional
from ganaug.networks import mlp
from ganaug.networks.eyes import OpenEye


def cgan(latent: int = 64, lr: float = 2e-4, batch: int = 64) -> Recipe:
    """Conditional GAN of perceptrons (Mirza & Osindero 2014, 1411.1784, equation 2):
    min_G max_D E log D(x|y) + E log(1 - D(G(z|y)|y)), with the non-saturating generator loss."""

    def networks(spec: DataSpec, prior: Prior) -> Networks:
        return {
            "generator": mlp.Generator(spec.shape, len(spec.classes), prior.dim),
            "discriminator": mlp.Discriminator(spec.shape, len(spec.classes)),
            "eye": OpenEye(),
        }

    return Recipe(
        networks,
        _duel(lr),
        prior=Prior(latent),
        memory=10_000,
        batch=batch,
    )


def dcgan(width: int = 32, latent: int = 64, lr: float = 2e-4, batch: int = 64) -> Recipe:
    """Class-conditional DCGAN (Radford et al. 2016, 1511.06434), non-saturating loss, Adam with beta1 0.5."""

    def networks(spec: DataSpec, prior: Prior) -> Networks:
        return {
            "generator": convolutional.Generator(spec.shape, len(spec.classes), prior.dim, width),
            "discriminator": convolutional.Discriminator(spec.shape, len(spec.classes), width),
            "eye": OpenEye(),
        }

    return Recipe(
        networks,
        _duel(lr),
        prior=Prior(latent),
        memory=10_000,
        batch=batch,
    )


def _duel(lr: float) -> tuple[Player, Player]:
    """Discriminator and generator in turns, with the optimiser of Radford et al. 2016 (section 4)."""
    adam = Adam(lr, (0.5, 0.999))
    return (
        Player("discriminator", ("discriminator",), nonsaturating.discriminator, adam),
        Player("generator", ("generator",), nonsaturating.generator, adam),
    )
