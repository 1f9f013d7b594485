"""A limit and a seed choose the same images, whichever way they come."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from ganaug.data.check import check
from ganaug.data.load import load_images
from ganaug.data.sources.folder import from_folder
from ganaug.data.survey import survey
from ganaug.evaluation.bench.sets import gather
from ganaug.evaluation.bench.settings import BenchSettings
from ganaug.fitting.prepare import FitSettings, prepare
from ganaug.reporting import silent
from tests.toys.images import picture

CLASSES = ("ant", "bee")
BROKEN = (2, 3, 7, 8, 12)  # of the files of ant


@pytest.fixture
def tree(tmp_path):
    for label, name in enumerate(CLASSES):
        (tmp_path / "data" / name).mkdir(parents=True)
        for i in range(30):
            file = tmp_path / "data" / name / f"{i:02d}.png"
            picture(100 * label + i, (8, 8)).save(file)
            if label == 0 and i in BROKEN:
                file.write_bytes(b"no image")
    return tmp_path / "data"


def prints(*parts):
    return sorted(one for part in parts for one in part.fingerprints)


@pytest.mark.filterwarnings("ignore::ganaug.errors.FewImagesWarning")
@pytest.mark.parametrize("seed", [0, 5])
def test_every_way_chooses_the_same_images_unreadable_ones_among_them(tree, seed):
    expected = load_images(tree, limit=10, seed=seed)
    assert expected.counts() == {"ant": 10, "bee": 10}
    marks = prints(expected)
    whole = load_images(tree)
    assert prints(whole.limited(10, seed)) == marks
    assert whole.limited(10, seed).names == expected.names
    assert prints(load_images(whole, limit=10, seed=seed)) == marks
    assert prints(whole.limited(20, seed).limited(10, seed)) == marks
    assert prints(load_images(tree, limit=20, seed=seed).limited(10, seed)) == marks
    turned = whole.in_order(("bee", "ant"), "they").take(np.random.default_rng(0).permutation(len(whole)))
    assert prints(turned.limited(10, seed)) == marks
    found = survey(from_folder(tree), limit=10, seed=seed)
    assert sorted(image.fingerprint for image in found.images) == marks
    for given in (tree, from_folder(tree), whole):
        fit = prepare(given, FitSettings(limit=10, seed=seed), silent)
        assert prints(fit.training, fit.validation) == marks
        sets = gather(given, BenchSettings(test=((np.zeros((2, 8, 8), np.uint8)), CLASSES), limit=10, seed=seed),
                      synthetic={"folder": (np.full((2, 8, 8), 9, np.uint8), CLASSES)})  # fmt: skip
        assert prints(sets.train, sets.validation) == marks
    assert check(tree, limit=10, seed=seed).counts == expected.counts()


def test_arrays_and_an_npz_file_of_the_same_images_in_the_same_order_too(tmp_path):
    rng = np.random.default_rng(0)
    x, y = rng.integers(0, 256, (60, 8, 8), dtype=np.uint8), np.repeat(CLASSES, 30)
    np.savez(tmp_path / "set.npz", x_train=x, y_train=y)
    for i, (pixels, name) in enumerate(zip(x, y, strict=True)):
        (tmp_path / "data" / name).mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(tmp_path / "data" / name / f"{i:02d}.png")
    ways = [(x, y), tmp_path / "set.npz", tmp_path / "data"]
    chosen = {tuple(prints(load_images(way, limit=10, seed=4))) for way in ways}
    chosen |= {tuple(prints(load_images(way).limited(10, 4))) for way in ways}
    assert len(chosen) == 1


def test_a_class_without_images_and_a_merger_of_classes_are_limited(tree):
    images = load_images(tree)
    assert images.take([]).limited(3, 0).counts() == {"ant": 0, "bee": 0}
    assert len(images.unlabelled().limited(7, 0)) == 7
    assert len(images.take(range(40)).unlabelled().limited(7, 0)) == 7
