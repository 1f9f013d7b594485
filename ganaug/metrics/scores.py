"""Measures of a classifier's scores: pure functions of logits (N, K)."""

from __future__ import annotations

import numpy as np
from scipy.special import log_softmax

from ganaug.errors import TooFewImagesError
from ganaug.metrics.matrices import Matrix, Vector, labels_for, matrix


class Beliefs:
    """Running sums over the predicted distributions p of many images: of p (K,), and of its negative entropy.

    Enough for the Inception score and the AM score, in float64, whatever the number of images.
    """

    def __init__(self, n_classes: int):
        self.count, self.total, self.negative_entropy = 0, np.zeros(n_classes), 0.0

    def update(self, scores: Matrix) -> Beliefs:
        """Add logits (N, K)."""
        logs = log_softmax(matrix(scores, "scores").astype(np.float64), axis=1)
        beliefs = np.exp(logs)
        self.count += len(logs)
        self.total += beliefs.sum(0)
        self.negative_entropy += float((beliefs * logs).sum())
        return self

    @property
    def mean(self) -> np.ndarray:
        """The mean distribution, float64 (K,)."""
        if not self.count:
            raise TooFewImagesError("There are no scores.", "Give at least one image.")
        return self.total / self.count


def inception_score(scores: Matrix) -> float:
    """exp(E KL(p(y|x) || p(y))) (Salimans et al. 2016, 1606.03498), in [1, K]: higher is surer and more even.

    Of all images at once, not as a mean over splits. It never looks at a real image.
    """
    scores = matrix(scores, "scores")
    return inception_of_beliefs(Beliefs(scores.shape[1]).update(scores))


def inception_of_beliefs(beliefs: Beliefs) -> float:
    mean = beliefs.mean
    return float(np.exp(beliefs.negative_entropy / beliefs.count - _times_log(mean, mean)))


def am_score(scores: Matrix, real_labels: Vector) -> float:
    """KL(p_real(y) || E p(y|x)) + E H(p(y|x)) (Zhou et al. 2018, 1703.02000), 0 or more: lower is better.

    p_real: shares of the classes among `real_labels`, so an uneven data set is not held against the samples.
    """
    scores = matrix(scores, "scores")
    labels = labels_for(len(real_labels), real_labels, scores.shape[1])
    counts = np.bincount(labels, minlength=scores.shape[1])
    return am_of_beliefs(Beliefs(scores.shape[1]).update(scores), counts)


def am_of_beliefs(beliefs: Beliefs, real_counts: np.ndarray) -> float:
    """real_counts: images of each class in the real set (K,)."""
    if real_counts.sum() == 0:
        raise TooFewImagesError("There are no real labels.", "Give those of the training images.")
    real, mean = real_counts / real_counts.sum(), beliefs.mean
    entropy = -beliefs.negative_entropy / beliefs.count
    return float(_times_log(real, real) - _times_log(real, mean) + entropy)


def _times_log(p: np.ndarray, q: np.ndarray) -> float:
    """sum p log q, where 0 log 0 is 0."""
    there = p > 0
    with np.errstate(divide="ignore"):
        return float((p[there] * np.log(q[there])).sum())
