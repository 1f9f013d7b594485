"""Closed forms of losses with an inference network."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from ganaug.data.batches import Batch
from ganaug.game import JointRound, LatentRound, NoiseRound, Prior
from ganaug.losses.inference import divergence, information, joint, r1_through_eye, reconstruction
from ganaug.networks.eyes import OpenEye

N = 6


class Answer(nn.Module):
    """Gives what it was made with, whatever it is asked."""

    def __init__(self, *answer):
        super().__init__()
        self.answer = answer if len(answer) > 1 else answer[0]

    def forward(self, *asked):
        return self.answer


def round_of(wiring, z=None, **nets):
    real = torch.linspace(-1, 1, N * 9).view(N, 1, 3, 3)
    y = torch.zeros(N, dtype=torch.int64)
    z = torch.zeros(N, 2) if z is None else z
    return wiring({"eye": OpenEye(), **nets}, Batch(real, y, real, y), z, torch.Generator().manual_seed(0))


def value(loss, round) -> float:
    (result,) = loss(round, 0.0).values()
    return result.item()


def posterior(mean: float, deviation: float) -> Answer:
    return Answer(torch.full((N, 2), mean), torch.full((N, 2), 2 * math.log(deviation)))


@pytest.mark.parametrize(("mean", "deviation"), [(0.0, 1.0), (1.5, 0.5), (-0.3, 2.0)])
def test_divergence_is_that_of_two_normal_distributions(mean, deviation):
    expected = torch.distributions.kl_divergence(
        torch.distributions.Normal(mean, deviation), torch.distributions.Normal(0.0, 1.0)
    )
    r = round_of(LatentRound, encoder=posterior(mean, deviation))
    assert value(divergence, r) == pytest.approx(2 * expected.item(), abs=1e-6)  # two coordinates


def test_reconstruction_is_minus_the_log_density_without_its_constant():
    made = torch.full((N, 1, 3, 3), 0.25)
    r = round_of(LatentRound, encoder=posterior(0.0, 1.0), generator=Answer(made))
    density = torch.distributions.Normal(made, 1.0).log_prob(r.real).flatten(1).sum(1).mean()
    assert value(reconstruction, r) == pytest.approx(-density.item() - 4.5 * math.log(2 * math.pi), rel=1e-5)


def test_both_sides_change_places_in_the_joint_game():
    class Sum(nn.Module):
        def forward(self, x, z, y):
            return x.flatten(1).sum(1) + z.sum(1)

    r = round_of(
        JointRound, generator=Answer(torch.zeros(N, 1, 3, 3)), encoder=posterior(0.5, 1e-9), discriminator=Sum()
    )
    real = r.real.flatten(1).sum(1) + 1.0
    expected = -torch.log(torch.sigmoid(torch.zeros(N))).mean() - torch.log(1 - torch.sigmoid(real)).mean()
    assert value(joint.generator, r) == pytest.approx(expected.item(), rel=1e-4)


def test_information_is_the_likelihood_of_the_codes_and_finds_them_in_the_latent():
    prior = Prior(3, (4, 2), 2)
    z = prior.draw(N, torch.Generator().manual_seed(1))
    first, second, numbers = z[:, 3:7], z[:, 7:9], z[:, 9:]
    nets = {"generator": Answer(torch.zeros(N, 1, 3, 3))}
    right = round_of(NoiseRound, z, reader=Answer((30 * first, 30 * second), numbers), **nets)
    assert value(information.categories, right) == pytest.approx(0, abs=1e-6)
    assert value(information.uniform, right) == 0
    ignorant = round_of(NoiseRound, z, reader=Answer((0 * first, 0 * second), numbers + 1), **nets)
    assert value(information.categories, ignorant) == pytest.approx(math.log(4) + math.log(2), rel=1e-5)
    assert value(information.uniform, ignorant) == pytest.approx(1.0, rel=1e-5)  # 1/2 of each of two


def test_the_slope_is_taken_in_front_of_an_eye_that_learns():
    class Eye(nn.Module):
        def __init__(self):
            super().__init__()
            self.scale = nn.Parameter(torch.tensor(2.0))

        def forward(self, x, rng):
            return self.scale * x.flatten(1)

    class Slope(nn.Module):
        def forward(self, h, y):
            return 0.5 * h.sum(1)

    eye = Eye()
    r = round_of(NoiseRound, discriminator=Slope(), **{"eye": eye})
    assert value(r1_through_eye, r) == pytest.approx(9 / 2, rel=1e-6)  # nine pixels of slope 1
    sum(r1_through_eye(r, 0.0).values()).backward()
    assert eye.scale.grad > 0
