"""How varied samples are within their classes."""

from __future__ import annotations

import numpy as np
from torch import Tensor


def within_class_diversity(
    features: Tensor, labels: Tensor, real_features: Tensor, real_labels: Tensor, classes: int
) -> np.ndarray:
    """Variance of the features of synthetic images over that of real ones, class by class.

    Parameters
    ----------
    features : Tensor
        Of synthetic images, (N, D).
    labels : Tensor
        Their classes, int64 (N,).
    real_features : Tensor
        Of real images, (M, D).
    real_labels : Tensor
        Their classes, int64 (M,).
    classes : int
        Number of classes.

    Returns
    -------
    ndarray
        Ratios, float64 (classes,): 1 is as varied as real images. A class with fewer than two samples has 0, a class
        without two real images NaN.

    Examples
    --------
    >>> import torch
    >>> from ganaug.metrics import within_class_diversity
    >>> x, y = torch.randn(100, 4), torch.arange(100) % 2
    >>> within_class_diversity(2 * x, y, x, y, 2).round(3)
    array([4., 4.])
    """
    ratios = np.full(classes, np.nan)
    for label in range(classes):
        real = real_features[real_labels == label].double()
        mine = features[labels == label].double()
        if len(real) >= 2:
            spread = real.var(0).sum().clamp_min(1e-12)
            ratios[label] = (mine.var(0).sum() / spread).item() if len(mine) >= 2 else 0.0
    return ratios
