from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
import torchvision.datasets as tv
from PIL import Image
from torch.utils.data import ConcatDataset, DataLoader, Dataset, IterableDataset, Subset, TensorDataset
from torchvision.transforms import v2

import ganaug
from ganaug.data.labels.unwrap import without_transforms
from ganaug.data.load import load_images
from ganaug.data.sources.source import open_source
from ganaug.errors import DataError, LabelMismatchError, OptionError, UnreadableImageError
from tests.toys.images import leaves_files_open, picture

X = np.random.default_rng(0).integers(0, 256, (8, 6, 6), dtype=np.uint8)
Y = np.asarray([0, 1] * 4)


# arrays and .npz


@pytest.mark.parametrize(
    ("x", "y", "cause"),
    [
        (X[:5], Y, "5 images but 8 labels"),
        (X, Y.astype(float), "not integers"),
        (X, np.where(Y == 0, np.nan, 1), r"4 of 8 items have no label, but None or NaN \(first: item 0\)"),
        (X, ["a", None] * 4, r"4 of 8 items have no label.*first: item 1"),
        (X, ["a", float("nan")] * 4, "4 of 8 items have no label"),
        (X, pd.Series(["a", None] * 4), "4 of 8 items have no label"),
        (X, pd.Series([1, None] * 4, dtype="Int64"), "4 of 8 items have no label"),
        (X, pd.Categorical(["a", None] * 4), "4 of 8 items have no label"),
        (X, np.ma.array(Y, mask=Y > 0), "masked"),
        (X, [np.ma.masked, *Y[1:]], "masked"),
        (np.ma.array(X, mask=X > 250), Y, "masked"),
        (torch.rand(8, 6, 6).to_sparse(), Y, "sparse_coo"),
        ([torch.rand(6, 6).to_sparse()] * 8, Y, "sparse_coo"),
        (torch.rand(8, 6, 6, device="meta"), Y, "meta"),
        (X, [torch.tensor(0, device="meta")] * 8, "meta"),
        (X, np.eye(2, dtype=int)[Y], r"y.argmax\(1\)"),
        (X, Y - 1, "negative"),
        (X.astype(float), Y, r"floats from .* to 255.*0\.\.1"),
        (X / 128 - 1, Y, "normalised"),
        (np.where(X > 250, np.nan, X / 255), Y, "NaN or infinite values in .* first in item"),
        (X.astype(int) - 300, Y, "values from"),
        (X.astype(complex), Y, "complex"),
        (X.reshape(8, 36), Y, "does not hold images"),
        (np.zeros((8, 6, 6, 5), np.uint8), Y, "neither 1, 3 nor 4 channels"),
        (np.zeros((8, 1, 1), np.uint8), Y, "too small"),
        (np.zeros((0, 6, 6), np.uint8), Y[:0], "empty"),
        (np.asarray(["a"] * 8), Y, "does not hold images"),
    ],
)
def test_arrays_that_are_not_labelled_images(x, y, cause):
    with pytest.raises(DataError, match=cause) as caught:
        load_images((x, y))
    assert caught.value.fix
    assert caught.value.exit_code == 3


def test_dtypes_and_layouts_mean_the_same():
    expected = load_images((X, Y)).pixels
    for x in (X[..., None], X[:, None], X / 255, X.astype(np.int32), torch.from_numpy(X / 255).float()[:, None]):
        assert torch.equal(load_images((x, Y)).pixels, expected)
    assert torch.equal(load_images((X > 127, Y)).pixels, torch.from_numpy((X > 127) * np.uint8(255))[:, None])
    deep = load_images((X.astype(np.uint16) * 257, Y)).pixels
    assert torch.equal(deep, expected)
    learned = [torch.from_numpy(x / 255).float().requires_grad_() for x in X]
    for x in (learned, np.ma.array(X)):
        assert torch.equal(load_images((x, Y)).pixels, expected)
    assert (load_images(([x.bfloat16() for x in learned], Y)).pixels.int() - expected.int()).abs().max() <= 1
    items = [(x[None], torch.tensor(y)) for x, y in zip(learned, Y, strict=True)]
    assert torch.equal(load_images(items).pixels, expected)


@pytest.mark.parametrize("mode", ["P", "CMYK", "LA", "RGBA"])
def test_a_list_of_pictures_is_read_by_their_modes(mode):
    colours = [(200, 30, 30), (30, 200, 30)]
    pictures = [Image.new("RGB", (9, 9), colour).convert(mode) for colour in colours * 2]
    found = load_images((pictures, [0, 1, 0, 1]))
    expected = [image.convert("RGB") for image in pictures]
    for pixels, image in zip(found.pixels, expected, strict=True):
        assert np.abs(pixels.permute(1, 2, 0).numpy().astype(int) - np.asarray(image, dtype=int)).max() <= 2


def test_an_npz_file_of_one_part_is_whatever_part_is_asked_for(tmp_path):
    x, y = np.zeros((4, 8, 8), np.uint8), np.array([0, 1, 0, 1])
    np.savez(tmp_path / "one.npz", x=x, y=y)
    for split in ("train", "test"):
        assert len(load_images(tmp_path / "one.npz", split=split)) == 4
    np.savez(tmp_path / "two.npz", x_train=x, y_train=y, x=x, y=y)
    with pytest.raises(DataError, match="no part 'test'"):
        load_images(tmp_path / "two.npz", split="test")


def test_rgba_arrays_are_laid_on_white():
    x = np.zeros((8, 6, 6, 4), np.uint8)
    assert load_images((x, Y)).pixels.min() == 255


def test_labels_name_themselves_and_strings_are_names():
    assert load_images((X, Y * 5 + 2)).classes == ("2", "7")
    named = load_images((X, np.where(Y == 0, "dog", "cat")))
    assert named.classes == ("cat", "dog")
    assert named.labels.tolist() == (1 - Y).tolist()
    column = load_images((X, Y[:, None].astype(np.uint8)))
    assert column.labels.tolist() == Y.tolist()


def test_labels_outside_the_names(tmp_path):
    with pytest.raises(LabelMismatchError, match=r"Label 1 of item 1 is out of range 0\.\.0"):
        open_source((X, Y), classes=["only"])
    with pytest.raises(DataError, match="'c' has 0"):
        load_images(open_source((X, Y), classes=["a", "b", "c"]))
    with pytest.raises(DataError, match="repeat"):
        open_source((X, Y), classes=["a", "a"])
    with pytest.raises(DataError, match="empty name"):
        open_source((X, Y), classes=["a", " "])


def test_names_come_in_whatever_holds_them():
    names = ["no", "yes"]
    for classes in (tuple(names), np.array(names), pd.Index(names), pd.Series(names), pd.Series([0, 1], names),
                    {"no": 0, "yes": 1}, {0: "no", 1: "yes"}, {"0": "no", "1": "yes"}):  # fmt: skip
        assert open_source((X, Y), classes=classes).classes == ("no", "yes")
    datasets = pytest.importorskip("datasets")
    assert open_source((X, Y), classes=datasets.ClassLabel(names=names)).classes == ("no", "yes")


@pytest.mark.parametrize(
    "classes",
    [Path("no"), "no", b"no", 2, {"no", "yes"}, (name for name in ("no", "yes")), {"no": "yes"}, {"no": None}, list,
     pd.Series, np.array(2), np.array([["no"], ["yes"]]), pd.DataFrame({"no": [0], "yes": [1]}), [None, "yes"]],
)  # fmt: skip
def test_what_cannot_be_names_is_refused(classes):
    with pytest.raises(DataError, match="name"):
        open_source((X, Y), classes=classes)


def test_npz_parts_and_groups(tmp_path):
    path = tmp_path / "a.npz"
    np.savez(path, x_train=X, y_train=Y, x_test=X[:4], y_test=Y[:4], classes=["no", "yes"], group_train=Y + 7)
    train, test = load_images(path), load_images(path, split="test")
    assert (len(train), len(test), train.classes) == (8, 4, ("no", "yes"))
    assert train.groups == tuple(map(str, Y + 7))
    assert test.groups is None
    with pytest.raises(DataError, match=r"no part 'val': its keys are x_train"):
        load_images(path, split="val")


@pytest.mark.parametrize("keys", [("x", "y"), ("X", "y"), ("images", "labels"), ("train_images", "train_labels")])
def test_npz_of_other_makers(tmp_path, keys):
    np.savez(tmp_path / "a.npz", **{keys[0]: X, keys[1]: Y[:, None]})
    assert load_images(tmp_path / "a.npz").counts() == {"0": 4, "1": 4}


def test_npz_is_never_unpickled_and_damage_is_typed(tmp_path):
    class Bomb:
        def __reduce__(self):
            return (tmp_path.joinpath("exploded").touch, ())

    np.savez(tmp_path / "a.npz", x_train=X, y_train=np.asarray([Bomb()] * 8, dtype=object))
    with pytest.raises(DataError, match="never unpickled"):
        open_source(tmp_path / "a.npz")
    assert not (tmp_path / "exploded").exists()
    np.savez_compressed(tmp_path / "b.npz", x_train=X, y_train=Y)
    whole = (tmp_path / "b.npz").read_bytes()
    for damaged in (b"", whole[:100], whole[:60] + b"\0\1\2" + whole[63:]):
        (tmp_path / "b.npz").write_bytes(damaged)
        with pytest.raises(DataError):
            open_source(tmp_path / "b.npz")


def test_digits_are_divided_once_and_for_all():
    train, test = load_images("digits"), load_images("digits", split="test")
    assert (len(train), len(test)) == (1258, 539)
    assert train.pixels.shape[1:] == (1, 8, 8)
    assert train.pixels.max() == 255
    assert not set(train.names) & set(test.names)
    assert train.names[:3] == load_images("digits").names[:3]
    with pytest.raises(DataError, match="no part"):
        load_images("digits", split="val")


def test_real_npz_sets_load(real_data):
    for name, shape in (("bccd_cells", (3941, 3, 32, 32)), ("magnetic_tile", (997, 1, 32, 32))):
        images = load_images(real_data / f"{name}.npz")
        assert images.pixels.shape == shape
    assert len(set(images.groups)) > 100


# map-style data sets


class Pictures(Dataset):
    def __init__(self, items, **attributes):
        self.items = items
        vars(self).update(attributes)

    def __len__(self):
        return len(self.items)

    def __getitem__(self, index):
        return self.items[index]


def some(n=8, size=(6, 6)):
    return [(picture(i, size), i % 2) for i in range(n)]


class Transformed(Dataset):
    """The usual wrapper around a subset; it calls its transform without asking whether there is one."""

    def __init__(self, dataset, transform):
        self.dataset, self.transform = dataset, transform

    def __len__(self):
        return len(self.dataset)

    def __getitem__(self, index):
        image, label = self.dataset[index]
        return self.transform(image), label


class Albumented(Dataset):
    def __init__(self, transform):
        self.transform = transform

    def __len__(self):
        return 8

    def __getitem__(self, index):
        image, label = some()[index]
        return self.transform(image=np.asarray(image))["image"], label


NOISY = v2.Compose(
    [v2.RandomCrop(4), v2.PILToTensor(), v2.ToDtype(torch.float32, scale=True), v2.Normalize([0.5], [9])]
)


def test_random_transforms_never_reach_the_generator(tree):
    stored = load_images(tree)
    plain = tv.ImageFolder(tree, transform=NOISY)
    nested = Subset(Subset(plain, range(12)), range(12))
    for dataset in (plain, nested, Transformed(plain, NOISY), ConcatDataset([plain])):
        assert load_images(dataset).fingerprints == stored.fingerprints
    assert plain.transform is NOISY
    expected = load_images(some()).fingerprints
    assert load_images(Transformed(some(), NOISY)).fingerprints == expected
    assert load_images(Albumented(lambda image: {"image": image[::-1] // 2})).fingerprints == expected


def test_a_wrapper_keeps_the_class_names_of_what_it_wraps(tree):
    assert load_images(Transformed(tv.ImageFolder(tree), NOISY)).classes == ("ant", "bee", "cat")
    renumbered = load_images(Transformed(tv.ImageFolder(tree, target_transform=lambda y: 2 - y), NOISY))
    assert renumbered.classes == ("cat", "bee", "ant")
    merged = load_images(Transformed(tv.ImageFolder(tree, target_transform=lambda y: y % 2), NOISY))
    assert merged.classes == ("0", "1")


def test_a_method_called_transform_is_part_of_the_data_set():
    class Drawn(Pictures):
        def transform(self, seed):
            return picture(seed)

        def __getitem__(self, index):
            return self.transform(index), index % 2

    assert (
        load_images(Drawn(range(6))).fingerprints == load_images([(picture(i), i % 2) for i in range(6)]).fingerprints
    )


def test_joint_transforms_change_labels_but_not_pictures(tree):
    class Joint(tv.VisionDataset):
        def __len__(self):
            return 8

        def __getitem__(self, index):
            image, label = some()[index]
            return self.transforms(image, label) if self.transforms else (image, label)

    expected = load_images(some()).fingerprints
    swapped = load_images(Joint(transform=NOISY, target_transform=lambda label: 1 - label))
    assert swapped.labels.tolist() == [1, 0] * 4
    both = load_images(Joint(transforms=lambda image, label: (NOISY(image), 1 - label)))
    assert both.labels.tolist() == [1, 0] * 4
    assert swapped.fingerprints == both.fingerprints == expected


def test_the_view_leaves_the_data_set_alone():
    dataset = Pictures(some(), transform=str)
    view = without_transforms(Subset(dataset, [1, 2]))
    assert view.dataset.transform is None
    assert dataset.transform is str
    assert all(own is given for own, given in zip(view.dataset.items, dataset.items, strict=True))


def test_a_subset_keeps_only_its_classes():
    dataset = Pictures([(picture(i), i % 4) for i in range(16)], classes=["a", "b", "c", "d"])
    source = open_source(Subset(dataset, [i for i in range(16) if i % 4 in (1, 3)]))
    assert source.classes == ("b", "d")
    assert source.labels.tolist() == [0, 1] * 4
    assert source.ignored["class without items"] == ("a", "c")


def test_image_folder_items_are_named_by_their_files(tree):
    assert open_source(Subset(tv.ImageFolder(tree), [0, 11])).names == ["ant/0.png", "cat/3.png"]
    assert open_source(some()).names[2] == "item 2"


def test_labels_that_contradict_the_items_are_noticed():
    with pytest.raises(
        LabelMismatchError, match=r"item 0 carries the label 0, but the list of labels says 1.*targets="
    ):
        load_images(Pictures(some(), targets=[1, 0] * 4))
    assert load_images(open_source(Pictures(some()), targets=[1, 0] * 4)).labels.tolist() == [1, 0] * 4


def test_normalised_tensors_without_a_transform_are_refused():
    x = torch.randn(8, 3, 6, 6)
    for dataset in (TensorDataset(x, torch.from_numpy(Y)), Pictures(list(zip(x, Y.tolist(), strict=True)))):
        with pytest.raises(DataError, match="normalised"):
            load_images(dataset)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # files that it opens, and leaves so
def test_a_damaged_file_that_a_data_set_only_opens_is_skipped_and_named(tree):
    files = sorted(tree.glob("*/*.png"))
    damaged = files[1]
    damaged.write_bytes(damaged.read_bytes()[:60])

    class Opened(Dataset):
        targets = [int(file.parent.name != files[0].parent.name) for file in files]

        def __len__(self):
            return len(files)

        def __getitem__(self, index):
            return Image.open(files[index]), self.targets[index]

    images = load_images(Opened())
    assert len(images) == len(files) - 1
    assert len(images.unreadable) == 1


def test_pictures_and_labels_of_two_lengths_are_refused():
    pictures = [Image.new("L", (8, 8), i) for i in range(6)]
    with pytest.raises(LabelMismatchError, match="6 images but 5 labels"):
        open_source((pictures, [0, 1, 0, 1, 0]))
    assert len(open_source((pictures, []), targets=[0, 1] * 3)) == 6


def test_unreadable_items_are_skipped_and_programming_errors_named(tree):
    (tree / "ant" / "2.png").write_bytes(b"broken")
    images = load_images(tv.ImageFolder(tree))
    assert [name for name, _ in images.unreadable] == ["ant/2.png"]
    with pytest.raises(UnreadableImageError, match="ant/2.png"):
        load_images(tv.ImageFolder(tree), strict=True)

    class Broken(Pictures):
        def __getitem__(self, index):
            return self.items[index] if index != 5 else self.items["five"]

    with pytest.raises(DataError, match="item 5 of Broken failed: TypeError"):
        load_images(open_source(Broken(some(), targets=[0, 1] * 4)))


@pytest.mark.parametrize(
    ("source", "cause"),
    [
        (DataLoader(some()), "Give loader.dataset"),
        (type("Stream", (IterableDataset,), {"__iter__": iter})(), "IterableDataset"),
        ({"image": 1}, "not a source"),
        (42, "not a source"),
        ([], "no items"),
        ([{"image": picture(1)}] * 4, "is the class"),
        ([("a", 0), ("b", 1)] * 2, "not an image"),
        ([(picture(1), "x")] * 4, "integers"),
    ],
)
def test_what_is_no_source_says_what_is(source, cause):
    with pytest.raises(DataError, match=cause) as caught:
        load_images(source)
    assert caught.value.fix


@pytest.mark.parametrize("read", [load_images, open_source, ganaug.check, ganaug.split])
def test_a_table_or_a_class_in_place_of_a_data_set_says_what_to_give(read):
    frame = pd.DataFrame({"image": ["a.png", "b.png"], "y": ["a", "b"]})
    with pytest.raises(DataError, match=r"is a table.*\(X, y\).*a CSV file of it.*ganaug.fit and ganaug.bench"):
        read(frame)
    with pytest.raises(DataError, match=r"ImageFolder is a class.*ImageFolder\(...\)"):
        read(tv.ImageFolder)


# by name


def test_names_need_a_root_and_are_never_downloaded(tmp_path, monkeypatch):
    import socket

    def refuse(*_, **__):
        raise AssertionError("network")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    with pytest.raises(OptionError, match="--root"):
        open_source("CIFAR10")
    for name in ("CIFAR10", "mnist", "torch/cifar10", "SVHN", "EuroSAT", "FGVCAircraft"):
        with pytest.raises(DataError, match="cannot be opened in .*ownload"):
            open_source(name, root=tmp_path)
    with pytest.raises(OptionError, match="no part 'dev'"):
        open_source("CIFAR10", root=tmp_path, split="dev")
    with pytest.raises(DataError, match="streamed"):
        open_source("tfds/mnist", root=tmp_path)
    with pytest.raises(DataError, match="no file or folder .*and no data set"):
        open_source("CIFAR11", root=tmp_path)


def test_a_torchvision_set_by_name(tmp_path):
    import struct

    raw = tmp_path / "FashionMNIST" / "raw"
    raw.mkdir(parents=True)
    x = np.random.default_rng(0).integers(0, 256, (40, 28, 28), dtype=np.uint8)
    y = np.arange(40, dtype=np.uint8) % 10
    for part in ("train", "t10k"):
        (raw / f"{part}-images-idx3-ubyte").write_bytes(struct.pack(">iiii", 2051, 40, 28, 28) + x.tobytes())
        (raw / f"{part}-labels-idx1-ubyte").write_bytes(struct.pack(">ii", 2049, 40) + y.tobytes())
    images = load_images("fashionmnist", root=tmp_path)
    assert images.pixels.shape == (40, 1, 28, 28)
    assert images.classes[0] == "T-shirt/top"
    assert load_images("torch/fashion_mnist", root=tmp_path).fingerprints == images.fingerprints
    assert load_images((x, y)).fingerprints == images.fingerprints


@leaves_files_open
def test_timm_folder_reader(tree):
    from timm.data import create_dataset

    images = load_images(create_dataset("", root=str(tree)))
    assert images.fingerprints == load_images(tree).fingerprints
    assert images.classes == ("ant", "bee", "cat")


def test_an_image_of_another_mode_in_a_data_set():
    items = [(Image.new("LA", (6, 6), (9, 255)), 0), (Image.new("CMYK", (6, 6)), 1)] * 3
    images = load_images(items)
    assert images.pixels.shape == (6, 1, 6, 6)
    assert images.codec.mode == "RGB"
