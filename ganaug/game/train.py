"""The loop: an iterator of Progress. It knows roles, never names.

Every draw of a move comes from a stream keyed by (seed, step, player, move), so that the random state of a run is its
step number, and nothing but networks, averages and optimisers has to be saved for an exact resume.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NoReturn, Protocol

import torch
from torch import Tensor, nn

from ganaug.data.batches import Batch
from ganaug.data.spec import DataSpec
from ganaug.errors import DivergedError
from ganaug.game import Loss, Networks, Player, Recipe, value_at
from ganaug.game.ranks import ALONE, Ranks
from ganaug.game.snapshot import State, owned, put_back, take
from ganaug.keys import Part, seed_layers, torch_stream


class Batches(Protocol):
    """What the loop draws from: encoded items and labels as a pure function of a random stream."""

    spec: DataSpec

    def draw(self, n: int, rng: torch.Generator) -> Batch: ...


@dataclass(frozen=True)
class Progress:
    """Where the game stands after `step` of `steps` rounds; `losses` are the values of the last moves, by
    "player/term". The averaged networks and the full state are taken only when asked for."""

    step: int
    steps: int
    losses: Mapping[str, float]
    _game: _Game

    def averages(self) -> Networks:
        """The kept networks, averaged, batch-norm statistics re-estimated, in eval mode."""
        return self._game.settled_averages()

    def networks(self) -> Networks:
        """Copies of all networks, those that are kept as `averages` gives them, in eval mode."""
        return {name: copy.deepcopy(net).eval() for name, net in self._game.nets.items()} | self.averages()

    def state(self) -> State:
        """Everything that an exact resume needs, as named tensors; copies."""
        return self._game.state()


def train(
    recipe: Recipe,
    data: Batches,
    *,
    steps: int,
    seed: int = 0,
    device: torch.device | str = "cpu",
    start: int = 0,
    state: Mapping[str, Tensor] | None = None,
    retry: int = 0,
    slices: int = 1,
    ranks: Ranks = ALONE,
) -> Iterator[Progress]:
    """Play `steps` rounds of the game, yielding where it stands: before the first round, then after each.

    start, state: go on after round `start` from a state that `Progress.state` gave. retry: another number gives other
    draws in every round. slices: equal parts of the batch, drawn and played one by one, by whose mean gradient a player
    moves; so many divide it. ranks: the processes that share them; all play the same rounds, to the same bytes as one.
    Raises DivergedError, before the move changes a weight, when a term, a gradient or a moment of the optimiser is not
    finite, on all ranks in the same round; ArtefactError when the state does not fit the recipe; RankError when another
    process has ended.
    """
    game = _Game(recipe, data, steps, seed, torch.device(device), retry, slices, ranks)
    if state is not None:
        game.restore(state)
    yield Progress(start, steps, {}, game)
    for step in range(start, steps):
        losses = game.round(step)
        yield Progress(step + 1, steps, losses, game)


class _Game:
    def __init__(
        self, recipe: Recipe, data: Batches, steps: int, seed: int, device: torch.device, retry: int, slices: int,
        ranks: Ranks,
    ):  # fmt: skip
        self.recipe, self.data, self.steps, self.seed, self.device = recipe, data, steps, seed, device
        self.retry: tuple[Part, ...] = ("retry", retry) if retry else ()  # the end of the key of every draw
        self.slices, self.ranks = slices, ranks
        with torch.random.fork_rng(devices=[]):
            seed_layers(torch.device("cpu"), seed, "weights")
            nets = recipe.networks(data.spec, recipe.prior)
        self.nets = {name: net.to(device).to(memory_format=torch.channels_last) for name, net in nets.items()}
        self.averages = {name: copy.deepcopy(self.nets[name]).requires_grad_(False) for name in recipe.keeps}
        self.optimisers = [p.optimiser.build(owned(self.nets, p)) for p in recipe.players]

    def round(self, step: int) -> dict[str, float]:
        losses: dict[str, float] = {}
        self.recipe.before(self.nets, step / self.steps)
        for i, player in enumerate(self.recipe.players):
            # Only the networks of the player to move are trainable.
            for name, net in self.nets.items():
                net.requires_grad_(name in player.owns)
            for move in range(player.moves):
                losses.update(self._move(i, player, step, move))
        self._follow(step)
        return losses

    def _move(self, i: int, player: Player, step: int, move: int) -> dict[str, float]:
        progress, optimiser = step / self.steps, self.optimisers[i]
        loss = player.loss.due(step * player.moves + move)
        key: tuple[Part, ...] = (step, i, move, *self.retry)
        weights = owned(self.nets, player)

        # Gradients and the values of the terms, checked before any weight changes.
        if self.slices == 1:
            values = self._play(loss, weights, progress, key)
        else:
            values = self._mean_of_slices(loss, weights, progress, key)
        named = {f"{player.name}/{name}": value for name, value in zip(loss.names, values.tolist(), strict=True)}
        self._check_finite(player, optimiser, step, named)

        # The step.
        for group in optimiser.param_groups:
            group["lr"] = value_at(player.optimiser.lr, progress)
        optimiser.step()
        player.after(self.nets)
        return named

    def _play(self, loss: Loss, weights: list[nn.Parameter], progress: float, key: tuple[Part, ...]) -> Tensor:
        """A batch, or a slice of one, a latent, and whatever the terms ask for: leaves the gradients of the weights,
        gives the values of the terms."""
        n = self.recipe.batch // self.slices
        rng = torch_stream(self.seed, "move", *key)
        with torch.random.fork_rng(devices=[self.device] if self.device.type == "cuda" else []):
            # For layers that draw from the global stream.
            seed_layers(self.device, self.seed, "layers", *key)
            batch = self.data.draw(n, rng)
            z = self.recipe.prior.draw(n, rng).to(self.device)
            round = self.recipe.wiring(self.nets, batch, z, rng, watch=loss.watches)
            values = torch.stack(list(loss(round, progress).values()))
            for weight in weights:
                weight.grad = None
            values.sum().backward()
        return values.detach()

    def _mean_of_slices(
        self, loss: Loss, weights: list[nn.Parameter], progress: float, key: tuple[Part, ...]
    ) -> Tensor:
        """The same over all slices, on whichever ranks they are played. What networks remember (statistics, past fakes)
        is at every slice what it was before the move, and after the move what the first slice made of it."""
        memories = [memory for net in self.nets.values() for memory in net.buffers()]
        before = [memory.clone() for memory in memories]
        first = before

        def part(s: int) -> Tensor:
            nonlocal first
            fill(memories, before)
            values = self._play(loss, weights, progress, (*key, "slice", s))
            if s == 0:
                first = [memory.clone() for memory in memories]
            had = values.new_tensor([weight.grad is not None for weight in weights])
            gradients = [torch.zeros_like(w) if w.grad is None else w.grad for w in weights]
            return torch.cat([*(gradient.reshape(-1) for gradient in gradients), had, values])

        flat = self.ranks.total(self.slices, part)
        fill(memories, first)
        self.ranks.share(memories)
        *gradients, had, values = flat.split([*(w.numel() for w in weights), len(weights), len(loss.names)])
        for weight, gradient, some in zip(weights, gradients, had.tolist(), strict=True):
            weight.grad = torch.empty_like(weight).copy_(gradient.view(weight.shape) / self.slices) if some else None
        return values / self.slices

    def _check_finite(
        self, player: Player, optimiser: torch.optim.Optimizer, step: int, values: Mapping[str, float]
    ) -> None:
        for name, value in values.items():
            if not abs(value) < float("inf"):
                _diverged(f"The loss term {name} became {value} at step {step + 1}.")
        gradients = [p.grad for p in owned(self.nets, player) if p.grad is not None]
        if not torch.isfinite(torch.nn.utils.get_total_norm(gradients)):
            _diverged(f"A gradient of the player {player.name} is not finite at step {step + 1}.")
        moments = [tensor for kept in optimiser.state.values() for name, tensor in kept.items() if name != "step"]
        if moments and not torch.isfinite(torch.stack(torch._foreach_norm(moments, float("inf")))).all():
            _diverged(f"A moment of the optimiser of the player {player.name} is not finite at step {step + 1}.")

    @torch.no_grad()
    def _follow(self, step: int) -> None:
        """Moving average with a half-life in images, shorter at first: at most 5 % of the images seen so far."""
        images = self.recipe.batch
        half_life = min(self.recipe.memory, 0.05 * (step + 1) * images)
        decay = 0.5 ** (images / half_life) if half_life > 0 else 0.0
        for name, average in self.averages.items():
            net = self.nets[name]
            weights: list[Tensor] = list(average.parameters())
            if weights:  # a kept network may have none, only settings
                torch._foreach_lerp_(weights, list(net.parameters()), 1 - decay)
            for old, new in zip(average.buffers(), net.buffers(), strict=True):
                old.copy_(new)

    def settled_averages(self) -> Networks:
        kept = {name: copy.deepcopy(net) for name, net in self.averages.items()}
        norms = [m for net in kept.values() for m in net.modules() if isinstance(m, nn.modules.batchnorm._BatchNorm)]
        if norms:
            self._reestimate(kept, norms)
        return {name: net.eval() for name, net in kept.items()}

    @torch.no_grad()
    def _reestimate(self, kept: Networks, norms: list[nn.modules.batchnorm._BatchNorm]) -> None:
        """Batch-norm statistics of averaged weights are not the average of statistics: take them anew."""
        for norm in norms:
            norm.reset_running_stats()
            norm.momentum = None  # cumulative average
        rng = torch_stream(self.seed, "statistics")
        for _ in range(32):
            batch = self.data.draw(self.recipe.batch, rng)
            z = self.recipe.prior.draw(self.recipe.batch, rng).to(self.device)
            self.recipe.wiring({**self.nets, **kept}, batch, z, rng).fake  # noqa: B018 (the forward pass is the point)

    def state(self) -> State:
        return take(self.nets, self.averages, self.recipe.players, self.optimisers)

    def restore(self, state: Mapping[str, Tensor]) -> None:
        put_back(state, self.nets, self.averages, self.recipe.players, self.optimisers)


def fill(tensors: Sequence[Tensor], values: Sequence[Tensor]) -> None:
    """Copy values into tensors of their shapes."""
    for tensor, value in zip(tensors, values, strict=True):
        tensor.detach().copy_(value)


def _diverged(cause: str) -> NoReturn:
    raise DivergedError(cause, "Try a smaller learning rate or a stronger gradient penalty.")
