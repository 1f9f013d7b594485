"""What a translator starts from, made of what the data give."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class AsGiven(nn.Module):
    """The source as the data give it."""

    def forward(self, source: Tensor, rng: torch.Generator) -> Tensor:
        return source


class Erase(nn.Module):
    """A rectangular hole in each image: (images (N, C, H, W), rng) -> (N, C + 1, H, W).

    The hole is 0 (mid-grey) in the image's channels; the last channel is 1 in the hole and -1 outside. Each side of the
    hole is drawn uniformly from `least` to `most` times the side of the image, its place uniformly inside it.
    """

    def __init__(self, least: float = 0.25, most: float = 0.5):
        super().__init__()
        self.least, self.most = least, most

    def forward(self, source: Tensor, rng: torch.Generator) -> Tensor:
        sides, starts = torch.rand(2, 2, len(source), generator=rng).to(source.device)
        inside = []
        for axis in (0, 1):
            length = source.shape[2 + axis]
            side = length * torch.lerp(self._full(sides, self.least), self._full(sides, self.most), sides[axis])
            side = side.round().clamp(1, length)
            start = ((length - side + 1) * starts[axis]).floor().clamp(max=length - 1)
            places = torch.arange(length, device=source.device)
            inside.append((places >= start[:, None]) & (places < (start + side)[:, None]))
        hole = (inside[0][:, :, None] & inside[1][:, None, :])[:, None]
        return torch.cat([source.masked_fill(hole, 0.0), 2.0 * hole - 1.0], 1)

    def _full(self, like: Tensor, value: float) -> Tensor:
        return torch.full_like(like[0], value)
