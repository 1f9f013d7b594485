"""Measures of a classifier's scores."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from ganaug.errors import LabelMismatchError, TooFewImagesError
from ganaug.metrics import am_score, inception_score, label_agreement
from tests.toys.features import logits


def certain(labels: np.ndarray, classes: int) -> np.ndarray:
    """Logits of a classifier without doubt."""
    return np.where(np.arange(classes) == labels[:, None], 100.0, -100.0)


@pytest.mark.parametrize("classes", [2, 7])
def test_closed_forms(classes):
    labels = np.arange(10 * classes) % classes
    sure, unsure = certain(labels, classes), np.zeros((10 * classes, classes))
    one_class = certain(np.zeros_like(labels), classes)
    assert inception_score(sure) == pytest.approx(classes)
    assert inception_score(unsure) == pytest.approx(1)
    assert inception_score(one_class) == pytest.approx(1)
    assert am_score(sure, labels) == pytest.approx(0, abs=1e-9)
    assert am_score(unsure, labels) == pytest.approx(np.log(classes))
    assert am_score(one_class, labels) > 50  # classes that never come
    assert am_score(one_class, np.zeros_like(labels)) == pytest.approx(0, abs=1e-9)


def test_am_score_of_a_mean_distribution_is_the_formula():
    p = np.array([[0.7, 0.2, 0.1], [0.1, 0.6, 0.3]])
    real = np.array([0, 0, 1, 2])
    share, mean = np.array([0.5, 0.25, 0.25]), p.mean(0)
    wanted = (share * np.log(share / mean)).sum() - (p * np.log(p)).sum() / 2
    assert am_score(np.log(p), real) == pytest.approx(wanted)


def test_the_order_of_images_and_the_names_of_classes_do_not_matter():
    scores, labels = logits(300, 5, 0), np.arange(300) % 5
    rows, classes = np.random.default_rng(0).permutation(300), np.array([3, 1, 4, 0, 2])
    renamed = scores[:, classes]  # column j is now the class classes[j]
    place = np.argsort(classes)
    for moved, y in ((scores[rows], labels[rows]), (renamed, place[labels])):
        assert inception_score(moved) == pytest.approx(inception_score(scores))
        assert am_score(moved, y) == pytest.approx(am_score(scores, labels))
        y = torch.from_numpy(y)
        assert label_agreement(moved, y) == label_agreement(scores, torch.from_numpy(labels))


def test_empty_and_foreign_input_is_said():
    with pytest.raises(TooFewImagesError):
        inception_score(torch.empty(0, 3))
    with pytest.raises(TooFewImagesError, match="real labels"):
        am_score(logits(5, 3, 0), np.empty(0))
    with pytest.raises(LabelMismatchError):
        am_score(logits(5, 3, 0), np.array([3]))
