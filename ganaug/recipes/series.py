"""Recipes for series."""

from __future__ import annotations

from ganaug.data.spec import DataSpec
from ganaug.game import Adam, Networks, Player, Prior, Recipe
from ganaug.losses import nonsaturating
from ganaug.networks.eyes import OpenEye
from ganaug.networks.series import Discriminator, Generator

BETAS = (0.5, 0.999)


def rcgan(
    width: int = 100, latent: int = 2, lr: float = 1e-3, discriminator_lr: float = 4e-3, batch: int = 64
) -> Recipe:
    """Recurrent conditional GAN (Esteban et al. 2017, 1706.02633, section 4.1): generator and discriminator are LSTMs;
    the discriminator's loss is the cross-entropy averaged over the steps,
    -1/T sum_t [log D(x|y)_t + log(1 - D(G(z|y)|y)_t)].

    One latent stands for a whole series, so that a walk through latent space bends a series as a whole; the paper
    draws another one at each step. The discriminator learns faster (Heusel et al. 2017, 1706.08500): at one rate, this
    pair was still drawing flat lines after as many rounds. What to expect stands in docs/recipes.md.
    """

    def networks(spec: DataSpec, prior: Prior) -> Networks:
        return {
            "generator": Generator(spec.shape, len(spec.classes), prior.width, width),
            "discriminator": Discriminator(spec.shape, len(spec.classes), width),
            "eye": OpenEye(),
        }

    return Recipe(
        networks,
        (
            Player("discriminator", ("discriminator",), nonsaturating.discriminator, Adam(discriminator_lr, BETAS)),
            Player("generator", ("generator",), nonsaturating.generator, Adam(lr, BETAS)),
        ),
        prior=Prior(latent),
        memory=10_000,
        batch=batch,
        axes=(2,),
    )
