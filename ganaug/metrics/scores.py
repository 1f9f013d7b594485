"""Measures of a classifier's scores: pure functions of logits (N, K)."""

from __future__ import annotations

import numpy as np
from scipy.special import log_softmax
from torch import Tensor

from ganaug.errors import TooFewImagesError
from ganaug.metrics.matrices import Matrix, Vector, labels_for, matrix


def label_agreement(scores: Tensor, labels: Tensor) -> float:
    """Share of samples that a classifier gives the label that they were made for. scores (N, K), labels (N,)."""
    return (scores.argmax(1) == labels).float().mean().item()


def inception_score(scores: Matrix) -> float:
    """exp(E KL(p(y|x) || p(y))) (Salimans et al. 2016, 1606.03498), in [1, K]: higher is surer and more even.

    Of all images at once, not as a mean over splits. It never looks at a real image.
    """
    mean, entropy = _beliefs(scores)
    return float(np.exp(-entropy - _times_log(mean, mean)))


def am_score(scores: Matrix, real_labels: Vector) -> float:
    """KL(p_real(y) || E p(y|x)) + E H(p(y|x)) (Zhou et al. 2018, 1703.02000), 0 or more: lower is better.

    p_real: shares of the classes among `real_labels`, so an uneven data set is not held against the samples.
    """
    mean, entropy = _beliefs(scores)
    labels = labels_for(len(real_labels), real_labels, len(mean))
    if not len(labels):
        raise TooFewImagesError("There are no real labels.", "Give those of the training images.")
    real = np.bincount(labels, minlength=len(mean)) / len(labels)
    return float(_times_log(real, real) - _times_log(real, mean) + entropy)


def _beliefs(scores: Matrix) -> tuple[np.ndarray, float]:
    """Of logits (N, K): the mean of the predicted distributions, float64 (K,), and their mean entropy."""
    logs = log_softmax(matrix(scores, "scores").astype(np.float64), axis=1)
    if not len(logs):
        raise TooFewImagesError("There are no scores.", "Give at least one image.")
    beliefs = np.exp(logs)
    return beliefs.mean(0), -float((beliefs * logs).sum()) / len(logs)


def _times_log(p: np.ndarray, q: np.ndarray) -> float:
    """sum p log q, where 0 log 0 is 0."""
    there = p > 0
    with np.errstate(divide="ignore"):
        return float((p[there] * np.log(q[there])).sum())
