"""A round: what one player sees during one move, computed lazily and once.

Only the player to move has trainable parameters, so nothing here detaches anything: while the discriminator moves, the
fakes have no graph; while the generator moves, the discriminator only passes gradients through.

The wirings (`ganaug.game.wirings`) say what the discriminator is shown.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any, ClassVar, Self, final

import torch
from torch import Tensor

from ganaug.data.batches import Batch

Seen = tuple[Tensor, ...]  # what the discriminator sees of one side: one tensor, or several that belong together
Nets = Mapping[str, Callable[..., Any]]  # networks by role


class Round(ABC):
    """What one player sees during one move, computed when it is asked for, and once.

    Only the player to move has trainable parameters, so nothing detaches anything: while the discriminator moves, the
    fakes have no graph; while the generator moves, the discriminator only passes gradients through.

    Parameters
    ----------
    nets : mapping of str to callable
        The networks by role.
    batch : Batch
        Real items, labels, and what a translator starts from.
    z : Tensor
        Latents (N, D).
    rng : torch.Generator
        On the CPU: the only source of randomness.
    watch : bool, default False
        The mover differentiates by what the discriminator sees, so that these tensors become leaves of the graph, and a
        penalty reuses the forward pass.

    Examples
    --------
    A term is a function of a round:

    >>> from ganaug.game import term
    >>> @term
    ... def mean_gap(r):
    ...     return r.fake_scores.mean() - r.real_scores.mean()
    >>> mean_gap.names
    ('mean_gap',)
    """

    from_source: ClassVar[bool] = False  # the generator is (source, z, y) -> x in place of (z, y) -> x

    def __init__(self, nets: Nets, batch: Batch, z: Tensor, rng: torch.Generator, watch: bool = False):
        self.nets = nets
        self.batch = batch
        self.z = z
        self.rng = rng
        self.watch = watch

    @property
    def real(self) -> Tensor:
        """Real items (N, ...) in [-1, 1]."""
        return self.batch.real

    @property
    def y(self) -> Tensor:
        """Labels (N,), of the real items and of the fakes alike."""
        return self.batch.y

    @property
    @abstractmethod
    def fake(self) -> Tensor:
        """What the generator answers, like `real`."""

    @property
    @abstractmethod
    def real_side(self) -> Seen:
        """The real side, before it becomes a leaf."""

    @property
    @abstractmethod
    def fake_side(self) -> Seen:
        """The fake side, before it becomes a leaf."""

    @final
    @cached_property
    def real_seen(self) -> Seen:
        """The real side as the discriminator sees it."""
        return self._leaves(self.real_side)

    @final
    @cached_property
    def fake_seen(self) -> Seen:
        """The fake side as the discriminator sees it."""
        return self._leaves(self.fake_side)

    @final
    def score(self, seen: Seen) -> Tensor:
        """Score something already seen, under the labels of this round.

        Parameters
        ----------
        seen : tuple of Tensor
            What the discriminator sees: one tensor, or several that belong together.

        Returns
        -------
        Tensor
            (N,), or a map of patches; higher means more real.
        """
        return self.nets["discriminator"](*seen, self.y)

    @final
    @cached_property
    def real_scores(self) -> Tensor:
        """Scores of the real side."""
        return self.score(self.real_seen)

    @final
    @cached_property
    def fake_scores(self) -> Tensor:
        """Scores of the fake side."""
        return self.score(self.fake_seen)

    @final
    def against(self, discriminator: Callable[..., Any]) -> Self:
        """Give the same move against another discriminator.

        Parameters
        ----------
        discriminator : callable
            What scores in its place.

        Returns
        -------
        Round
            Of the same kind.
        """
        return type(self)({**self.nets, "discriminator": discriminator}, self.batch, self.z, self.rng, self.watch)

    def _leaves(self, seen: Seen) -> Seen:
        return tuple(part.detach().requires_grad_() for part in seen) if self.watch else seen
