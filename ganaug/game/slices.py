"""Whether a game can tell slices of a batch from the whole of it."""

from __future__ import annotations

import copy
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from ganaug.data.batches import Batch
from ganaug.game.recipe import Networks, Player, Recipe, as_it_is
from ganaug.game.snapshot import owned
from ganaug.game.train import Batches
from ganaug.keys import seed_layers, torch_stream

TOLERANCE = 1e-3  # between gradients that are equal but for the order of their sums, of their length
STAGES = (0.0, 0.5, 1.0)  # progress at which games are looked at that change with it


class _Still(TorchDispatchMode):
    """Whatever is drawn within is one half, or 0 where it is whole: the same for an item wherever in a batch it is."""

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        drawn = func(*args, **(kwargs or {}))
        if torch.Tag.nondeterministic_seeded in func.tags and isinstance(drawn, Tensor):
            drawn.fill_(0.5 if drawn.is_floating_point() else 0)
        return drawn


def slicewise(recipe: Recipe, data: Batches, slices: int, seed: int, device: torch.device) -> tuple[str, ...]:
    """Names of the players whose gradient over a whole batch is not the mean of those over its slices, since items of a
    batch are compared with each other or share statistics: with slices, each is a batch of its own.

    Found out on the networks as they begin, shaken a little, so that no layer is silent.
    """
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        seed_layers(torch.device("cpu"), seed, "weights")
        nets = {name: net.to(device) for name, net in recipe.networks(data.spec, recipe.prior).items()}
        rng = torch_stream(seed, "slices")
        batch, z = data.draw(recipe.batch, rng), recipe.prior.draw(recipe.batch, rng).to(device)
        with torch.no_grad():
            for net in nets.values():
                for weight in net.parameters():
                    weight.add_(torch.randn(weight.shape, generator=rng).to(device), alpha=0.02)
        found = []
        for player in recipe.players:
            pieces = [Batch(*(part.chunk(slices)[s] for part in batch)) for s in range(slices)]
            fixed = recipe.before is as_it_is and not any(callable(t.weight) for t in player.loss.terms)
            for progress in STAGES[:1] if fixed else STAGES:
                whole = _gradient(recipe, nets, player, batch, z, progress)
                parts = zip(pieces, z.chunk(slices), strict=True)
                mean = torch.stack([_gradient(recipe, nets, player, *part, progress) for part in parts]).mean(0)
                if not (whole - mean).norm() <= TOLERANCE * whole.norm():
                    found.append(player.name)
                    break
    return tuple(found)


def _gradient(recipe: Recipe, nets: Networks, player: Player, batch: Batch, z: Tensor, progress: float) -> Tensor:
    """Of all terms of a player's loss, also of those that are not due at every move."""
    nets = copy.deepcopy(nets)  # what they remember is forgotten
    recipe.before(nets, progress)
    for name, net in nets.items():
        net.requires_grad_(name in player.owns)
    with _Still():
        round = recipe.wiring(nets, batch, z, torch.Generator(), watch=player.loss.watches)
        torch.stack(list(player.loss(round, progress).values())).sum().backward()
    return torch.cat([(torch.zeros_like(w) if w.grad is None else w.grad).flatten() for w in owned(nets, player)])
