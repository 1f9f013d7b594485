"""Recipes for series."""

from __future__ import annotations

from ganaug.data.spec import DataSpec
from ganaug.game import Adam, Networks, Prior, Recipe
from ganaug.losses import nonsaturating
from ganaug.networks.eyes import OpenEye
from ganaug.networks.series import Discriminator, Generator
from ganaug.recipes.named import duel, recipe


@recipe
def rcgan(width: int = 100, latent: int = 2, moves: int = 3, lr: float = 1e-3, batch: int = 64) -> Recipe:
    """Recurrent conditional GAN (Esteban et al. 2017, 1706.02633, section 4.1): generator and discriminator are LSTMs
    that see the label at every step; -E log D(x|y) - E log(1 - D(G(z|y)|y)) against -E log D(G(z|y)|y), `moves` of the
    discriminator for each of the generator.

        discriminator ×3: nonsaturating.discriminator
        generator     ×1: nonsaturating.generator

    Other than there, one latent stands for a whole series, so that a walk through latent space bends it as a whole; the
    generator is told the time at each step; and the discriminator gives one score, after the last step: with scores
    averaged over all steps it hardly told real from fake, and the generator had little to learn from.

    Expect: accuracy on real waves, trained on synthetic 0.986 (0.983 to 0.989); sinusoids: variance that the nearest
    real one explains, median 0.972 (0.957 to 0.986); saw-teeth: the same 0.69 (0.569 to 0.811); step between
    neighbours, frequency 0.334 (0.185 to 0.483); step between neighbours, amplitude 0.343 (0.3 to 0.387) (2,000
    sinusoidal and saw-tooth waves of 30 steps; 2 seeds, 9.3 minutes of a processor each).
    """

    def networks(spec: DataSpec, prior: Prior) -> Networks:
        return {
            "generator": Generator(spec.shape, len(spec.classes), prior.width, width),
            "discriminator": Discriminator(spec.shape, len(spec.classes), width),
            "eye": OpenEye(),
        }

    return Recipe(
        networks,
        duel(nonsaturating.discriminator, nonsaturating.generator, Adam(lr, (0.5, 0.999)), moves=moves),
        prior=Prior(latent),
        memory=10_000,
        batch=batch,
        axes=(2,),
    )
