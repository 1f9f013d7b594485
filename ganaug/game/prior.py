"""The distribution that latents are drawn from."""

from __future__ import annotations

import math
from dataclasses import dataclass
from numbers import Real

import torch
from torch import Tensor
from torch.nn.functional import one_hot

from ganaug.errors import OptionError


@dataclass(frozen=True)
class Prior:
    """The distribution of the latent: `dim` standard normals, then one-hot codes, then uniform codes.

    Parameters
    ----------
    dim : int, default 64
        Number of normals.
    categories : tuple of int, default ()
        Sizes of the one-hot codes, each uniform over its values.
    uniform : int, default 0
        Numbers in [-1, 1].

    Examples
    --------
    >>> import torch
    >>> from ganaug.game import Prior
    >>> prior = Prior(dim=8, categories=(10,), uniform=2)
    >>> prior.width, prior.draw(4, torch.Generator()).shape
    (20, torch.Size([4, 20]))
    """

    dim: int = 64
    categories: tuple[int, ...] = ()
    uniform: int = 0

    @property
    def width(self) -> int:
        """D, the length of a latent."""
        return self.dim + sum(self.categories) + self.uniform

    def draw(self, n: int, rng: torch.Generator, truncation: float | None = None, spread: float = 1.0) -> Tensor:
        """Draw latents, on the CPU, so that every device sees the same numbers.

        Parameters
        ----------
        n : int
            How many.
        rng : torch.Generator
            The source of randomness.
        truncation : float, optional
            Draw the normals from [-truncation, truncation] only, above 0: samples are more typical and less varied.
        spread : float, default 1.0
            What the normals are multiplied by; above 1, samples are more varied and less typical.

        Returns
        -------
        Tensor
            Latents, float32 (n, D).

        Raises
        ------
        OptionError
            The truncation is no number above 0.

        References
        ----------
        Brock et al. 2019, 1809.11096, section 3.1, for the truncation; GaFi, 2305.10118, for the spread.
        """
        parts = [torch.randn(n, self.dim, generator=rng) if truncation is None else self._within(truncation, n, rng)]
        parts[0] = parts[0] * spread
        parts += [one_hot(torch.randint(k, (n,), generator=rng), k).float() for k in self.categories]
        if self.uniform:
            parts.append(2 * torch.rand(n, self.uniform, generator=rng) - 1)
        return torch.cat(parts, 1)

    def _within(self, limit: float, n: int, rng: torch.Generator) -> Tensor:
        """Truncated normals, by the inverse of their distribution function."""
        if not (isinstance(limit, Real) and 0 < limit < float("inf")):
            raise OptionError(f"The truncation is {limit}.", "Give a number above 0, like 0.7.")
        most = math.erf(limit / math.sqrt(2))
        u = 2 * torch.rand(n, self.dim, generator=rng, dtype=torch.float64) - 1
        return (math.sqrt(2) * torch.erfinv(most * u)).clamp(-limit, limit).float()
