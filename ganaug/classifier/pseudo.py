"""Pseudo-labels: what several classifiers agree that an unlabelled image shows (Lee 2013, "Pseudo-label").

A classifier that learns from its own sure answers learns little. What two kinds of classifiers agree on is worth more:
a linear probe and the graph of `ganaug.classifier.spread`, say.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ganaug.errors import DataError

FEW = 10  # validation images that are agreed on, below which no threshold is chosen by them
USUAL = 0.95  # the threshold in that case, as in FixMatch (2001.07685)
EVEN = 1.5  # a class gets at most so many times its share in the training part


@dataclass(frozen=True, eq=False)
class Pseudo:
    """The unlabelled images that are taken, and as what.

    rows: where they are in the pool, ascending, int64 (n,). labels: int64 (n,). confidence: the mean probability of the
    label, float64 (n,). threshold: of the confidence. expected: share of right labels among validation images that
    would be taken, one right and one wrong answer added. reason: how the threshold was found, in words.
    """

    rows: np.ndarray
    labels: np.ndarray
    confidence: np.ndarray
    threshold: float
    expected: float
    reason: str

    def __len__(self) -> int:
        return len(self.rows)


def pseudo_labels(
    said: np.ndarray, on_validation: np.ndarray, labels: np.ndarray, shares: np.ndarray, *, even: float = EVEN
) -> Pseudo:
    """Labels for those unlabelled images on which all models agree, and surely enough.

    Parameters
    ----------
    said
        Log-probabilities that M models give N unlabelled images, float (M, N, K).
    on_validation
        Those that they give V labelled images which none of them was trained on, (M, V, K).
    labels
        Of these, int64 (V,).
    shares
        Of the classes in the training part, (K,), which sum to 1.
    even
        A class gets at most so many times its share of the images that are taken, the surest ones first; a class that
        swallows what is foreign to all of them is stopped there.

    Returns
    -------
    Pseudo
        The threshold is the one that is worth most on the validation images: n labels of which a share e is wrong are
        worth as much as n (1 - e K / (K - 1))² right ones (for two classes: Angluin and Laird 1988). Where the models
        agree on fewer than 10 of them it is 0.95, and `reason` says so.

    Raises
    ------
    DataError
        For shapes that do not fit each other.
    """
    said, on_validation, labels = np.asarray(said), np.asarray(on_validation), np.asarray(labels)
    shapes = said.shape, on_validation.shape, labels.shape, np.shape(shares)
    models, classes = (said.shape[0], said.shape[-1]) if said.ndim == 3 else (0, 0)
    if not models or classes < 2 or shapes[1:] != ((models, len(labels), classes), (len(labels),), (classes,)):
        cause = f"Log-probabilities {shapes[0]} and {shapes[1]} of {shapes[2]} labels, {shapes[3]} shares: do not fit."
        raise DataError(cause, "Give (M, N, K), (M, V, K), (V,) and (K,).")
    threshold, expected, reason = _threshold(*agreement(on_validation), labels, classes)
    found, confidence = agreement(said)
    taken = np.flatnonzero(confidence >= threshold)
    taken = _evenly(taken, found, confidence, np.asarray(shares) * even * len(taken))
    return Pseudo(taken, found[taken], confidence[taken], threshold, expected, reason)


def agreement(said: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The class of the largest mean probability, int64 (N,), and that probability, (N,); minus infinity where a model
    says another class. said: log-probabilities (M, N, K)."""
    mean = np.exp(said).mean(0)
    found = mean.argmax(1)
    agreed = (said.argmax(2) == found).all(0)
    return found, np.where(agreed, mean.max(1, initial=0), -np.inf)


def _threshold(found: np.ndarray, confidence: np.ndarray, labels: np.ndarray, classes: int) -> tuple[float, float, str]:
    """The threshold, the expected share of right labels, and the reason."""
    chance = 1 / classes
    order = np.argsort(-confidence, kind="stable")[: int((confidence > -np.inf).sum())]
    right, count = np.cumsum(found[order] == labels[order]), np.arange(1, len(order) + 1)
    expected = (right + 1) / (count + 2)
    if len(order) < FEW:
        n = int((confidence >= USUAL).sum())
        said = f"the models agree on {len(order)} of {len(labels)} validation images, too few to choose a threshold by"
        return USUAL, float(expected[n - 1]) if n else 0.5, said
    last = np.append(np.diff(confidence[order]) < 0, True)  # of equal confidences all are taken
    worth = np.where(last, count * np.maximum((expected - chance) / (1 - chance), 0) ** 2, 0)
    best = len(worth) - 1 - int(worth[::-1].argmax())
    if worth[best] == 0:
        return np.inf, float(expected[best]), "of what the models agree on, no more than half is right"
    wrong = count[best] - right[best]
    return float(confidence[order[best]]), float(expected[best]), (
        f"of {len(labels)} validation images {count[best]} would be taken, {wrong} of them with a wrong label"
    )  # fmt: skip


def _evenly(rows: np.ndarray, found: np.ndarray, confidence: np.ndarray, most: np.ndarray) -> np.ndarray:
    """Of each class the surest ones, at most so many; rows stay in their order."""
    kept = []
    for label in np.unique(found[rows]):
        own = rows[found[rows] == label]
        kept.append(own[np.argsort(-confidence[own], kind="stable")][: int(np.ceil(most[label]))])
    return np.sort(np.concatenate(kept)) if kept else rows
