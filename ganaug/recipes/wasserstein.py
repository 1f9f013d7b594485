"""Recipes that estimate a Wasserstein distance; their discriminator is a critic."""

from __future__ import annotations

from ganaug.data.spec import DataSpec
from ganaug.game import Adam, Networks, Player, Prior, Recipe
from ganaug.losses import gradient_penalty, wasserstein
from ganaug.networks.dcgan import Critic, Generator
from ganaug.networks.eyes import OpenEye


def wgan_gp(
    width: int = 32, latent: int = 64, penalty: float = 10.0, moves: int = 5, lr: float = 2e-4, batch: int = 64
) -> Recipe:
    """WGAN-GP (Gulrajani et al. 2017, 1704.00028, algorithm 1): the critic maximises
    E f(x) - E f(G(z)) - penalty E (||grad f(x̂)|| - 1)², `moves` times for each move of the generator."""

    def networks(spec: DataSpec, prior: Prior) -> Networks:
        return {
            "generator": Generator(spec.shape, len(spec.classes), prior.dim, width),
            "discriminator": Critic(spec.shape, len(spec.classes), width),
            "eye": OpenEye(),
        }

    return Recipe(
        networks,
        (
            Player(
                "discriminator",
                ("discriminator",),
                wasserstein.discriminator + penalty * gradient_penalty,
                Adam(lr, (0.0, 0.9)),
                moves=moves,
            ),
            Player("generator", ("generator",), wasserstein.generator, Adam(lr, (0.0, 0.9))),
        ),
        prior=Prior(latent),
        memory=10_000,
        batch=batch,
    )
