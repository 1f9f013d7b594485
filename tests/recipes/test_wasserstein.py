"""What makes a critic a critic: its slope is bounded, and its loss is a distance."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import nn

from ganaug.data.batches import Batch
from ganaug.data.spec import DataSpec
from ganaug.game import NoiseRound, RMSProp
from ganaug.game.train import train
from ganaug.losses.penalties import between, slopes
from ganaug.networks.eyes import OpenEye
from ganaug.networks.mlp import Discriminator
from ganaug.recipes import make


class Squares:
    """Points of a small square around the origin."""

    spec = DataSpec((2,), ("all",))

    def draw(self, n, rng):
        x = 0.1 * (2 * torch.rand(n, 2, generator=rng) - 1)
        y = torch.zeros(n, dtype=torch.long)
        return Batch(x, y, x, y)


class Moved(nn.Module):
    """A generator that draws the same square, moved to the right."""

    def __init__(self, by: float):
        super().__init__()
        self.by = by

    def forward(self, z, y):
        return 0.1 * torch.tanh(z[:, :2]) + torch.tensor([self.by, 0.0])


def critic_after(name: str, by: float, rounds: int, settings=None, **changes):
    """The last reported loss and the networks of a critic that has played `rounds` against a square moved by `by`."""
    recipe = make(name, settings or {})

    def pair(spec, prior):
        return {"generator": Moved(by), "discriminator": Discriminator(spec.shape, 1, (32, 32)), "eye": OpenEye()}

    player = replace(recipe.players[0], **changes)
    *_, end = train(replace(recipe, networks=pair, players=(player,), keeps=()), Squares(), steps=rounds)
    nets = pair(Squares.spec, recipe.prior)
    prefix = "networks/discriminator/"
    nets["discriminator"].load_state_dict(
        {k.removeprefix(prefix): v for k, v in end.state().items() if k.startswith(prefix)}
    )
    return sum(end.losses.values()), nets


def test_wgan_clips_every_weight_and_moves_as_its_paper_says():
    recipe = make("wgan", {})
    critic, generator = recipe.players
    assert critic.moves > generator.moves
    assert isinstance(critic.optimiser, RMSProp)
    assert isinstance(generator.optimiser, RMSProp)
    limit = 0.03
    _, nets = critic_after("wgan", 0.5, 10, {"limit": limit})
    assert max(p.abs().max().item() for p in nets["discriminator"].parameters()) == pytest.approx(limit)
    _, free = critic_after("wgan", 0.5, 10, {"limit": limit}, after=lambda nets: None)
    assert max(p.abs().max().item() for p in free["discriminator"].parameters()) > 2 * limit


@pytest.mark.long
def test_the_loss_of_wgan_tells_how_far_the_samples_are_and_that_of_the_vanilla_gan_only_that_they_are():
    """All squares but the first are apart from the real one: for the cross-entropy they are equally wrong."""
    far = (0.0, 0.4, 0.8, 1.6)
    estimates = [-critic_after("wgan", by, 30, {"limit": 0.1, "lr": 2e-3})[0] for by in far]
    assert estimates == sorted(estimates)
    assert estimates[3] - estimates[2] > 0.5 * (estimates[2] - estimates[1]) > 0
    vanilla = [critic_after("gan", by, 150, {"lr": 5e-3})[0] for by in far]
    assert vanilla[0] > 1.2
    assert max(vanilla[1:]) < 0.05


def mean_slope(nets) -> float:
    """Of the critic, at points between real items and fakes."""
    rng = torch.Generator().manual_seed(0)
    r = NoiseRound(nets, Squares().draw(200, rng), torch.randn(200, 64, generator=rng), rng)
    points = between(r)
    return slopes(r.score(points), points).sqrt().mean().item()


def test_the_gradient_penalty_brings_the_slope_to_one_and_the_loss_to_the_distance():
    by = 0.8
    loss, nets = critic_after("wgan_gp", by, 60, {"lr": 2e-3})
    assert mean_slope(nets) == pytest.approx(1, abs=0.15)
    assert -loss == pytest.approx(by, abs=0.15)
    _, free = critic_after("wgan_gp", by, 60, {"lr": 2e-3, "penalty": 0.0})
    assert mean_slope(free) > 2
