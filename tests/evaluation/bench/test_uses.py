"""Uses of synthetic images, blends and class weights change what they say and nothing else."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from ganaug.classifier.augmentation import BLENDS
from ganaug.classifier.small import Training, class_weights, schedule, train_classifier
from ganaug.classifier.use import DEFAULTS, USES, Use, use_named
from ganaug.errors import OptionError

LABELS = np.array([0] * 60 + [1] * 30 + [2] * 10)
EXTRA = np.repeat([0, 1, 2], 40)
BASE = Training(steps=20, batch=30, ratio=0.5, balanced=True)


def rows(**changes):
    return schedule(LABELS, EXTRA, replace(BASE, **changes), seed=0)


def test_words_join_and_others_are_refused():
    assert use_named("light+finish") == Use(weight=0.3, smoothing=0.2, finish=0.2)
    assert use_named("plain") == Use()
    assert set(DEFAULTS) <= set(USES)
    with pytest.raises(OptionError, match=r"'heavy'.*light"):
        use_named("light+heavy")
    with pytest.raises(OptionError, match="heavy"):
        Training(use="heavy")
    with pytest.raises(OptionError, match="mixup"):
        Training(blend="puree")


@pytest.mark.parametrize("use", USES)
def test_the_real_images_of_a_batch_are_the_same_under_every_use(use: str):
    assert np.array_equal(rows(use=use)[0], rows(ratio=0.0)[0])


def test_finish_leaves_the_last_steps_to_real_images():
    synthetic = rows(use="finish")[1]
    assert (synthetic[16:] == -1).all()
    assert np.array_equal(synthetic[:16], rows()[1][:16])


def test_rare_spares_the_largest_class_and_fills_the_smallest_most():
    real, synthetic = rows(use="rare", steps=200)
    classes = LABELS[real[:, -15:]]
    shares = [(synthetic[:, -15:][classes == label] >= 0).mean() for label in range(3)]
    assert shares[0] == 0
    assert shares[1:] == pytest.approx([0.5, 5 / 6], abs=0.05)


def test_fixed_uses_the_first_images_of_each_class_only():
    extra = np.repeat([0, 1, 2], 80)
    synthetic = schedule(LABELS, extra, replace(BASE, steps=100, use="fixed"), seed=0)[1]
    used = np.unique(synthetic[synthetic >= 0])
    assert np.array_equal(used, np.concatenate([np.arange(50), 80 + np.arange(50), 160 + np.arange(50)]))


def test_weight_and_smoothing_are_of_synthetic_images_alone():
    pixels, labels = torch.randint(0, 255, (30, 1, 8, 8), dtype=torch.uint8), torch.arange(30) % 3
    extra = 255 - pixels, labels
    first = {}
    for use in ("plain", "weak", "smooth", "light"):
        for ratio in (0.0, 0.5):
            training = Training(steps=1, batch=10, ratio=ratio, use=use)
            trained = train_classifier(pixels, labels, 3, training=training, seed=0, synthetic=extra)
            first[use, ratio] = float(trained.losses[0])
    assert len({first[use, 0.0] for use in ("plain", "weak", "smooth", "light")}) == 1
    assert len({first[use, 0.5] for use in ("plain", "weak", "smooth", "light")}) == 4


def test_class_weights_make_classes_weigh_the_same():
    labels = torch.tensor([0] * 6 + [1] * 3 + [3])
    weights = class_weights(labels, 5)
    totals = torch.bincount(labels, minlength=5) * weights
    assert totals[[0, 1, 3]].tolist() == pytest.approx([10 / 3] * 3)
    assert weights[[2, 4]].tolist() == [0, 0]


@pytest.mark.parametrize("blend", BLENDS)
def test_blends_mix_images_and_targets_alike(blend: str):
    """Images that are constants equal to their target show the share of the neighbour in both."""
    level = torch.linspace(0, 1, 8)
    pixels, targets = (255 * level)[:, None, None, None].expand(-1, 1, 16, 16), torch.stack([level, 1 - level], 1)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        x, t = BLENDS[blend](pixels, targets)
    assert x.mean((1, 2, 3)).tolist() == pytest.approx((255 * t[:, 0]).tolist(), abs=0.01)
    assert t.sum(1).tolist() == pytest.approx([1.0] * 8)
    assert torch.allclose(t, targets) == (blend == "none")
