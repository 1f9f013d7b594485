"""Numbers that stop being finite, at every place of a round: caught before the mover's weights change, and named; the
fit goes back and on with other draws, and stops after a few times."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
import torch

import ganaug
from ganaug.data.batches import Batch
from ganaug.errors import DivergedError
from ganaug.fitting import play
from ganaug.fitting.course import RETRIES
from ganaug.game import Loss, Prior, Recipe
from ganaug.game.train import train
from ganaug.generator.state import load_state
from ganaug.recipes import make
from tests.toys.games import toy

BAD_STEP = 2  # the round, 0-based, in which something is poisoned
NAMES = ("small", "wgan_gp", "infogan", "dcgan", "aae", "pix2pix")
VALUES = (float("nan"), float("inf"))


class Poison:
    """Turns to a bad value what passes through while it is armed; `times` counts how often it did."""

    def __init__(self, value: float):
        self.value, self.armed, self.times = value, False, 0

    def __call__(self, tensor: torch.Tensor) -> torch.Tensor:
        if not self.armed:
            return tensor
        self.times += 1
        tensor = tensor.clone()
        spoil(tensor, self.value)
        return tensor


def spoil(tensor: torch.Tensor, value: float) -> None:
    """Put a value into the first place, whatever the memory layout."""
    tensor[(0,) * tensor.dim()] = value


def in_batch(recipe: Recipe, data, poison: Poison):
    class Poisoned:
        spec = data.spec

        def draw(self, n, rng):
            real, *rest = data.draw(n, rng)
            return Batch(poison(real), *rest)

    return recipe, Poisoned()


def in_latent(recipe: Recipe, data, poison: Poison):
    class Poisoned(Prior):
        def draw(self, n, rng, truncation=None):
            return poison(super().draw(n, rng, truncation))

    prior = recipe.prior
    return replace(recipe, prior=Poisoned(prior.dim, prior.categories, prior.uniform)), data


def in_term(player: int, term: int):
    def inject(recipe: Recipe, data, poison: Poison):
        one = recipe.players[player]
        terms = list(one.loss.terms)
        function = terms[term].function
        terms[term] = replace(terms[term], interval=1, function=lambda r: poison(function(r)))
        players = list(recipe.players)
        players[player] = replace(one, loss=Loss(tuple(terms)))
        return replace(recipe, players=tuple(players)), data

    return inject


def places():
    """(name, recipe, value, how to poison, the players that may notice)"""
    for name in NAMES:
        recipe = make(name, {})
        everyone = tuple(player.name for player in recipe.players)
        for value in VALUES:
            if name != "pix2pix" or value != value:
                yield pytest.param(name, value, in_batch, everyone, id=f"{name}, batch, {value}")
        if name not in ("pix2pix",):  # which has no use for a latent
            yield pytest.param(name, VALUES[0], in_latent, everyone, id=f"{name}, latent, nan")
        for number, player in enumerate(recipe.players):
            for place, term in enumerate(player.loss.terms):
                yield pytest.param(name, VALUES[place % 2], in_term(number, place), (player.name,),
                                   id=f"{name}, {player.name}, {term.name}")  # fmt: skip


def owned(recipe: Recipe, state, player: str) -> dict[str, torch.Tensor]:
    """The weights and moments of a player, without statistics, which belong to nobody, and without networks that an
    earlier player of the round moves too."""
    place = [p.name for p in recipe.players].index(player)
    earlier = {role for p in recipe.players[:place] for role in p.owns}
    roles = set(recipe.players[place].owns) - earlier
    spec = toy(recipe).spec
    nets = recipe.networks(spec, recipe.prior)
    names = {f"networks/{role}/{name}" for role in roles for name, _ in nets[role].named_parameters()}
    return {k: v for k, v in state.items() if k in names or k.startswith(f"optimisers/{player}/")}


def diverged(recipe: Recipe, game, poison, value_at=BAD_STEP):
    """Play to the bad step, arm the poison; gives the error, the state before the round and that after the error."""
    at = next(game)
    for _ in range(value_at):
        at = next(game)
    before = at.state()
    poison.armed = True
    with pytest.raises(DivergedError) as caught:
        next(game)
    return caught.value, before, at.state()


def unchanged(recipe: Recipe, before, after, player: str) -> None:
    mine = owned(recipe, before, player)
    assert mine
    assert all(torch.equal(mine[name], after[name]) for name in mine)


@pytest.mark.parametrize(("name", "value", "inject", "players"), list(places()))
def test_a_bad_number_in_a_round_is_caught_before_the_mover_changes(name, value, inject, players):
    recipe, poison = make(name, {}), Poison(value)
    poisoned, data = inject(recipe, toy(recipe), poison)
    error, before, after = diverged(recipe, train(poisoned, data, steps=4), poison)
    assert poison.times
    assert f"step {BAD_STEP + 1}" in error.cause
    player = next(p for p in players if f"player {p} " in error.cause or f" {p}/" in error.cause)
    unchanged(recipe, before, after, player)


def kept_by(progress):
    return progress._game  # what a fault in the memory would meet: nobody else reaches in


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("value", VALUES)
def test_a_bad_gradient_is_caught_before_the_mover_changes(name, value):
    recipe = make(name, {})
    for player in recipe.players:
        for role in player.owns:
            game = train(recipe, toy(recipe), steps=4)
            first = next(game)
            poison = Poison(value)
            weight = next(p for p in kept_by(first).nets[role].parameters() if p.numel() > 1)
            weight.requires_grad_(True).register_hook(poison)
            at = next(game)
            before = at.state()
            poison.armed = True
            first_owner = next(p.name for p in recipe.players if role in p.owns)
            with pytest.raises(DivergedError, match=f"gradient of the player {first_owner} "):
                next(game)
            assert poison.times
            unchanged(recipe, before, at.state(), first_owner)


@pytest.mark.parametrize("name", NAMES)
def test_a_bad_moment_is_caught_before_the_mover_changes(name):
    recipe = make(name, {})
    for number, player in enumerate(recipe.players):
        game = train(recipe, toy(recipe), steps=4)
        next(game)
        at = next(game)
        for kept in list(kept_by(at).optimisers[number].state.values())[:1]:
            for moment in [moment for entry, moment in kept.items() if entry != "step"][-1:]:
                spoil(moment, float("inf"))
        before = at.state()
        with pytest.raises(DivergedError, match=f"moment of the optimiser of the player {player.name} "):
            next(game)
        unchanged(recipe, before, at.state(), player.name)


@pytest.mark.parametrize("name", NAMES)
def test_a_bad_weight_is_caught_by_whoever_meets_it(name):
    recipe = make(name, {})
    for role in {role for player in recipe.players for role in player.owns}:
        game = train(recipe, toy(recipe), steps=4)
        at = next(game)
        with torch.no_grad():
            spoil(next(p for p in kept_by(at).nets[role].parameters() if p.dim() > 1), float("nan"))
        with pytest.raises(DivergedError, match="step 1"):
            next(game)


def number_of_places() -> int:
    """Of all the tests above together: rounds, gradients (of two values), moments and weights."""
    recipes = [make(name, {}) for name in NAMES]
    gradients = sum(len(player.owns) for recipe in recipes for player in recipe.players)
    moments = sum(len(recipe.players) for recipe in recipes)
    weights = sum(len({role for player in recipe.players for role in player.owns}) for recipe in recipes)
    return len(list(places())) + len(VALUES) * gradients + moments + weights


def test_there_are_enough_places():
    assert number_of_places() >= 40


SMALL = {"width": 4, "widest": 8, "latent": 8, "batch": 8}


def arrays():
    rng = np.random.default_rng(0)
    return rng.integers(0, 256, (24, 8, 8), dtype=np.uint8), np.arange(24) % 2


RARE = """
from dataclasses import replace
from ganaug.game import term
from ganaug.recipes import make

@term
def fragile(r):
    return r.fake_scores.mean() * (float("nan") if r.z[0, 0] > {limit} else 0.0)

def recipe():
    base = make("small", {{"width": 4, "widest": 8, "latent": 8, "batch": 8}})
    first, second = base.players
    return replace(base, players=(first, replace(second, loss=second.loss + fragile)))
"""
STEPS = 60


def rare(tmp_path, limit=2.0):
    """A recipe that diverges where a latent is large: for some draws, and not for others."""
    file = tmp_path / "rare.py"
    file.write_text(RARE.format(limit=limit))
    return f"{file}:recipe"


def everything(run):
    state = load_state(run / "state")
    lines = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    return (
        {name: tensor.numpy().tobytes() for name, tensor in state.tensors.items()},
        (run / "generator" / "model.safetensors").read_bytes(),
        (run / "generator" / "card.json").read_bytes(),
        [{k: v for k, v in line.items() if k not in ("steps_per_second", "sum")} for line in lines],
    )


def test_a_fit_goes_back_with_other_draws_and_tells(tmp_path):
    said = []
    run = ganaug.fit(arrays(), tmp_path / "run", recipe=rare(tmp_path), steps=STEPS, seed=0,
                     report=lambda *what: said.append(what[-1]))  # fmt: skip
    retries = run_interventions(run.path)
    assert 1 <= len(retries) <= RETRIES
    for one in retries:
        assert "generator/fragile" in one["cause"]
        assert one["start"] < one["step"]
        assert any(f"Back to step {one['start']}" in text for text in said)
    lines = [json.loads(line) for line in (run.path / "metrics.jsonl").read_text().splitlines()]
    assert [line["intervention"] for line in lines if "intervention" in line] == retries
    steps = [line["step"] for line in lines if not {"intervention", "checkup"} & set(line)]
    assert steps == list(range(1, STEPS + 1))
    assert load_state(run.path / "state").step == STEPS


def run_interventions(run):
    return json.loads((run / "generator" / "card.json").read_text())["interventions"]


@pytest.mark.long
def test_going_back_ends_with_the_same_bytes_interrupted_or_not(tmp_path, monkeypatch):
    recipe = rare(tmp_path)
    whole = everything(ganaug.fit(arrays(), tmp_path / "whole", recipe=recipe, steps=STEPS).path)
    again = everything(ganaug.fit(arrays(), tmp_path / "again", recipe=recipe, steps=STEPS).path)
    assert whole == again
    assert run_interventions(tmp_path / "whole")
    for every in (1, 7):  # killed, as it were, after every so many rounds, before and after it went back
        out = tmp_path / f"killed {every}"
        for _ in range(3 * STEPS):
            played = []

            def report(phase, done, total, detail="", played=played, every=every):
                if phase == "fit" and total == STEPS:
                    played.append(done)
                    if len(played) > every:
                        raise ZeroDivisionError("killed")

            monkeypatch.setattr(play, "SAVE_SECONDS", -1.0)
            try:
                run = ganaug.fit(arrays(), out, recipe=recipe, steps=STEPS, resume=True, report=report)
                break
            except ZeroDivisionError:
                continue
        assert everything(run.path) == whole


def test_what_diverges_with_any_draws_is_stopped_with_its_state_kept(tmp_path):
    with pytest.raises(DivergedError, match="generator/fragile.*tried 2 times.*is kept.*--fork") as caught:
        ganaug.fit(arrays(), tmp_path / "run", recipe=rare(tmp_path, limit=0.7), steps=STEPS, seed=1)
    assert caught.value.exit_code == 5
    saved = load_state(tmp_path / "run" / "state")
    assert saved is None or saved.step < STEPS
    assert not (tmp_path / "run" / "generator").exists()


def test_a_bad_average_is_never_saved(tmp_path, monkeypatch):
    real, poisoned = play.train, []

    def spoiling(*args, **options):
        for progress in real(*args, **options):
            if progress.step == 30 and not poisoned:
                poisoned.append(True)
                with torch.no_grad():
                    spoil(next(kept_by(progress).averages["generator"].parameters()), float("nan"))
            yield progress

    monkeypatch.setattr(play, "train", spoiling)
    run = ganaug.fit(arrays(), tmp_path / "run", options=SMALL, steps=STEPS)
    (one,) = run_interventions(run.path)
    assert "averages/generator/" in one["cause"]
    assert all(t.isfinite().all() for t in load_state(run.path / "state").tensors.values())
    whole = ganaug.load(run)
    assert all(p.isfinite().all() for p in whole.generator.parameters())
