"""A round: what one player sees during one move, computed lazily and once.

Only the player to move has trainable parameters, so nothing here detaches anything: while the discriminator moves, the
fakes have no graph; while the generator moves, the discriminator only passes gradients through.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from functools import cached_property

import torch
from torch import Tensor, nn


class Round(ABC):
    """One move. Final subclasses say what the discriminator is shown; a new one is needed only if that is new.

    nets: networks by role. real: (N, C, H, W) in [-1, 1]. y: labels (N,), of the real items and of the fakes alike.
    z: latents (N, D). rng: a CPU generator, the only source of randomness. watch: the mover differentiates with respect
    to what the discriminator sees, so these images become gradient leaves and a penalty reuses the forward pass.
    """

    def __init__(
        self,
        nets: Mapping[str, nn.Module],
        real: Tensor,
        y: Tensor,
        z: Tensor,
        rng: torch.Generator,
        watch: bool = False,
    ):
        self.nets = nets
        self.real = real
        self.y = y
        self.z = z
        self.rng = rng
        self.watch = watch

    @property
    @abstractmethod
    def fake(self) -> Tensor:
        """What the generator answers, like `real`."""

    @property
    @abstractmethod
    def real_seen(self) -> Tensor:
        """The real side as the discriminator sees it, through the eye."""

    @property
    @abstractmethod
    def fake_seen(self) -> Tensor:
        """The fake side as the discriminator sees it."""

    @abstractmethod
    def score(self, seen: Tensor) -> Tensor:
        """Scores (N,) of something already seen, under the labels of this round; higher means more real."""

    @cached_property
    def real_scores(self) -> Tensor:
        return self.score(self.real_seen)

    @cached_property
    def fake_scores(self) -> Tensor:
        return self.score(self.fake_seen)


class NoiseRound(Round):
    """The generator draws from noise, the discriminator compares images: D(T(x), y) against D(T(G(z, y)), y)."""

    @cached_property
    def fake(self) -> Tensor:
        return self.nets["generator"](self.z, self.y)

    @cached_property
    def real_seen(self) -> Tensor:
        return self._see(self.real)

    @cached_property
    def fake_seen(self) -> Tensor:
        return self._see(self.fake)

    def score(self, seen: Tensor) -> Tensor:
        return self.nets["discriminator"](seen, self.y)

    def _see(self, x: Tensor) -> Tensor:
        seen = self.nets["eye"](x, self.rng)
        return seen.detach().requires_grad_() if self.watch else seen
