"""The energy distance of embeddings, which Cramer GAN plays for (Bellemare et al. 2017, 1705.10743).

The discriminator is an embedding h: (x, y) -> (N, E). Items are compared within classes only, so that what is measured
is the mean over labels of the distance of real and fake items that have this label.
"""

from __future__ import annotations

import torch
from torch import Tensor

from ganaug.game import Round, term
from ganaug.losses.penalties import between, slopes


def pairs(y: Tensor) -> Tensor:
    """Weights (N, N) that average over pairs of different items of one class; they sum to 1, or to 0 without pairs."""
    alike = (y[:, None] == y[None]) & ~torch.eye(len(y), dtype=torch.bool, device=y.device)
    return alike / alike.sum().clamp(min=1)


def lengths(a: Tensor, b: Tensor) -> Tensor:
    """|a_i - b_j|, shape (N, M), with a slope of 0 in place of none where both are equal.

    By products, which is faster than by differences; in float64, since points that are near to each other cancel out.
    """
    a, b = a.double(), b.double()
    squares = a.square().sum(1)[:, None] + b.square().sum(1) - 2 * a @ b.T
    return squares.clamp(min=0).add(1e-12).sqrt().float()


def distance(r: Round) -> Tensor:
    """2 E|h(x) - h(G(z))| - E|h(x) - h(x')| - E|h(G(z)) - h(G(z'))|, unbiased at every batch size: no item is compared
    with itself."""
    real, fake = r.real_scores.float(), r.fake_scores.float()
    apart = 2 * lengths(real, fake) - lengths(real, real) - lengths(fake, fake)
    return (pairs(r.y) * apart).sum()


def witness(r: Round, embedded: Tensor) -> Tensor:
    """f(x) = E|h(x) - h(G(z))| - E|h(x) - h(x')| of embedded points that have the labels of the round, shape (N,): by
    how much x is nearer to real items than to fakes. Its mean over real items minus that over fakes is the distance."""
    alike = pairs(r.y)
    weights = alike / alike.sum(1, keepdim=True).clamp(min=1e-12)
    apart = lengths(embedded, r.fake_scores.float()) - lengths(embedded, r.real_scores.float())
    return (weights * apart).sum(1)


class energy:
    """Bellemare et al. 2017 (1705.10743), section 4: the embedding holds real and fake as far apart as its slope
    allows, the generator brings them together."""

    @term
    def discriminator(r: Round) -> Tensor:
        """Minus the distance."""
        return -distance(r)

    @term
    def generator(r: Round) -> Tensor:
        """The distance."""
        return distance(r)

    @term
    def penalty(r: Round) -> Tensor:
        """E (|grad f(x)| - 1)² of the witness at points between real and fake items (algorithm 1)."""
        points = between(r)
        return (slopes(witness(r, r.score(points)), points).add(1e-12).sqrt() - 1).square().mean()
