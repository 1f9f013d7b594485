"""Recipes that estimate a distance between distributions; their discriminator is a critic, without a sigmoid."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import nn

from ganaug.data.spec import DataSpec
from ganaug.game import Adam, Networks, Prior, Recipe, RMSProp
from ganaug.losses import energy, gradient_penalty, wasserstein
from ganaug.networks import table
from ganaug.networks.dcgan import Critic, Embedder, Generator
from ganaug.networks.eyes import OpenEye
from ganaug.recipes.named import duel, recipe


def clip(limit: float) -> Callable[[Mapping[str, nn.Module]], None]:
    """Keeps every weight of the discriminator in [-limit, limit], so that its slope is bounded."""

    @torch.no_grad()
    def clip_weights(nets: Mapping[str, nn.Module]) -> None:
        for weight in nets["discriminator"].parameters():
            weight.clamp_(-limit, limit)

    return clip_weights


@recipe
def wgan(
    width: int = 32,
    latent: int = 64,
    limit: float = 0.05,
    moves: int = 5,
    lr: float = 5e-4,
    batch: int = 64,
    conditional: bool = True,
) -> Recipe:
    """WGAN (Arjovsky et al. 2017, 1701.07875, algorithm 1): the critic maximises E f(x) - E f(G(z)), `moves` times for
    each move of the generator, with RMSProp and every weight clipped to [-limit, limit]. Minus its loss is, up to a
    factor, the distance between real and fake items.

        discriminator ×5: wasserstein.discriminator
        generator     ×1: wasserstein.generator

    The paper's limit 0.01 and lr 5e-5 need many more rounds.

    Expect: Spearman, wgan 0.806 (0.797 to 0.815); Spearman, vanilla 0.127 (0.0464 to 0.208) (MNIST, 16 px, 1,000 a
    class; 2 seeds, 7.5 minutes of a processor each).

    The toy of the laws takes 300 rounds.
    """

    def networks(spec: DataSpec, prior: Prior) -> Networks:
        return {
            "generator": Generator(spec.shape, len(spec.classes), prior.width, width),
            "discriminator": Critic(spec.shape, len(spec.classes), width, norm=True),
            "eye": OpenEye(),
        }

    return Recipe(
        networks,
        duel(wasserstein.discriminator, wasserstein.generator, RMSProp(lr), moves=moves, after=clip(limit)),
        prior=Prior(latent),
        memory=10_000,
        batch=batch,
        labelled=conditional,
    )


@recipe
def wgan_gp(
    width: int = 32, latent: int = 64, penalty: float = 10.0, moves: int = 5, lr: float = 1e-3, batch: int = 64
) -> Recipe:
    """WGAN-GP (Gulrajani et al. 2017, 1704.00028, algorithm 1): the critic maximises
    E f(x) - E f(G(z)) - penalty E (||grad f(x̂)|| - 1)², `moves` times for each move of the generator.

        discriminator ×5: wasserstein.discriminator + 10·gradient_penalty
        generator     ×1: wasserstein.generator

    On rows of a table, perceptrons 8 `width` wide, with a softmax for each column of categories: the critic sees the
    probabilities as they are, samples are made one-hot when they are served.

    Expect: agreement 0.919 (0.912 to 0.926); diversity 1.18 (1.13 to 1.22); slope of the critic 1.14 (1.1 to 1.18)
    (MNIST, 16 px, 1,000 a class; 2 seeds, 8.7 minutes of a processor each).

    Expect: wine: points lost 0 (-1.23 to 0.617); breast cancer: points lost 1.17 (0.975 to 1.56); wine: error of the
    shares of categories 0.0556 (0.0455 to 0.0661); the same, vanilla loss 0.407 (0.342 to 0.526) (wine (4 of 13 columns
    binned into 3 categories) and breast cancer, of scikit-learn, 70 % of each; 3 seeds, 2.6 minutes of a processor
    each).

    The toy of the laws takes 260 rounds.
    """

    def networks(spec: DataSpec, prior: Prior) -> Networks:
        if len(spec.shape) == 1:
            return {
                "generator": table.Generator(spec.blocks, len(spec.classes), prior.width, 8 * width),
                "discriminator": table.Critic(spec.shape[0], len(spec.classes), 8 * width),
                "eye": OpenEye(),
            }
        return {
            "generator": Generator(spec.shape, len(spec.classes), prior.dim, width),
            "discriminator": Critic(spec.shape, len(spec.classes), width),
            "eye": OpenEye(),
        }

    critic = wasserstein.discriminator + penalty * gradient_penalty
    return Recipe(
        networks,
        duel(critic, wasserstein.generator, Adam(lr, (0.0, 0.9)), moves=moves),
        prior=Prior(latent),
        memory=10_000,
        batch=batch,
        axes=(3, 1),
    )


@recipe
def cramer(
    width: int = 32,
    dim: int = 128,
    latent: int = 64,
    penalty: float = 10.0,
    moves: int = 5,
    lr: float = 2e-4,
    batch: int = 64,
    conditional: bool = True,
) -> Recipe:
    """Cramer GAN (Bellemare et al. 2017, 1705.10743, algorithm 1): the critic embeds items by h in `dim` numbers,
    and the generator lowers the energy distance 2 E|h(x) - h(G(z))| - E|h(x) - h(x')| - E|h(G(z)) - h(G(z'))|. The
    critic raises it, `moves` times for each move of the generator, while the slope of its witness is kept near 1.

        discriminator ×5: energy.discriminator + 10·energy.penalty
        generator     ×1: energy.generator

    Unlike the Wasserstein distance of a batch, this one and its gradients are unbiased.

    Expect: agreement 0.886 (0.877 to 0.894); diversity 1.22 (1.2 to 1.25); slope of the witness 1.06 (1.03 to 1.09)
    (MNIST, 16 px, 1,000 a class; 2 seeds, 7.1 minutes of a processor each).

    The toy of the laws takes 60 rounds.
    """

    def networks(spec: DataSpec, prior: Prior) -> Networks:
        return {
            "generator": Generator(spec.shape, len(spec.classes), prior.width, width),
            "discriminator": Embedder(spec.shape, len(spec.classes), width, dim),
            "eye": OpenEye(),
        }

    return Recipe(
        networks,
        duel(energy.discriminator + penalty * energy.penalty, energy.generator, Adam(lr, (0.5, 0.9)), moves=moves),
        prior=Prior(latent),
        memory=10_000,
        batch=batch,
        labelled=conditional,
    )
