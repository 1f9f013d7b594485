"""A loss made of losses: what a player's loss will be once its opponent has answered."""

from __future__ import annotations

from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call

from ganaug.game import Loss, Round, Term


def unroll(loss: Loss, opponent: Loss, steps: int, rate: float) -> Loss:
    """`loss` against the discriminator after `steps` more steps down `opponent` (Metz et al. 2017, 1611.02163,
    equations 7 to 10), differentiated through these steps; with 0 steps it is `loss` itself.

    rate: of the gradient descent that foresees the discriminator. Weights must be numbers, and no term may be lazy.
    """
    for t in (*loss.terms, *opponent.terms):
        if callable(t.weight) or t.interval > 1:
            raise ValueError(f"The term {t} cannot be unrolled: its weight is a schedule, or it is lazy.")

    def surrogate(r: Round) -> Tensor:
        discriminator: Any = r.nets["discriminator"]
        weights = {name: p.detach().requires_grad_() for name, p in discriminator.named_parameters()}
        for _ in range(steps):
            value = _total(opponent, r.against(partial(_with, discriminator, weights)))
            slopes = torch.autograd.grad(value, list(weights.values()), create_graph=True)
            weights = {name: w - rate * g for (name, w), g in zip(weights.items(), slopes, strict=True)}
        return _total(loss, r.against(partial(_with, discriminator, weights)))

    if steps == 0:
        return loss
    return Loss((Term(f"unrolled({loss}, {steps})", surrogate),))


def _with(module: nn.Module, weights: dict[str, Tensor], *seen: Any) -> Tensor:
    """What the module would answer with these weights."""
    return functional_call(module, weights, seen)


def _total(loss: Loss, r: Round) -> Tensor:
    return torch.stack(list(loss(r, 0.0).values())).sum()
