import enum

import numpy as np
import pytest
from PIL import Image
from sklearn.base import clone
from sklearn.model_selection import cross_val_score
from sklearn.preprocessing import FunctionTransformer
from sklearn.tree import DecisionTreeClassifier

from ganaug.data.duplicates.fingerprint import fingerprint
from ganaug.data.duplicates.likeness import likeness
from ganaug.errors import DataError, LabelMismatchError, OptionError, SeenImagesWarning
from ganaug.mixing.imbalanced import GANSampler, added
from tests.toys import mixing as toy

COUNTS = {"NHW": (24, 8, 8), "NHWC": (24, 8, 8, 3), "NCHW": (24, 3, 8, 8), "NHWC1": (24, 12, 12, 1)}


def images(shape):
    y = np.array(toy.labels(24))
    levels = np.array([toy.LEVELS[name] for name in toy.CLASSES], dtype=np.uint8)
    return np.broadcast_to(levels[y].reshape(-1, *[1] * (len(shape) - 1)), shape).copy(), y


@pytest.mark.parametrize("layout", COUNTS)
@pytest.mark.parametrize("named", [False, True])
def test_originals_first_then_synthetic_up_to_the_largest(run, layout, named):
    x, y = images(COUNTS[layout])
    labels = np.array(toy.CLASSES)[y] if named else y
    x2, y2 = GANSampler(run, classes=toy.CLASSES).fit_resample(x, labels)
    assert np.array_equal(x2[:24], x)
    assert np.array_equal(y2[:24], labels)
    assert x2.dtype == np.uint8
    assert x2.shape[1:] == x.shape[1:]
    assert y2.dtype == labels.dtype
    assert np.unique(y2, return_counts=True)[1].tolist() == [12, 12, 12]
    for image, label in zip(x2[24:], y2[24:], strict=True):
        assert abs(image.mean() - toy.LEVELS[label if named else toy.CLASSES[label]]) < 16
        assert toy.is_synthetic(image)


def test_it_is_repeatable_and_an_estimator(run):
    x, y = images((24, 8, 8))
    sampler = GANSampler(run, random_state=5, classes=toy.CLASSES)
    assert np.array_equal(sampler.fit_resample(x, y)[0], clone(sampler).fit_resample(x, y)[0])
    assert not np.array_equal(sampler.fit_resample(x, y)[0], GANSampler(run, classes=toy.CLASSES).fit_resample(x, y)[0])
    assert sampler.get_params()["sampling_strategy"] == "auto"
    assert sampler.sampling_strategy_ == {0: 0, 1: 4, 2: 8}


@pytest.mark.parametrize(
    ("strategy", "want"),
    [
        ("auto", [0, 4, 8]),
        ("not majority", [0, 4, 8]),
        ("all", [0, 4, 8]),
        ("minority", [0, 0, 8]),
        ("not minority", [0, 4, 0]),
        ({1: 10, 2: 4}, [0, 2, 0]),
        ({0: 15}, [3, 0, 0]),
        (lambda y: {2: 6}, [0, 0, 2]),
    ],
)
def test_strategies(strategy, want):
    y = np.array(toy.labels(24))
    assert list(added(strategy, {0: 12, 1: 8, 2: 4}, y).values()) == want


def test_a_ratio_of_two_classes():
    assert added(0.5, {"a": 100, "b": 10}, np.array([])) == {"a": 0, "b": 40}
    assert added(1.0, {"a": 5, "b": 5}, np.array([])) == {"a": 0, "b": 0}


@pytest.mark.parametrize("strategy", ["most", 0.5, {0: 3}, {9: 30}, None, True])
def test_strategies_that_do_not_fit(run, strategy):
    x, y = images((24, 8, 8))
    with pytest.raises(OptionError):
        GANSampler(run, sampling_strategy=strategy, classes=toy.CLASSES).fit_resample(x, y)
    with pytest.raises(OptionError, match="larger"):
        added(0.05, {"a": 100, "b": 10}, y)


def test_classes_name_the_integers(run):
    x, y = images((24, 8, 8))
    x2, y2 = GANSampler(run, classes=["cow", "bee", "ant"]).fit_resample(x, y)
    assert all(abs(image.mean() - toy.LEVELS["ant"]) < 16 for image in x2[24:][y2[24:] == 2])
    with pytest.raises(LabelMismatchError, match="dog"):
        GANSampler(run, classes=["ant", "bee", "dog"]).fit_resample(x, y)
    with pytest.raises(LabelMismatchError, match="label 3"):
        GANSampler(run, classes=toy.CLASSES).fit_resample(x, y + 2)


def test_nothing_to_add(run):
    x, y = images((24, 8, 8))
    x2, y2 = GANSampler(run, classes=toy.CLASSES).fit_resample(x[y == 0], y[y == 0])
    assert np.array_equal(x2, x[y == 0])


def test_what_is_not_images(run):
    x, y = images((24, 8, 8))
    for bad in (x.astype(float), x.reshape(24, -1), x[..., None, None], np.zeros((24, 8, 8, 5), np.uint8)):
        with pytest.raises(DataError):
            GANSampler(run, classes=toy.CLASSES).fit_resample(bad, y)
    for labels in (y[:5], y.astype(float), y[:, None], np.ma.array(y, mask=y > 1), np.array(["ant", 1, 2], object)[y]):
        with pytest.raises(DataError):
            GANSampler(run, classes=toy.CLASSES).fit_resample(x, labels)
    with pytest.raises(OptionError):
        GANSampler(run, layout="HWCN", classes=toy.CLASSES).fit_resample(x, y)
    with pytest.raises(DataError):
        GANSampler(run, layout="NCHW", classes=toy.CLASSES).fit_resample(x[..., None], y)


def folds(tmp_path, seen, **more):
    """Pictures that can be told apart, and a generator that saw these rows of them."""
    y = np.array(toy.labels(48))
    x = np.stack([toy.real_pixels(i, label) for i, label in enumerate(y)])
    marks = [fingerprint(image) for image in x]
    run = toy.save_generator(
        tmp_path / "run" / "generator", fingerprints=tuple(marks[i] for i in seen), held_out=(), **more
    )
    return x, y, GANSampler(run, classes=toy.CLASSES)


def test_a_generator_that_saw_other_folds_is_named(tmp_path):
    x, y, sampler = folds(tmp_path, range(48))
    sampler.fit_resample(x, y)  # all that it saw
    with pytest.warns(SeenImagesWarning, match=r"saw 12 images that are not in X.*fit one generator for each fold"):
        sampler.fit_resample(x[:36], y[:36])
    with pytest.warns(SeenImagesWarning, match="12 images"):
        sampler.fit_resample(x[:36, ..., None].repeat(3, 3).transpose(0, 3, 1, 2), y[:36])


def test_a_generator_that_saw_the_training_fold_only_is_fine(tmp_path):
    x, y, sampler = folds(tmp_path, range(36))
    sampler.fit_resample(x[:36], y[:36])
    sampler.fit_resample(x, y)
    x, y, sampler = folds(tmp_path / "other", [])
    sampler.fit_resample(x, y)


def test_cross_validation_with_one_generator_says_so(tmp_path):
    pipeline = pytest.importorskip("imblearn.pipeline")
    x, y, sampler = folds(tmp_path, range(48))
    steps = pipeline.make_pipeline(
        sampler, FunctionTransformer(lambda images: images.reshape(len(images), -1)), DecisionTreeClassifier()
    )
    with pytest.warns(SeenImagesWarning, match="24 images that are not in X") as told:
        cross_val_score(steps, x, y, cv=2, error_score="raise")
    assert len([one for one in told if one.category is SeenImagesWarning]) == 2


@pytest.mark.filterwarnings("ignore::ganaug.errors.EnlargedWarning")
def test_a_fold_in_another_form_is_known_by_likeness(tmp_path):
    rng = np.random.default_rng(0)
    small = rng.integers(0, 256, (6, 8, 8), dtype=np.uint8)
    pictures = [Image.fromarray(image).resize((64, 64), Image.Resampling.BICUBIC) for image in small]
    x = np.stack([np.asarray(picture) for picture in pictures])
    marks = tuple(fingerprint(image) for image in x)
    alike = [likeness(image) for image in x]
    run = toy.save_generator(tmp_path / "run" / "generator", fingerprints=marks, likenesses=tuple(alike))
    resized = np.stack([np.asarray(picture.resize((48, 48))) for picture in pictures])
    sampler, y = GANSampler(run, classes=toy.CLASSES), np.array([0, 0, 0, 1, 1])
    with pytest.warns(SeenImagesWarning, match="in another form, and 6 images in all"):
        sampler.fit_resample(resized[:5], y)
    sampler.fit_resample(rng.integers(0, 256, (5, 48, 48), dtype=np.uint8), y)  # others: nothing to say


def test_names_that_look_the_same_are_refused(run):
    x, y = images((24, 8, 8))
    with pytest.raises(DataError, match="look the same"):
        GANSampler(run).fit_resample(x, np.array(["\u00fc", "u\u0308", "ant"])[y])
    with pytest.raises(DataError, match="no order"):
        GANSampler(run).fit_resample(x, np.array(list(enum.Enum("kinds", "ant bee cow")), object)[y])
