"""Eyes: what the discriminator sees. Differentiable augmentation of real and fake images alike.

Zhao et al. 2020 (2006.10738): the same distribution of transformations on both sides, with gradients through them, lets
a discriminator see few images many times without learning them by heart. Written from the definitions.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class OpenEye(nn.Module):
    """Sees things as they are."""

    def forward(self, x: Tensor, rng: torch.Generator) -> Tensor:
        return x


class AffineEye(nn.Module):
    """Random shift, rotation and scale of each image; label-safe for most sets (no flips unless asked).

    shift: up to this share of the side, each way. turn: degrees, each way. zoom: scale in [1 - zoom, 1 + zoom].
    flip: also mirror left and right half of the time. What moves in from outside repeats the border.
    p: how likely an image is moved. Below 1, some images are seen as they are: interpolation no longer hides fine
    patterns from the discriminator, and the moves cannot leak into the samples (Karras et al. 2020, 2006.06676).
    """

    def __init__(self, shift: float = 0.125, turn: float = 10.0, zoom: float = 0.1, flip: bool = False, p: float = 0.5):
        super().__init__()
        self.shift, self.turn, self.zoom, self.flip, self.p = shift, turn, zoom, flip, p

    def forward(self, x: Tensor, rng: torch.Generator) -> Tensor:
        n = len(x)
        u = torch.rand(6, n, generator=rng).mul_(2).sub_(1).to(x.device)  # uniform in [-1, 1]
        angle = u[0] * math.radians(self.turn)
        scale = 1 + self.zoom * u[1]
        mirror = torch.where(u[4] < 0, -1.0, 1.0) if self.flip else torch.ones_like(angle)
        cos, sin = torch.cos(angle) * scale, torch.sin(angle) * scale
        rows = [cos * mirror, -sin, 2 * self.shift * u[2], sin * mirror, cos, 2 * self.shift * u[3]]
        theta = torch.stack(rows, 1).view(n, 2, 3)
        grid = F.affine_grid(theta, list(x.shape), align_corners=False)
        moved = F.grid_sample(x, grid, mode="bilinear", padding_mode="border", align_corners=False)
        still = torch.where((mirror < 0).view(n, 1, 1, 1), x.flip(3), x)
        return torch.where((u[5] < 2 * self.p - 1).view(n, 1, 1, 1), moved, still)
