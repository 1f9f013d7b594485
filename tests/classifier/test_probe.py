"""A linear probe is the logistic regression of scikit-learn, with shares, views and soft labels as weights."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from ganaug.classifier.probe import Probe, ProbeTraining, softmax_regression, train_probe
from ganaug.classifier.weighed import Given, weighed
from ganaug.errors import DataError, LabelMismatchError, OptionError, TooFewImagesError

PLAIN = ProbeTraining(c=0.1)


def clouds(counts: tuple[int, ...], width: int = 20, seed: int = 0, apart: float = 1.0):
    """Features and labels; the same centres for every seed."""
    centres = np.random.default_rng(99).normal(size=(len(counts), width)) * apart
    labels = np.repeat(np.arange(len(counts)), counts)
    noise = np.random.default_rng(seed).normal(size=(len(labels), width))
    return (centres[labels] + noise).astype(np.float32), labels


def accuracy(probe: Probe, features: np.ndarray, labels: np.ndarray) -> float:
    return float((probe.predict(features).argmax(1) == labels).mean())


@pytest.mark.parametrize("c", [0.01, 1.0])
def test_it_is_the_regression_of_scikit_learn(c):
    x, y = clouds((20, 12, 8))
    weights = np.random.default_rng(1).uniform(0.2, 2, len(y))
    slopes, offsets = softmax_regression(x, weights[:, None] * np.eye(3)[y], c)
    theirs = LogisticRegression(C=c, tol=1e-8, max_iter=1000).fit(x.astype(np.float64), y, sample_weight=weights)
    mine = np.exp(x @ slopes + offsets)
    assert np.allclose(mine / mine.sum(1, keepdims=True), theirs.predict_proba(x), atol=1e-3)


def test_a_soft_label_is_an_image_of_several_classes_with_their_weights():
    x, y = clouds((10, 10))
    soft = 0.8 * np.eye(2)[y] + 0.1
    twice, hard = np.concatenate([x, x]), np.concatenate([0.9 * np.eye(2)[y], 0.1 * np.eye(2)[1 - y]])
    for one, other in zip(softmax_regression(x, soft, 1.0), softmax_regression(twice, hard, 1.0), strict=True):
        assert np.allclose(one, other, atol=1e-3)


def test_features_are_scaled_and_predictions_are_log_probabilities():
    x, y = clouds((30, 30, 30))
    test, truth = clouds((50, 50, 50), seed=1)
    unit = np.geomspace(1e-3, 1e3, 20).astype(np.float32)
    plain, odd = (train_probe(values, y, 3, training=PLAIN, seed=0) for values in (x, x * unit + 5 * unit))
    assert accuracy(plain, test, truth) > 0.85
    said = plain.predict(test)
    assert said.dtype == np.float64
    assert np.allclose(np.exp(said).sum(1), 1)
    strongest = (x * unit)[:, -8:]
    assert np.isfinite(odd.predict(test * unit)).all()
    assert strongest.std() > 1  # the weakest features are held down, not blown up
    constant = np.concatenate([x, np.full((len(x), 1), 3.0, np.float32)], 1)
    probe = train_probe(constant, y, 3, training=PLAIN, seed=0)
    assert np.abs(probe.predict(np.concatenate([test, np.full((150, 1), 3.1)], 1)) - said).max() < 2


@pytest.mark.parametrize("even", [False, True])
def test_a_class_without_images_is_possible_and_unlikely(even):
    x, y = clouds((20, 0, 10, 1))
    probe = train_probe(x, y, 4, training=ProbeTraining(class_weights=even), seed=0)
    said = probe.predict(x)
    assert np.isfinite(said).all()
    assert np.allclose(np.exp(said).sum(1), 1)
    assert np.exp(said[:, 1]).max() < 1e-5
    one = train_probe(x[:20], y[:20], 4, training=ProbeTraining(), seed=0)
    assert (one.predict(x).argmax(1) == 0).all()


def test_a_seed_decides_on_views_and_synthetic_images_alone():
    x, y = clouds((12, 12))
    views = np.stack([clouds((12, 12), seed=s)[0] for s in range(4)])
    synthetic = clouds((40, 40), seed=9)
    test = clouds((30, 30), seed=5)[0]

    def said(seed: int, training: ProbeTraining) -> np.ndarray:
        return train_probe(x, y, 2, training=training, seed=seed, views=views, synthetic=synthetic).predict(test)

    assert np.array_equal(said(0, PLAIN), said(1, PLAIN))
    for training in (ProbeTraining(augmentation="flips"), ProbeTraining(ratio=0.5)):
        assert np.array_equal(said(0, training), said(0, training))
        assert not np.array_equal(said(0, training), said(1, training))
        assert not np.array_equal(said(0, training), said(0, PLAIN))


def test_good_synthetic_images_help_and_wrong_ones_harm_less_where_they_weigh_less():
    x, y = clouds((4, 4, 4), apart=0.6)
    test, truth = clouds((200, 200, 200), seed=1, apart=0.6)
    more = clouds((50, 50, 50), seed=2, apart=0.6)
    wrong = more[0], (more[1] + 1) % 3

    def right(ratio: float, synthetic, use: str = "plain") -> float:
        training = ProbeTraining(ratio=ratio, use=use)
        return accuracy(train_probe(x, y, 3, training=training, seed=0, synthetic=synthetic), test, truth)

    alone = right(0, None)
    assert right(0.9, more) > alone + 0.05
    assert right(0.75, wrong) < right(0.75, wrong, "weak") < alone
    assert right(1, more) > alone


def weights(x, y, n_classes, **settings):
    """Of each class, real and synthetic: what a training gives to the regression."""
    synthetic = clouds((50, 50, 0), seed=2)
    given = Given(x, y, n_classes, synthetic)
    rows, targets = weighed(given, ProbeTraining(**settings), 0)
    assert len(rows) == len(targets)
    assert targets.sum() == pytest.approx(len(y))
    return targets[: len(y)].sum(0), targets[len(y) :].sum(0), len(rows) - len(y)


def test_shares_are_weights_of_each_class():
    x, y = clouds((20, 10, 5))
    real, made, _ = weights(x, y, 3, ratio=0.25)
    assert real == pytest.approx([15, 7.5, 5])  # no synthetic image of the last class: real ones stay in their place
    assert made == pytest.approx([5, 2.5, 0])
    real, made, count = weights(x, y, 3, ratio=0.5)
    assert count == 25 + 25  # half of those that are there
    real, made, _ = weights(x, y, 3, ratio=0.5, use="rare")
    assert made[0] == 0
    assert made[1] / (real + made)[1] == pytest.approx(0.25)
    real, made, _ = weights(x, y, 3, ratio=0.5, class_weights=True)
    assert real + made == pytest.approx([35 / 3] * 3)
    real, made, _ = weights(x, y, 3, ratio=0.5, use="light")
    assert made.sum() / real.sum() == pytest.approx(0.3 * 15 / 20)
    assert made[2] > 0  # soft labels


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"c": 0}, "A probe has c=0. Set c to a number above 0."),
        ({"views": 0}, "A probe has views=0. Set views to 1 or more."),
        ({"ratio": 1.5}, "share is 1.5"),
        ({"augmentation": "shake"}, "no augmentation 'shake'"),
        ({"use": "light+finish"}, "no last steps"),
    ],
)
def test_settings_that_mean_nothing_are_refused(settings, words):
    with pytest.raises(OptionError, match=words):
        ProbeTraining(**settings)


def test_what_does_not_fit_is_refused():
    x, y = clouds((5, 5))

    def train(features=x, labels=y, training=PLAIN, **given):
        return train_probe(features, labels, 2, training=training, seed=0, **given)

    with pytest.raises(TooFewImagesError, match="nothing to learn"):
        train(x[:0], y[:0])
    with pytest.raises(LabelMismatchError, match=r"0\.\.2 do not fit 2"):
        train(labels=y * 2)
    with pytest.raises(DataError, match="do not fit 9 real items"):
        train(labels=y[:9])
    with pytest.raises(DataError, match="synthetic items"):
        train(synthetic=(x[:, :3], y))
    with pytest.raises(TooFewImagesError, match="needs synthetic items"):
        train(training=ProbeTraining(ratio=0.5))
    with pytest.raises(OptionError, match="there are 1 of these images"):
        train(training=ProbeTraining(augmentation="flips"), views=x[None])
