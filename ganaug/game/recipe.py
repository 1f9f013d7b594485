"""Players and recipes: everything that distinguishes one model from another, as data."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor, nn

from ganaug.data.spec import DataSpec
from ganaug.game.loss import Loss, Weight
from ganaug.game.round import NoiseRound, Round

Networks = dict[str, nn.Module]


@dataclass(frozen=True)
class Prior:
    """The distribution of the latent: a standard normal of `dim` dimensions."""

    dim: int = 64

    def draw(self, n: int, rng: torch.Generator) -> Tensor:
        """(n, dim), drawn on the CPU so that every device sees the same numbers."""
        return torch.randn(n, self.dim, generator=rng)


class Optimiser(Protocol):
    """Settings of an optimiser; `lr` may be a schedule of progress in [0, 1]."""

    @property
    def lr(self) -> Weight: ...

    def build(self, parameters: Iterable[nn.Parameter]) -> torch.optim.Optimizer: ...


@dataclass(frozen=True)
class Adam:
    """Adam (Kingma & Ba 2015, 1412.6980)."""

    lr: Weight
    betas: tuple[float, float] = (0.0, 0.99)
    eps: float = 1e-8

    def build(self, parameters: Iterable[nn.Parameter]) -> torch.optim.Optimizer:
        return torch.optim.Adam(parameters, lr=0.0, betas=self.betas, eps=self.eps, fused=True)


@dataclass(frozen=True)
class RMSProp:
    """RMSProp, as WGAN with clipping wants it (Arjovsky et al. 2017, 1701.07875, algorithm 1)."""

    lr: Weight
    alpha: float = 0.99

    def build(self, parameters: Iterable[nn.Parameter]) -> torch.optim.Optimizer:
        return torch.optim.RMSprop(parameters, lr=0.0, alpha=self.alpha)


def nothing(nets: Mapping[str, nn.Module]) -> None:
    """The default of `Player.after`."""


@dataclass(frozen=True)
class Player:
    """Who moves: the networks it owns, the loss it lowers with this optimiser, how often it moves in a round.

    `after` runs on the networks after each move (weight clipping, for instance).
    """

    name: str
    owns: tuple[str, ...]
    loss: Loss
    optimiser: Optimiser
    moves: int = 1
    after: Callable[[Mapping[str, nn.Module]], None] = nothing


@dataclass(frozen=True)
class Recipe:
    """The rules of one game.

    networks: builds the networks by role ("generator", "discriminator", "eye", ...) for a data set.
    memory: half-life, in images, of the moving average of the networks in `keeps`; 0 keeps the last weights.
    keeps: the networks that are averaged and saved. batch: images a move.
    """

    networks: Callable[[DataSpec, Prior], Networks]
    players: tuple[Player, ...]
    prior: Prior = Prior()
    wiring: type[Round] = NoiseRound
    memory: float = 0.0
    keeps: tuple[str, ...] = ("generator",)
    batch: int = 64

    def __str__(self) -> str:
        width = max(len(player.name) for player in self.players)
        return "\n".join(f"{p.name:<{width}} ×{p.moves}: {p.loss}" for p in self.players)
