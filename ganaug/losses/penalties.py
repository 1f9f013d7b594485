"""Penalties on the slope of the discriminator, in float32, with respect to what it sees."""

from __future__ import annotations

import torch
from torch import Tensor

from ganaug.game import Round, Seen, term


def slopes(scores: Tensor, seen: Seen) -> Tensor:
    """Squared norm of d score_i / d seen_i, shape (N,); differentiable, so that it can be lowered."""
    gradients = torch.autograd.grad(scores.float().sum(), seen, create_graph=True)
    return torch.stack([g.float().square().flatten(1).sum(1) for g in gradients]).sum(0)


def between(r: Round) -> Seen:
    """Points on the lines from fakes to real items, uniformly drawn: gradient leaves."""
    share = torch.rand(len(r.real), generator=r.rng).to(r.real.device)
    points = []
    for real, fake in zip(r.real_seen, r.fake_seen, strict=True):
        points.append(torch.lerp(fake.detach(), real.detach(), share.view(-1, *[1] * (real.dim() - 1))))
    return tuple(point.requires_grad_() for point in points)


@term(watches=True)
def r1(r: Round) -> Tensor:
    """1/2 E ||grad D(x)||² on real items (Mescheder et al. 2018, 1801.04406, equation 9)."""
    return 0.5 * slopes(r.real_scores, r.real_seen).mean()


@term(watches=True)
def r2(r: Round) -> Tensor:
    """1/2 E ||grad D(G(z))||² on fakes (Mescheder et al. 2018, 1801.04406, equation 10)."""
    return 0.5 * slopes(r.fake_scores, r.fake_seen).mean()


@term
def gradient_penalty(r: Round) -> Tensor:
    """E (||grad D(x̂)|| - 1)² at points between real and fake items (Gulrajani et al. 2017, 1704.00028, eq. 3)."""
    points = between(r)
    return (slopes(r.score(points), points).add(1e-12).sqrt() - 1).square().mean()


@term
def drift(r: Round) -> Tensor:
    """E D(x)²: keeps the scores of a critic, which a Wasserstein loss leaves free, near 0 (Karras et al. 2018,
    1710.10196, appendix A)."""
    return r.real_scores.square().mean()
