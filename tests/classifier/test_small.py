"""The small classifier: learns, is a function of its seed, and mixes synthetic images in as it says."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from ganaug.classifier.augmentation import AUGMENTATIONS
from ganaug.classifier.small import Training, schedule, soft_targets, train_classifier
from ganaug.data.load import load_images
from ganaug.errors import LabelMismatchError, OptionError, TooFewImagesError

SHORT = Training(steps=3, batch=8)


def noise(n: int, channels: int = 1, size: int = 8) -> tuple[torch.Tensor, torch.Tensor]:
    rng = torch.Generator().manual_seed(0)
    pixels = torch.randint(0, 256, (n, channels, size, size), generator=rng, dtype=torch.uint8)
    return pixels, torch.arange(n) % 3


def test_learns_the_digits_in_a_hundred_steps():
    train, test = load_images("digits"), load_images("digits", split="test")
    classifier = train_classifier(train.pixels, train.labels, 10, training=Training(steps=100, lr=0.005), seed=0)
    assert (classifier.predict(test.pixels).argmax(1) == test.labels).float().mean() > 0.95
    assert classifier.losses.shape == (100,)
    assert classifier.losses[-10:].mean() < 0.2 < classifier.losses[:10].mean()


def test_learns_mnist_from_a_thousand_images(real_data: Path):
    with np.load(real_data / "mnist.npz") as data:
        x = torch.from_numpy(data["x_train"][:1000])[:, None]
        y = torch.from_numpy(data["y_train"][:1000]).long()
        x_test = torch.from_numpy(data["x_test"][:1000])[:, None]
        y_test = torch.from_numpy(data["y_test"][:1000]).long()
    classifier = train_classifier(x, y, 10, training=Training(steps=100), seed=0)
    assert (classifier.predict(x_test).argmax(1) == y_test).float().mean() > 0.8


@pytest.mark.parametrize(("steps", "looks"), [(1, 1), (7, 7), (25, 10)])
def test_watching_a_training_gives_its_curve_and_changes_nothing(steps: int, looks: int):
    pixels, labels = noise(30)
    others = noise(12, size=8)
    training = Training(steps=steps, batch=8, augmentation="affine")
    plain = train_classifier(pixels, labels, 3, training=training, seed=0)
    watched = train_classifier(pixels, labels, 3, training=training, seed=0, watch=others)
    assert torch.equal(plain.predict(pixels), watched.predict(pixels))
    assert np.array_equal(plain.losses, watched.losses)
    assert plain.watched == ()
    assert len(watched.watched) == looks
    right = (watched.predict(others[0]).argmax(1) == others[1]).double().mean()
    assert watched.watched[-1] == pytest.approx(float(right))


@pytest.mark.parametrize(("channels", "size"), [(1, 8), (3, 12), (1, 28), (3, 32), (3, 64), (1, 128)])
def test_takes_any_small_image_and_gives_features(channels: int, size: int):
    pixels, labels = noise(9, channels, size)
    classifier = train_classifier(pixels, labels, 3, training=Training(steps=1, batch=4), seed=0)
    assert classifier.predict(pixels).shape == (9, 3)
    features = classifier.features(pixels)
    assert features.shape[0] == 9
    assert features.isfinite().all()
    assert classifier.predict(pixels[:0]).shape == (0, 3)
    assert classifier.features(pixels[:0]).shape == (0, features.shape[1])


@pytest.mark.parametrize("augmentation", AUGMENTATIONS)
def test_is_a_function_of_its_seed_and_leaves_the_global_stream_alone(augmentation: str):
    pixels, labels = noise(20, 3)
    training = Training(steps=2, batch=8, augmentation=augmentation)
    torch.manual_seed(5)
    first = train_classifier(pixels, labels, 3, training=training, seed=1)
    state = torch.get_rng_state()
    torch.manual_seed(99)
    second = train_classifier(pixels, labels, 3, training=training, seed=1)
    other = train_classifier(pixels, labels, 3, training=training, seed=2)
    torch.manual_seed(5)
    assert torch.equal(torch.get_rng_state(), state)
    assert torch.equal(first.predict(pixels), second.predict(pixels))
    assert not torch.equal(first.predict(pixels), other.predict(pixels))


@pytest.mark.parametrize("augmentation", AUGMENTATIONS)
@pytest.mark.parametrize("channels", [1, 3])
def test_an_augmentation_keeps_shape_and_scale(augmentation: str, channels: int):
    pixels, _ = noise(6, channels, 16)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        seen = AUGMENTATIONS[augmentation](pixels.clone())
    assert seen.shape == pixels.shape
    assert 0 <= seen.float().min() <= seen.float().max() <= 255
    assert torch.equal(seen, pixels) == (augmentation == "none")


def test_crops_move_an_image_by_at_most_an_eighth():
    pixels = torch.zeros(64, 1, 16, 16, dtype=torch.uint8)
    pixels[:, :, 8, 8] = 255
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        rows, columns = AUGMENTATIONS["crops"](pixels)[:, 0].nonzero()[:, 1:].T
    assert set(rows.tolist()) == set(columns.tolist()) == {6, 7, 8, 9, 10}


def test_every_item_is_drawn_once_before_any_twice():
    labels = np.array([0] * 30 + [1] * 20)
    real, synthetic = schedule(labels, None, Training(steps=10, batch=10), seed=3)
    assert (synthetic == -1).all()
    assert (np.bincount(real.ravel(), minlength=50) == 2).all()


def test_balanced_batches_draw_every_class_equally_often():
    labels = np.array([0] * 90 + [1] * 6 + [2] * 4)
    real, _ = schedule(labels, None, Training(steps=10, batch=30, balanced=True), seed=0)
    assert (np.bincount(labels[real.ravel()]) == 100).all()


@pytest.mark.parametrize("ratio", [0.1, 0.25, 0.5, 1.0])
def test_synthetic_images_take_the_exact_share_of_every_batch_and_the_class_of_what_they_replace(ratio: float):
    labels, extra = np.arange(60) % 3, np.arange(12) % 3
    training = Training(steps=7, batch=20, ratio=ratio)
    real, synthetic = schedule(labels, extra, training, seed=0)
    alone, _ = schedule(labels, None, training, seed=0)
    assert np.array_equal(real, alone)  # the real order does not depend on the share: arms are paired
    taken = synthetic >= 0
    assert (taken.sum(1) == round(20 * ratio)).all()
    assert np.array_equal(extra[synthetic[taken]], labels[real[taken]])


def test_a_class_without_synthetic_images_keeps_its_real_ones():
    labels, extra = np.arange(60) % 3, np.zeros(5, dtype=np.int64)
    real, synthetic = schedule(labels, extra, Training(steps=4, batch=20, ratio=1.0), seed=0)
    assert np.array_equal(synthetic >= 0, labels[real] == 0)


def test_synthetic_images_are_what_is_trained_on():
    pixels, labels = noise(30)
    bright = torch.full((3, 1, 8, 8), 255, dtype=torch.uint8), torch.arange(3)
    plain = train_classifier(pixels, labels, 3, training=SHORT, seed=0)
    unused = train_classifier(pixels, labels, 3, training=SHORT, seed=0, synthetic=bright)
    mixed = train_classifier(
        pixels, labels, 3, training=Training(steps=3, batch=8, ratio=0.5), seed=0, synthetic=bright
    )
    assert np.array_equal(plain.losses, unused.losses)
    assert not np.array_equal(plain.losses, mixed.losses)


def test_the_loss_is_told_weights_and_smoothed_labels():
    labels, by_class = torch.tensor([0, 1, 1]), torch.tensor([2.0, 1.0])
    training = Training(use="light", label_smoothing=0.1)  # weight 0.3 and smoothing 0.2 for the synthetic one
    targets, total = soft_targets(torch.eye(2)[labels], labels, np.array([2]), by_class, training)
    assert targets.numpy() == pytest.approx(np.array([[1.9, 0.1], [0.05, 0.95], [0.03, 0.27]]))
    assert total == pytest.approx(3.3)


def test_says_what_is_wrong():
    pixels, labels = noise(9)
    with pytest.raises(LabelMismatchError, match="do not fit 2 classes"):
        train_classifier(pixels, labels, 2, training=SHORT, seed=0)
    with pytest.raises(TooFewImagesError, match="no images"):
        train_classifier(pixels[:0], labels[:0], 2, training=SHORT, seed=0)
    with pytest.raises(TooFewImagesError, match="needs synthetic images"):
        train_classifier(pixels, labels, 3, training=Training(ratio=0.5), seed=0)
    with pytest.raises(OptionError, match=r"Choose one of: none, crops"):
        Training(augmentation="mirror")
    with pytest.raises(OptionError, match="between 0 and 1"):
        Training(ratio=1.5)


@pytest.mark.parametrize("steps", [1, 2, 3, 4, 5, 9])
def test_a_training_may_have_few_steps(steps):
    pixels = torch.randint(0, 256, (8, 1, 8, 8), dtype=torch.uint8)
    trained = train_classifier(pixels, torch.arange(8) % 2, 2, training=Training(steps=steps, batch=4), seed=0)
    assert len(trained.losses) == steps
    assert np.isfinite(trained.losses).all()
