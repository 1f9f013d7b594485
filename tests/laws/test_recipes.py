"""Laws that hold for every recipe; a new one inherits them by being listed."""

from __future__ import annotations

import math
import re
from dataclasses import replace

import pytest
import torch

from ganaug.data.batches import Batch
from ganaug.game.train import train
from ganaug.generator.card import Card
from ganaug.generator.folder import save
from ganaug.recipes import RECIPES, make
from ganaug.samples.run import load
from tests.toys.games import CLASSES, class_means, codec_of, toy

every_recipe = pytest.mark.parametrize("name", RECIPES)


def last(iterator):
    *_, progress = iterator
    return progress


def answer(recipe, nets, batch, z):
    """What the generator makes of a batch, from noise or from its sources."""
    if recipe.wiring.from_source:
        return nets["generator"](recipe.wiring(nets, batch, z, torch.Generator()).source, z, batch.y)
    return nets["generator"](z, batch.y)


@every_recipe
@pytest.mark.parametrize("shape", [(1, 8, 8), (3, 19, 19), (1, 28, 28)])
def test_samples_have_the_shape_of_the_data_and_stay_in_range(name, shape):
    recipe = make(name, {})
    data = toy(recipe, shape)
    nets = recipe.networks(data.spec, recipe.prior)
    rng = torch.Generator().manual_seed(0)
    batch, z = data.draw(6, rng), recipe.prior.draw(6, rng)
    x = answer(recipe, nets, batch, z)
    assert x.shape == batch.real.shape
    assert x.abs().max() <= 1
    assert z.shape == (6, recipe.prior.width)
    if "discriminator" in nets:
        round = recipe.wiring(nets, batch, z, rng)
        assert len(round.real_scores) == len(round.fake_scores) == 6


@every_recipe
def test_the_label_changes_the_sample_and_the_score(name):
    recipe = make(name, {})
    if not recipe.labelled:
        pytest.skip("played without labels")
    data = toy(recipe)
    nets = {role: net.eval() for role, net in recipe.networks(data.spec, recipe.prior).items()}
    rng = torch.Generator().manual_seed(0)
    count = len(data.spec.classes)
    one = [part[:1].expand(count, *part.shape[1:]) for part in data.draw(1, rng)]
    batch = Batch(one[0], torch.arange(count), one[2], torch.arange(count))
    z = recipe.prior.draw(1, rng).expand(count, -1)
    with torch.no_grad():
        samples = answer(recipe, nets, batch, z)
        assert not torch.allclose(samples[0], samples[1])
        if "discriminator" in nets:
            scores = recipe.wiring(nets, batch, z, rng).real_scores
            assert not torch.allclose(scores[0], scores[1])


@every_recipe
def test_only_the_networks_of_the_mover_change(name):
    recipe = make(name, {})
    data = toy(recipe)
    nets = recipe.networks(data.spec, recipe.prior)
    # Buffers (statistics, memories) belong to nobody; weights are what only the mover may change.
    weights = {f"networks/{role}/{k}" for role, net in nets.items() for k, _ in net.named_parameters()}
    for player in recipe.players:
        game = train(replace(recipe, players=(player,)), data, steps=1)
        before = next(game).state()
        after = next(game).state()
        changed = {k.split("/")[1] for k in weights if not torch.equal(before[k], after[k])}
        assert changed == set(player.owns)


@every_recipe
def test_the_first_rounds_are_finite_and_every_term_is_reported(name):
    progress = last(train(make(name, {}), toy(make(name, {})), steps=2))
    recipe = make(name, {})
    seen = {f"{p.name}/{t.name}" for p in recipe.players for t in p.loss.terms if t.interval == 1}
    assert seen <= set(progress.losses)
    assert all(math.isfinite(value) for value in progress.losses.values())


@every_recipe
def test_same_seed_same_bytes_and_another_seed_others(name):
    a, b, c = (last(train(make(name, {}), toy(make(name, {})), steps=3, seed=seed)).state() for seed in (1, 1, 2))
    assert all(torch.equal(a[k], b[k]) for k in a)
    assert any(not torch.equal(a[k], c[k]) for k in a)


@every_recipe
def test_a_resumed_game_ends_with_the_same_bytes(name):
    whole = [p.state() for p in train(make(name, {}), toy(make(name, {})), steps=7, seed=3)]
    resumed = last(train(make(name, {}), toy(make(name, {})), steps=7, seed=3, start=4, state=whole[4])).state()
    assert whole[-1].keys() == resumed.keys()
    assert all(torch.equal(whole[-1][k], resumed[k]) for k in resumed)


@every_recipe
def test_saved_and_loaded_it_draws_the_same_bytes(name, tmp_path):
    recipe = make(name, {})
    data = toy(recipe)
    networks = last(train(recipe, data, steps=2)).averages()
    card = Card(
        name, {}, data.spec.classes, data.spec.shape, codec_of(data.spec), recipe.prior, steps=2, seed=0,
        counts=dict.fromkeys(data.spec.classes, 30), fingerprints=(), held_out=(), versions={}, pair=data.spec.pair,
    )  # fmt: skip
    digest = save(tmp_path, networks, card)
    fitted = load(tmp_path)
    assert fitted.card == card
    assert fitted.hash == digest
    assert set(fitted.networks) == set(recipe.keeps)
    rng = torch.Generator().manual_seed(0)
    batch, z = data.draw(5, rng), recipe.prior.draw(5, rng)
    whole = recipe.networks(data.spec, recipe.prior)
    with torch.no_grad():
        made, loaded = (answer(recipe, {**whole, **nets}, batch, z) for nets in (networks, fitted.networks))
    assert torch.equal(made, loaded)


HINT = 'A docstring may say "The toy of the laws takes N rounds.", in place of 200; or learn faster (lr).'


SWIFT = {"small", "gan", "wgan_gp"}  # those that are always asked


def rounds_of(name: str) -> int:
    """The rounds that the toy takes, as the docstring of the recipe says; 200 where it says nothing."""
    said = re.search(r"The toy of the laws takes (\d+) rounds", RECIPES[name].__doc__ or "")
    return int(said[1]) if said else 200


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[] if name in SWIFT else pytest.mark.long) for name in RECIPES]
)
def test_it_learns_three_classes_that_anyone_can_tell_apart(name):
    """The analogue of an optimiser's parabola: nearest class mean of a sample is its class; without labels, every class
    is met, and samples are nearer to their class than the classes are to each other."""
    recipe = make(name, {})
    data = toy(recipe)
    kept = last(train(recipe, data, steps=rounds_of(name), seed=0)).averages()
    nets = {**recipe.networks(data.spec, recipe.prior), **kept}
    rng = torch.Generator().manual_seed(1)
    batch, z = data.draw(60, rng), recipe.prior.draw(60, rng)
    with torch.no_grad():
        samples = answer(recipe, nets, batch, z)
    count = recipe.classes or len(CLASSES)
    means = class_means(recipe)
    distances = torch.cdist(samples.flatten(1), means)
    if recipe.labelled:
        right = (distances.argmin(1) == batch.y).float().mean().item()
        assert right >= 0.9, f"{right:.0%} after {rounds_of(name)} rounds. {HINT}"
    else:
        assert set(distances.argmin(1).tolist()) == set(range(count)), HINT
        between = torch.pdist(means).min()
        assert (distances.min(1).values < between / 2).float().mean() >= 0.8, HINT


@every_recipe
def test_it_prints_as_the_equation_in_its_docstring(name):
    said = " ".join((RECIPES[name].__doc__ or "").split())
    for line in str(make(name, {})).splitlines():
        assert " ".join(line.split()) in said


@every_recipe
def test_its_docstring_names_its_source(name):
    docstring = RECIPES[name].__doc__ or ""
    assert "et al" in docstring or "&" in docstring
