"""Long tails: classes of a few images are left out by name."""

import csv

import numpy as np
import pytest
from torch.utils.data import Dataset

import ganaug
from ganaug.data.check import check
from ganaug.data.load import load_images
from ganaug.data.sources.source import open_source
from ganaug.errors import DataError, OptionError, SeenImagesWarning, TooFewImagesError, WithheldWarning
from tests.toys.images import picture


def tail(n_small=7, of=1):
    """Two classes of six pictures, c00 and c10, and small ones between and after them."""
    names = ["c00", *(f"c0{i + 1}" for i in range(n_small // 2)), "c10", *(f"c1{i + 1}" for i in range(n_small // 2))]
    sizes = {name: 6 if name.endswith("0") else of for name in names}
    labels = [names.index(name) for name, n in sizes.items() for _ in range(n)]
    x = np.stack([np.array(picture(i)) for i in range(len(labels))])
    return x, np.array(labels), names


def test_small_classes_are_left_out_and_named():
    x, y, names = tail()
    source = open_source((x, y), classes=names, skip_small=2)
    assert source.classes == ("c00", "c10")
    assert source.labels.tolist() == [0] * 6 + [1] * 6
    assert source.read(7).tobytes() == x[np.flatnonzero(y == names.index("c10"))[1]].tobytes()
    assert source.ignored["class of fewer than 2 images"] == [f"{n} (1)" for n in names if not n.endswith("0")]
    assert check((x, y), classes=names, skip_small=2).counts == {"c00": 6, "c10": 6}
    assert not check((x, y), classes=names, skip_small=2).problems
    assert len(open_source((x, y), classes=names, skip_small=2, groups=list("abcdefghijklmnopqr")).groups) == 12


def test_what_cannot_be_left_out():
    x, y, names = tail()
    with pytest.raises(TooFewImagesError, match="0 of 8 classes have 7 images"):
        open_source((x, y), classes=names, skip_small=7)
    with pytest.raises(OptionError, match="2 or more"):
        open_source((x, y), classes=names, skip_small=1)


def test_a_long_tail_is_told_shortly_with_the_way_on():
    x, y, names = tail(16)
    with pytest.raises(TooFewImagesError, match=r"and 11 more classes.*--skip-small 2.*check DATA --json") as refused:
        load_images((x, y), classes=names)
    assert len(str(refused.value)) < 400


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    x, y, names = tail()
    out = tmp_path_factory.mktemp("small") / "run"
    return ganaug.fit((x, y), out, classes=names, skip_small=2, recipe="cgan", steps=2, size=16)


def test_a_run_names_what_was_left_out(run):
    with open(run.path / "skipped_classes.csv", newline="") as file:
        rows = list(csv.reader(file))
    assert rows == [["class"], *([name] for name in tail()[2] if not name.endswith("0"))]
    card = run.load().card
    assert card.classes == ("c00", "c10")
    assert card.skipped == tuple(name for [name] in rows[1:])


@pytest.mark.parametrize("mode", ["replace", "append", "balance"])
def test_items_of_skipped_classes_stay_as_they_are(run, mode):
    x, y, names = tail(of=3)
    items = [(image, int(label)) for image, label in zip(x, y, strict=True)]
    with pytest.warns(WithheldWarning, match="left out 6 small classes"):
        mixed = ganaug.mix(items, run, mode=mode, classes=names, **({} if mode == "balance" else {"ratio": 0.5}))
    served = {mixed.classes[mixed.targets[i]] for epoch in range(3) for i in mixed.synthetic_indices(epoch)}
    assert served == (set() if mode == "balance" else {"c00", "c10"})


def test_batches_keep_real_images_of_skipped_classes(run):
    import torch

    _, _, names = tail()
    images = torch.zeros(8, 3, 16, 16)
    labels = torch.full((8,), names.index("c01"))
    with pytest.warns(WithheldWarning, match="6 small classes"):
        transform = ganaug.SynthMix(run, ratio=1.0, classes=names)
    changed, same = transform(images, labels)
    assert torch.equal(changed, images)
    assert torch.equal(same, labels)


def test_later_steps_leave_them_out_as_well(run):
    x, y, names = tail()
    test = np.stack([np.array(picture(100 + i)) for i in range(12)]), np.arange(12) % 8
    found = ganaug.measure(run, (x, y), classes=names, test=test, per_class=4, steps=1)
    assert set(found.to_json()) if hasattr(found, "to_json") else found


def test_a_bench_leaves_out_their_test_images(run, tmp_path):
    x, y, names = tail()
    test = np.stack([np.array(picture(100 + i)) for i in range(16)]), np.arange(16) % 8
    results = ganaug.bench(
        (x, y), run=run, out=tmp_path / "b", classes=names, test=test, seeds=2, steps=2, model="small", quick=True,
        remedies=(), ratios=(0.5,), uses=("plain",), device="cpu",
    )  # fmt: skip
    assert any("12 test images of classes that were left out" in note for note in results.data["notes"])


class Noisy(Dataset):
    """Augments by `self.aug`; its last item is a class of its own."""

    def __init__(self):
        self.x, self.targets = np.stack([np.array(picture(i)) for i in range(9)]), [0] * 4 + [2] * 4 + [1]
        self.aug = lambda x: np.clip(x + np.random.default_rng().integers(-9, 9, x.shape), 0, 255).astype(np.uint8)

    def __len__(self):
        return len(self.x)

    def __getitem__(self, index):
        return self.aug(self.x[index]), self.targets[index]


def test_random_augmentation_is_noticed_where_a_class_is_left_out():
    with pytest.raises(DataError, match="at random by its `aug`"):
        load_images(Noisy(), skip_small=2)
    with pytest.warns(SeenImagesWarning):
        assert len(load_images(Noisy(), skip_small=2, as_served=True)) == 8


def test_more_than_8_bits_are_those_of_the_source_where_a_class_is_left_out(tmp_path):
    x = np.random.default_rng(0).integers(0, 4096, (9, 16, 16), dtype=np.uint16)
    y = np.array([0] * 4 + [2] * 4 + [1])
    left = load_images((x, y), range=(0, 4095), skip_small=2)
    assert np.array_equal(left.pixels, load_images((x[:8], y[:8]), range=(0, 4095)).pixels)
    said = [check((x, y), range=(0, 4095), skip_small=2).to_json()[k] for k in ("modes", "problems")]
    assert said == [check((x[:8], y[:8]), range=(0, 4095)).to_json()[k] for k in ("modes", "problems")]
