"""Recipes whose generator starts from an image: what they give is served as a transform, not as a data set."""

from __future__ import annotations

from ganaug.data.spec import DataSpec
from ganaug.game import Adam, CycleRound, Networks, Prior, Recipe, Source, TranslationRound
from ganaug.losses import cycle, identity, least_squares, likeness, nonsaturating, refill, sameness
from ganaug.networks.degrade import AsGiven, Erase
from ganaug.networks.eyes import AffineEye, OpenEye
from ganaug.networks.translators import ByLabel, LabelledPatches, Memory, PatchDiscriminator, Translator
from ganaug.networks.unet import Inpainter, UNet
from ganaug.recipes.named import duel, recipe


@recipe
def pix2pix(
    width: int = 32,
    latent: int = 16,
    likeness_weight: float = 100.0,
    sameness_weight: float = 0.05,
    lr: float = 5e-4,
    batch: int = 16,
) -> Recipe:
    """Pix2Pix (Isola et al. 2017, 1611.07004, equation 4): min_G max_D E log D(s, x) + E log(1 - D(s, G(s, z))) + 100
    E |x - G(s, z)|, with a U-Net, a discriminator of patches and the non-saturating generator loss.

        discriminator ×1: nonsaturating.discriminator
        generator     ×1: nonsaturating.generator + 100·likeness + 0.05·sameness (every 4)

    Learns from pairs of images: the source (a mask, an outline) and the image that it should become. Their noise is
    dropout, which hardly changes the image; here it is a latent, and a term by Mao et al. 2019 (1903.05628) keeps it
    from being overlooked (sameness_weight 0 leaves it out). The discriminator sees pairs through an affine eye.

    Expect: wbc: L1 over that of the mean image 0.757 (0.735 to 0.779); wbc: distance of sharpness, over that of L1
    alone 0.156 (0.154 to 0.157) (pairs_wbc and pairs_magnetic_tile at 32 px; 2 seeds, 4.0 minutes of a processor each).

    The toy of the laws takes 80 rounds.
    """

    def networks(spec: DataSpec, prior: Prior) -> Networks:
        channels, height, image_width = spec.shape
        inputs = spec.pair[0] + channels
        return {
            "generator": UNet(spec.shape, len(spec.classes), prior.dim, spec.pair[0], width),
            "discriminator": LabelledPatches(inputs, min(height, image_width), len(spec.classes)),
            "degrade": AsGiven(),
            "eye": AffineEye(allow=spec.allow),
        }

    generator = nonsaturating.generator + likeness_weight * likeness + sameness_weight * sameness.every(4)
    return Recipe(
        networks,
        duel(nonsaturating.discriminator, generator, Adam(lr, (0.5, 0.999))),
        prior=Prior(latent),
        wiring=TranslationRound,
        memory=5_000,
        batch=batch,
        source=Source.PAIR,
    )


@recipe
def context_encoder(
    width: int = 32,
    latent: int = 16,
    least: float = 0.25,
    most: float = 0.5,
    refill_weight: float = 50.0,
    sameness_weight: float = 0.02,
    lr: float = 5e-4,
    batch: int = 32,
) -> Recipe:
    """Context encoder (Pathak et al. 2016, 1604.07379, equation 3): what is erased of an image is filled in, by
    reconstruction (squared error) and against a discriminator; what is not erased is kept.

        discriminator ×1: nonsaturating.discriminator
        generator     ×1: nonsaturating.generator + 50·refill + 0.02·sameness (every 4)

    The hole is a rectangle whose sides are `least` to `most` of the image's. In place of their plain encoder and
    decoder stands a U-Net, with a latent that the term by Mao et al. 2019 (1903.05628) keeps from being overlooked: the
    same hole can be filled in several ways. Unlike theirs, the discriminator sees what surrounds the hole.

    Expect: squared error over that of the best other fill 0.749 (0.737 to 0.761); L1 over that of the best other fill
    0.934 (0.929 to 0.938) (fashion_mnist, 300 of each class at 28 px; 2 seeds, 4.3 minutes of a processor each).

    The toy of the laws takes 80 rounds.
    """

    def networks(spec: DataSpec, prior: Prior) -> Networks:
        channels, height, image_width = spec.shape
        inputs = 2 * channels + 1  # image with a hole, the hole, image
        return {
            "generator": Inpainter(spec.shape, len(spec.classes), prior.dim, width),
            "discriminator": LabelledPatches(inputs, min(height, image_width), len(spec.classes)),
            "degrade": Erase(least, most),
            "eye": OpenEye(),
        }

    generator = nonsaturating.generator + refill_weight * refill + sameness_weight * sameness.every(4)
    return Recipe(
        networks,
        duel(nonsaturating.discriminator, generator, Adam(lr, (0.5, 0.999))),
        prior=Prior(latent),
        wiring=TranslationRound,
        memory=5_000,
        keeps=("generator", "degrade"),
        batch=batch,
    )


@recipe
def cyclegan(
    width: int = 32,
    blocks: int = 3,
    cycle_weight: float = 10.0,
    identity_weight: float = 5.0,
    past: int = 50,
    lr: float = 5e-4,
    batch: int = 16,
) -> Recipe:
    """CycleGAN (Zhu et al. 2017, 1703.10593, equation 3, and section 5.2): two classes, a translator each way, and for
    each class a discriminator; least squares + 10 E |F(G(s)) - s| + 5 E |G(x) - x|.

        discriminator ×1: least_squares.discriminator
        generator     ×1: least_squares.generator + 10·cycle + 5·identity

    Nobody has to show what an image of one class would look like in the other. The discriminators also see past fakes,
    `past` of each class. The translation of an image is one image: there is no latent that would change it.

    Expect: digits: translated images of which the judge says that they changed class 0.871 (0.858 to 0.885); digits:
    return over translation 0.477 (0.477 to 0.478); chests: translated images of which the judge says that they changed
    class 0.861 (0.856 to 0.865); chests: return over translation 0.571 (0.567 to 0.574) (mnist 3 and 8 (800 each),
    pneumonia_mnist (1,000 each), both at 28 px; 2 seeds, 6.3 minutes of a processor each).

    The toy of the laws takes 40 rounds.
    """

    def networks(spec: DataSpec, prior: Prior) -> Networks:
        channels, height, image_width = spec.shape
        classes = len(spec.classes)
        return {
            "generator": ByLabel(lambda: Translator(spec.shape, width, blocks), classes),
            "discriminator": ByLabel(lambda: PatchDiscriminator(channels, min(height, image_width)), classes),
            "memory": Memory(spec.shape, classes, past),
            "eye": OpenEye(),
        }

    generator = least_squares.generator + cycle_weight * cycle + identity_weight * identity
    return Recipe(
        networks,
        duel(least_squares.discriminator, generator, Adam(lr, (0.5, 0.999))),
        prior=Prior(1),
        wiring=CycleRound,
        memory=5_000,
        batch=batch,
        source=Source.OTHER_CLASS,
        classes=2,
    )
