"""Layers that compare the items of a batch with each other, and how to make an answer one about a single item."""

from __future__ import annotations

import copy

from torch import nn

from ganaug.networks.equalised import MinibatchDeviation
from ganaug.networks.layers import BatchSpread, MinibatchDiscrimination

COMPARING = (BatchSpread, MinibatchDiscrimination, MinibatchDeviation)


def compares(network: nn.Module) -> bool:
    """Whether what the network says of an item depends on those beside it."""
    return any(isinstance(layer, COMPARING) for layer in network.modules())


def in_groups_of(network: nn.Module, size: int) -> nn.Module:
    """A copy whose layers compare `size` neighbours at a time, whatever the batch; with 1, each item with itself."""
    network = copy.deepcopy(network)
    for layer in network.modules():
        if isinstance(layer, COMPARING):
            layer.group = size
    return network
