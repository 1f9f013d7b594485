"""Image-to-image transforms of batches."""

from __future__ import annotations

import pickle

import pytest
import torch
from torchvision import tv_tensors
from torchvision.transforms import v2

import ganaug
from ganaug.errors import IncompatibleLoaderError, LabelMismatchError, OptionError, TranslatorError
from tests.toys import mixing as toy
from tests.toys.translators import pictures, save_translator

CLASSES = ("dark", "light")
X, Y, MASKS = (torch.from_numpy(part) for part in pictures(40))
X, MASKS = X[:, None], MASKS[:, None]


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("translators")
    return {name: save_translator(folder / name, name) for name in ("toy_fill", "toy_paint", "toy_negative")}


@pytest.mark.parametrize("name", ["Reimagine", "Inpaint"])
def test_a_share_is_refilled_and_the_rest_is_kept_bit_by_bit(runs, name):
    images, labels = getattr(ganaug, name)(runs["toy_fill"], p=0.5, classes=CLASSES)(X, Y)
    assert torch.equal(labels, Y)
    assert images.dtype == torch.uint8
    changed = (images != X).flatten(1).float().mean(1)
    assert 8 <= int((changed > 0).sum()) <= 32
    assert changed.max() <= 0.25


def test_more_holes_change_more(runs):
    one, five = (ganaug.Inpaint(runs["toy_fill"], p=1.0, holes=n, classes=CLASSES)(X, Y)[0] for n in (1, 5))
    assert (five != X).float().mean() > 2 * (one != X).float().mean()


def test_draws_are_a_function_of_seed_epoch_and_call(runs):
    a, b = (ganaug.Reimagine(runs["toy_fill"], seed=3, classes=CLASSES) for _ in range(2))
    first, second = a(X, Y)[0], a(X, Y)[0]
    assert torch.equal(b(X, Y)[0], first)
    assert not torch.equal(first, second)
    a.set_epoch(0)
    assert torch.equal(a(X, Y)[0], first)
    a.set_epoch(1)
    assert not torch.equal(a(X, Y)[0], first)
    again = pickle.loads(pickle.dumps(b))
    assert torch.equal(again(X, Y)[0], second)


def test_floats_normalised_ones_other_sizes_and_colours(runs):
    plain = ganaug.Inpaint(runs["toy_fill"], p=1.0, seed=1, classes=CLASSES)(X, Y)[0]
    unit = ganaug.Inpaint(runs["toy_fill"], p=1.0, seed=1, classes=CLASSES)(X.float() / 255, Y)[0]
    assert (unit * 255 - plain).abs().max() <= 0.51
    mean, std = [0.3], [0.2]
    normal = v2.functional.normalize(X.float() / 255, mean, std)
    made = ganaug.Inpaint(runs["toy_fill"], p=1.0, seed=1, normalize=(mean, std), classes=CLASSES)(normal, Y)[0]
    assert (made * 0.2 + 0.3 - unit).abs().max() < 1e-3
    assert (made != normal).flatten(1).float().mean(1).max() <= 0.25
    large = tv_tensors.Image(torch.randint(0, 256, (40, 3, 20, 30), dtype=torch.uint8))
    found = ganaug.Inpaint(runs["toy_fill"], p=1.0, classes=CLASSES)(large, Y)[0]
    assert isinstance(found, tv_tensors.Image)
    assert found.shape == large.shape
    share = (found != large).any(1).float().mean((1, 2))
    assert (share > 0).all()
    assert share.max() <= 0.3  # outside of the hole nothing is lost by the way to the generator's size


def test_masks_come_with_the_batch(runs):
    transform = ganaug.Reimagine(runs["toy_paint"], p=1.0, classes=CLASSES)
    images, labels = transform([X, Y], pairs=MASKS)
    assert images[:, 0].float().mean(2).argmax(1).tolist() == [i % 8 for i in range(40)]
    as_floats = ganaug.Reimagine(runs["toy_paint"], p=1.0, classes=CLASSES)(X, Y, pairs=MASKS.float() / 255)[0]
    assert torch.equal(as_floats, images)
    with pytest.raises(IncompatibleLoaderError, match="pairs=masks"):
        transform(X, Y)
    with pytest.raises(IncompatibleLoaderError, match="Leave pairs out"):
        ganaug.Reimagine(runs["toy_fill"], classes=CLASSES)(X, Y, pairs=MASKS)


def test_translation_sets_the_label(runs):
    images, labels = ganaug.Translate(runs["toy_negative"], p=0.5, classes=CLASSES)(X, Y)
    changed = (images != X).flatten(1).any(1)
    assert torch.equal(labels != Y, changed)
    assert 0 < int(changed.sum()) < 40
    images, labels = ganaug.Translate(runs["toy_negative"], p=1.0, to="dark", classes=CLASSES)(X, Y)
    assert (labels == 0).all()
    assert torch.equal(images[Y == 0], X[Y == 0])
    assert ((255 - images[Y == 1].int()) - X[Y == 1].int()).abs().max() <= 1
    swapped = ganaug.Translate(runs["toy_negative"], p=1.0, classes=["light", "dark"])(X, 1 - Y)
    assert torch.equal(swapped[1], Y)
    assert torch.equal(swapped[0][Y == 1], images[Y == 1])


def test_misuse_is_named(runs, tmp_path):
    with pytest.raises(TranslatorError, match="SynthMix"):
        ganaug.Reimagine(toy.save_generator(tmp_path / "generator"), classes=CLASSES)
    with pytest.raises(TranslatorError, match="Translate"):
        ganaug.Reimagine(runs["toy_negative"], classes=CLASSES)
    with pytest.raises(TranslatorError, match="context_encoder"):
        ganaug.Inpaint(runs["toy_paint"], classes=CLASSES)
    with pytest.raises(TranslatorError, match="cyclegan"):
        ganaug.Translate(runs["toy_fill"], classes=CLASSES)
    with pytest.raises(OptionError, match="'grey'"):
        ganaug.Translate(runs["toy_negative"], to="grey", classes=CLASSES)
    with pytest.raises(OptionError, match="holes"):
        ganaug.Inpaint(runs["toy_fill"], holes=0, classes=CLASSES)
    with pytest.raises(OptionError, match="p is -1"):
        ganaug.Inpaint(runs["toy_fill"], p=-1, classes=CLASSES)
    with pytest.raises(LabelMismatchError, match="names"):
        ganaug.Inpaint(runs["toy_fill"], p=1.0, classes=CLASSES)(X, Y + 1)
    with pytest.raises(LabelMismatchError, match="'dog'"):
        ganaug.Inpaint(runs["toy_fill"], classes=["dark", "dog"])
    with pytest.raises(IncompatibleLoaderError, match="MixUp"):
        ganaug.Inpaint(runs["toy_fill"], classes=CLASSES)(X, torch.rand(40))
    with pytest.raises(IncompatibleLoaderError, match="3 things"):
        ganaug.Inpaint(runs["toy_fill"], classes=CLASSES)((X, Y, Y))
