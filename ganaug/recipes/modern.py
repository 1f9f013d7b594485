"""Recipes of the 2020s."""

from __future__ import annotations

from ganaug.data.spec import DataSpec
from ganaug.game import Adam, Networks, Player, Prior, Recipe
from ganaug.losses import r1, r2, relativistic
from ganaug.networks.eyes import AffineEye
from ganaug.networks.residual import Discriminator, Generator


def small(
    width: int = 24,
    widest: int = 96,
    latent: int = 64,
    gamma: float = 0.5,
    lazy: int = 4,
    lr: float = 7e-4,
    memory: float = 10_000,
    batch: int = 64,
    flip: bool = False,
) -> Recipe:
    """The default: relativistic pairing with lazy R1 and R2 (Huang et al. 2024, 2501.05441, equations 2 and 4) on a
    small residual pair without batch norm, with a projection discriminator and an affine eye.

    What to expect stands in docs/quality.md, with the command that measures it.
    """

    def networks(spec: DataSpec, prior: Prior) -> Networks:
        return {
            "generator": Generator(spec.shape, len(spec.classes), prior.dim, width, widest),
            "discriminator": Discriminator(spec.shape, len(spec.classes), width, widest),
            "eye": AffineEye(flip=flip),
        }

    return Recipe(
        networks,
        (
            Player(
                "discriminator",
                ("discriminator",),
                relativistic.discriminator + gamma * (r1 + r2).every(lazy),
                Adam(lr, (0.0, 0.99)),
            ),
            Player("generator", ("generator",), relativistic.generator, Adam(lr, (0.0, 0.99))),
        ),
        prior=Prior(latent),
        memory=memory,
        batch=batch,
    )
