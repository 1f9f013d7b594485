"""Recipes of 2014 to 2016: two networks that play for the logarithm of a probability."""

from __future__ import annotations

from ganaug.data.spec import DataSpec
from ganaug.game import Adam, Networks, Prior, Recipe
from ganaug.losses import minimax, nonsaturating, unroll
from ganaug.networks import dcgan as convolutional
from ganaug.networks import mlp
from ganaug.networks.eyes import OpenEye
from ganaug.recipes.named import duel, recipe

ANY = (1, 2, 3)  # what perceptrons can make: rows, series, images
BETAS = (0.5, 0.999)  # of Adam (Radford et al. 2016, section 4)


@recipe
def gan(
    width: int = 256,
    depth: int = 2,
    norm: bool = False,
    latent: int = 64,
    lr: float = 2e-4,
    batch: int = 64,
    saturating: bool = False,
    conditional: bool = True,
) -> Recipe:
    """The first GAN (Goodfellow et al. 2014, 1406.2661), of perceptrons:
    min_G max_D E log D(x) + E log(1 - D(G(z))) (equation 1). The generator maximises E log D(G(z)) in place of it
    (section 3), or lowers equation 1 itself if `saturating`. Without `conditional` it knows no labels, as there.

        discriminator ×1: nonsaturating.discriminator
        generator     ×1: nonsaturating.generator

    The generator has `depth` hidden layers of width, 2 width, 4 width, ... units, the discriminator the same ones the
    other way round. norm: batch norm before the generator's last layer.

    Expect: loss of the discriminator, last quarter (articles: 0.5 to 0.8) 0.371 (0.348 to 0.393); loss of the
    generator, last quarter (articles: 0.8 to 1.5) 1.85 (1.75 to 1.94) (MNIST, 28 px; 2 seeds, 7.8 minutes of a
    processor each).

    The toy of the laws takes 300 rounds.
    """

    def networks(spec: DataSpec, prior: Prior) -> Networks:
        hidden = tuple(width * 2**i for i in range(depth))
        return {
            "generator": mlp.Generator(spec.shape, len(spec.classes), prior.width, hidden, norm),
            "discriminator": mlp.Discriminator(spec.shape, len(spec.classes), hidden[::-1]),
            "eye": OpenEye(),
        }

    generator = minimax.generator if saturating else nonsaturating.generator
    return Recipe(
        networks,
        duel(nonsaturating.discriminator, generator, Adam(lr, BETAS)),
        prior=Prior(latent),
        memory=10_000,
        batch=batch,
        labelled=conditional,
        axes=ANY,
    )


@recipe
def cgan(latent: int = 64, lr: float = 2e-4, batch: int = 64) -> Recipe:
    """Conditional GAN of perceptrons (Mirza & Osindero 2014, 1411.1784, equation 2):
    min_G max_D E log D(x|y) + E log(1 - D(G(z|y)|y)), with the non-saturating generator loss.

        discriminator ×1: nonsaturating.discriminator
        generator     ×1: nonsaturating.generator

    Expect: agreement 0.912 (0.908 to 0.917); diversity 0.729 (0.68 to 0.778) (MNIST, 16 px, 1,000 a class; 2 seeds, 2.8
    minutes of a processor each).

    The toy of the laws takes 300 rounds.
    """

    def networks(spec: DataSpec, prior: Prior) -> Networks:
        return {
            "generator": mlp.Generator(spec.shape, len(spec.classes), prior.width),
            "discriminator": mlp.Discriminator(spec.shape, len(spec.classes)),
            "eye": OpenEye(),
        }

    players = duel(nonsaturating.discriminator, nonsaturating.generator, Adam(lr, BETAS))
    return Recipe(networks, players, prior=Prior(latent), memory=10_000, batch=batch, axes=ANY)


@recipe
def dcgan(width: int = 32, latent: int = 64, lr: float = 2e-4, batch: int = 64, conditional: bool = True) -> Recipe:
    """DCGAN (Radford et al. 2016, 1511.06434, section 3): strided convolutions, batch norm in both networks, ReLU and
    tanh in the generator, leaky ReLU in the discriminator, Adam with beta1 0.5; on a class unless `conditional` is off.

        discriminator ×1: nonsaturating.discriminator
        generator     ×1: nonsaturating.generator

    width: features at half of the full size, doubled at each halving.

    Expect: agreement 0.968 (0.947 to 0.99); diversity 0.291 (0.252 to 0.33) (MNIST, 16 px, 1,000 a class; 2 seeds, 3.0
    minutes of a processor each).
    """

    def networks(spec: DataSpec, prior: Prior) -> Networks:
        return {
            "generator": convolutional.Generator(spec.shape, len(spec.classes), prior.width, width),
            "discriminator": convolutional.Discriminator(spec.shape, len(spec.classes), width),
            "eye": OpenEye(),
        }

    players = duel(nonsaturating.discriminator, nonsaturating.generator, Adam(lr, BETAS))
    return Recipe(networks, players, prior=Prior(latent), memory=10_000, batch=batch, labelled=conditional)


@recipe
def unrolled(
    steps: int = 5,
    rate: float = 0.1,
    width: int = 128,
    depth: int = 2,
    latent: int = 64,
    lr: float = 1e-3,
    discriminator_lr: float = 1e-4,
    batch: int = 64,
    conditional: bool = True,
) -> Recipe:
    """Unrolled GAN (Metz et al. 2017, 1611.02163, equations 7 to 10) of perceptrons: the generator lowers its loss
    against the discriminator as it will be after `steps` more steps of gradient descent with `rate`, and 0 steps give
    the plain GAN. Both networks have `depth` hidden layers of `width` units. With a large rate the foreseen
    discriminator oversteps, and the generator learns to make it do so.

        discriminator ×1: nonsaturating.discriminator
        generator     ×1: unrolled(nonsaturating.generator, 5)

    Expect: modes met of 8, 5 steps ahead 8 (8 to 8); modes met of 8, 0 steps ahead 0.5 (0 to 1) (eight Gaussians on a
    ring; 2 seeds, 2.6 minutes of a processor each).

    The toy of the laws takes 100 rounds.
    """

    def networks(spec: DataSpec, prior: Prior) -> Networks:
        hidden = (width,) * depth
        return {
            "generator": mlp.Generator(spec.shape, len(spec.classes), prior.width, hidden),
            "discriminator": mlp.Discriminator(spec.shape, len(spec.classes), hidden),
            "eye": OpenEye(),
        }

    surrogate = unroll(nonsaturating.generator, nonsaturating.discriminator, steps, rate)
    return Recipe(
        networks,
        duel(nonsaturating.discriminator, surrogate, Adam(discriminator_lr, BETAS), Adam(lr, BETAS)),
        prior=Prior(latent),
        memory=10_000,
        batch=batch,
        labelled=conditional,
        axes=ANY,
    )


@recipe
def minibatch(
    kernels: int = 32,
    dim: int = 8,
    width: int = 256,
    depth: int = 2,
    latent: int = 64,
    lr: float = 2e-4,
    batch: int = 64,
    conditional: bool = True,
) -> Recipe:
    """Minibatch discrimination (Salimans et al. 2016, 1606.03498, section 3.2) in a GAN of perceptrons: before its last
    layer the discriminator sees how near each item is to the others of its batch, so that a generator that answers
    always alike is seen through. kernels: nearnesses that it sees, each in a space of `dim` numbers.

        discriminator ×1: nonsaturating.discriminator
        generator     ×1: nonsaturating.generator

    Expect: spread kept, minibatch 1.03 (0.508 to 1.68); spread kept, gan 0.301 (0.268 to 0.328) (numbers from a normal
    distribution; 3 seeds, 0.3 minutes of a processor each).
    """

    def networks(spec: DataSpec, prior: Prior) -> Networks:
        hidden = tuple(width * 2**i for i in range(depth))
        classes = len(spec.classes)
        return {
            "generator": mlp.Generator(spec.shape, classes, prior.width, hidden),
            "discriminator": mlp.Discriminator(spec.shape, classes, hidden[::-1], kernels, dim),
            "eye": OpenEye(),
        }

    players = duel(nonsaturating.discriminator, nonsaturating.generator, Adam(lr, BETAS))
    return Recipe(networks, players, prior=Prior(latent), memory=10_000, batch=batch, labelled=conditional, axes=ANY)
