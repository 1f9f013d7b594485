import pickle

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader
from torchvision.transforms import v2

from ganaug.errors import LabelMismatchError, OptionError
from ganaug.mixing.synthetic import SyntheticDataset
from ganaug.samples.run import load
from tests.toys import mixing as toy
from tests.toys.mixing import render


def test_items_are_what_is_rendered(run):
    dataset, fitted = SyntheticDataset(run, per_class=40, seed=2), load(run)
    assert len(dataset) == 120
    assert dataset.classes == list(toy.CLASSES)
    assert dataset.class_to_idx == {"ant": 0, "bee": 1, "cow": 2}
    for c in range(3):
        pixels = np.stack([np.asarray(dataset[40 * c + i][0]) for i in range(40)])
        assert np.array_equal(pixels[:, None], render(fitted, c, range(40), seed=2))
    assert [y for _, y in dataset] == dataset.targets == [0] * 40 + [1] * 40 + [2] * 40
    assert {(x.mode, x.size) for x, _ in dataset} == {("L", (8, 8))}


def test_a_plan_and_an_order_of_classes(run):
    dataset = SyntheticDataset(run, plan={"ant": 3, "cow": 2}, classes=["cow", "bee", "ant"])
    assert dataset.targets == [0, 0, 2, 2, 2]
    for x, y in dataset:
        assert abs(np.asarray(x).mean() - toy.LEVELS[dataset.classes[y]]) < 16
    some = [x.tobytes() for x, _ in dataset.__getitems__([4, 0, -1 % 5])]
    assert some == [dataset[i][0].tobytes() for i in (4, 0, -1)]
    with pytest.raises(IndexError):
        dataset[5]


def test_transforms_can_be_set(run):
    dataset = SyntheticDataset(run, per_class=2, transform=v2.ToImage(), target_transform=str)
    assert dataset[5][0].shape == (1, 8, 8)
    assert dataset[5][1] == "2"
    dataset.transform, dataset.target_transform = toy.as_tensor, None
    x, y = next(iter(DataLoader(pickle.loads(pickle.dumps(dataset)), batch_size=6)))
    assert x.dtype == torch.uint8
    assert y.tolist() == [0, 0, 1, 1, 2, 2]


def test_images_have_the_size_of_the_users_own(tmp_path):
    folder = toy.save_generator(tmp_path, channels=3, native_size=(10, 14))
    assert {(x.mode, x.size) for x, _ in SyntheticDataset(folder, per_class=1)} == {("RGB", (14, 10))}


def test_what_cannot_be_made(run):
    with pytest.raises(OptionError, match="either"):
        SyntheticDataset(run)
    with pytest.raises(OptionError, match="either"):
        SyntheticDataset(run, per_class=1, plan={"ant": 1})
    with pytest.raises(LabelMismatchError):
        SyntheticDataset(run, per_class=1, classes=["ant", "dog"])
    with pytest.raises(LabelMismatchError):
        SyntheticDataset(run, plan={"bee": 1}, classes=["ant"])


@pytest.mark.parametrize("plan", [3, {"ant": 1.5}, {"ant": True}])
def test_a_plan_of_no_numbers_is_refused(run, plan):
    with pytest.raises(OptionError, match="The plan"):
        SyntheticDataset(run, plan=plan)
