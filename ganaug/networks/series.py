"""Recurrent pair for series (Esteban et al. 2017, 1706.02633, section 4.1): LSTMs that see the label at every step."""

from __future__ import annotations

import torch
from torch import Tensor, nn

LABEL = 4  # numbers that stand for a label; more would drown a series of one channel


def _remembering(lstm: nn.LSTM) -> nn.LSTM:
    """Starts with orthogonal recurrent weights and a forget gate that is open (Jozefowicz et al. 2015, section 2.2)."""
    width = lstm.hidden_size
    for name, weight in lstm.named_parameters():
        if name.startswith("weight_hh"):
            for gate in weight.split(width):
                nn.init.orthogonal_(gate)
        elif name.startswith("weight_ih"):
            nn.init.xavier_uniform_(weight)
        else:
            nn.init.zeros_(weight)
            if name.startswith("bias_ih"):
                nn.init.ones_(weight[width : 2 * width])
    return lstm


class Generator(nn.Module):
    """(z (N, D), y (N,)) -> series (N, C, T) in [-1, 1].

    The input at each step is the latent of the series, its label, and the time, from -1 to 1: without a clock, waves
    die out after a period, and teeth never come.
    """

    def __init__(self, shape: tuple[int, ...], classes: int, latent: int, width: int = 100):
        super().__init__()
        channels, self.steps = shape
        self.embedding = nn.Embedding(classes, LABEL)
        self.recurrent = _remembering(nn.LSTM(latent + LABEL + 1, width, batch_first=True))
        self.last = nn.Linear(width, channels)

    def forward(self, z: Tensor, y: Tensor) -> Tensor:
        same = torch.cat([z, self.embedding(y)], 1)[:, None].expand(-1, self.steps, -1)
        time = torch.linspace(-1, 1, self.steps, device=z.device)[None, :, None].expand(z.shape[0], -1, 1)
        hidden, _ = self.recurrent(torch.cat([same, time], 2))
        return torch.tanh(self.last(hidden)).transpose(1, 2)


class Discriminator(nn.Module):
    """(series (N, C, T), y (N,)) -> scores (N,), after the last step."""

    def __init__(self, shape: tuple[int, ...], classes: int, width: int = 100):
        super().__init__()
        channels, _ = shape
        self.embedding = nn.Embedding(classes, LABEL)
        self.recurrent = _remembering(nn.LSTM(channels + LABEL, width, batch_first=True))
        self.last = nn.Linear(width, 1)

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        label = self.embedding(y)[:, None].expand(-1, x.shape[2], -1)
        hidden, _ = self.recurrent(torch.cat([x.transpose(1, 2), label], 2))
        return self.last(hidden[:, -1]).squeeze(1)
