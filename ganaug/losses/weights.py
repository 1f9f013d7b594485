"""Terms that look at the networks themselves rather than at scores."""

from __future__ import annotations

import math
from typing import Protocol, cast

import torch
from torch import Tensor, nn

from ganaug.game import Round, term


class Styled(Protocol):
    """A generator in two parts."""

    def styles(self, z: Tensor, y: Tensor) -> Tensor: ...

    def synthesise(self, w: Tensor) -> Tensor: ...


def path_lengths(images: Tensor, w: Tensor, rng: torch.Generator) -> Tensor:
    """||J_w' n|| for each item, J_w = d images / d w and n a picture of normal noise over sqrt(H W): shape (N,)."""
    noise = torch.randn(images.shape, generator=rng).to(images.device) / math.sqrt(images[0, 0].numel())
    (gradients,) = torch.autograd.grad((images * noise).sum(), w, create_graph=True)
    return gradients.square().sum(1).sqrt()


@term
def path_length(r: Round) -> Tensor:
    """E (||J_w' n|| - a)², a the running mean of the lengths, which nets["path_mean"] keeps (Karras et al. 2020,
    1912.04958, equation 4); on half of the batch."""
    generator = cast(Styled, r.nets["generator"])
    half = (len(r.z) + 1) // 2
    w = generator.styles(r.z[:half], r.y[:half])
    lengths = path_lengths(generator.synthesise(w), w, r.rng)
    return (lengths - r.nets["path_mean"](lengths)).square().mean()


def likeness_of_filters(weight: Tensor) -> Tensor:
    """||W W' ⊙ (1 - I)||², a row of W for each output: squared inner products of different filters."""
    rows = weight.flatten(1)
    products = rows @ rows.T
    return (products - torch.diag(products.diagonal())).square().sum()


@term
def orthogonal(r: Round) -> Tensor:
    """Sum of ||W W' ⊙ (1 - I)||² over the generator's weights, but not its embeddings (Brock et al. 2019, 1809.11096,
    equation 3): filters are asked to differ, not to have a length."""
    generator = cast(nn.Module, r.nets["generator"])
    tables = {id(p) for m in generator.modules() if isinstance(m, nn.Embedding) for p in m.parameters()}
    weights = [p for p in generator.parameters() if p.dim() > 1 and id(p) not in tables]
    return torch.stack([likeness_of_filters(weight) for weight in weights]).sum()
