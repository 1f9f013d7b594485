"""Feature matrices of known distributions."""

from __future__ import annotations

import numpy as np
import torch


def normal(n: int, width: int, seed: int, *, mean: float = 0.0, scale: float = 1.0) -> torch.Tensor:
    """float32 (n, width), correlated within a row."""
    rng = np.random.default_rng(seed)
    mix = np.random.default_rng(0).standard_normal((width, width)) / np.sqrt(width) + np.eye(width)
    return torch.from_numpy(((rng.standard_normal((n, width)) * scale) @ mix + mean).astype(np.float32))


def logits(n: int, classes: int, seed: int, sharp: float = 3.0) -> torch.Tensor:
    return torch.from_numpy((sharp * np.random.default_rng(seed).standard_normal((n, classes))).astype(np.float32))
