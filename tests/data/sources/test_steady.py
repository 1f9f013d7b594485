"""Random augmentation under another name than `.transform` is noticed before it is learned."""

import random

import albumentations as A
import numpy as np
import pytest
import torch
from torch.utils.data import ConcatDataset, Dataset, Subset
from torchvision.transforms import v2

from ganaug.data.check import check
from ganaug.data.load import load_images
from ganaug.data.sources.source import open_source
from ganaug.data.sources.steady import by_turns, unsteady
from ganaug.errors import DataError, SeenImagesWarning
from tests.toys.images import picture

Y = [i // 12 for i in range(24)]


class Own(Dataset):
    """Pictures that go through `self.NAME`."""

    classes = ("cat", "dog")

    def __init__(self, name, change):
        self.name, self.targets = name, Y
        setattr(self, name, change)

    def __len__(self):
        return len(Y)

    def __getitem__(self, index):
        change = getattr(self, self.name)
        image = picture(index)
        return (image if change is None else change(image)), Y[index]


class Inside(Own):
    """Changed by its own code."""

    def __init__(self, change):
        super().__init__("unused", None)
        self.draw = change

    def __getitem__(self, index):
        return self.draw(np.asarray(picture(index)), index), Y[index]


FLIP = A.Compose([A.HorizontalFlip(p=0.5)])
own_stream = np.random.default_rng(0)
RANDOM = {
    "torchvision": lambda: Own("aug", v2.RandomResizedCrop(12, scale=(0.2, 0.5))),
    "a rare one": lambda: Own("tfms", v2.RandomHorizontalFlip(p=0.1)),
    "as a tensor": lambda: Own("augment", v2.Compose([v2.RandomRotation(40), v2.PILToTensor()])),
    "albumentations": lambda: Own(
        "aug", lambda im: A.Compose([A.HorizontalFlip(p=0.5)])(image=np.asarray(im))["image"]
    ),
    "Python's": lambda: Inside(lambda x, _: x[:, ::-1].copy() if random.random() < 0.5 else x),
    "numpy's": lambda: Inside(lambda x, _: np.roll(x, np.random.randint(6), 0)),  # noqa: NPY002
    "torch's": lambda: Inside(lambda x, _: np.roll(x, int(torch.randint(6, ())), 0)),
    "its own": lambda: Inside(lambda x, _: np.roll(x, own_stream.integers(1, 6), 0)),
    "of a small class": lambda: Inside(lambda x, i: np.roll(x, np.random.randint(6), 0) if Y[i] else x),  # noqa: NPY002
    "in a subset": lambda: Subset(Own("aug", v2.RandomResizedCrop(12)), range(0, 24, 2)),
    "in a chain": lambda: ConcatDataset([Own("aug", v2.RandomResizedCrop(12)), Own("aug", None)]),
}


@pytest.mark.parametrize("kind", RANDOM)
def test_random_items_are_refused_without_a_word(kind):
    data = RANDOM[kind]()
    with pytest.raises(DataError, match="changes its items at random") as caught:
        load_images(data)
    assert "as_served=True" in caught.value.fix
    assert any("at random" in problem for problem in check(data).problems)
    with pytest.warns(SeenImagesWarning, match="read as they are served: whether other sets hold the same"):
        assert len(load_images(data, as_served=True)) == len(data)
    with pytest.warns(SeenImagesWarning):
        assert not check(data, as_served=True).problems


def test_the_attribute_that_does_it_is_named():
    found = unsteady(open_source(Own("tfms", v2.RandomResizedCrop(12, scale=(0.2, 0.5)))))
    assert found.attribute == "tfms"
    assert "tfms = None" in found.fix


@pytest.mark.parametrize(
    "data",
    [
        Own("transform", v2.RandomResizedCrop(12)),
        Own("aug", None),
        Own("aug", v2.Compose([v2.Resize(8), v2.CenterCrop(6), v2.PILToTensor()])),
        Inside(lambda x, i: np.roll(x, np.random.default_rng(i).integers(6), 0)),
        ([picture(i) for i in range(24)], Y),
        (np.stack([np.asarray(picture(i)) for i in range(24)]), Y),
    ],
)
def test_what_is_the_same_twice_is_read(data):
    assert len(load_images(data)) == 24


def test_the_global_streams_are_left_as_they_were():
    data = Own("aug", None)
    random.seed(5)
    np.random.seed(5)  # noqa: NPY002
    torch.default_generator.manual_seed(5)
    expected = random.getstate(), np.random.get_state()[1].tolist(), torch.get_rng_state().tolist()  # noqa: NPY002
    load_images(data)
    assert (random.getstate(), np.random.get_state()[1].tolist(), torch.get_rng_state().tolist()) == expected  # noqa: NPY002


def test_an_item_that_cannot_be_read_is_not_called_random():
    class Broken(Own):
        def __getitem__(self, index):
            if index == 3:
                raise OSError("gone")
            return super().__getitem__(index)

    assert unsteady(open_source(Broken("aug", None), targets=Y)) is None


def test_classes_take_turns():
    labels = np.array([0] * 50 + [1] * 3 + [2])
    order = by_turns(labels, "test")
    assert sorted(order) == list(range(54))
    assert set(labels[order[:3]]) == {0, 1, 2}
    assert (by_turns(labels, "test") == order).all()
    assert len(by_turns(np.empty(0, np.int64))) == 0


@pytest.mark.parametrize("as_served", [False, True])
def test_random_labels_are_called_so(as_served):
    class Noisy(Own):
        def __getitem__(self, index):
            return picture(index), random.randrange(2)

    with pytest.raises(DataError, match=r"at random: item \d+ has another label.*targets=") as caught:
        load_images(Noisy("aug", None), as_served=as_served)
    assert "as_served" not in caught.value.fix
    assert len(load_images(open_source(Noisy("aug", None), targets=Y))) == 24
