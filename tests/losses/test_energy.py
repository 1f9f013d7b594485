"""The energy distance of embeddings against sums written out, and its promise: no bias, whatever the batch."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch
from torch import nn

from ganaug.data.batches import Batch
from ganaug.game import NoiseRound
from ganaug.losses import energy
from ganaug.losses.energy import distance, lengths, pairs, witness
from ganaug.networks.eyes import OpenEye


def embedded(real, fake, y):
    return SimpleNamespace(real_scores=real, fake_scores=fake, y=y)


def by_hand(real, fake, y):
    """The distance as loops over pairs of different items of one class."""
    total, count = 0.0, 0
    for i in range(len(y)):
        for j in range(len(y)):
            if i != j and y[i] == y[j]:
                a = torch.linalg.norm(real[i] - fake[j])
                total += 2 * a - torch.linalg.norm(real[i] - real[j]) - torch.linalg.norm(fake[i] - fake[j])
                count += 1
    return float(total / count)


def test_the_distance_is_the_mean_over_pairs_of_one_class():
    rng = torch.Generator().manual_seed(0)
    real, fake = torch.randn(10, 5, generator=rng), torch.randn(10, 5, generator=rng)
    y = torch.tensor([0, 0, 0, 0, 1, 1, 1, 1, 2, 2])
    r = embedded(real, fake, y)
    assert distance(r).item() == pytest.approx(by_hand(real, fake, y), rel=1e-4)
    (discriminator,) = energy.discriminator(r, 0.0).values()
    (generator,) = energy.generator(r, 0.0).values()
    assert generator.item() == -discriminator.item() == distance(r).item()


def test_points_far_apart_have_twice_their_distance_and_equal_ones_none():
    y = torch.zeros(6, dtype=torch.long)
    real = torch.zeros(6, 2)
    assert distance(embedded(real, real + torch.tensor([3.0, 4.0]), y)).item() == pytest.approx(10, rel=1e-4)
    assert distance(embedded(real, real.clone(), y)).item() == pytest.approx(0, abs=1e-5)


def test_the_witness_gap_is_the_distance():
    rng = torch.Generator().manual_seed(0)
    r = embedded(torch.randn(12, 4, generator=rng), 1 + torch.randn(12, 4, generator=rng), torch.zeros(12).long())
    gap = witness(r, r.real_scores).mean() - witness(r, r.fake_scores).mean()
    assert gap.item() == pytest.approx(distance(r).item(), rel=1e-3)


def test_classes_are_never_compared_and_items_without_a_partner_weigh_nothing():
    weights = pairs(torch.tensor([0, 0, 1]))
    assert torch.equal(weights, torch.tensor([[0.0, 0.5, 0.0], [0.5, 0.0, 0.0], [0.0, 0.0, 0.0]]))
    alone = embedded(torch.randn(2, 3), torch.randn(2, 3), torch.tensor([0, 1]))
    assert distance(alone).item() == 0
    assert torch.isfinite(witness(alone, alone.real_scores)).all()


def mean_slope(n: int, selves: bool) -> float:
    """The slope in p of the mean over all batches of n, exactly. Real items are 1 with probability 3/4 and else 0,
    fakes with probability p = 1/4."""
    p = torch.tensor(0.25, requires_grad=True)
    draws = torch.cartesian_prod(*[torch.tensor([0.0, 1.0])] * n)
    mean = torch.zeros(())
    for real in draws:
        for fake in draws:
            if selves:
                a, b = real[:, None], fake[:, None]
                value = (2 * lengths(a, b) - lengths(a, a) - lengths(b, b)).mean()
            else:
                value = distance(embedded(real[:, None], fake[:, None], torch.zeros(n, dtype=torch.long)))
            chance = torch.where(real == 1, 0.75, 0.25).prod() * torch.where(fake == 1, p, 1 - p).prod()
            mean = mean + chance * value
    mean.backward()
    return p.grad.item()


@pytest.mark.parametrize("n", [2, 3])
def test_the_gradient_is_unbiased_at_every_batch_size(n):
    """The energy distance is 2 (p - 3/4)², of slope -2. Were items also compared with themselves, the mean over batches
    of n would have the slope -1 - (n - 1) / n."""
    assert mean_slope(n, selves=False) == pytest.approx(-2, abs=1e-4)
    assert mean_slope(n, selves=True) == pytest.approx(-1 - (n - 1) / n, abs=1e-4)


class Scaled(nn.Module):
    """h(x) = scale x."""

    def __init__(self, scale: float):
        super().__init__()
        self.scale = nn.Parameter(torch.tensor(scale))

    def forward(self, x, y):
        return self.scale * x


class Far(nn.Module):
    """Fakes that lie far to one side."""

    def forward(self, z, y):
        return z + 100


@pytest.mark.parametrize(("scale", "expected"), [(0.5, 0.0), (2.0, 9.0)])
def test_the_penalty_knows_the_slope_of_the_witness(scale, expected):
    """On a line, between real items around 0 and fakes around 100, the witness falls with slope 2 scale."""
    rng = torch.Generator().manual_seed(0)
    real, z = torch.rand(16, 1, generator=rng), torch.rand(16, 1, generator=rng)
    y = torch.zeros(16, dtype=torch.long)
    nets = {"generator": Far(), "discriminator": Scaled(scale), "eye": OpenEye()}
    r = NoiseRound(nets, Batch(real, y, real, y), z, rng)
    (value,) = energy.penalty(r, 0.0).values()
    assert value.item() == pytest.approx(expected, abs=0.6 if expected else 0.05)
    value.backward()
    assert (nets["discriminator"].scale.grad > 1) == (scale > 1)
