"""Players and recipes: everything that distinguishes one model from another, as data."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Protocol

import torch
from torch import Tensor, nn
from torch.nn.functional import one_hot

from ganaug.data.spec import DataSpec
from ganaug.errors import OptionError
from ganaug.game.loss import Loss, Weight
from ganaug.game.round import NoiseRound, Round

Networks = dict[str, nn.Module]


@dataclass(frozen=True)
class Prior:
    """The distribution of the latent: `dim` standard normals, then one-hot codes, then uniform codes.

    categories: sizes of the one-hot codes, each uniform over its values. uniform: numbers in [-1, 1].
    """

    dim: int = 64
    categories: tuple[int, ...] = ()
    uniform: int = 0

    @property
    def width(self) -> int:
        """D, the length of a latent."""
        return self.dim + sum(self.categories) + self.uniform

    def draw(self, n: int, rng: torch.Generator, truncation: float | None = None, spread: float = 1.0) -> Tensor:
        """(n, D), drawn on the CPU so that every device sees the same numbers.

        truncation: the normals are drawn from [-truncation, truncation] only (Brock et al. 2019, 1809.11096, section
        3.1): samples are more typical and less varied. Raises OptionError unless it is above 0. spread: what the
        normals are multiplied by; above 1, samples are more varied and less typical (GaFi, 2305.10118).
        """
        parts = [torch.randn(n, self.dim, generator=rng) if truncation is None else self._within(truncation, n, rng)]
        parts[0] = parts[0] * spread
        parts += [one_hot(torch.randint(k, (n,), generator=rng), k).float() for k in self.categories]
        if self.uniform:
            parts.append(2 * torch.rand(n, self.uniform, generator=rng) - 1)
        return torch.cat(parts, 1)

    def _within(self, limit: float, n: int, rng: torch.Generator) -> Tensor:
        """Truncated normals, by the inverse of their distribution function."""
        if not 0 < limit < float("inf"):
            raise OptionError(f"The truncation is {limit}.", "Give a number above 0, like 0.7.")
        most = math.erf(limit / math.sqrt(2))
        u = 2 * torch.rand(n, self.dim, generator=rng, dtype=torch.float64) - 1
        return (math.sqrt(2) * torch.erfinv(most * u)).clamp(-limit, limit).float()


class Source(Enum):
    """What a translator starts from; games from noise never look at it."""

    ITSELF = "the image itself"
    PAIR = "the paired image"
    OTHER_CLASS = "an image of another class"


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


def as_it_is(nets: Mapping[str, nn.Module], progress: float) -> None:
    """The default of `Recipe.before`."""


AXES = {1: "rows of a table", 2: "series", 3: "images"}


@dataclass(frozen=True)
class Recipe:
    """The rules of one game.

    networks: builds the networks by role ("generator", "discriminator", "eye", ...) for a data set.
    memory: half-life, in items, of the moving average of the networks in `keeps`; 0 keeps the last weights.
    keeps: the networks that are averaged and saved. batch: items a move.
    before: runs on the networks before each round, with the progress in [0, 1] (growth, for instance).
    source: what a translator starts from. labelled: False plays without labels, and its samples have none.
    axes: numbers of axes of an item that the networks can make: 1 rows, 2 series (C, T), 3 images (C, H, W).
    classes: exactly so many are needed, 0 for any number. advised: rounds after which samples were good in our
    studies, 0 where that is not known.
    """

    networks: Callable[[DataSpec, Prior], Networks]
    players: tuple[Player, ...]
    prior: Prior = Prior()
    wiring: type[Round] = NoiseRound
    memory: float = 0.0
    keeps: tuple[str, ...] = ("generator",)
    batch: int = 64
    before: Callable[[Mapping[str, nn.Module], float], None] = as_it_is
    source: Source = Source.ITSELF
    labelled: bool = True
    axes: tuple[int, ...] = (3,)
    classes: int = 0
    advised: int = 0

    def __str__(self) -> str:
        width = max(len(player.name) for player in self.players)
        return "\n".join(f"{p.name:<{width}} ×{p.moves}: {p.loss}" for p in self.players)

    def unfit_for(self, spec: DataSpec) -> str:
        """Why the recipe cannot be played on such data, as a sentence; empty if it can."""
        if len(spec.shape) not in self.axes:
            return f"It makes {' or '.join(AXES[n] for n in self.axes)}, and these are {AXES[len(spec.shape)]}."
        if self.source is Source.PAIR and not spec.pair:
            return "It learns from pairs of images, and these have none."
        if self.source is Source.OTHER_CLASS and len(spec.classes) < 2:
            return "It translates between classes, and there is one only."
        if self.classes and len(spec.classes) != self.classes:
            return f"It needs {self.classes} classes, and there are {len(spec.classes)}."
        return ""
