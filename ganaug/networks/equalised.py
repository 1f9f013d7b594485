"""Layers with an equalised learning rate, and what else Karras et al. 2018 (1710.10196, section 4) build networks from.

Weights are kept at unit variance and scaled when they are used, so that an optimiser that normalises its steps changes
every layer at the same relative speed.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ganaug.networks.layers import Projection, spread_of_groups


class EqualLinear(nn.Module):
    """Linear, weights N(0, 1) times gain / sqrt(inputs) at run time. rate: learning rate relative to other layers."""

    def __init__(self, inputs: int, outputs: int, *, gain: float = 1.0, bias: float = 0.0, rate: float = 1.0):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(outputs, inputs) / rate)
        self.bias = nn.Parameter(torch.full((outputs,), bias / rate))
        self.scale, self.rate = gain * rate / math.sqrt(inputs), rate

    def forward(self, x: Tensor) -> Tensor:
        return F.linear(x, self.weight * self.scale, self.bias * self.rate)


class EqualConv(nn.Module):
    """Convolution that keeps the size, weights N(0, 1) times gain / sqrt(fan-in) at run time."""

    def __init__(self, inputs: int, outputs: int, kernel: int = 3, *, gain: float = math.sqrt(2), bias: bool = True):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(outputs, inputs, kernel, kernel))
        self.bias = nn.Parameter(torch.zeros(outputs)) if bias else None
        self.scale, self.padding = gain / math.sqrt(inputs * kernel**2), kernel // 2

    def forward(self, x: Tensor) -> Tensor:
        return F.conv2d(x, self.weight * self.scale, self.bias, padding=self.padding)


class MinibatchDeviation(nn.Module):
    """One more feature: the standard deviation over groups of `group` items, averaged over features and positions
    (Karras et al. 2018, section 3). (N, C, H, W) -> (N, C + 1, H, W)."""

    def __init__(self, group: int = 4):
        super().__init__()
        self.group = group

    def forward(self, x: Tensor) -> Tensor:
        plane = spread_of_groups(x, self.group, (1, 2, 3)).view(-1, 1, 1, 1).expand(-1, 1, *x.shape[2:])
        return torch.cat([x, plane], 1)


def equal_projection(features: int, classes: int) -> Projection:
    """Scores of features under labels, with weights and embeddings N(0, 1)."""
    return Projection(features, classes, EqualLinear(features, 1), nn.Embedding(classes, features))
