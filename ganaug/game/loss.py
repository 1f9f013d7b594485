"""Losses as sums of terms: `a + 10 * b.every(16)` is a loss, and prints as it is written."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from torch import Tensor

from ganaug.errors import RecipeError
from ganaug.game.round import Round

Schedule = Callable[[float], float]  # progress in [0, 1] -> value
Weight = float | Schedule


def value_at(weight: Weight, progress: float) -> float:
    """A number as it is, a schedule at this progress."""
    return weight(progress) if callable(weight) else weight


def scaled(weight: Weight, factor: float) -> Weight:
    """A number, or a schedule, times a factor."""
    if not callable(weight):
        return factor * weight
    schedule = weight
    return lambda progress: factor * schedule(progress)


@dataclass(frozen=True)
class Term:
    """One summand: `weight * function(round)`, on every `interval`-th move, then times `interval`.

    `watches` says that the function differentiates the scores with respect to what the discriminator sees, so that
    the round must make these images gradient leaves.
    """

    name: str
    function: Callable[[Any], Tensor]  # of the kind of round that its recipe plays
    weight: Weight = 1.0
    interval: int = 1
    watches: bool = False

    def __str__(self) -> str:
        weight = "" if self.weight == 1.0 else ("w(t)·" if callable(self.weight) else f"{self.weight:g}·")
        lazy = "" if self.interval == 1 else f" (every {self.interval})"
        return f"{weight}{self.name}{lazy}"


@dataclass(frozen=True)
class Loss:
    """A weighted sum of terms, evaluated from left to right."""

    terms: tuple[Term, ...]

    def __add__(self, other: Loss) -> Loss:
        return Loss(self.terms + other.terms)

    def __mul__(self, factor: Weight) -> Loss:
        """`loss * 10` or `10 * loss`; a schedule, a function of progress in [0, 1], weighs likewise."""
        return Loss(tuple(replace(t, weight=_product(factor, t.weight)) for t in self.terms))

    __rmul__ = __mul__

    def every(self, interval: int) -> Loss:
        """Lazy regularisation (Karras et al. 2020, 1912.04958, B): every `interval`-th move, times `interval`."""
        return Loss(tuple(replace(t, interval=interval * t.interval) for t in self.terms))

    def due(self, move: int) -> Loss:
        """The part of the loss that is evaluated on this move of the player (0-based)."""
        return Loss(tuple(t for t in self.terms if move % t.interval == 0))

    @property
    def watches(self) -> bool:
        return any(t.watches for t in self.terms)

    @property
    def names(self) -> tuple[str, ...]:
        """Of its terms, each once, in the order in which they are evaluated."""
        return tuple(dict.fromkeys(t.name for t in self.terms))

    def __call__(self, round: Round, progress: float) -> dict[str, Tensor]:
        """Scalars by term name; their sum is what the player lowers. Raises RecipeError for a term that differentiates
        what the discriminator sees, and does not say so."""
        parts: dict[str, Tensor] = {}
        for t in self.terms:
            value = value_at(t.weight, progress) * t.interval * _asked(t, round)
            parts[t.name] = parts[t.name] + value if t.name in parts else value
        return parts

    def __str__(self) -> str:
        return " + ".join(map(str, self.terms))


def _asked(t: Term, round: Round) -> Tensor:
    try:
        return t.function(round)
    except RuntimeError as error:
        if round.watch or "does not require grad" not in str(error):
            raise
        raise RecipeError(
            f"The term {t.name} differentiates what the discriminator sees, and does not say so.",
            "Write @term(watches=True) above it.",
        ) from error


def _product(a: Weight, b: Weight) -> Weight:
    if callable(a) or callable(b):
        return lambda progress: value_at(a, progress) * value_at(b, progress)
    return a * b


def term(function: Callable[[Any], Tensor] | None = None, *, watches: bool = False):
    """Make a loss of one term from a function of a round; its name is the function's qualified name."""

    def make(f: Callable[[Any], Tensor]) -> Loss:
        return Loss((Term(f.__qualname__, f, watches=watches),))

    return make if function is None else make(function)
