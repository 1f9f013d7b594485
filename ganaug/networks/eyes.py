"""Eyes: what the discriminator sees. Differentiable augmentation of real and fake images alike.

Zhao et al. 2020 (2006.10738): the same distribution of transformations on both sides, with gradients through them, lets
a discriminator see few images many times without learning them by heart. Written from the definitions.
"""

from __future__ import annotations

import math
from collections.abc import Collection

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ganaug.networks.changes import AFFINE, changes_named


class OpenEye(nn.Module):
    """Sees things as they are."""

    def forward(self, x: Tensor, rng: torch.Generator) -> Tensor:
        return x


FURTHER = {"flip-y", "brightness", "noise", "mask-x", "mask-y"}  # those that are neither affine nor a mirror's


class AffineEye(nn.Module):
    """Random shift, rotation and scale of each image; label-safe for most sets (no flips unless allowed).

    shift: up to this share of the side, each way. turn: degrees, each way. zoom: scale in [1 - zoom, 1 + zoom]. What
    moves in from outside repeats the border. p: how likely an image is moved. Below 1, some images are seen as they
    are: interpolation no longer hides fine patterns from the discriminator, and the moves cannot leak into the samples
    (Karras et al. 2020, 2006.06676). allow: names of `ganaug.networks.changes.CHANGES`, in place of these; a flip is as
    likely as none."""

    def __init__(
        self,
        shift: float = 0.125,
        turn: float = 10.0,
        zoom: float = 0.1,
        p: float = 0.5,
        allow: Collection[str] | None = None,
    ):
        super().__init__()
        self.allow = allow = AFFINE if allow is None else changes_named(allow)
        self.turn, self.zoom = turn * ("turn" in allow), zoom * ("scale" in allow)
        self.shifts = shift * ("shift-x" in allow), shift * ("shift-y" in allow)
        self.p = p

    def forward(self, x: Tensor, rng: torch.Generator) -> Tensor:
        """x: (N, C, H, W) in [-1, 1]; likewise, to within what brightness and noise add."""
        n, (across, down) = len(x), self.shifts
        u = torch.rand(6, n, generator=rng).mul_(2).sub_(1).to(x.device)  # uniform in [-1, 1]
        moved = u[5] < 2 * self.p - 1
        mirror = torch.where(u[4] < 0, -1.0, 1.0) if "flip-x" in self.allow else torch.ones_like(u[4])
        seen = torch.where((mirror < 0).view(n, 1, 1, 1), x.flip(3), x)
        if self.turn or self.zoom or across or down:
            angle = u[0] * math.radians(self.turn)
            scale = 1 + self.zoom * u[1]
            cos, sin = torch.cos(angle) * scale, torch.sin(angle) * scale
            rows = [cos * mirror, -sin, 2 * across * u[2], sin * mirror, cos, 2 * down * u[3]]
            theta = torch.stack(rows, 1).view(n, 2, 3)
            grid = F.affine_grid(theta, list(x.shape), align_corners=False)
            turned = F.grid_sample(x, grid, mode="bilinear", padding_mode="border", align_corners=False)
            seen = torch.where(moved.view(n, 1, 1, 1), turned, seen)
        return self._further(seen, rng) if set(self.allow) & FURTHER else seen

    def _further(self, x: Tensor, rng: torch.Generator) -> Tensor:
        """What no affine map does; each with the same probability `p`."""
        n, _, height, width = x.shape
        u = torch.rand(11, n, generator=rng).to(x.device).view(11, n, 1, 1, 1)
        if "flip-y" in self.allow:
            x = torch.where(u[0] < 0.5, x.flip(2), x)
        if "brightness" in self.allow:
            x = x + 0.4 * (2 * u[1] - 1) * (u[2] < self.p)
        for axis, name, size, (hit, wide, at) in ((3, "mask-x", width, u[3:6]), (2, "mask-y", height, u[6:9])):
            if name in self.allow:
                place = torch.arange(size, device=x.device).view([-1 if i == axis else 1 for i in range(4)])
                band = wide * size / 4
                first = at * (size - band)
                inside = (place >= first) & (place < first + band) & (hit < self.p)
                x = torch.where(inside, x.mean((1, 2, 3), keepdim=True), x)
        if "noise" in self.allow:
            grain = torch.randn(x.shape, generator=rng).to(x.device)
            x = x + 0.2 * u[9] * (u[10] < self.p) * grain
        return x
