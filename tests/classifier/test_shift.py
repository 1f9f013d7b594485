"""A shift of the logits takes back what unequal classes taught."""

import numpy as np

from ganaug.classifier.shift import cross_fitted_strength, logit_shift

LOGS = np.log(np.array([[0.6, 0.3, 0.1], [0.2, 0.2, 0.6]]))


def test_a_shift_raises_small_classes_and_stays_a_distribution():
    shares = np.array([0.7, 0.2, 0.1])
    shifted = logit_shift(LOGS, shares, 1.0)
    assert np.allclose(np.exp(shifted).sum(1), 1)
    assert np.allclose(shifted - shifted[:, :1], (LOGS - np.log(shares)) - (LOGS - np.log(shares))[:, :1])
    assert np.array_equal(logit_shift(LOGS, shares, 0.0), LOGS)
    assert np.allclose(logit_shift(LOGS, np.full(3, 1 / 3), 0.5), LOGS)
    absent = logit_shift(LOGS, np.array([0.9, 0.1, 0.0]), 1.0)
    assert (absent[:, 2] < LOGS[:, 2]).all()


def test_the_strength_is_the_weakest_of_the_best():
    labels = np.array([0] * 8 + [1] * 2)
    sure = np.log(np.where(np.eye(2)[labels] == 1, 0.9, 0.1))
    assert cross_fitted_strength(sure, labels, 2) == 0
    hidden = np.log(np.array([[0.9, 0.1]] * 8 + [[0.6, 0.4]] * 2))
    chosen = cross_fitted_strength(hidden, labels, 2)
    assert chosen == 0.375  # 0.25 of log(8 / 2) is less than log(0.6 / 0.4)
    wider = np.concatenate([hidden, np.full((10, 1), np.log(1e-6))], 1)
    assert cross_fitted_strength(wider, labels, 3) == chosen  # a class without images is no part of the mean
