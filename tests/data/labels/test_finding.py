"""`labels_of` against what each data set's own `__getitem__` gives; torchvision's classes are filled in by hand."""

import numpy as np
import pandas as pd
import pytest
import torch
import torchvision.datasets as tv
from PIL import Image
from torch.utils.data import ConcatDataset, Dataset, Subset, TensorDataset

from ganaug.data.labels.finding import labels_of
from ganaug.data.labels.torchvision_labels import TABLE
from ganaug.data.labels.unwrap import innermost
from ganaug.errors import DataError, LabelMismatchError
from tests.toys.images import leaves_files_open, picture

Y = [2, 0, 1, 1, 2, 0]
NAMES = ["ant", "bee", "cat"]


class Decoder:
    """Stands in for a loader and counts how often it is asked."""

    def __init__(self):
        self.calls = 0

    def __call__(self, path):
        self.calls += 1
        return Image.new("RGB", (4, 4))


def filled(name, /, **attributes):
    """A torchvision data set with these attributes, without files."""
    cls = getattr(tv, name)
    dataset = cls.__new__(cls)
    basics = {"root": "/nowhere", "transform": None, "target_transform": None, "transforms": None}
    vars(dataset).update(basics | attributes)
    return dataset


def paths():
    return [f"/nowhere/{i}.png" for i in range(6)]


def pairs(labels=Y):
    return list(zip(paths(), labels, strict=True))


def pcam():
    class Files(dict):
        def File(self, path):  # noqa: N802 (h5py's name)
            y = np.asarray([0, 1, 1, 0, 1, 0], np.uint8).reshape(6, 1, 1, 1)
            x = np.zeros((6, 4, 4, 3), np.uint8)
            return Opened(y=y, x=x)

    class Opened(dict):
        def __enter__(self):
            return self

        def __exit__(self, *_):
            return None

    from pathlib import Path

    return filled("PCAM", h5py=Files(), _base_folder=Path("/nowhere"), _split="train"), [0, 1, 1, 0, 1, 0], ("0", "1")


def lsun():
    class Part(Dataset):
        def __len__(self):
            return 2

        def __getitem__(self, index):
            return Image.new("RGB", (4, 4)), None

    return filled("LSUN", classes=["a_train", "b_train"], dbs=[Part(), Part()], indices=[2, 4], length=4)


GREY = torch.zeros(6, 8, 8, dtype=torch.uint8)
COLOUR = np.zeros((6, 8, 8, 3), np.uint8)
PLANES = np.zeros((6, 3, 8, 8), np.uint8)
ROWS = {
    "MNIST": lambda d: filled("MNIST", data=GREY, targets=torch.tensor(Y)),
    "EMNIST": lambda d: filled("EMNIST", data=GREY, targets=torch.tensor(Y), classes=NAMES),
    "FashionMNIST": lambda d: filled("FashionMNIST", data=GREY, targets=torch.tensor(Y)),
    "KMNIST": lambda d: filled("KMNIST", data=GREY, targets=torch.tensor(Y)),
    "QMNIST": lambda d: filled("QMNIST", data=GREY, targets=torch.tensor(Y)[:, None].repeat(1, 8), compat=True),
    "CIFAR10": lambda d: filled("CIFAR10", data=COLOUR, targets=Y, classes=NAMES),
    "CIFAR100": lambda d: filled("CIFAR100", data=COLOUR, targets=Y, classes=NAMES),
    "USPS": lambda d: filled("USPS", data=GREY.numpy(), targets=Y),
    "SVHN": lambda d: filled("SVHN", data=PLANES, labels=np.asarray(Y)),
    "STL10": lambda d: filled("STL10", data=PLANES, labels=np.asarray(Y), classes=NAMES),
    "SEMEION": lambda d: filled("SEMEION", data=GREY.numpy(), labels=np.asarray(Y)),
    "LFWPeople": lambda d: filled(
        "LFWPeople", _loader=d, data=paths(), targets=Y, class_to_idx={"cat": 2, "ant": 0, "bee": 1}
    ),
    "Places365": lambda d: filled(
        "Places365", loader=d, imgs=pairs(), targets=Y, classes=NAMES, class_to_idx={"ant": 0, "bee": 1, "cat": 2}
    ),
    "ImageFolder": lambda d: filled("ImageFolder", loader=d, samples=pairs(), targets=[0] * 6, classes=NAMES),
    "EuroSAT": lambda d: filled("EuroSAT", loader=d, samples=pairs(), classes=NAMES),
    "Country211": lambda d: filled("Country211", loader=d, samples=pairs(), classes=NAMES),
    "ImageNet": lambda d: filled(
        "ImageNet", loader=d, samples=pairs(), classes=[("ant", "emmet"), ("bee",), ("cat",)], wnids=["n1", "n2", "n3"]
    ),
    "DTD": lambda d: filled("DTD", loader=d, _image_files=paths(), _labels=Y, classes=NAMES),
    "Flowers102": lambda d: filled("Flowers102", loader=d, _image_files=paths(), _labels=Y),
    "Food101": lambda d: filled("Food101", loader=d, _image_files=paths(), _labels=Y, classes=NAMES),
    "FGVCAircraft": lambda d: filled("FGVCAircraft", loader=d, _image_files=paths(), _labels=Y, classes=NAMES),
    "SUN397": lambda d: filled("SUN397", loader=d, _image_files=paths(), _labels=Y, classes=NAMES),
    "CLEVRClassification": lambda d: filled("CLEVRClassification", loader=d, _image_files=paths(), _labels=Y),
    "FER2013": lambda d: filled("FER2013", _samples=list(zip(GREY, Y, strict=True))),
    "StanfordCars": lambda d: filled("StanfordCars", loader=d, _samples=pairs(), classes=NAMES),
    "Imagenette": lambda d: filled("Imagenette", loader=d, _samples=pairs(), classes=[(n,) for n in NAMES]),
    "RenderedSST2": lambda d: filled("RenderedSST2", loader=d, _samples=pairs(), classes=NAMES),
    "INaturalist": lambda d: filled(
        "INaturalist",
        loader=d,
        index=[(label, "a.jpg") for label in Y],
        all_categories=NAMES,
        target_type=["full"],
        root="/nowhere",
    ),
    "Omniglot": lambda d: filled(
        "Omniglot", loader=d, _flat_character_images=pairs(), _characters=NAMES, target_folder="/nowhere"
    ),
    "LSUN": lambda d: lsun(),
}
IMAGES_ON_DISK = {
    "GTSRB": lambda p: filled("GTSRB", _samples=[(p, y) for y in Y]),
    "OxfordIIITPet": lambda p: filled(
        "OxfordIIITPet", _images=[p] * 6, _labels=Y, classes=NAMES, _target_types=["category"]
    ),
    "Caltech101": lambda p: filled(
        "Caltech101", root=p.parents[2], y=Y, index=[1] * 6, categories=NAMES, target_type=["category"]
    ),
    "Caltech256": lambda p: filled("Caltech256", root=p.parents[2], y=Y, index=[1] * 6, categories=NAMES),
    "CelebA": lambda p: filled(
        "CelebA",
        root=str(p.parents[0]),
        filename=[p] * 6,
        attr=torch.zeros(6, 40),
        identity=torch.tensor(Y)[:, None],
        target_type=["identity"],
    ),
}


def test_every_row_of_the_table_is_tried():
    by_subclass = {"DatasetFolder": "ImageFolder"}
    assert {by_subclass.get(name, name) for name in TABLE} - {"PCAM"} <= ROWS.keys() | IMAGES_ON_DISK.keys()


@pytest.mark.parametrize("name", ROWS)
def test_torchvision_labels_are_those_of_the_items_and_nothing_is_decoded(name):
    decoder = Decoder()
    dataset = ROWS[name](decoder)
    found = labels_of(dataset)
    assert decoder.calls == 0
    assert found.targets.dtype == np.int64
    assert found.targets.tolist() == [int(dataset[i][1]) for i in range(len(dataset))]
    if found.classes is not None:
        assert len(found.classes) > found.targets.max()


@leaves_files_open
@pytest.mark.parametrize("name", IMAGES_ON_DISK)
def test_torchvision_labels_of_sets_that_open_files_themselves(name, tmp_path):
    for label, category in enumerate(NAMES):
        for folder in ("101_ObjectCategories", "256_ObjectCategories"):
            where = tmp_path / folder / category
            where.mkdir(parents=True)
            for file in ("image_0001.jpg", f"{label + 1:03d}_0001.jpg"):
                Image.new("RGB", (4, 4)).save(where / file)
    (tmp_path / "celeba" / "img_align_celeba").mkdir(parents=True)
    dataset = IMAGES_ON_DISK[name](tmp_path / "101_ObjectCategories" / "ant" / "image_0001.jpg")
    assert labels_of(dataset).targets.tolist() == [int(dataset[i][1]) for i in range(6)]


def test_pcam_reads_its_label_file_only():
    dataset, labels, _ = pcam()
    assert labels_of(dataset).targets.tolist() == labels == [dataset[i][1] for i in range(6)]


def test_class_names_of_odd_sets():
    assert labels_of(ROWS["LFWPeople"](None)).classes == ("ant", "bee", "cat")
    assert labels_of(ROWS["ImageNet"](None)).classes == ("ant, emmet", "bee", "cat")
    twins = filled("ImageNet", samples=pairs(), classes=[("crane",), ("crane",), ("cat",)], wnids=["n1", "n2", "n3"])
    assert labels_of(twins).classes == ("crane (n1)", "crane (n2)", "cat")
    assert labels_of(ROWS["SVHN"](None)).classes is None


def test_sets_without_a_single_class_say_what_to_do():
    faces = filled("CelebA", target_type=["attr"], attr=torch.zeros(6, 40))
    with pytest.raises(DataError, match=r"targets=dataset.attr"):
        labels_of(faces)
    assert labels_of(faces, targets=[0, 1, 0, 1, 0, 1]).targets.tolist() == [0, 1] * 3
    with pytest.raises(DataError, match="category"):
        labels_of(filled("OxfordIIITPet", _images=[], _target_types=["category", "segmentation"]))
    with pytest.raises(DataError, match="compat=True"):
        labels_of(filled("QMNIST", data=GREY, compat=False))
    with pytest.raises(DataError, match="None"):
        labels_of(filled("FER2013", _samples=[(GREY[0], None)] * 6))
    with pytest.raises(DataError, match="negative label"):
        labels_of(filled("STL10", data=PLANES, labels=np.asarray([0, 1, 0, 1, -1, -1])))


def test_labelled_part_of_a_partly_labelled_set():
    dataset = filled("STL10", data=PLANES, labels=np.asarray([0, 1, 0, 1, -1, -1]))
    assert labels_of(Subset(dataset, [3, 0, 1])).targets.tolist() == [1, 0, 1]


def test_target_transform_is_applied_not_ignored():
    dataset = ROWS["CIFAR10"](None)
    dataset.target_transform = lambda label: 5 - label
    found = labels_of(dataset)
    assert found.targets.tolist() == [5 - y for y in Y] == [dataset[i][1] for i in range(6)]
    assert found.names == {5: "ant", 4: "bee", 3: "cat"}  # names follow the pictures


def test_a_joint_transform_is_asked_item_by_item(tmp_path):
    Image.new("RGB", (4, 4)).save(tmp_path / "a.jpg")
    dataset = filled("OxfordIIITPet", _images=[tmp_path / "a.jpg"] * 6, _labels=Y, classes=NAMES)
    dataset._target_types = ["category"]
    dataset.transforms = lambda image, label: (image, 2 - label)
    assert labels_of(dataset).targets.tolist() == [2 - y for y in Y]


def test_a_subclass_with_its_own_items_is_read():
    class Parity(tv.CIFAR10):
        def __getitem__(self, index):
            image, label = super().__getitem__(index)
            return image, label % 2

    dataset = Parity.__new__(Parity)
    vars(dataset).update(vars(ROWS["CIFAR10"](None)))
    assert labels_of(dataset).targets.tolist() == [y % 2 for y in Y]


def test_fake_data_is_read_without_its_transform():
    calls = []
    dataset = tv.FakeData(7, (3, 8, 8), 4, transform=lambda image: calls.append(1) or image)
    expected = [dataset[i][1] for i in range(7)]
    calls.clear()
    assert labels_of(dataset).targets.tolist() == expected
    assert not calls


class Own(Dataset):
    def __init__(self, labels=Y, **attributes):
        self.y = labels
        vars(self).update(attributes)

    def __len__(self):
        return len(self.y)

    def __getitem__(self, index):
        return picture(index), self.y[index]


def test_own_classes_with_and_without_attributes():
    assert labels_of(Own()).targets.tolist() == Y
    assert labels_of(Own(targets=[1] * 6, classes=NAMES)).targets.tolist() == [1] * 6
    assert labels_of(Own(labels=torch.tensor(Y))).targets.tolist() == Y
    assert labels_of(Own(targets=[1, 2])).targets.tolist() == Y  # not one for each item: not the labels
    assert labels_of(Own(targets=[1] * 6, target_transform=str)).targets.tolist() == Y
    assert labels_of(Own(class_to_idx={"bee": 1, "ant": 0, "cat": 2})).classes == ("ant", "bee", "cat")


def test_subsets_of_subsets():
    dataset = Subset(Subset(Own(targets=Y, classes=NAMES), [5, 3, 1, 0]), np.asarray([3, 0]))
    found = labels_of(dataset)
    assert (found.targets.tolist(), found.classes) == ([Y[0], Y[5]], tuple(NAMES))
    base, index_map = innermost(dataset)
    assert isinstance(base, Own)
    assert index_map.tolist() == [0, 5]


def test_a_subset_reads_only_its_own_items():
    read = []

    class Counting(Own):
        def __getitem__(self, index):
            read.append(index)
            return super().__getitem__(index)

    assert labels_of(Subset(Counting(), [4, 2])).targets.tolist() == [Y[4], Y[2]]
    assert set(read) <= {4, 2}


def test_tensor_and_concatenated_sets():
    tensors = TensorDataset(torch.zeros(6, 1, 8, 8), torch.tensor(Y))
    assert labels_of(tensors).targets.tolist() == Y
    assert labels_of(ConcatDataset([tensors, Subset(tensors, [1])])).targets.tolist() == [*Y, Y[1]]
    other = Own(targets=Y, classes=["x", "y", "z"])
    with pytest.raises(LabelMismatchError, match="different classes"):
        labels_of(ConcatDataset([Own(targets=Y, classes=NAMES), other]))
    with pytest.raises(DataError, match="no labels"):
        labels_of(TensorDataset(torch.zeros(6, 1, 8, 8)))


def test_given_targets_win_and_are_checked():
    assert labels_of(Own(), targets=torch.zeros(6, dtype=torch.int32)).targets.tolist() == [0] * 6
    with pytest.raises(LabelMismatchError, match="2 labels for 6 items"):
        labels_of(Own(), targets=[0, 1])
    names = ["a", "b"] * 3
    for targets in ([0.5] * 6, names, pd.Categorical(names), np.eye(6, dtype=int)):
        with pytest.raises(DataError, match="Targets: .*an integer 0, 1, .* for each item, and the name of each"):
            labels_of(Own(), targets=targets)
    classes, numbers = np.unique(names, return_inverse=True)
    assert labels_of(Own(), targets=numbers, classes=classes).classes == ("a", "b")
    with pytest.raises(DataError, match="the label of item 0|The label of item 0"):
        labels_of(Own(labels=None, y=["a"] * 6))


@leaves_files_open
def test_timm_image_dataset(tree):
    from timm.data import create_dataset

    dataset = create_dataset("", root=str(tree), split="train")
    found = labels_of(dataset)
    assert found.classes == ("ant", "bee", "cat")
    assert found.targets.tolist() == [dataset[i][1] for i in range(len(dataset))]
