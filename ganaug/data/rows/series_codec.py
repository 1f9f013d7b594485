"""The codec of series: channels of equal length, each scaled by its range."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor


@dataclass(frozen=True)
class SeriesCodec:
    """Values <-> [-1, 1], channel by channel.

    low, high: the smallest and the largest real value of each channel. flat: the user's series have no axis of
    channels, (N, T) in place of (N, C, T).
    """

    low: tuple[float, ...]
    high: tuple[float, ...]
    flat: bool = False

    @property
    def blocks(self) -> tuple[int, ...]:
        """Series have none, see `DataSpec`."""
        return ()

    def encode(self, values: np.ndarray) -> Tensor:
        """float (N, C, T) -> float32 (N, C, T); a constant channel becomes 0."""
        low, width = self._scale()
        share = (values - low) / np.where(width > 0, width, 1)
        return torch.from_numpy(np.where(width > 0, 2 * share - 1, 0.0)).float()

    def decode(self, x: Tensor) -> np.ndarray:
        """(N, C, T) in [-1, 1] -> float32 (N, T) or (N, C, T), as the user has them, within the range."""
        low, width = self._scale()
        values = low + (x.double().clamp(-1, 1).numpy() + 1) / 2 * width
        return (values[:, 0] if self.flat else values).astype(np.float32)

    def served(self, x: Tensor, label: str) -> Tensor:
        """What the user gets of series (N, C, T), in model space again."""
        made = self.decode(x)
        return self.encode(made[:, None] if self.flat else made)

    def _scale(self) -> tuple[np.ndarray, np.ndarray]:
        """Lowest value and width of the range of each channel, (C, 1)."""
        low = np.array(self.low)[:, None]
        return low, np.array(self.high)[:, None] - low
