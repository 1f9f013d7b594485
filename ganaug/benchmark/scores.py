"""Scores of predictions: pure functions of labels and predicted labels, both int64 (N,)."""

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
