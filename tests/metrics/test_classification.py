"""Scores agree with scikit-learn, also where a class has no items."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, balanced_accuracy_score, f1_score, recall_score

from ganaug.metrics.classification import calibration, scores


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


def test_calibration_is_that_of_its_definitions():
    confidence, right = np.array([0.05, 0.05, 0.91, 0.91, 0.92, 1.0]), np.array([0, 1, 1, 1, 0, 1], dtype=bool)
    found = calibration(right, confidence, -np.log([0.2, 0.5, 0.91, 0.91, 0.08, 1.0]))
    bins = [(2, abs(0.5 - 0.05)), (3, abs(2 / 3 - 2.74 / 3)), (1, 0.0)]
    assert found["ECE"] == pytest.approx(sum(n * gap for n, gap in bins) / 6)
    assert found["NLL"] == pytest.approx(-np.log([0.2, 0.5, 0.91, 0.91, 0.08, 1.0]).mean())
    assert calibration(right[:0], confidence[:0], confidence[:0]) == {"NLL": 0.0, "ECE": 0.0}


def test_a_classifier_that_knows_its_chances_is_calibrated():
    rng = np.random.default_rng(0)
    confidence = rng.uniform(0.3, 1, 40_000)
    right = rng.uniform(size=40_000) < confidence
    assert calibration(right, confidence, -np.log(confidence))["ECE"] < 0.02
    assert calibration(right, np.minimum(1, confidence + 0.2), -np.log(confidence))["ECE"] > 0.1
