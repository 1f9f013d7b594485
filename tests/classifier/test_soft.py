"""Soft labels: what both classifiers learn in place of one label an image."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.nn.functional import one_hot

from ganaug.classifier.probe import ProbeTraining, train_probe
from ganaug.classifier.small import Training, train_classifier
from ganaug.errors import LabelMismatchError

CLASSES = 3
LABELS = torch.arange(30) % CLASSES
NUMBERS = LABELS.numpy()


def images(n: int = 30, seed: int = 0) -> torch.Tensor:
    rng = torch.Generator().manual_seed(seed)
    return torch.randint(0, 256, (n, 1, 8, 8), generator=rng, dtype=torch.uint8)


def features(n: int = 30, seed: int = 0) -> np.ndarray:
    """Of three classes that overlap."""
    centres = np.random.default_rng(9).normal(size=(CLASSES, 12))
    noise = np.random.default_rng(seed).normal(size=(n, 12))
    return (centres[np.arange(n) % CLASSES] + noise).astype(np.float32)


def network(soft=None, steps=4, **given):
    training = Training(steps=steps, batch=8, **given)
    synthetic = images(12, 1), torch.arange(12) % CLASSES
    return train_classifier(images(), LABELS, CLASSES, training=training, seed=0, soft=soft, synthetic=synthetic)


def probe(x=None, labels=NUMBERS, soft=None, **given):
    x = features() if x is None else x
    return train_probe(x, labels, CLASSES, training=ProbeTraining(**given), seed=0, soft=soft)


@pytest.mark.parametrize("given", [{}, {"ratio": 0.5, "use": "light"}, {"class_weights": True, "label_smoothing": 0.1}])
def test_certain_soft_labels_are_labels(given):
    certain = one_hot(LABELS, CLASSES).float()
    assert np.array_equal(network(certain, **given).losses, network(**given).losses)
    assert torch.equal(network(certain, **given).predict(images()), network(**given).predict(images()))


@pytest.mark.parametrize("weighed", [False, True])
def test_for_a_probe_as_well(weighed):
    x, plain = features(60, 1), probe(class_weights=weighed)
    assert np.array_equal(probe(class_weights=weighed, soft=np.eye(CLASSES)[LABELS]).predict(x), plain.predict(x))


def test_a_network_learns_the_probabilities():
    wanted = torch.tensor([0.6, 0.3, 0.1])
    found = network(wanted.expand(30, 3), steps=120).predict(images()).softmax(1).mean(0)
    assert torch.allclose(found, wanted, atol=0.05)


def test_synthetic_images_keep_their_labels():
    """Batches of synthetic images alone, so that soft labels of real ones change nothing."""
    soft = torch.full((30, CLASSES), 1 / CLASSES)
    assert np.array_equal(network(soft, ratio=1.0).losses, network(ratio=1.0).losses)
    assert not np.array_equal(network(soft, ratio=0.5).losses, network(ratio=0.5).losses)


def test_soft_labels_of_a_teacher_are_worth_as_much_as_its_features():
    """Distilled on many unlabelled features, a probe says what its teacher says."""
    teacher, pool, x = probe(c=1.0), features(600, 1), features(300, 2)
    said = teacher.predict(pool)
    pupil = probe(pool, said.argmax(1), np.exp(said), c=100.0)
    assert np.abs(np.exp(pupil.predict(x)) - np.exp(teacher.predict(x))).mean() < 0.02


def test_what_is_no_probability_is_refused():
    certain = one_hot(LABELS, CLASSES).float()
    for wrong, words in (
        (certain[:9], "do not fit 30 images"),
        (certain[:, :2], "do not fit"),
        (2 * certain, "sum to 1"),
        (certain * 3 - 2 / 3, "negative"),
        (certain * torch.nan, "not probabilities"),
    ):
        for train in (network, lambda soft: probe(soft=soft.numpy())):
            with pytest.raises(LabelMismatchError, match=words):
                train(wrong)
