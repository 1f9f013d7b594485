"""Pseudo-labels: who is taken, by which threshold, and what they are worth; and how labels spread."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ganaug.classifier.pseudo import FEW, USUAL, agreement, pseudo_labels
from ganaug.classifier.spread import NEIGHBOURS, REACH, SHARPNESS, spread_labels
from ganaug.errors import DataError, LabelMismatchError, TooFewImagesError

EVEN = np.full(2, 0.5)


def sure_of(labels, confidence, classes=2):
    """Log-probabilities (N, K) that give each label its confidence, and the rest to the others alike."""
    confidence = np.broadcast_to(confidence, len(labels))
    said = np.repeat(((1 - confidence) / (classes - 1))[:, None], classes, axis=1)
    said[np.arange(len(labels)), labels] = confidence
    return np.log(said)


def test_an_image_is_taken_where_all_models_agree_and_are_sure_enough():
    validation = sure_of([0, 1] * 20, 0.7)
    pool = [sure_of([0, 1, 0, 1], [0.9, 0.9, 0.9, 0.6]), sure_of([0, 1, 1, 1], [0.7, 0.9, 0.8, 0.7])]
    found = pseudo_labels(np.stack(pool), np.stack([validation, validation]), np.arange(40) % 2, EVEN)
    assert found.threshold == pytest.approx(0.7)
    assert found.rows.tolist() == [0, 1]  # of the third they say different things, the fourth is at 0.65
    assert found.labels.tolist() == [0, 1]
    assert found.confidence == pytest.approx([0.8, 0.9])
    assert found.expected == pytest.approx(41 / 42)
    assert "40 would be taken, 0 of them" in found.reason
    assert len(found) == 2


def test_the_threshold_leaves_out_what_is_mostly_wrong():
    """Of 30 sure answers all are right, of 20 less sure ones a quarter, of 2 classes: 30 labels are worth more than 50
    of which 15 are wrong."""
    confidence = np.r_[np.full(30, 0.9), np.full(20, 0.6)]
    said, labels = sure_of([0] * 50, confidence)[None], np.r_[np.zeros(35), np.ones(15)].astype(int)
    pool = sure_of([0, 0, 1], [0.95, 0.7, 0.9])[None]
    found = pseudo_labels(pool, said, labels, np.array([0.9, 0.1]), even=10)
    assert (found.threshold, found.rows.tolist()) == (pytest.approx(0.9), [0, 2])
    assert found.expected == pytest.approx(31 / 32)
    labels[:] = 0  # all are right: all are taken
    found = pseudo_labels(pool, said, labels, np.array([0.9, 0.1]), even=10)
    assert (found.threshold, found.rows.tolist()) == (pytest.approx(0.6), [0, 1, 2])


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000), st.integers(2, 5), st.integers(FEW, 60))
def test_the_threshold_is_worth_most_of_all(seed, classes, count):
    rng = np.random.default_rng(seed)
    logits = rng.normal(size=(2, count, classes)) + 2 * rng.normal(size=(count, classes))
    said = logits - np.log(np.exp(logits).sum(2, keepdims=True))
    labels = np.where(rng.random(count) < 0.7, said.mean(0).argmax(1), rng.integers(classes, size=count))
    found = pseudo_labels(said, said, labels, np.full(classes, 1 / classes), even=classes)
    answers, confidence = agreement(said)

    def worth(threshold):
        taken = confidence >= threshold
        right = ((answers == labels)[taken].sum() + 1) / (taken.sum() + 2)
        return taken.sum() * max(1 - (1 - right) * classes / (classes - 1), 0) ** 2

    assert (found.labels == answers[found.rows]).all()
    assert (np.diff(found.rows) > 0).all()
    if np.isfinite(confidence).sum() >= FEW:
        assert worth(found.threshold) == pytest.approx(max(map(worth, confidence[np.isfinite(confidence)])))
        assert found.rows.tolist() == np.flatnonzero(confidence >= found.threshold).tolist()


def test_few_validation_images_choose_nothing():
    said = sure_of([0] * (FEW - 1), 0.8)[None]
    pool = sure_of([0, 1, 0], [0.96, 0.94, 0.8])[None]
    found = pseudo_labels(pool, said, np.zeros(FEW - 1, int), EVEN, even=2)
    assert (found.threshold, found.rows.tolist(), found.expected) == (USUAL, [0], 0.5)
    assert f"agree on {FEW - 1} of {FEW - 1} validation images" in found.reason
    none = pseudo_labels(pool, said[:, :0], np.zeros(0, int), EVEN, even=2)
    assert none.rows.tolist() == [0]


def test_models_that_are_mostly_wrong_give_no_labels():
    said = sure_of([0] * 40, 0.99)[None]
    found = pseudo_labels(said, said, np.ones(40, int), EVEN)
    assert len(found) == 0
    assert found.threshold == np.inf
    assert "no more than half is right" in found.reason


def test_a_class_gets_at_most_a_multiple_of_its_share_the_surest_first():
    said, labels = sure_of(np.arange(40) % 2, 0.6)[None], np.arange(40) % 2
    pool = sure_of([0] * 10 + [1] * 90, np.r_[np.full(10, 0.7), np.linspace(0.7, 0.9, 90)])[None]
    found = pseudo_labels(pool, said, labels, EVEN, even=1.5)
    assert np.bincount(found.labels).tolist() == [10, 75]
    assert found.rows.tolist() == [*range(10), *range(25, 100)]
    uneven = pseudo_labels(pool, said, labels, np.array([0.1, 0.9]), even=1.5)
    assert len(uneven) == 100


def test_what_does_not_fit_is_refused():
    said, labels = sure_of([0, 1, 0], 0.9)[None], np.array([0, 1, 0])
    for wrong in ((said[0], said, labels, EVEN), (said, said[:, :2], labels, EVEN), (said, said, labels[:2], EVEN),
                  (said, said, labels, EVEN[:1]), (said[:0], said[:0], labels, EVEN)):  # fmt: skip
        with pytest.raises(DataError, match="do not fit"):
            pseudo_labels(*wrong)


# how labels spread


def by_definition(x, labels, classes):
    """Zhou et al. 2004: (1 - alpha S)^-1 Y, with the mass of Zhu et al. 2003, in dense matrices."""
    rows = (x - x.mean(0)) / x.std(0)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    cosines = rows @ rows.T
    np.fill_diagonal(cosines, -np.inf)
    near = cosines >= np.sort(cosines, axis=1)[:, [-NEIGHBOURS]]
    weights = np.where(near | near.T, np.maximum(cosines, 0) ** SHARPNESS, 0)
    sums = weights.sum(1)
    start = np.zeros((len(x), classes))
    start[np.arange(len(labels)), labels] = 1
    arrived = np.linalg.solve(np.eye(len(x)) - REACH * weights / np.sqrt(sums[:, None] * sums), start)
    said = arrived / arrived.sum(0) * start.sum(0)
    return (said / said.sum(1, keepdims=True))[len(labels) :]


def test_labels_spread_as_the_papers_define_it():
    rng = np.random.default_rng(0)
    labels = np.r_[np.zeros(12, int), np.ones(8, int), np.full(5, 2)]
    x = rng.normal(size=(3, 6))[np.r_[labels, rng.integers(3, size=60)]] + rng.normal(size=(85, 6))
    said = spread_labels(x[:25], labels, 3, x[25:])
    assert np.allclose(np.exp(said), by_definition(x, labels, 3), atol=1e-4)


def test_labels_reach_far_along_what_is_near():
    """Two arcs of a circle, each with labels at one end; these ends are side by side."""
    angles = np.r_[np.linspace(0, 0.9, 200), np.linspace(1.9, 1, 200)] * np.pi
    x, y = np.stack([np.cos(angles), np.sin(angles)], 1), np.repeat([0, 1], 200)
    rows = np.r_[0:3, 200:203]
    rest = np.setdiff1d(np.arange(400), rows)
    said = spread_labels(x[rows], y[rows], 2, x[rest])
    assert (said.argmax(1) == y[rest]).all()
    assert np.allclose(np.exp(said).sum(1), 1)
    turned = spread_labels(x[rows], y[rows], 2, x[rest[::-1]])
    assert np.allclose(turned[::-1], said, atol=1e-6)


def test_where_features_tell_nothing_the_shares_are_those_of_the_labelled_images():
    rng = np.random.default_rng(0)
    labels = np.r_[np.zeros(30, int), np.ones(10, int)]
    shares = np.exp(spread_labels(rng.normal(size=(40, 8)), labels, 3, rng.normal(size=(200, 8)))).mean(0)
    assert shares[0] == pytest.approx(0.75, abs=0.06)
    assert shares[2] < 1e-5


def test_what_labels_do_not_reach_has_any_class():
    """A group apart, whose neighbours are all in it."""
    rng = np.random.default_rng(0)
    near, apart = rng.normal(size=(20, 8)) + 30, rng.normal(size=(20, 8)) - 30
    assert np.allclose(np.exp(spread_labels(near, np.arange(20) % 2, 2, apart)), 0.5)
    assert spread_labels(near, np.arange(20) % 2, 2, apart[:0]).shape == (0, 2)
    assert spread_labels(near[:1], np.zeros(1, int), 2, near[1:2]).argmax(1).tolist() == [0]


def test_features_and_labels_must_fit():
    x, y = np.ones((4, 3)), np.array([0, 1, 0, 1])
    for wrong in ((x, y[:3], 2, x), (x, y, 2, x[:, :2]), (x[0], y, 2, x)):
        with pytest.raises(DataError, match="do not fit"):
            spread_labels(*wrong)
    with pytest.raises(LabelMismatchError, match=r"0\.\.1 do not fit 1"):
        spread_labels(x, y, 1, x)
    with pytest.raises(TooFewImagesError, match="no labelled images"):
        spread_labels(x[:0], y[:0], 2, x)
