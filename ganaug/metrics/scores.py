"""Measures of a classifier's scores: pure functions of logits (N, K)."""

from __future__ import annotations

import numpy as np
from scipy.special import log_softmax
from torch import Tensor

from ganaug.errors import TooFewImagesError
from ganaug.metrics.matrices import Matrix, Vector, labels_for, matrix


def label_agreement(scores: Tensor, labels: Tensor) -> float:
    """Share of samples to which a classifier gives the label that they were made for.

    Parameters
    ----------
    scores : Tensor
        Of shape (N, K): logits or probabilities.
    labels : Tensor
        The classes, int64 (N,).

    Returns
    -------
    float
        0 to 1; higher is better.

    Examples
    --------
    >>> import torch
    >>> from ganaug.metrics import label_agreement
    >>> label_agreement(torch.tensor([[2.0, 0.0], [1.0, 0.0]]), torch.tensor([0, 1]))
    0.5
    """
    return (scores.argmax(1) == labels).float().mean().item()


def inception_score(scores: Matrix) -> float:
    """How sure a classifier is of single samples, and how even its answers are over all of them.

    The score is exp(E KL(p(y|x) || p(y))), of all samples at once, not a mean over splits. It never looks at a real
    image.

    Parameters
    ----------
    scores : array_like, (N, K)
        Logits of a classifier.

    Returns
    -------
    float
        1 to K; higher is surer and more even.

    Raises
    ------
    TooFewImagesError
        There are no scores.

    References
    ----------
    Salimans et al. 2016, "Improved techniques for training GANs", 1606.03498.

    Examples
    --------
    >>> import numpy as np
    >>> from ganaug.metrics import inception_score
    >>> round(inception_score(100 * np.eye(4)), 6)
    4.0
    """
    mean, entropy = _beliefs(scores)
    return float(np.exp(-entropy - _times_log(mean, mean)))


def am_score(scores: Matrix, real_labels: Vector) -> float:
    """How far the answers of a classifier to samples are from the shares of the real classes, and how unsure they are.

    The score is KL(p_real(y) || E p(y|x)) + E H(p(y|x)). The shares are those of `real_labels`, so that an uneven data
    set is not held against the samples.

    Parameters
    ----------
    scores : array_like, (N, K)
        Logits of a classifier for the samples.
    real_labels : array_like, (M,)
        Labels of the training images.

    Returns
    -------
    float
        0 or more; lower is better.

    Raises
    ------
    TooFewImagesError
        There are no scores or no labels.

    References
    ----------
    Zhou et al. 2018, "Activation maximization generative adversarial nets", 1703.02000.

    Examples
    --------
    >>> import numpy as np
    >>> from ganaug.metrics import am_score
    >>> round(am_score(100 * np.eye(4), np.arange(4)), 6)
    0.0
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
