"""A data set whose items are served, now and then, as variants of themselves."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
import torch
from PIL import Image
from torch.utils.data import DataLoader, Dataset, TensorDataset

import ganaug
from ganaug.errors import DataError, OptionError, TranslatorError, WithheldWarning
from tests.toys import mixing as toy
from tests.toys.translators import pictures, save_translator


class Pictures(Dataset):
    classes = ("dark", "light")

    def __init__(self, transform=None):
        self.images, labels, self.masks = pictures()
        self.targets, self.transform = labels.tolist(), transform

    def __len__(self):
        return len(self.targets)

    def __getitem__(self, index):
        image = Image.fromarray(self.images[index])
        return image if self.transform is None else self.transform(image), self.targets[index]


def served(dataset):
    return np.stack([np.asarray(image) for image, _ in dataset.__getitems__(list(range(len(dataset))))])


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("translators")
    return {name: save_translator(folder / name, name) for name in ("toy_fill", "toy_paint", "toy_negative")}


def test_variants_keep_the_label_and_what_was_not_erased(runs):
    data = Pictures()
    mixed = ganaug.variants(data, runs["toy_fill"], k=3, p=0.5)
    x = served(mixed)
    which = mixed.synthetic_indices()
    assert 2 <= len(which) <= 18
    real = np.setdiff1d(np.arange(20), which)
    assert np.array_equal(x[real], data.images[real])
    changed = (x[which] != data.images[which]).mean((1, 2))
    assert (changed > 0).all()
    assert changed.max() <= 0.25 + 1e-9  # a hole has at most half the sides
    assert [label for _, label in mixed] == data.targets


def test_epochs_take_turns_and_are_a_function_of_the_seed(runs):
    data = Pictures()
    mixed, same = (ganaug.variants(data, runs["toy_fill"], k=3, p=1.0, seed=4) for _ in range(2))
    epochs = []
    for epoch in range(4):
        mixed.set_epoch(epoch)
        epochs.append(served(mixed))
    assert all((epochs[i] != epochs[j]).any() for i in range(3) for j in range(i))
    assert np.array_equal(epochs[0], epochs[3])  # three variants, in turn
    same.set_epoch(2)
    assert np.array_equal(served(same), epochs[2])
    other = ganaug.variants(data, runs["toy_fill"], k=3, p=1.0, seed=5)
    assert not np.array_equal(served(other), epochs[0])


def test_workers_serve_the_same_bytes_and_run_no_network(runs):
    mixed = ganaug.variants(Pictures(toy.as_tensor), runs["toy_fill"], k=2, p=0.5)
    sent = pickle.dumps(mixed)
    assert b"Fill" not in sent
    here = [image.tolist() for image, _ in mixed]
    there = [image.tolist() for image, _ in DataLoader(mixed, batch_size=None, num_workers=1)]
    assert here == there


def test_rendered_once(runs, monkeypatch):
    data = Pictures()
    first = ganaug.variants(data, runs["toy_fill"], k=2, seed=9)
    monkeypatch.setattr("ganaug.samples.variants.Variants.stream", lambda *a: pytest.fail("rendered twice"))
    assert np.array_equal(served(ganaug.variants(data, runs["toy_fill"], k=2, seed=9)), served(first))


def test_masks_are_the_source_of_recipes_that_learned_from_pairs(runs):
    data = Pictures()
    mixed = ganaug.variants(data, runs["toy_paint"], p=1.0, pairs=data.masks)
    rows = served(mixed).astype(int)
    bright = rows.mean(2).argmax(1)
    assert bright.tolist() == [i % 8 for i in range(20)]  # where each item's own mask is bright
    with pytest.raises(DataError, match="--pairs"):
        ganaug.variants(data, runs["toy_paint"])
    with pytest.raises(DataError, match="19 paired"):
        ganaug.variants(data, runs["toy_paint"], pairs=data.masks[:-1])


def test_a_translation_brings_its_label(runs):
    data = Pictures()
    mixed = ganaug.variants(data, runs["toy_negative"], p=0.5, k=4)
    labels = np.array([label for _, label in mixed])
    which = mixed.synthetic_indices()
    real = np.setdiff1d(np.arange(20), which)
    assert len(which)
    assert (labels[which] == 1 - np.array(data.targets)[which]).all()
    assert (labels[real] == np.array(data.targets)[real]).all()
    to_dark = which[labels[which] == 0]
    assert np.abs(served(mixed)[to_dark].astype(int) - (255 - data.images[to_dark].astype(int))).max() <= 1


def _bytes(image):
    return np.asarray(image) if isinstance(image, Image.Image) else (image[0] * 255).round().byte().numpy()


@pytest.mark.parametrize(("recipe", "labels"), [("context_encoder", [0, 1]), ("cyclegan", [1, 0])])
def test_classes_that_the_fit_left_out_stay_as_they_are(recipe, labels, tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (13, 8, 8), dtype=np.uint8)
    kinds = np.array([0] * 5 + [2] * 3 + [1] * 5)  # "2" comes in the middle
    run = ganaug.fit((pixels, kinds), tmp_path / "run", recipe=recipe, steps=2, skip_small=4)
    images = torch.from_numpy(pixels)[:, None].float() / 255
    data = [(Image.fromarray(one), int(kind)) for one, kind in zip(pixels, kinds, strict=True)]
    with pytest.warns(WithheldWarning, match="2"):
        mixed = ganaug.variants(data, run, k=1, p=1.0)
    change = ganaug.Reimagine if recipe == "context_encoder" else ganaug.Translate
    with pytest.warns(WithheldWarning, match="2"):
        transform = change(run, p=1.0, classes=["0", "1", "2"])
    batch, now = transform(images, torch.from_numpy(kinds))
    items = mixed.__getitems__(list(range(13)))
    for served, given in ((batch, now), zip(*items, strict=True)):
        same = [np.array_equal(_bytes(one), real) for one, real in zip(served, pixels, strict=True)]
        assert same[5:8] == [True] * 3
        assert not any(same[:5] + same[8:])
        assert [int(label) for label in given] == [*[labels[0]] * 5, *[2] * 3, *[labels[1]] * 5]


def test_what_cannot_be_done_is_refused(runs, tmp_path):
    data = Pictures()
    noise = toy.save_generator(tmp_path / "generator")
    with pytest.raises(TranslatorError, match="noise"):
        ganaug.variants(data, noise)
    for call in (ganaug.mix, ganaug.augment_loader):
        with pytest.raises(TranslatorError, match="ganaug.variants"):
            call(DataLoader(data) if call is ganaug.augment_loader else data, runs["toy_fill"])
    with pytest.raises(TranslatorError, match="Translate"):
        ganaug.SyntheticDataset(runs["toy_negative"], per_class=1)
    with pytest.raises(TranslatorError):
        ganaug.SynthMix(runs["toy_fill"], live=True)
    with pytest.raises(OptionError, match="k is 0"):
        ganaug.variants(data, runs["toy_fill"], k=0)
    with pytest.raises(OptionError, match="p is 1.5"):
        ganaug.variants(data, runs["toy_fill"], p=1.5)
    assert issubclass(TensorDataset, Dataset)
