"""Laws that hold for every recipe; a new one inherits them by being listed."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch

from ganaug.data import DataSpec, ImageCodec
from ganaug.data.batches import ClassBalancedBatches
from ganaug.generator import Card, load, save
from ganaug.recipes import RECIPES, make
from ganaug.train import train

CLASSES = ("left", "right", "low")
every_recipe = pytest.mark.parametrize("name", RECIPES)


def halves(shape=(1, 8, 8), n=90, noise=20) -> ClassBalancedBatches:
    """Three classes that anyone can tell apart: the left half bright, the right half, the lower half."""
    rng = torch.Generator().manual_seed(0)
    labels = torch.arange(n) % 3
    pixels = torch.full((n, *shape), 40.0)
    pixels[labels == 0, :, :, : shape[2] // 2] = 210
    pixels[labels == 1, :, :, shape[2] // 2 :] = 210
    pixels[labels == 2, :, shape[1] // 2 :, :] = 210
    pixels += noise * torch.randn(pixels.shape, generator=rng)
    return ClassBalancedBatches(pixels.clamp(0, 255).to(torch.uint8), labels, DataSpec(shape, CLASSES))


def last(iterator):
    *_, progress = iterator
    return progress


@every_recipe
@pytest.mark.parametrize("shape", [(1, 8, 8), (3, 19, 19), (1, 28, 28)])
def test_samples_have_the_shape_of_the_data_and_stay_in_range(name, shape):
    recipe = make(name, {})
    spec = DataSpec(shape, CLASSES)
    nets = recipe.networks(spec, recipe.prior)
    z, y = recipe.prior.draw(6, torch.Generator()), torch.arange(6) % 3
    x = nets["generator"](z, y)
    assert x.shape == (6, *shape)
    assert x.abs().max() <= 1
    assert nets["discriminator"](x, y).shape == (6,)


@every_recipe
def test_the_label_changes_the_sample_and_the_score(name):
    recipe = make(name, {})
    nets = recipe.networks(DataSpec((1, 8, 8), CLASSES), recipe.prior)
    z = recipe.prior.draw(1, torch.Generator()).expand(3, -1)
    y = torch.arange(3)
    with torch.no_grad():
        samples = nets["generator"].eval()(z, y)
        scores = nets["discriminator"].eval()(samples[:1].expand(3, -1, -1, -1), y)
    assert not torch.allclose(samples[0], samples[1])
    assert not torch.allclose(scores[0], scores[1])


@every_recipe
def test_only_the_networks_of_the_mover_change(name):
    recipe = make(name, {})
    for player in recipe.players:
        game = train(replace(recipe, players=(player,)), halves(), steps=1)
        before = next(game).state()
        after = next(game).state()
        changed = {
            k.split("/")[1] for k in before if k.startswith("networks/") and not torch.equal(before[k], after[k])
        }
        # Batch norm counts what passes through it, whoever moves; weights are what only the mover may change.
        statistics = {k.split("/")[1] for k in before if "running" in k or "num_batches" in k}
        assert changed - statistics <= set(player.owns)
        assert set(player.owns) <= changed


@every_recipe
def test_the_first_rounds_are_finite_and_every_term_is_reported(name):
    progress = last(train(make(name, {}), halves(), steps=2))
    recipe = make(name, {})
    seen = {f"{p.name}/{t.name}" for p in recipe.players for t in p.loss.terms if t.interval == 1}
    assert seen <= set(progress.losses)
    assert all(math.isfinite(value) for value in progress.losses.values())


@every_recipe
def test_same_seed_same_bytes_and_another_seed_others(name):
    a, b, c = (last(train(make(name, {}), halves(), steps=3, seed=seed)).state() for seed in (1, 1, 2))
    assert all(torch.equal(a[k], b[k]) for k in a)
    assert any(not torch.equal(a[k], c[k]) for k in a)


@every_recipe
def test_a_resumed_game_ends_with_the_same_bytes(name):
    whole = [p.state() for p in train(make(name, {}), halves(), steps=7, seed=3)]
    resumed = last(train(make(name, {}), halves(), steps=7, seed=3, start=4, state=whole[4])).state()
    assert whole[-1].keys() == resumed.keys()
    assert all(torch.equal(whole[-1][k], resumed[k]) for k in resumed)


@every_recipe
def test_saved_and_loaded_it_draws_the_same_bytes(name, tmp_path):
    data = halves()
    recipe = make(name, {})
    generator = last(train(recipe, data, steps=2)).averages()["generator"]
    card = Card(
        name, {}, CLASSES, (1, 8, 8), ImageCodec("L", (8, 8)), recipe.prior.dim, steps=2, seed=0,
        counts=dict.fromkeys(CLASSES, 30), fingerprints=(), held_out=(), versions={},
    )  # fmt: skip
    digest = save(tmp_path, generator, card)
    fitted = load(tmp_path)
    assert fitted.card == card
    assert fitted.hash == digest
    z, y = recipe.prior.draw(5, torch.Generator()), torch.arange(5) % 3
    with torch.no_grad():
        assert torch.equal(generator(z, y), fitted.generator(z, y))


@every_recipe
def test_it_learns_three_classes_that_anyone_can_tell_apart(name):
    """The analogue of an optimiser's parabola: nearest class mean of a sample is its class."""
    data = halves()
    steps = {"wgan_gp": 260, "cgan": 300}.get(name, 200)
    generator = last(train(make(name, {}), data, steps=steps, seed=0)).averages()["generator"]
    y = torch.arange(60) % 3
    with torch.no_grad():
        samples = generator(make(name, {}).prior.draw(60, torch.Generator().manual_seed(1)), y)
    real, labels = data.draw(300, torch.Generator().manual_seed(2))
    means = torch.stack([real[labels == c].mean(0) for c in range(3)])
    nearest = torch.cdist(samples.flatten(1), means.flatten(1)).argmin(1)
    assert (nearest == y).float().mean() >= 0.9


EQUATIONS = {
    "small": "discriminator ×1: relativistic.discriminator + 0.5·r1 (every 4) + 0.5·r2 (every 4)\n"
    "generator     ×1: relativistic.generator",
    "cgan": "discriminator ×1: nonsaturating.discriminator\ngenerator     ×1: nonsaturating.generator",
    "dcgan": "discriminator ×1: nonsaturating.discriminator\ngenerator     ×1: nonsaturating.generator",
    "wgan_gp": "discriminator ×5: wasserstein.discriminator + 10·gradient_penalty\n"
    "generator     ×1: wasserstein.generator",
}


@every_recipe
def test_it_prints_as_its_equation(name):
    assert str(make(name, {})) == EQUATIONS[name]


@every_recipe
def test_its_docstring_names_its_source(name):
    docstring = RECIPES[name].__doc__ or ""
    assert "et al" in docstring or "&" in docstring
