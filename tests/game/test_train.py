"""The loop: what it refuses, what it promises about gradients and averages."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import nn

from ganaug.data.batches import ClassBalancedBatches
from ganaug.data.spec import DataSpec
from ganaug.errors import ArtefactError, DivergedError
from ganaug.game import Player, Recipe, term
from ganaug.game.train import train
from ganaug.recipes import make


def batches(n=30, classes=("a", "b", "c")):
    pixels = torch.randint(0, 256, (n, 1, 8, 8), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    return ClassBalancedBatches(pixels, torch.arange(n) % len(classes), DataSpec((1, 8, 8), classes))


def test_where_it_stands_comes_first_then_every_round():
    assert [p.step for p in train(make("cgan", {}), batches(), steps=3)] == [0, 1, 2, 3]
    assert [p.step for p in train(make("cgan", {}), batches(), steps=3, start=3)] == [3]


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), float("-inf")])
def test_a_term_that_is_not_finite_stops_the_game_before_a_weight_changes(bad):
    recipe = make("cgan", {})

    @term
    def broken(r):
        return r.fake_scores.mean() * bad

    first, second = recipe.players
    game = train(replace(recipe, players=(replace(first, loss=first.loss + broken), second)), batches(), steps=2)
    start = next(game)
    before = start.state()
    with pytest.raises(DivergedError, match="broken"):
        next(game)
    after = start.state()
    assert all(torch.equal(before[k], after[k]) for k in before)


def test_a_gradient_that_is_not_finite_stops_the_game_before_a_weight_changes():
    recipe = make("cgan", {})

    @term
    def kink(r):
        return (r.fake_scores - r.fake_scores).abs().sqrt().mean()  # 0, with a slope of NaN

    first, second = recipe.players
    game = train(replace(recipe, players=(replace(first, loss=first.loss + kink), second)), batches(), steps=2)
    start = next(game)
    before = start.state()
    with pytest.raises(DivergedError, match="discriminator"):
        next(game)
    assert all(torch.equal(before[k], start.state()[k]) for k in before)


def test_a_state_of_another_recipe_is_refused():
    state = next(train(make("cgan", {}), batches(), steps=1)).state()
    with pytest.raises(ArtefactError):
        next(train(make("dcgan", {}), batches(), steps=1, state=state))


def test_a_state_that_went_through_a_file_resumes_to_the_same_bytes():
    """Files know no memory layout; fused optimisers do."""
    from ganaug.files.tensors import from_bytes, to_bytes

    whole = [p.state() for p in train(make("small", {}), batches(), steps=6)]
    *_, end = train(make("small", {}), batches(), steps=6, start=3, state=from_bytes(to_bytes(whole[3])))
    assert all(torch.equal(whole[-1][k], v) for k, v in end.state().items())


def test_nothing_is_left_in_the_global_stream():
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    for _ in train(make("dcgan", {}), batches(), steps=2):
        pass
    assert torch.equal(torch.rand(3), expected)


def test_layers_that_draw_from_the_global_stream_are_keyed_too():
    class Dropping(nn.Module):
        def __init__(self):
            super().__init__()
            self.layers = nn.Sequential(nn.Flatten(), nn.Dropout(0.5), nn.Linear(64, 1))

        def forward(self, x, y):
            return self.layers(x).squeeze(1)

    base = make("cgan", {})
    recipe = replace(base, networks=lambda s, p: {**base.networks(s, p), "discriminator": Dropping()})
    states = []
    for noise in (0, 1):
        torch.manual_seed(noise)
        *_, end = train(recipe, batches(), steps=3)
        states.append(end.state())
    assert all(torch.equal(states[0][k], states[1][k]) for k in states[0])


def test_memory_zero_keeps_the_last_weights_and_memory_lags_behind():
    base = make("cgan", {})
    *_, sharp = train(replace(base, memory=0.0), batches(), steps=4)
    state = sharp.state()
    weights = {
        k.removeprefix("networks/generator/"): v for k, v in state.items() if k.startswith("networks/generator/")
    }
    assert all(torch.equal(v, state[f"averages/generator/{k}"]) for k, v in weights.items())
    *_, smooth = train(replace(base, memory=1e9), batches(), steps=40)
    state = smooth.state()
    assert any(not torch.equal(v, state[k.replace("networks", "averages")])
               for k, v in state.items() if k.startswith("networks/generator/"))  # fmt: skip


def test_the_statistics_of_averaged_batch_norm_are_taken_anew():
    *_, end = train(make("dcgan", {}), batches(), steps=5)
    generator = end.averages()["generator"]
    y = torch.arange(256) % 3
    z = make("dcgan", {}).prior.draw(256, torch.Generator().manual_seed(0))
    norm = next(m for m in generator.modules() if isinstance(m, nn.BatchNorm2d))
    seen = []
    norm.register_forward_pre_hook(lambda module, inputs: seen.append(inputs[0]))
    with torch.no_grad():
        generator(z, y)
    assert torch.allclose(norm.running_mean, seen[0].mean((0, 2, 3)), atol=0.05)
    assert torch.allclose(norm.running_var, seen[0].var((0, 2, 3)), rtol=0.2)


def test_batches_are_balanced_over_unequal_classes():
    labels = torch.tensor([0] * 90 + [1] * 9 + [2])
    data = ClassBalancedBatches(
        torch.zeros(100, 1, 8, 8, dtype=torch.uint8), labels, DataSpec((1, 8, 8), ("a", "b", "c"))
    )
    _, y, *_ = data.draw(3000, torch.Generator().manual_seed(0))
    assert torch.bincount(y).float().div(3000).sub(1 / 3).abs().max() < 0.05


def test_a_player_moves_as_often_as_it_says():
    calls = []

    @term
    def counted(r):
        calls.append(1)
        return r.fake_scores.mean()

    base = make("cgan", {})
    once, _ = base.players
    recipe = Recipe(base.networks, (Player("discriminator", once.owns, counted, once.optimiser, moves=3),), base.prior)
    for _ in train(recipe, batches(), steps=4):
        pass
    assert len(calls) == 12


def test_batches_come_in_runs_of_one_class():
    _, y, *_ = batches().draw(64, torch.Generator().manual_seed(0))
    runs = y.view(-1, 4)
    assert (runs == runs[:, :1]).all()
    assert len(y.unique()) == 3
