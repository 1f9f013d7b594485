"""Closed forms: a linear discriminator has a known slope, and losses are functions of scores."""

from __future__ import annotations

import math
from types import SimpleNamespace

import pytest
import torch
from torch import nn

from ganaug.data.batches import Batch
from ganaug.game import NoiseRound, term
from ganaug.losses import gradient_penalty, minimax, nonsaturating, r1, r2, relativistic, wasserstein
from ganaug.networks.eyes import OpenEye


class Linear(nn.Module):
    """Scores of slope `slope` everywhere."""

    def __init__(self, slope: float, size: int):
        super().__init__()
        self.weight = nn.Parameter(torch.full((size,), slope / math.sqrt(size)))

    def forward(self, x, y):
        return x.flatten(1) @ self.weight


class Fixed(nn.Module):
    def forward(self, z, y):
        return z.view(-1, 1, 3, 3)


def round_of(slope: float, watch: bool = True) -> NoiseRound:
    nets = {"generator": Fixed(), "discriminator": Linear(slope, 9), "eye": OpenEye()}
    rng = torch.Generator().manual_seed(0)
    real, z = torch.randn(8, 1, 3, 3, generator=rng), torch.randn(8, 9, generator=rng)
    y = torch.zeros(8, dtype=torch.long)
    return NoiseRound(nets, Batch(real, y, real, y), z, rng, watch=watch)


def value(loss, round) -> float:
    (result,) = loss(round, 0.0).values()
    return result.item()


@pytest.mark.parametrize("slope", [1.0, 3.0])
def test_slope_penalties_of_a_linear_discriminator(slope):
    assert value(gradient_penalty, round_of(slope)) == pytest.approx((slope - 1) ** 2, abs=1e-5)
    assert value(r1, round_of(slope)) == pytest.approx(slope**2 / 2, rel=1e-5)
    assert value(r2, round_of(slope)) == pytest.approx(slope**2 / 2, rel=1e-5)


def test_penalties_can_be_lowered():
    r = round_of(3.0)
    sum(r1(r, 0.0).values()).backward()
    weight = r.nets["discriminator"].weight
    assert torch.dot(weight.grad, weight.detach()) > 0


def scores(real, fake):
    return SimpleNamespace(real_scores=torch.tensor(real), fake_scores=torch.tensor(fake))


def test_nonsaturating_is_the_cross_entropy_of_real_and_fake():
    r = scores([2.0, -1.0], [0.5, -3.0])
    sigmoid = lambda s: 1 / (1 + math.exp(-s))  # noqa: E731
    expected = -sum(math.log(sigmoid(s)) for s in (2, -1)) / 2 - sum(math.log(1 - sigmoid(s)) for s in (0.5, -3)) / 2
    assert value(nonsaturating.discriminator, r) == pytest.approx(expected, rel=1e-5)
    assert value(nonsaturating.generator, r) == pytest.approx(
        -sum(math.log(sigmoid(s)) for s in (0.5, -3)) / 2, rel=1e-5
    )


def test_minimax_is_one_value_for_both_sides_and_its_slope_vanishes_where_the_discriminator_is_sure():
    r = scores([2.0, -1.0], [0.5, -3.0])
    real = -sum(math.log1p(math.exp(-s)) for s in (2, -1)) / 2
    assert value(minimax.discriminator, r) == pytest.approx(-(real + value(minimax.generator, r)), rel=1e-5)
    assert value(minimax.discriminator, r) == pytest.approx(value(nonsaturating.discriminator, r))

    def slope(loss, score: float) -> float:
        r = SimpleNamespace(fake_scores=torch.tensor([score], requires_grad=True))
        sum(loss(r, 0.0).values()).backward()
        return r.fake_scores.grad.item()

    sure = 1 / (1 + math.exp(8))  # D of a fake with score -8
    assert slope(minimax.generator, -8.0) == pytest.approx(-sure, rel=1e-4)
    assert slope(nonsaturating.generator, -8.0) == pytest.approx(-(1 - sure), rel=1e-4)


def test_wasserstein_is_the_gap_of_means():
    r = scores([2.0, 4.0], [1.0, -1.0])
    assert value(wasserstein.discriminator, r) == pytest.approx(-3.0)
    assert value(wasserstein.generator, r) == pytest.approx(0.0)


def test_relativistic_compares_pairs():
    r = scores([1.0, 5.0], [0.0, 5.0])
    assert value(relativistic.discriminator, r) == pytest.approx((math.log1p(math.exp(-1)) + math.log(2)) / 2, rel=1e-5)
    assert value(relativistic.generator, r) == pytest.approx((math.log1p(math.exp(1)) + math.log(2)) / 2, rel=1e-5)


def test_losses_add_up_weigh_and_come_lazily():
    @term
    def one(r):
        return torch.tensor(1.0)

    @term(watches=True)
    def two(r):
        return torch.tensor(2.0)

    loss = one + 10 * two.every(4)
    assert str(loss).endswith("two (every 4)")
    assert [sum(loss.due(move)(None, 0.0).values()).item() for move in range(5)] == [81, 1, 1, 1, 81]
    assert loss.due(0).watches
    assert not loss.due(1).watches
    scheduled = (lambda progress: 2 * progress) * one
    assert sum(scheduled(None, 0.25).values()).item() == 0.5
    # The mean over a cycle is that of the loss without laziness.
    assert sum(sum(loss.due(m)(None, 0.0).values()).item() for m in range(4)) / 4 == 21
