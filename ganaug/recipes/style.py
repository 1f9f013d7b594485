"""Progressive growing and the style-based generators that came out of it."""

from __future__ import annotations

from ganaug.data.spec import DataSpec
from ganaug.game import Adam, Networks, Prior, Recipe
from ganaug.losses import gradient_penalty, nonsaturating, r1, wasserstein
from ganaug.losses.penalties import drift
from ganaug.losses.weights import path_length
from ganaug.networks import progressive, style, style2
from ganaug.networks.eyes import OpenEye
from ganaug.networks.layers import RunningMean
from ganaug.networks.progressive import grow
from ganaug.recipes.named import duel, recipe


@recipe
def pggan(
    width: int = 12,
    widest: int = 64,
    latent: int = 64,
    grown: float = 0.5,
    penalty: float = 10.0,
    lazy: int = 1,
    lr: float = 1e-3,
    batch: int = 32,
    conditional: bool = True,
) -> Recipe:
    """Progressive growing (Karras et al. 2018, 1710.10196): WGAN-GP with a drift term,
    E f(G(z)) - E f(x) + penalty E (||grad f(x̂)|| - 1)² + 0.001 E f(x)², on networks that start small and fade in
    layers of twice the size, until all have grown at the share `grown` of the training.

        discriminator ×1: wasserstein.discriminator + 10·gradient_penalty + 0.001·drift
        generator     ×1: wasserstein.generator

    Equalised learning rate, pixel norm, minibatch deviation, as many moves for both sides. Other than there, the pair
    is conditional on the class, images end in a tanh, and real images are not blurred while a size is faded in. The
    gradient penalty is taken on every `lazy`-th move.

    Expect: agreement 0.891 (0.867 to 0.915); largest jump of a pixel at growth 3.56e-06 (3.05e-06 to 4.07e-06); largest
    jump of a score at growth 9.06e-06 (8.58e-06 to 9.54e-06) (mnist at 16 px, 3000 steps; 2 seeds, 4.9 minutes of a
    processor each).
    """

    def networks(spec: DataSpec, prior: Prior) -> Networks:
        return {
            "generator": progressive.Generator(spec.shape, len(spec.classes), prior.dim, width, widest),
            "discriminator": progressive.Discriminator(spec.shape, len(spec.classes), width, widest),
            "eye": OpenEye(),
        }

    critic = wasserstein.discriminator + penalty * gradient_penalty.every(lazy) + 0.001 * drift
    return Recipe(
        networks,
        duel(critic, wasserstein.generator, Adam(lr, (0.0, 0.99))),
        prior=Prior(latent),
        memory=10_000,
        batch=batch,
        before=lambda nets, progress: grow(nets, progress / grown if grown > 0 else 1.0),
        labelled=conditional,
    )


@recipe
def stylegan(
    width: int = 12,
    widest: int = 64,
    latent: int = 64,
    depth: int = 8,
    mixing: float = 0.9,
    grown: float = 0.5,
    gamma: float = 1.0,
    lazy: int = 4,
    lr: float = 2e-3,
    batch: int = 32,
    conditional: bool = True,
) -> Recipe:
    """StyleGAN (Karras et al. 2019, 1812.04948): a mapping network of `depth` layers, AdaIN (equation 1), noise at each
    layer, mixed styles for a share `mixing` of the fakes, on a growing pair (`grown` 0: of full size from the start);
    E -log D(x) - log(1 - D(G(z))) + gamma / 2 E ||grad D(x)||² against E -log D(G(z)).

        discriminator ×1: nonsaturating.discriminator + r1 (every 4)
        generator     ×1: nonsaturating.generator

    R1 is lazy, as in Karras et al. 2020, and images end in a tanh. `fitted.generator.styles(z, y)` and
    `.synthesise(w)` give access to styles.

    Expect: agreement 0.912 (0.894 to 0.93); path length in W over Z 0.444 (0.431 to 0.457); slant, correlation with the
    coarse source 0.967 (0.961 to 0.973) (mnist at 16 px, 3000 steps; 2 seeds, 4.3 minutes of a processor each).
    """

    def networks(spec: DataSpec, prior: Prior) -> Networks:
        classes = len(spec.classes)
        return {
            "generator": style.Generator(spec.shape, classes, prior.dim, width, widest, depth, mixing),
            "discriminator": progressive.Discriminator(spec.shape, classes, width, widest),
            "eye": OpenEye(),
        }

    return Recipe(
        networks,
        duel(nonsaturating.discriminator + gamma * r1.every(lazy), nonsaturating.generator, Adam(lr, (0.0, 0.99))),
        prior=Prior(latent),
        memory=10_000,
        batch=batch,
        before=lambda nets, progress: grow(nets, progress / grown if grown > 0 else 1.0),
        labelled=conditional,
    )


@recipe
def stylegan2(
    width: int = 12,
    widest: int = 64,
    latent: int = 64,
    depth: int = 8,
    mixing: float = 0.9,
    gamma: float = 1.0,
    lazy: int = 16,
    paths: float = 2.0,
    paths_lazy: int = 4,
    lr: float = 3e-3,
    batch: int = 32,
    conditional: bool = True,
) -> Recipe:
    """StyleGAN2 (Karras et al. 2020, 1912.04958): modulated and demodulated convolutions (equations 1 to 3), skips in
    the generator, a residual discriminator, no growth; E -log D(x) - log(1 - D(G(z))) + gamma / 2 E ||grad D(x)||²
    against E -log D(G(z)) + paths E (||J_w' n|| - a)² (equation 4).

        discriminator ×1: nonsaturating.discriminator + r1 (every 16)
        generator     ×1: nonsaturating.generator + 2·path_length (every 4)

    Both regularisers are lazy (every `lazy`-th and every `paths_lazy`-th move) and share the optimiser's step with the
    rest of the loss, so that the correction of appendix B has no cause here. Images end in a tanh.

    Expect: agreement 0.893 (0.885 to 0.9); path length in W over Z 0.488 (0.449 to 0.527); slant, correlation with the
    coarse source 0.986 (0.982 to 0.989) (mnist at 16 px, 3500 steps; 2 seeds, 6.9 minutes of a processor each).
    """

    def networks(spec: DataSpec, prior: Prior) -> Networks:
        classes = len(spec.classes)
        return {
            "generator": style2.Generator(spec.shape, classes, prior.dim, width, widest, depth, mixing),
            "discriminator": style2.Discriminator(spec.shape, classes, width, widest),
            "path_mean": RunningMean(),
            "eye": OpenEye(),
        }

    discriminator = nonsaturating.discriminator + gamma * r1.every(lazy)
    generator = nonsaturating.generator + paths * path_length.every(paths_lazy)
    return Recipe(
        networks,
        duel(discriminator, generator, Adam(lr, (0.0, 0.99))),
        prior=Prior(latent),
        memory=10_000,
        batch=batch,
        labelled=conditional,
    )
