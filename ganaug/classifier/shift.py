"""A shift of the logits by the shares of the classes: what a training on unequal classes prefers is taken back.

Menon et al. 2021 (2007.07314), section 4, where the strength is called tau."""

from __future__ import annotations

import numpy as np
from scipy.special import log_softmax

from ganaug.metrics.classification import recalls

STRENGTHS = (0.0, 0.125, 0.25, 0.375, 0.5, 0.75, 1.0)


def logit_shift(log_probabilities: np.ndarray, shares: np.ndarray, strength: float) -> np.ndarray:
    """Log-probabilities (N, K) minus `strength` times the logarithm of the share of each class, and normalised again.

    A class of which there is no image (share 0) stays as unlikely as it is.
    """
    if strength == 0:
        return log_probabilities
    logs = np.log(np.where(shares > 0, shares, 1.0))
    return log_softmax(log_probabilities - strength * logs, axis=1)


def cross_fitted_strength(log_probabilities: np.ndarray, labels: np.ndarray, n_classes: int) -> float:
    """The one of `STRENGTHS` that gives the best mean recall; the weakest of equals.

    log_probabilities: (N, K), of the images of the training part, each by a classifier that was not trained on it.
    labels: of the same images, int64 (N,).
    """
    shares = np.bincount(labels, minlength=n_classes) / len(labels)

    def score(strength: float) -> float:
        said = logit_shift(log_probabilities, shares, strength).argmax(1)
        return float(np.nanmean(recalls(labels, said, n_classes)))

    return max(STRENGTHS, key=score)
