"""A recipe whose generators stand one on top of the other and draw what words say."""

from __future__ import annotations

from ganaug.data.spec import DataSpec
from ganaug.data.words import Words
from ganaug.game import Adam, Networks, Prior, Recipe, StackedRound
from ganaug.losses import conditioning, matching, r1, r2, relativistic
from ganaug.networks import stacked
from ganaug.networks.eyes import AffineEye
from ganaug.recipes.named import duel, recipe


@recipe
def stackgan(
    width: int = 24,
    widest: int = 96,
    latent: int = 64,
    gamma: float = 0.5,
    lazy: int = 4,
    matching_weight: float = 0.5,
    conditioning_weight: float = 0.02,
    lr: float = 7e-4,
    memory: float = 10_000,
    batch: int = 64,
) -> Recipe:
    """StackGAN (Zhang et al. 2017, 1612.03242): a first stage draws a small image from what words say, a second one
    reads it and the words again, and paints the whole image on top of it; each has a discriminator that sees the words.

        discriminator ×1: relativistic.discriminator + 0.5·matching + 0.5·r1 (every 4) + 0.5·r2 (every 4)
        generator     ×1: relativistic.generator + 0.02·conditioning

    The words of a class are those of its name ("red small 7"), or those of a file (`--words`). Classes of which there
    was no image are described by words that were learned (`ganaug describe`). Words become a random vector, as there
    (conditioning augmentation, equation 2), without order: a sum of their vectors. Other than there, both stages learn
    at once, the objective is relativistic with R1 and R2, and the networks are those of `small`. Since words may name
    place, size or colour, the discriminator sees images as they are, or changed as is allowed (`--allow`).

    Expect: all words right, unseen combinations 0.73; all words right, learned combinations 0.827; all words right,
    real pictures 0.866 (digits in 4 colours, 2 sizes and 3 tilts at 32 px, 10 of each of 180 combinations; 3000 steps;
    1 seed, 23.8 minutes of a processor each).
    """

    def networks(spec: DataSpec, prior: Prior) -> Networks:
        rows = (spec.words or Words.of_classes(spec.classes)).rows(spec.classes)
        return {
            "generator": stacked.Generator(spec.shape, rows, prior.dim, width, widest),
            "discriminator": stacked.Discriminator(spec.shape, rows, width, widest),
            "eye": AffineEye(allow=spec.allow or ()),
        }

    discriminator = relativistic.discriminator + matching_weight * matching + gamma * (r1 + r2).every(lazy)
    generator = relativistic.generator + conditioning_weight * conditioning
    return Recipe(
        networks,
        duel(discriminator, generator, Adam(lr, (0.0, 0.99))),
        prior=Prior(2 * latent),
        wiring=StackedRound,
        memory=memory,
        batch=batch,
        words=True,
        advised=3000,
    )
