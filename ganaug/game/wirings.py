"""Six final wirings: what the discriminator is shown in a round. Another one is needed only if that is new."""

from __future__ import annotations

from functools import cached_property
from typing import Any, final

import torch
import torch.nn.functional as F
from torch import Tensor

from ganaug.game.round import Round, Seen


@final
class NoiseRound(Round):
    """The generator draws from noise, the discriminator compares items: D(T(x), y) against D(T(G(z, y)), y).

    It is made as `Round`.

    Examples
    --------
    >>> from ganaug.game import NoiseRound
    >>> from ganaug.recipes import make
    >>> make("dcgan", {}).wiring is NoiseRound
    True
    """

    @cached_property
    def fake(self) -> Tensor:
        return self.nets["generator"](self.z, self.y)

    @property
    def real_side(self) -> Seen:
        return (self.nets["eye"](self.real, self.rng),)

    @property
    def fake_side(self) -> Seen:
        return (self.nets["eye"](self.fake, self.rng),)


@final
class StackedRound(Round):
    """The generator draws a small item g and, on top of it, the whole one; the discriminator sees both: D(s(x), x, y)
    against D(g, G(z, y), y), where s halves the sides of a real item.

    The generator's `stages` gives both. It is made as `Round`.

    Examples
    --------
    >>> from ganaug.game import StackedRound
    >>> from ganaug.recipes import make
    >>> make("stackgan", {}).wiring is StackedRound
    True
    """

    @cached_property
    def stages(self) -> Seen:
        """The small item and the whole one."""
        generator: Any = self.nets["generator"]
        return generator.stages(self.z, self.y)

    @property
    def fake(self) -> Tensor:
        return self.stages[1]

    @property
    def real_side(self) -> Seen:
        small = F.avg_pool2d(self.real, 2, ceil_mode=True)
        return tuple(self.nets["eye"](stage, self.rng) for stage in (small, self.real))

    @property
    def fake_side(self) -> Seen:
        return tuple(self.nets["eye"](stage, self.rng) for stage in self.stages)


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
    """The discriminator compares pairs of item and latent: D(T(x), E(x), y) against D(T(G(z, y)), z, y).

    It is made as `Round`.

    Examples
    --------
    >>> from ganaug.game import JointRound
    >>> from ganaug.recipes import make
    >>> make("bigan", {}).wiring is JointRound
    True
    """

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
    """The discriminator, if there is one, compares latents: D(z, y) against D(E(x), y); the generator decodes E(x).

    It is made as `Round`.

    Examples
    --------
    >>> from ganaug.game import LatentRound
    >>> from ganaug.recipes import make
    >>> make("aae", {}).wiring is LatentRound
    True
    """

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

    nets["degrade"] turns what the data gives as the source into what the generator starts from. It is made as `Round`.

    Examples
    --------
    >>> from ganaug.game import TranslationRound
    >>> from ganaug.recipes import make
    >>> make("pix2pix", {}).wiring is TranslationRound
    True
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

    nets["memory"] stands between the fakes and the discriminator's move: (fake, y, rng) -> fakes, some of them past. It
    is made as `Round`.

    Examples
    --------
    >>> from ganaug.game import CycleRound
    >>> from ganaug.recipes import make
    >>> make("cyclegan", {}).wiring is CycleRound
    True
    """

    from_source = True

    @property
    def source(self) -> Tensor:
        """Items of other classes, which the generator starts from."""
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
