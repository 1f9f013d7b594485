"""Labels that spread from labelled images to unlabelled ones along a graph of near features.

Zhou et al. 2004, "Learning with local and global consistency"; the mass of the classes is set as in Zhu et al. 2003,
"Semi-supervised learning using Gaussian fields". It errs elsewhere than a linear probe, so that the two are good judges
of each other, see `ganaug.classifier.pseudo`.
"""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_array, diags_array

from ganaug.classifier.refusals import require_labels
from ganaug.errors import DataError, TooFewImagesError

NEIGHBOURS = 10
SHARPNESS = 4  # power of the cosine between neighbours that is the weight of their edge
REACH = 0.9  # share of what an image says that comes from its neighbours, alpha in the paper
STEPS = 100  # after which less than 3e-5 of the labels is on its way
FLOOR = 1e-6  # probability of a class that no label of which arrives


def spread_labels(features: np.ndarray, labels: np.ndarray, n_classes: int, others: np.ndarray) -> np.ndarray:
    """Log-probabilities of images without labels, by those of labelled ones that are near.

    Parameters
    ----------
    features
        Of labelled images, float (N, D).
    labels
        int64 (N,), in [0, n_classes). A class may have no image: its probability is then tiny.
    n_classes
        Number of classes.
    others
        Features of the others, (U, D). What is said of one of them depends on all.

    Returns
    -------
    numpy.ndarray
        float64 (U, K). All together, the others are taken to have the classes in the shares of the labelled ones.

    Raises
    ------
    DataError, LabelMismatchError
        For features that do not fit each other or their labels; for labels out of range.
    TooFewImagesError
        Without labelled images.
    """
    features, labels, others = np.asarray(features), np.asarray(labels, dtype=np.int64), np.asarray(others)
    if features.ndim != 2 or len(features) != len(labels) or features.shape[1:] != others.shape[1:]:
        cause = f"Features {features.shape} of {len(labels)} labels and {others.shape} do not fit."
        raise DataError(cause, "Give (N, D), (N,) and (U, D).")
    if not len(labels):
        raise TooFewImagesError("There are no labelled images to spread labels from.", "Give at least one a class.")
    require_labels(labels, n_classes)
    if not len(others):
        return np.empty((0, n_classes))
    rows = np.concatenate([features, others]).astype(np.float64)
    edges = _edges((rows - rows.mean(0)) / np.maximum(rows.std(0), 1e-6))
    counts = np.bincount(labels, minlength=n_classes)
    start = np.concatenate([np.eye(n_classes)[labels], np.zeros((len(others), n_classes))])
    arrived = start
    for _ in range(STEPS):
        arrived = REACH * (edges @ arrived) + start
    mass = arrived.sum(0)
    arrived = arrived[len(labels) :] * (counts / len(labels) / np.where(mass > 0, mass, 1))
    said = arrived / np.where((total := arrived.sum(1, keepdims=True)) > 0, total, 1) + FLOOR
    return np.log(said / said.sum(1, keepdims=True))


def _edges(rows: np.ndarray) -> csr_array:
    """Weights of the edges between rows, symmetric, divided by the roots of the sums of both ends: sparse (N, N)."""
    from sklearn.neighbors import kneighbors_graph  # takes a second to import

    near = kneighbors_graph(rows, min(NEIGHBOURS, len(rows) - 1), mode="distance", metric="cosine")
    near = csr_array(near)
    near.data = np.maximum(1 - near.data, 0) ** SHARPNESS
    near = near.maximum(near.T)
    sums = np.asarray(near.sum(1)).ravel()
    scale = diags_array(1 / np.sqrt(np.where(sums > 0, sums, 1)))
    return csr_array(scale @ near @ scale)
