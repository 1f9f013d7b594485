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
    """Give the value of a weight at a progress.

    Parameters
    ----------
    weight : float or callable
        A number, or a schedule: a function of progress in [0, 1].
    progress : float
        Share of the training that is done.

    Returns
    -------
    float
        The number as it is, or the schedule at this progress.

    Examples
    --------
    >>> from ganaug.game import value_at
    >>> value_at(0.5, 0.1), value_at(lambda progress: 1 - progress, 0.25)
    (0.5, 0.75)
    """
    return weight(progress) if callable(weight) else weight


def scaled(weight: Weight, factor: float) -> Weight:
    """A number, or a schedule, times a factor."""
    if not callable(weight):
        return factor * weight
    schedule = weight
    return lambda progress: factor * schedule(progress)


@dataclass(frozen=True)
class Term:
    """One summand of a loss: `weight * function(round)`, on every `interval`-th move, then times `interval`.

    Parameters
    ----------
    name : str
        What it is called in logs.
    function : callable
        Of a round; it gives a scalar tensor.
    weight : float or callable, default 1.0
        A number, or a schedule: a function of progress in [0, 1].
    interval : int, default 1
        Moves from one evaluation to the next.
    watches : bool, default False
        The function differentiates the scores by what the discriminator sees, so that the round must make these images
        leaves of the graph.

    Examples
    --------
    >>> from ganaug.game import Term
    >>> print(Term("r1", lambda r: r.real_scores.mean(), weight=10, interval=16))
    10·r1 (every 16)
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
    """A weighted sum of terms, evaluated from left to right. It prints as its equation.

    Parameters
    ----------
    terms : tuple of Term
        The summands. `a + b` joins two losses, `10 * a` weighs one.

    Examples
    --------
    >>> from ganaug.losses import least_squares, r1
    >>> print(least_squares.discriminator + 10 * r1.every(16))
    least_squares.discriminator + 10·r1 (every 16)
    """

    terms: tuple[Term, ...]

    def __add__(self, other: Loss) -> Loss:
        return Loss(self.terms + other.terms)

    def __mul__(self, factor: Weight) -> Loss:
        """`loss * 10` or `10 * loss`; a schedule, a function of progress in [0, 1], weighs likewise."""
        return Loss(tuple(replace(t, weight=_product(factor, t.weight)) for t in self.terms))

    __rmul__ = __mul__

    def every(self, interval: int) -> Loss:
        """Evaluate a loss on every `interval`-th move only, times `interval`: lazy regularisation.

        Parameters
        ----------
        interval : int
            Moves from one evaluation to the next.

        Returns
        -------
        Loss
            The lazy loss.

        References
        ----------
        Karras et al. 2020, "Analyzing and improving the image quality of StyleGAN", 1912.04958, appendix B.
        """
        return Loss(tuple(replace(t, interval=interval * t.interval) for t in self.terms))

    def due(self, move: int) -> Loss:
        """Give the part of the loss that is evaluated on a move.

        Parameters
        ----------
        move : int
            Number of the move of the player, from 0 on.

        Returns
        -------
        Loss
            Its terms that are due.
        """
        return Loss(tuple(t for t in self.terms if move % t.interval == 0))

    @property
    def watches(self) -> bool:
        """Whether a term differentiates by what the discriminator sees."""
        return any(t.watches for t in self.terms)

    @property
    def names(self) -> tuple[str, ...]:
        """The names of its terms, each once, in the order in which they are evaluated."""
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
    """Make a loss of one term from a function of a round.

    Parameters
    ----------
    function : callable, optional
        Of a round; it gives a scalar tensor. The name of the term is the qualified name of the function.
    watches : bool, default False
        The function differentiates the scores by what the discriminator sees.

    Returns
    -------
    Loss or callable
        The loss, or a decorator if no function is given.

    Examples
    --------
    >>> from ganaug.game import term
    >>> @term
    ... def real_one(r):
    ...     return (r.real_scores - 1).square().mean()
    >>> print(2 * real_one)
    2·real_one
    """

    def make(f: Callable[[Any], Tensor]) -> Loss:
        return Loss((Term(f.__qualname__, f, watches=watches),))

    return make if function is None else make(function)
