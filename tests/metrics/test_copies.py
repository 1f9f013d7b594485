"""The copy report: planted copies are found, honest samples are not accused, and the pairs are the right ones."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from ganaug.errors import DataError, LabelMismatchError, TooFewImagesError
from ganaug.metrics import copy_report

CLASSES = 3


def images(n: int, seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    """uint8 (n, 1, 8, 8): a grey level for each class, with noise; labels in turn."""
    rng = np.random.default_rng(seed)
    labels = np.arange(n) % CLASSES
    pixels = 60 + 60 * labels[:, None, None, None] + 20 * rng.standard_normal((n, 1, 8, 8))
    return torch.from_numpy(pixels.clip(0, 255).astype(np.uint8)), torch.from_numpy(labels)


TRAINING, HELD_OUT = images(300, 0), images(600, 1)


def test_honest_samples_are_copies_as_often_as_the_percentile_says():
    report = copy_report(*images(3000, 2), *TRAINING, *HELD_OUT, percentile=5)
    assert 0.02 < report.share < 0.09
    assert report.copies == round(report.share * report.judged)


@pytest.mark.parametrize("unseen", [3, 20, 200])
def test_what_is_expected_of_honest_samples_grows_where_few_unseen_images_set_the_limit(unseen):
    found = []
    for seed in range(40):
        limit_by = images(CLASSES * unseen, 100 + seed)
        report = copy_report(*images(600, 200 + seed), *TRAINING, *limit_by, percentile=1)
        found.append(report.share)
    assert report.expected == pytest.approx((1 + 0.01 * (unseen - 1)) / (unseen + 1))
    assert np.mean(found) == pytest.approx(report.expected, rel=0.35)


def test_planted_copies_are_found_and_shown_first():
    samples, labels = images(300, 3)
    copied = torch.tensor([4, 100, 299])
    samples[copied] = TRAINING[0][copied] + torch.randint(0, 3, (3, 1, 8, 8), dtype=torch.uint8)
    report = copy_report(samples, labels, *TRAINING, *HELD_OUT, show=3)
    assert {pair.sample for pair in report.pairs} == set(copied.tolist())
    for pair in report.pairs:
        assert pair.training == pair.sample
        assert pair.ratio < 0.5
        assert pair.label == labels[pair.sample]
        gap = samples[pair.sample].double() - TRAINING[0][pair.training].double()
        assert pair.distance == pytest.approx(gap.norm().item())
    assert [pair.ratio for pair in report.pairs] == sorted(pair.ratio for pair in report.pairs)


def test_nothing_but_copies():
    report = copy_report(*TRAINING, *TRAINING, *HELD_OUT)
    assert report.share == 1
    assert (report.nearest == np.arange(300)).all()
    assert (report.distances == 0).all()


def test_the_share_is_that_of_plain_distances_and_knows_no_names_of_classes():
    samples = images(300, 4)
    report = copy_report(*samples, *TRAINING, *HELD_OUT, percentile=10)
    copies = 0
    for label in range(CLASSES):
        mine, seen, fresh = (x[y == label].flatten(1).float() for x, y in (samples, TRAINING, HELD_OUT))
        limit = torch.cdist(fresh, seen).amin(1).quantile(0.1)
        copies += int((torch.cdist(mine, seen).amin(1) < limit).sum())
    assert report.share == pytest.approx(copies / 300)
    place = torch.tensor([2, 0, 1])
    renamed = [(x, place[y]) for x, y in (samples, TRAINING, HELD_OUT)]
    again = copy_report(*renamed[0], *renamed[1], *renamed[2], percentile=10)
    assert again.share == report.share
    assert again.limits[[2, 0, 1]] == pytest.approx(report.limits)


def test_neighbours_are_sought_within_the_class_only():
    samples, labels = images(30, 5)
    samples[0] = TRAINING[0][1]  # a copy, but of another class
    report = copy_report(samples, labels, *TRAINING, *HELD_OUT)
    assert (TRAINING[1][report.nearest] == labels).all()
    assert report.distances[0] > 100


def test_a_class_that_cannot_be_judged_is_left_out_and_none_at_all_is_an_error():
    keep = TRAINING[1] != 1
    report = copy_report(*images(30, 6), TRAINING[0][keep], TRAINING[1][keep], *HELD_OUT)
    assert report.judged == 20
    assert np.isnan(report.limits[1])
    assert (report.nearest[1::3] == -1).all()
    with pytest.raises(TooFewImagesError):
        copy_report(*images(30, 6), TRAINING[0][:0], TRAINING[1][:0], *HELD_OUT)
    with pytest.raises(LabelMismatchError):
        copy_report(images(30, 6)[0], TRAINING[1], *TRAINING, *HELD_OUT)


def test_what_cannot_be_compared_is_refused():
    features, labels = np.random.default_rng(0).random((10, 8)), np.zeros(10, int)
    with pytest.raises(DataError, match="not a number"):
        copy_report(np.full((10, 8), np.nan), labels, features, labels, features, labels)
    with pytest.raises(DataError, match="8 and 9 values"):
        copy_report(np.ones((10, 9)), labels, features, labels, features, labels)
    with pytest.raises(LabelMismatchError):
        copy_report(features, labels - 1, features, labels, features, labels)
