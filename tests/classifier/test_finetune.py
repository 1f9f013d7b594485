"""Fine-tuning begins as a linear probe, trains all layers, and means the same however little memory there is."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
import timm
import torch
from safetensors.torch import save_file

from ganaug.classifier.features import Backbone
from ganaug.classifier.finetune import SCRATCH, FinetuneTraining, train_finetuned
from ganaug.classifier.finetuned import Finetuned
from ganaug.classifier.pretrained import LITE
from ganaug.classifier.probe import ProbeTraining, train_probe
from ganaug.classifier.remedies import remedy_named
from ganaug.errors import (
    DataError,
    DivergedError,
    LabelMismatchError,
    OptionError,
    OutOfMemoryError,
    TooFewImagesError,
    WeightsError,
)

SHORT = FinetuneTraining(epochs=2, batch=8, lr=1e-3)
STILL = replace(SHORT, lr=1e-12, epochs=1)  # the network stays as it begins


def stripes(counts: tuple[int, ...], seed: int = 0, side: int = 32) -> tuple[np.ndarray, np.ndarray]:
    """Read-only noise with stripes, whose width is that of the class; and labels."""
    labels = np.repeat(np.arange(len(counts)), counts)
    waves = np.sin(np.arange(side)[None, :] * np.pi / 2.0 ** labels[:, None]) > 0
    noise = np.random.default_rng(seed).integers(0, 156, (len(labels), side, side, 3))
    images = (noise + 99 * waves[:, None, :, None]).astype(np.uint8)
    images.setflags(write=False)
    return images, labels


def noise(counts: tuple[int, ...], seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Images that say nothing about their labels."""
    labels = np.repeat(np.arange(len(counts)), counts)
    return np.random.default_rng(seed).integers(0, 256, (len(labels), 32, 32, 3), dtype=np.uint8), labels


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(0)
        made = timm.create_model("test_resnet")
    file = tmp_path_factory.mktemp("weights") / "w.safetensors"
    save_file({key: value.contiguous() for key, value in made.state_dict().items()}, file)
    return file


@pytest.fixture
def train(weights: Path):
    def trained(images, labels, n_classes: int, training: FinetuneTraining = SHORT, seed: int = 0, **given):
        given = {"name": "test_resnet", "weights": weights} | given
        return train_finetuned(images, labels, n_classes, training=training, seed=seed, **given)

    return trained


def accuracy(tuned: Finetuned, images: np.ndarray, labels: np.ndarray) -> float:
    return float((tuned.predict(images).argmax(1) == labels).mean())


def truth(tuned: Finetuned, images: np.ndarray, labels: np.ndarray) -> float:
    """Mean probability of the true class."""
    return float(np.exp(tuned.predict(images))[np.arange(len(labels)), labels].mean())


@pytest.mark.parametrize("training", [SHORT, replace(SCRATCH, epochs=12)])
def test_it_learns_what_can_be_told_apart(train, training):
    tuned = train(*stripes((20, 20, 20)), 3, training)
    assert accuracy(tuned, *stripes((20, 20, 20), seed=1)) > 0.9
    assert tuned.losses.dtype == np.float32
    assert tuned.losses.shape == (training.batches(60).steps,)
    assert tuned.kept == training.epochs


def test_it_begins_as_the_probe_of_the_frozen_network(train, weights):
    """Features by the other code for them; one class has no image."""
    x, y = stripes((9, 6))
    tuned, features = train(x, y, 3, STILL), Backbone("test_resnet", weights).features(x)
    assert np.allclose(tuned.features(x), features, atol=1e-4)
    probe = train_probe(features, y, 3, training=ProbeTraining(), seed=0)
    assert np.exp(tuned.predict(x)) == pytest.approx(np.exp(probe.predict(features)), abs=1e-3)
    made = stripes((5, 5), seed=1)
    mixed = train(x, y, 3, replace(STILL, ratio=0.5, use="weak+finish"), synthetic=made)
    how, also = ProbeTraining(ratio=0.5, use="weak"), (Backbone("test_resnet", weights).features(made[0]), made[1])
    probe = train_probe(features, y, 3, training=how, seed=0, synthetic=also)
    assert np.exp(mixed.predict(x)) == pytest.approx(np.exp(probe.predict(features)), abs=1e-3)


def test_fine_tuning_goes_further_than_the_probe(train):
    x, y = stripes((10, 10, 10, 10))
    still, tuned = train(x, y, 4, STILL), train(x, y, 4, replace(SHORT, epochs=6))
    test = stripes((20, 20, 20, 20), seed=1)
    assert truth(tuned, *test) > truth(still, *test) + 0.05
    assert tuned.losses[-5:].mean() < tuned.losses[:5].mean()


SETTINGS = [
    {},
    {"augmentation": "flips", "blend": "mixup", "label_smoothing": 0.1, "ratio": 0.5, "use": "light+rare"},
    {"augmentation": "affine", "blend": "cutmix", "balanced": True},
    {"scratch": True, "augmentation": "randaugment", "class_weights": True},
]


@pytest.mark.parametrize("settings", SETTINGS)
def test_it_is_a_function_of_its_arguments_and_leaves_the_global_stream_alone(train, settings):
    x, y = stripes((9, 5))
    made, training = stripes((5, 5), seed=1), replace(SHORT, **settings)
    state = torch.get_rng_state()
    first = train(x, y, 2, training, synthetic=made)
    assert torch.equal(torch.get_rng_state(), state)
    torch.default_generator.manual_seed(99)
    second, other = train(x, y, 2, training, synthetic=made), train(x, y, 2, training, synthetic=made, seed=1)
    assert np.array_equal(first.predict(x), second.predict(x))
    assert np.array_equal(first.losses, second.losses)
    assert not np.array_equal(first.predict(x), other.predict(x))
    assert np.isfinite(first.losses).all()
    plain = train(x, y, 2, replace(SHORT, scratch=training.scratch))
    assert np.array_equal(plain.losses, first.losses) == (not settings)  # without a share, synthetic ones are not seen


def test_global_defaults_of_torch_change_nothing(train):
    x, y = stripes((5, 5))
    usual = train(x, y, 2)
    try:
        torch.set_default_dtype(torch.float64)
        other = train(x, y, 2)
        said = other.predict(x)
    finally:
        torch.set_default_dtype(torch.float32)
    assert np.array_equal(said, usual.predict(x))


def test_rows_are_log_probabilities(train):
    tuned = train(*stripes((5, 5)), 2)
    said = tuned.predict(stripes((20, 20), seed=1)[0])
    assert said.dtype == np.float64
    assert np.exp(said).sum(1) == pytest.approx(np.ones(40), abs=1e-9)
    assert tuned.predict(stripes((0, 0))[0]).shape == (0, 2)


def test_wrong_synthetic_images_do_as_much_harm_as_they_weigh(train):
    x, y = stripes((16, 16))
    wrong, test = (stripes((16, 16), seed=2)[0], 1 - y), stripes((20, 20), seed=1)

    def right(ratio: float, use: str = "plain") -> float:
        return truth(train(x, y, 2, replace(SHORT, ratio=ratio, use=use), synthetic=wrong), *test)

    alone = right(0)
    assert alone > 0.7
    assert right(1) < 0.3
    assert right(0.5) + 0.05 < right(0.5, "weak") < alone


@pytest.mark.parametrize(("remedy", "low", "high"), [("", 0, 0.2), ("sampling", 0.28, 0.7), ("weights", 0.28, 0.7)])
def test_balancing_gives_small_classes_weight(train, remedy, low, high):
    """Where images say nothing, the probability of a class is its share."""
    training = replace(FinetuneTraining(epochs=2, lr=1e-5), **remedy_named(remedy).training)
    tuned = train(*noise((45, 5)), 2, training)
    assert low < np.exp(tuned.predict(noise((50,), seed=1)[0]))[:, 1].mean() < high


def test_the_best_epoch_is_kept(train):
    x, y = stripes((6, 6, 6, 6))
    validation = stripes((8, 8, 8, 8), seed=1)
    tuned = train(x, y, 4, replace(SHORT, epochs=5, lr=3e-3), validation=validation)
    assert len(tuned.watched) == 6
    assert tuned.watched[tuned.kept] == max(tuned.watched)
    assert accuracy(tuned, *validation) == tuned.watched[tuned.kept]
    assert accuracy(train(x, y, 4, STILL), *validation) == tuned.watched[0]


def test_patience_ends_a_training_that_makes_it_worse(train):
    x, y = stripes((6, 6))
    wrong = stripes((6, 6), seed=1)[0], 1 - y
    tuned = train(x, y, 2, replace(SHORT, epochs=9, patience=2), validation=wrong)
    assert tuned.kept == 0
    assert len(tuned.watched) == 3
    assert len(tuned.losses) == 4
    assert np.allclose(tuned.predict(x), train(x, y, 2, STILL).predict(x), atol=1e-5)


def test_batch_norm_keeps_what_it_knows_and_layers_near_the_pictures_move_less(train, weights):
    known = timm.create_model("test_resnet", checkpoint_path=str(weights)).state_dict()

    def moved(kind: str, **settings) -> float:
        found = train(*stripes((8, 8)), 2, replace(SHORT, **settings)).network.state_dict()
        return max(float((found[key] - known[key]).abs().max()) for key in known if kind in key)

    assert moved("running") == 0 < moved("bn1.weight")
    assert moved("running", scratch=True) > 0
    assert 0 < moved("conv1.0", layer_decay=0.1) < 0.01 * moved("conv1.0", layer_decay=1)


@pytest.mark.long
def test_a_short_memory_halves_what_is_in_the_network_and_changes_nothing(train, monkeypatch):
    x, y = stripes((10, 10))
    training = replace(SHORT, blend="mixup", augmentation="flips")
    usual = train(x, y, 2, training)
    logits, calls, told, room = Finetuned.logits, [], [], 4

    def short(self, pixels):
        calls.append(len(pixels))
        if len(pixels) > room or (len(calls) == 5 and room):  # at once, and in the second part of the second batch
            raise torch.OutOfMemoryError("CUDA out of memory")
        return logits(self, pixels)

    monkeypatch.setattr(Finetuned, "logits", short)
    tuned = train(x, y, 2, training, report=lambda *given: told.append(given[-1]))
    assert calls[:10] == [8, 4, 4, 4, 4, 2, 2, 2, 2, 2]
    assert tuned.batch == 2
    assert [words for words in told if words] == [f"memory is short: {n} pictures at a time" for n in (4, 2)]
    assert np.allclose(tuned.losses, usual.losses, rtol=0.01)
    assert np.allclose(tuned.predict(x), usual.predict(x), atol=0.1)
    room = 0
    with pytest.raises(OutOfMemoryError, match="Not even one picture"):
        train(x, y, 2, training)


@pytest.mark.long
def test_the_network_of_the_package_learns_photographs(real_data):
    """Five images a class, at 64 px."""
    with np.load(real_data / "eurosat.npz") as data:
        x, y = data["x_train"][:300], data["y_train"][:300].astype(np.int64)
        test = data["x_test"][:50], data["y_test"][:50].astype(np.int64)
    few = np.concatenate([np.flatnonzero(y == label)[:5] for label in range(10)])
    tuned = train_finetuned(x[few], y[few], 10, training=FinetuneTraining(epochs=1), seed=0, name=LITE, validation=test)
    assert max(tuned.watched) > 0.55


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"epochs": 0}, "has epochs=0. Set epochs to 1 or more."),
        ({"patience": 0}, "Set patience to 1 or more"),
        ({"layer_decay": 1.1}, "Set layer_decay to a number above 0 and at most 1"),
        ({"label_smoothing": 1}, "Set label_smoothing to a number from 0 to below 1"),
        ({"batch": 0}, "Set batch to 2 or more"),
        ({"lr": 0}, "A training has lr=0. Set lr to a number above 0."),
        ({"ratio": 1.5}, "share is 1.5"),
        ({"augmentation": "shake"}, "no augmentation 'shake'"),
        ({"blend": "stir"}, "no blend 'stir'"),
        ({"use": "heavy"}, "no use of synthetic images 'heavy'"),
    ],
)
def test_settings_that_mean_nothing_are_refused(settings, words):
    with pytest.raises(OptionError, match=words):
        FinetuneTraining(**settings)


def test_settings_are_plain():
    assert FinetuneTraining(**json.loads(json.dumps(asdict(SCRATCH)))) == SCRATCH


def test_what_does_not_fit_is_refused(train):
    x, y = stripes((4, 4))
    with pytest.raises(TooFewImagesError, match="no real images"):
        train(x[:0], y[:0], 2)
    with pytest.raises(TooFewImagesError, match="no validation images"):
        train(x, y, 2, validation=(x[:0], y[:0]))
    with pytest.raises(TooFewImagesError, match="needs synthetic images"):
        train(x, y, 2, replace(SHORT, ratio=0.5))
    with pytest.raises(TooFewImagesError, match="needs synthetic images"):
        train(x, y, 2, replace(SHORT, ratio=0.5), synthetic=(x[:0], y[:0]))
    mixed = replace(SHORT, ratio=0.5)
    for given in ({"labels": y * 2}, {"validation": (x, y * 2)}, {"synthetic": (x, y * 2)}):
        with pytest.raises(LabelMismatchError, match=r"0\.\.2 do not fit 2 classes"):
            train(**{"images": x, "labels": y, "n_classes": 2, "training": mixed, "synthetic": (x, y)} | given)
    for wrong in (x[:7], x[..., 0], x.astype(np.float32)):
        with pytest.raises(DataError, match="not the pictures of 8 real images"):
            train(wrong, y, 2)
    with pytest.raises(DataError, match="8 synthetic images"):
        train(x, y, 2, replace(SHORT, ratio=0.5), synthetic=(x[:, :16], y))


@pytest.mark.parametrize("name", ["deit_tiny_distilled_patch16_224", "levit_128s"])
def test_a_network_with_several_last_layers_begins_with_new_ones(name):
    x, y = noise((2, 2))
    x = x.repeat(7, 1).repeat(7, 2)
    said = []
    tuned = train_finetuned(
        x, y, 2, training=replace(STILL, batch=4), seed=0, name=name, weights="none",
        report=lambda phase, done, total, text: said.append(text),
    )  # fmt: skip
    assert tuned.predict(x).shape == (4, 2)
    assert any("no single linear last layer" in text for text in said)


def test_networks_are_trained_on_cpus_in_the_layout_that_torch_trains_safely():
    """With channels last, torch 2.14 ends the process where depthwise layers of fastvit_t8 or mobileone_s0 learn."""
    made = timm.create_model("test_resnet")
    assert Finetuned.of(made, torch.device("cpu"), 4).layout is torch.channels_last
    tuned = Finetuned.of(made, torch.device("cpu"), 4, safely=True)
    assert all(values.is_contiguous() for values in tuned.network.parameters())
    assert tuned._normalised(torch.zeros(2, 3, 32, 32)).is_contiguous()


def test_a_network_that_cannot_is_refused(train, weights, tmp_path):
    x, y = stripes((4, 4))
    with pytest.raises(DataError, match=r"cannot take pictures of 32 x 32 x 1") as told:
        train(x[..., :1], y, 2)
    assert "160 x 160 x 3" in told.value.fix
    with pytest.raises(DataError, match="cannot take pictures of 32 x 32 x 3: Input height"):
        train(x, y, 2, replace(SHORT, scratch=True), name="test_vit3")
    with pytest.raises(DivergedError, match="lower learning rate"):
        train(x, y, 2, replace(SHORT, lr=1e30, epochs=3))
    damaged = timm.create_model("test_resnet", checkpoint_path=str(weights)).state_dict()
    damaged["conv1.0.weight"].fill_(float("nan"))
    save_file(damaged, tmp_path / "damaged.safetensors")
    with pytest.raises(WeightsError, match="not finite"):
        train(x, y, 2, weights=tmp_path / "damaged.safetensors")
