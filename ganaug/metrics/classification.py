"""Scores of predictions: pure functions of labels and predicted labels, both int64 (N,), and of probabilities."""

from __future__ import annotations

import numpy as np


def recalls(labels: np.ndarray, predictions: np.ndarray, n_classes: int) -> np.ndarray:
    """Share of each class that is recognised, float (K,); NaN for a class without items."""
    items = np.bincount(labels, minlength=n_classes)
    right = np.bincount(labels[labels == predictions], minlength=n_classes)
    return np.divide(right, items, out=np.full(n_classes, np.nan), where=items > 0)


def scores(labels: np.ndarray, predictions: np.ndarray, n_classes: int) -> dict[str, float | list[float | None]]:
    """Accuracy, balanced accuracy (mean recall), macro-F1, all over the classes that have items, and recall per class.

    All in [0, 1]; the recall of a class without items is None.
    """
    recall = recalls(labels, predictions, n_classes)
    present = ~np.isnan(recall)
    items, answers = np.bincount(labels, minlength=n_classes), np.bincount(predictions, minlength=n_classes)
    right = np.bincount(labels[labels == predictions], minlength=n_classes)
    f1 = 2 * right[present] / (items + answers)[present]
    return {
        "accuracy": float((labels == predictions).mean()),
        "balanced accuracy": float(recall[present].mean()),
        "macro-F1": float(f1.mean()),
        "recall": [float(value) if there else None for value, there in zip(recall, present, strict=True)],
    }


BINS = 15  # of confidence, for the calibration error


def calibration(right: np.ndarray, confidence: np.ndarray, surprise: np.ndarray) -> dict[str, float | list]:
    """NLL: mean of `surprise`, minus the log-probability of the label, in nats. ECE: expected calibration error, the
    mean over images of |accuracy - confidence| within 15 equal bins of confidence (Guo et al. 2017, 1706.04599).

    right: bool (N,); confidence: probability of the prediction, (N,), in [0, 1]. Both are 0 for no images.
    """
    if not len(right):
        return {"NLL": 0.0, "ECE": 0.0}
    bins = np.minimum((confidence * BINS).astype(int), BINS - 1)
    gaps = np.bincount(bins, right - confidence, minlength=BINS)
    return {"NLL": float(surprise.mean()), "ECE": float(np.abs(gaps).sum() / len(right))}
