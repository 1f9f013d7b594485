"""Scores agree with scikit-learn, also where a class has no items."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, balanced_accuracy_score, f1_score, recall_score

from ganaug.benchmark.scores import scores


@pytest.mark.parametrize("seed", range(5))
def test_agree_with_scikit_learn(seed: int):
    rng = np.random.default_rng(seed)
    labels = rng.choice(5, 80, p=[0.6, 0.2, 0.1, 0.1, 0.0])
    predictions = np.where(rng.uniform(size=80) < 0.6, labels, rng.integers(0, 5, 80))
    found, present = scores(labels, predictions, 5), np.unique(labels)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # scikit-learn notes that a predicted class has no items
        balanced = balanced_accuracy_score(labels, predictions)
    assert found["accuracy"] == pytest.approx(accuracy_score(labels, predictions))
    assert found["balanced accuracy"] == pytest.approx(balanced)
    assert found["macro-F1"] == pytest.approx(f1_score(labels, predictions, labels=present, average="macro"))
    expected = recall_score(labels, predictions, labels=present, average=None)
    assert [found["recall"][c] for c in present] == pytest.approx(list(expected))
    assert found["recall"][4] is None
