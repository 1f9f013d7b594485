"""What makes each of the first systems the one that it is; each test fails where that is taken away."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch
from torch import nn

from ganaug.data.batches import Batch
from ganaug.data.spec import DataSpec
from ganaug.game import Adam
from ganaug.game.train import train
from ganaug.networks.dcgan import Discriminator, Generator
from ganaug.networks.eyes import OpenEye
from ganaug.networks.layers import MinibatchDiscrimination
from ganaug.recipes import make

ROWS = DataSpec((1,), ("all",))


class Normal:
    """Single numbers from a normal distribution."""

    spec = ROWS

    def __init__(self, mean: float = 0.0, spread: float = 0.3):
        self.mean, self.spread = mean, spread

    def draw(self, n, rng):
        x = self.mean + self.spread * torch.randn(n, 1, generator=rng)
        y = torch.zeros(n, dtype=torch.long)
        return Batch(x, y, x, y)


def test_minimax_and_non_saturating_differ_in_the_loss_of_the_generator_only():
    plain, saturating = make("gan", {}), make("gan", {"saturating": True})
    assert str(plain.players[1].loss) == "nonsaturating.generator"
    assert str(saturating.players[1].loss) == "minimax.generator"
    assert plain.players[0] == saturating.players[0]


@pytest.mark.parametrize("name", ["gan", "dcgan", "wgan", "cramer", "unrolled", "minibatch"])
def test_without_labels_on_request(name):
    assert make(name, {}).labelled
    assert not make(name, {"conditional": False}).labelled


@pytest.mark.parametrize("name", ["gan", "cgan", "unrolled", "minibatch"])
def test_perceptrons_make_rows_series_and_images(name):
    recipe = make(name, {})
    for shape in ((3,), (2, 5), (1, 6, 7)):
        spec = DataSpec(shape, ("a", "b"))
        assert not recipe.unfit_for(spec)
        nets = recipe.networks(spec, recipe.prior)
        x = nets["generator"](recipe.prior.draw(4, torch.Generator()), torch.tensor([0, 1, 0, 1]))
        assert x.shape == (4, *shape)
        assert nets["discriminator"](x, torch.tensor([0, 1, 0, 1])).shape == (4,)


# DCGAN: the guidelines of its paper, checked on the modules


def kinds(net: nn.Module) -> list[type[nn.Module]]:
    return [type(m) for m in net.modules() if not list(m.children())]


@pytest.mark.parametrize("size", [8, 19, 28, 32, 64])
def test_dcgan_is_all_convolutional_with_batch_norm_where_it_belongs(size):
    shape = (3, size, size)
    generator, discriminator = Generator(shape, 4, 16), Discriminator(shape, 4)
    conv, back, norm = nn.Conv2d, nn.ConvTranspose2d, nn.BatchNorm2d
    allowed = {
        generator: {back, norm, nn.ReLU, nn.Tanh, nn.Embedding},
        discriminator: {conv, norm, nn.LeakyReLU, nn.Embedding},
    }
    for net, allow in allowed.items():
        assert set(kinds(net)) <= allow  # no pooling, no fully connected layer
    assert kinds(generator.layers)[-2:] == [back, nn.Tanh]
    assert kinds(discriminator.layers)[:2] == [conv, nn.LeakyReLU]
    # Every other convolution is followed by batch norm and the activation of its network.
    for layers, which, activation in ((generator.layers, back, nn.ReLU), (discriminator.layers, conv, nn.LeakyReLU)):
        order = kinds(layers)
        inner = [i for i, kind in enumerate(order) if kind is which]
        for i in inner[:-1] if which is back else inner[1:]:
            assert order[i + 1 : i + 3] == [norm, activation]
    # Sizes change by strides only: all have stride 2, but the convolution from the latent and the one to the score.
    assert all(
        m.stride == (2, 2) for m in [*generator.layers[1:], *discriminator.layers] if isinstance(m, (conv, back))
    )
    assert all(m.negative_slope == 0.2 for m in discriminator.modules() if isinstance(m, nn.LeakyReLU))


def test_dcgan_starts_and_moves_as_its_paper_says():
    torch.manual_seed(0)
    for net in (Generator((3, 32, 32), 4, 64, width=32), Discriminator((3, 32, 32), 4, width=32)):
        for module in net.modules():
            if isinstance(module, (nn.Conv2d, nn.ConvTranspose2d)):
                assert module.weight.mean().abs().item() < 0.002
                assert module.weight.std().item() == pytest.approx(0.02, rel=0.1)
    for player in make("dcgan", {}).players:
        assert player.optimiser == Adam(2e-4, (0.5, 0.999))


# Minibatch discrimination


def test_minibatch_discrimination_sums_nearness_over_the_batch():
    layer = MinibatchDiscrimination(3, kernels=2, dim=4)
    h = torch.randn(5, 3, generator=torch.Generator().manual_seed(0))
    out = layer(h)
    assert torch.equal(out[:, :3], h)
    rows = (h @ layer.project.weight.T).view(5, 2, 4)
    for i in range(5):
        for k in range(2):
            expected = sum(math.exp(-(rows[i, k] - rows[j, k]).abs().sum().item()) for j in range(5))
            assert out[i, 3 + k].item() == pytest.approx(expected, rel=1e-4)
    assert torch.allclose(layer(h[:1].expand(5, 3))[:, 3:], torch.full((5, 2), 5.0))
    assert torch.allclose(layer(1e4 * h)[:, 3:], torch.ones(5, 2))


class Repeats(nn.Module):
    """A collapsed generator: one number from the distribution of the data for the whole batch."""

    def forward(self, z, y):
        return 0.3 * z[:1, :1].expand(len(y), 1) + 1e-4 * z[:, 1:2]


def loss_against_repeats(kernels: int) -> float:
    """Cross-entropy of the recipe's discriminator against a collapsed generator, after 150 moves."""
    recipe = make("minibatch", {"width": 32, "depth": 1, "latent": 4, "lr": 2e-3, "conditional": False})
    if not kernels:
        recipe = replace(recipe, networks=make("gan", {"width": 32, "depth": 1}).networks)
    networks = recipe.networks

    def collapsed(spec, prior):
        return {**networks(spec, prior), "generator": Repeats()}

    recipe = replace(recipe, networks=collapsed, players=recipe.players[:1], keeps=())
    losses = [
        p.losses["discriminator/nonsaturating.discriminator"] for p in train(recipe, Normal(), steps=150) if p.step
    ]
    return sum(losses[-40:]) / 40


def test_repetition_is_seen_by_minibatch_discrimination_and_by_nothing_else():
    """Item by item, what a collapsed generator draws is distributed like the data: a discriminator that judges items by
    themselves stays near the loss of a coin, 2 ln 2."""
    assert loss_against_repeats(kernels=0) > 0.8 * 2 * math.log(2)
    assert loss_against_repeats(kernels=32) < 0.4 * 2 * math.log(2)


# Unrolling


class Point(nn.Module):
    """A generator of one value."""

    def __init__(self):
        super().__init__()
        self.at = nn.Parameter(torch.tensor(0.5))

    def forward(self, z, y):
        return self.at.expand(len(y), 1)


class Slope(nn.Module):
    """A linear discriminator."""

    def __init__(self):
        super().__init__()
        self.slope = nn.Parameter(torch.tensor(0.5))

    def forward(self, x, y):
        return self.slope * x.squeeze(1)


def wandering(steps: int) -> float:
    """How far from the real items, which are all 0, the generator is in the last rounds of a game that has a centre."""
    recipe = make("unrolled", {"steps": steps, "rate": 1.0, "lr": 0.02, "discriminator_lr": 0.02, "batch": 4})

    def pair(spec, prior):
        return {"generator": Point(), "discriminator": Slope(), "eye": OpenEye()}

    game = train(replace(recipe, networks=pair, memory=0.0), Normal(spread=0.0), steps=400)
    away = [abs(p.state()["networks/generator/at"].item()) for p in game if p.step > 300]
    return max(away)


def test_foresight_ends_the_chase():
    """One point against one slope (the Dirac game of Mescheder et al. 2018): without foresight both circle around the
    equilibrium, with it they come to rest there."""
    assert wandering(steps=0) > 0.15
    assert wandering(steps=5) < 0.05
