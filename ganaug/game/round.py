"""A round: what one player sees during one move, computed lazily and once.

Only the player to move has trainable parameters, so nothing here detaches anything: while the discriminator moves, the
fakes have no graph; while the generator moves, the discriminator only passes gradients through.

Five final wirings say what the discriminator is shown. Another one is needed only if that is new.
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
    """One move.

    nets: networks by role. batch: real items, labels, and what a translator starts from. z: latents (N, D). rng: a CPU
    generator, the only source of randomness. watch: the mover differentiates with respect to what the discriminator
    sees, so these tensors become gradient leaves and a penalty reuses the forward pass.
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
        """Scores, (N,) or a map of patches, of something already seen, under the labels of this round; higher means
        more real."""
        return self.nets["discriminator"](*seen, self.y)

    @final
    @cached_property
    def real_scores(self) -> Tensor:
        return self.score(self.real_seen)

    @final
    @cached_property
    def fake_scores(self) -> Tensor:
        return self.score(self.fake_seen)

    @final
    def against(self, discriminator: Callable[..., Any]) -> Self:
        """The same move against another discriminator."""
        return type(self)({**self.nets, "discriminator": discriminator}, self.batch, self.z, self.rng, self.watch)

    def _leaves(self, seen: Seen) -> Seen:
        return tuple(part.detach().requires_grad_() for part in seen) if self.watch else seen


@final
class NoiseRound(Round):
    """The generator draws from noise, the discriminator compares items: D(T(x), y) against D(T(G(z, y)), y)."""

    @cached_property
    def fake(self) -> Tensor:
        return self.nets["generator"](self.z, self.y)

    @property
    def real_side(self) -> Seen:
        return (self.nets["eye"](self.real, self.rng),)

    @property
    def fake_side(self) -> Seen:
        return (self.nets["eye"](self.fake, self.rng),)


class _Encoding(Round):
    """Rounds with an encoder, (x, y) -> (mean, log variance) of the latent, each (N, D)."""

    @cached_property
    def posterior(self) -> tuple[Tensor, Tensor]:
        """Mean and log variance of the latents of the real items; log variance -inf means that the mean is exact."""
        return self.nets["encoder"](self.real, self.y)

    @cached_property
    def code(self) -> Tensor:
        """Latents of the real items, drawn from the posterior: (N, D)."""
        mean, log_variance = self.posterior
        noise = torch.randn(mean.shape, generator=self.rng).to(mean.device)
        return torch.addcmul(mean, torch.exp(0.5 * log_variance), noise)


@final
class JointRound(_Encoding):
    """The discriminator compares pairs of item and latent: D(T(x), E(x), y) against D(T(G(z, y)), z, y)."""

    @cached_property
    def fake(self) -> Tensor:
        return self.nets["generator"](self.z, self.y)

    @property
    def real_side(self) -> Seen:
        return self.nets["eye"](self.real, self.rng), self.code

    @property
    def fake_side(self) -> Seen:
        return self.nets["eye"](self.fake, self.rng), self.z


@final
class LatentRound(_Encoding):
    """The discriminator, if there is one, compares latents: D(z, y) against D(E(x), y); the generator decodes E(x)."""

    @cached_property
    def fake(self) -> Tensor:
        """The reconstruction G(E(x), y)."""
        return self.nets["generator"](self.code, self.y)

    @property
    def real_side(self) -> Seen:
        return (self.z,)

    @property
    def fake_side(self) -> Seen:
        return (self.code,)


@final
class TranslationRound(Round):
    """The generator starts from a source, and the discriminator sees both: D(s, x, y) against D(s, G(s, z, y), y).

    nets["degrade"] turns what the data gives as the source into what the generator starts from.
    """

    from_source = True

    @cached_property
    def source(self) -> Tensor:
        return self.nets["degrade"](self.batch.source, self.rng)

    @cached_property
    def fake(self) -> Tensor:
        return self.nets["generator"](self.source, self.z, self.y)

    @property
    def real_side(self) -> Seen:
        return self._together(self.real)

    @property
    def fake_side(self) -> Seen:
        return self._together(self.fake)

    def _together(self, x: Tensor) -> Seen:
        """Source and item through one eye, moved alike."""
        seen = self.nets["eye"](torch.cat([self.source, x], 1), self.rng)
        source, item = seen.tensor_split([self.source.shape[1]], 1)
        return source, item


@final
class CycleRound(Round):
    """The generator turns items of other classes into items of class y; nobody has seen a pair.

    nets["memory"] stands between the fakes and the discriminator's move: (fake, y, rng) -> fakes, some of them past.
    """

    from_source = True

    @property
    def source(self) -> Tensor:
        return self.batch.source

    @cached_property
    def fake(self) -> Tensor:
        return self.nets["generator"](self.source, self.z, self.y)

    @cached_property
    def returned(self) -> Tensor:
        """The fakes, translated back to the class of their source."""
        return self.nets["generator"](self.fake, self.z, self.batch.source_y)

    @cached_property
    def unchanged(self) -> Tensor:
        """Real items, translated to the class that they have."""
        return self.nets["generator"](self.real, self.z, self.y)

    @property
    def real_side(self) -> Seen:
        return (self.nets["eye"](self.real, self.rng),)

    @property
    def fake_side(self) -> Seen:
        judged = self.fake if self.fake.requires_grad else self.nets["memory"](self.fake, self.y, self.rng)
        return (self.nets["eye"](judged, self.rng),)
