"""What samples are like, as pure functions of scores, features and pixels. Every value is a share or a ratio."""

from __future__ import annotations

import numpy as np
from torch import Tensor


def label_agreement(scores: Tensor, labels: Tensor) -> float:
    """Share of samples that a classifier gives the label that they were made for. scores (N, K), labels (N,)."""
    return (scores.argmax(1) == labels).float().mean().item()


def within_class_diversity(
    features: Tensor, labels: Tensor, real_features: Tensor, real_labels: Tensor, classes: int
) -> np.ndarray:
    """Summed feature variance of synthetic over real images, class by class: (classes,); 1 is as varied.

    A class with fewer than two samples has 0; a class without two real images has NaN.
    """
    ratios = np.full(classes, np.nan)
    for label in range(classes):
        real = real_features[real_labels == label].double()
        mine = features[labels == label].double()
        if len(real) >= 2:
            spread = real.var(0).sum().clamp_min(1e-12)
            ratios[label] = (mine.var(0).sum() / spread).item() if len(mine) >= 2 else 0.0
    return ratios
