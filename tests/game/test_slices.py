"""Whether a batch is the mean of its slices, which is found out, not declared."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import nn

from ganaug.game import term
from ganaug.game.slices import slicewise
from ganaug.losses import relativistic
from ganaug.recipes import RECIPES, make
from tests.toys.games import toy

CPU = torch.device("cpu")
COMPARING = (nn.modules.batchnorm._BatchNorm,)


def found(recipe, slices=2):
    return slicewise(recipe, toy(recipe), slices, 0, CPU)


@pytest.mark.parametrize("name", RECIPES)
def test_batch_norm_is_found_in_whoever_has_it(name):
    """In the networks of the mover, or in those through which its gradient goes."""
    recipe = make(name, {})
    data = toy(recipe)
    nets = recipe.networks(data.spec, recipe.prior)
    normed = {role for role, net in nets.items() if any(isinstance(m, COMPARING) for m in net.modules())}
    players = found(recipe)
    assert {player.name for player in recipe.players if normed & set(player.owns)} <= set(players)
    if name in ("gan", "cgan", "small", "r3gan", "rcgan", "cyclegan"):
        assert players == ()
    if name in ("minibatch", "cramer", "unrolled"):
        assert "generator" in players


def test_items_that_are_compared_with_neighbours_are_found_where_a_slice_divides_neighbours():
    recipe = make("pggan", {"batch": 16})
    assert found(recipe, 2) == ()  # neighbours are groups of 4
    assert found(recipe, 8) == ("discriminator", "generator")


def test_what_is_drawn_within_a_move_is_no_difference():
    base = make("small", {"eye": 1.0, "batch": 8})
    assert found(base) == ()

    @term
    def noisy(r):
        noise = torch.randn(r.fake.shape, generator=r.rng) + torch.randn_like(r.fake)
        return (nn.functional.dropout(r.fake, 0.5) * noise).square().mean()

    @term
    def paired(r):
        return (r.fake * r.fake.flip(0)).mean()

    first, second = base.players
    for loss, names in ((noisy, ()), (paired, ("generator",)), (paired.every(3), ("generator",))):
        player = replace(second, loss=relativistic.generator + loss)
        assert found(replace(base, players=(first, player))) == names


def test_nothing_is_left_in_the_global_stream():
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    found(make("dcgan", {}))
    assert torch.equal(torch.rand(3), expected)
