"""A loss after foreseen steps, against the same steps taken by hand and against finite differences."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from ganaug.data.batches import Batch
from ganaug.game import NoiseRound
from ganaug.losses import nonsaturating, unroll, wasserstein
from ganaug.networks.eyes import OpenEye
from ganaug.networks.mlp import Discriminator


class Shift(nn.Module):
    """G(z) = z + s."""

    def __init__(self, s: float):
        super().__init__()
        self.s = nn.Parameter(torch.tensor(s, dtype=torch.float64))

    def forward(self, z, y):
        return z + self.s


class Line(nn.Module):
    """D(x) = w x."""

    def __init__(self, w: float):
        super().__init__()
        self.w = nn.Parameter(torch.tensor(w, dtype=torch.float64))

    def forward(self, x, y):
        return self.w * x.squeeze(1)


def round_of(generator, discriminator, n=8) -> NoiseRound:
    rng = torch.Generator().manual_seed(0)
    real, z = (torch.randn(n, 1, generator=rng, dtype=torch.float64) for _ in range(2))
    y = torch.zeros(n, dtype=torch.long)
    nets = {"generator": generator, "discriminator": discriminator, "eye": OpenEye()}
    return NoiseRound(nets, Batch(real, y, real, y), z, rng)


def value(loss, r):
    return sum(loss(r, 0.0).values())


def test_no_steps_are_the_plain_loss():
    assert unroll(nonsaturating.generator, nonsaturating.discriminator, 0, 0.1) is nonsaturating.generator


@pytest.mark.parametrize("steps", [1, 3])
def test_a_linear_critic_runs_away_at_a_known_speed(steps):
    """The critic w climbs E x - E G(z), which does not depend on w: after k steps w + k rate (E x - E G(z)). The
    generator's loss -w' E G(z) is then a parabola in its shift s."""
    s, w, rate = 0.4, 0.3, 0.5
    r = round_of(Shift(s), Line(w))
    x, z = r.real.mean().item(), r.z.mean().item()
    surrogate = value(unroll(wasserstein.generator, wasserstein.discriminator, steps, rate), r)
    after = w + steps * rate * (x - z - s)
    assert surrogate.item() == pytest.approx(-after * (z + s), rel=1e-9)
    surrogate.backward()
    slope = steps * rate * (z + s) - after  # the first part is how the critic answers to the shift
    assert r.nets["generator"].s.grad.item() == pytest.approx(slope, rel=1e-9)


def test_the_foreseen_discriminator_is_that_of_gradient_descent_and_the_slope_is_a_finite_difference():
    steps, rate = 4, 0.3
    torch.manual_seed(0)
    discriminator = Discriminator((1,), 1, (8,)).double()
    surrogate = unroll(nonsaturating.generator, nonsaturating.discriminator, steps, rate)

    def by_hand(s: float) -> float:
        twin = Discriminator((1,), 1, (8,)).double()
        twin.load_state_dict(discriminator.state_dict())
        for _ in range(steps):
            twin.zero_grad()
            value(nonsaturating.discriminator, round_of(Shift(s), twin)).backward()
            with torch.no_grad():
                for p in twin.parameters():
                    p -= rate * p.grad
        return value(nonsaturating.generator, round_of(Shift(s), twin)).item()

    before = {name: p.clone() for name, p in discriminator.named_parameters()}
    r = round_of(Shift(0.7), discriminator.requires_grad_(False))
    result = value(surrogate, r)
    assert result.item() == pytest.approx(by_hand(0.7), rel=1e-9)
    result.backward()
    assert all(torch.equal(p, before[name]) for name, p in discriminator.named_parameters())
    difference = (by_hand(0.7 + 1e-5) - by_hand(0.7 - 1e-5)) / 2e-5
    assert r.nets["generator"].s.grad.item() == pytest.approx(difference, rel=1e-5)


def test_schedules_and_lazy_terms_are_refused():
    with pytest.raises(ValueError, match="lazy"):
        unroll(nonsaturating.generator, nonsaturating.discriminator.every(4), 2, 0.1)
    with pytest.raises(ValueError, match="schedule"):
        unroll((lambda progress: progress) * nonsaturating.generator, nonsaturating.discriminator, 2, 0.1)
