"""What samples are like, as pure functions of scores, features and pixels. Every value is a share or a ratio."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from ganaug.errors import TooFewImagesError


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


def nearest_distances(queries: Tensor, references: Tensor, chunk: int = 1024) -> Tensor:
    """Euclidean distance of each query to its nearest reference; pixels or features, flattened: (N,)."""
    flat = references.flatten(1).float()
    return torch.cat([torch.cdist(q.flatten(1).float(), flat).min(1).values for q in queries.split(chunk)])


def copy_share(
    samples: Tensor,
    labels: Tensor,
    training: Tensor,
    training_labels: Tensor,
    held_out: Tensor,
    held_out_labels: Tensor,
    percentile: float = 1.0,
) -> float:
    """Share of samples nearer to a training image of their class than this percentile of held-out images are.

    All pixels uint8 (N, C, H, W) of one size. An honest generator of perfect samples scores about percentile / 100.
    Raises TooFewImagesError if a class has no training or no held-out image.
    """
    near = 0
    for label in labels.unique():
        mine, seen, fresh = (
            p[y == label] for p, y in ((samples, labels), (training, training_labels), (held_out, held_out_labels))
        )
        if len(seen) == 0 or len(fresh) == 0:
            raise TooFewImagesError(f"Class {int(label)} has no training or no held-out image.", "Give both.")
        limit = torch.quantile(nearest_distances(fresh, seen), percentile / 100)
        near += int((nearest_distances(mine, seen) < limit).sum())
    return near / len(samples)
