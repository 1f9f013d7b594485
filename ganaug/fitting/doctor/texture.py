"""Whether samples are flat, chequered or noisy: how values of one item go up and down, beside those of real ones."""

from __future__ import annotations

import math

import torch
from torch import Tensor

ALTERNATING = 0.4  # correlation of a difference of neighbours with the next, times -1: 0.5 is white noise, 1 chequers


def contrast(made: Tensor, made_y: Tensor, seen: Tensor, seen_y: Tensor, classes: int) -> tuple[float, ...]:
    """For each class the median deviation within a sample, over that within a real item; NaN where that is none."""
    if made.ndim < 3:
        return (math.nan,) * classes
    ours, real = (x.flatten(2).std(2).mean(1) for x in (made, seen))
    usual = [real[seen_y == c].median().item() for c in range(classes)]
    return tuple(ours[made_y == c].median().item() / u if u > 1e-3 else math.nan for c, u in enumerate(usual))


def chequered(made: Tensor, seen: Tensor) -> float:
    """The share of images of `made` that alternate from pixel to pixel, as chequers do, or noise: differences of
    neighbours tend to be followed by opposite ones, and hold more of the variance than in 99 % of `seen`."""
    if made.ndim != 4 or min(made.shape[2:]) < 4:
        return math.nan
    (turns, ours), (_, real) = _alternating(made), _alternating(seen)
    return ((turns > ALTERNATING) & (ours > real.quantile(0.99))).float().mean().item()


def _alternating(x: Tensor) -> tuple[Tensor, Tensor]:
    """Of each image, along rows or columns, whichever is more: the correlation of one difference of neighbours with the
    next, times -1; and the share of the variance in the second differences."""
    turns, share = [], []
    variance = x.flatten(2).var(2).mean(1).clamp(min=1e-6)
    for axis in (2, 3):
        steps = x.diff(dim=axis)
        n = steps.shape[axis] - 1
        products = steps.narrow(axis, 0, n) * steps.narrow(axis, 1, n)
        turns.append(-products.mean((1, 2, 3)) / steps.square().mean((1, 2, 3)).clamp(min=1e-6))
        share.append(steps.diff(dim=axis).square().mean((1, 2, 3)) / 16 / variance)
    return torch.maximum(*turns), torch.maximum(*share)
