"""Does a data set serve the pictures that the generator learned?"""

import functools
import re
import shutil
import time
import warnings

import albumentations as A
import cv2
import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw
from torch.utils.data import ConcatDataset, DataLoader, Dataset, Subset
from torchvision.datasets import DatasetFolder, ImageFolder
from torchvision.transforms import v2

import ganaug
from ganaug.data.pictures.paths import paths_of
from ganaug.errors import IncompatibleLoaderError, OtherPicturesWarning, SeenImagesWarning

CLASSES = ("cat", "dog")
N = 8


def scene(c: int, i: int, size: tuple[int, int] = (40, 32), mode: str = "RGB") -> Image.Image:
    """A coloured shape on dark noise; size is (height, width)."""
    rng = np.random.default_rng([c, i])
    image = Image.fromarray(rng.integers(0, 60, (*size, 3), dtype=np.uint8))
    x, y = rng.uniform(8, 20, 2)
    draw = ImageDraw.Draw(image)
    (draw.ellipse if c else draw.rectangle)((x, y, x + 10, y + 12), fill=((30, 80, 240), (240, 60, 20))[c])
    return image.convert(mode)


def written(root, save, suffix=".png"):
    for c, name in enumerate(CLASSES):
        (root / name).mkdir(parents=True)
        for i in range(N):
            save(c, i, root / name / f"{i}{suffix}")
    return root


def fitted(root, out, **options):
    return ganaug.fit(root, out, recipe="cgan", steps=1, size=20, **options)


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    """A folder of JPEGs and a run on it."""
    place = tmp_path_factory.mktemp("photos")
    root = written(place / "data", lambda c, i, file: scene(c, i).save(file, quality=92), ".jpg")
    return root, fitted(root, place / "run")


class Files(Dataset):
    """What `read` makes of the files of a folder."""

    classes = CLASSES

    def __init__(self, root, read, transform=None):
        self.paths = sorted(map(str, root.rglob("*.*")))
        self.targets = [CLASSES.index(path.split("/")[-2]) for path in self.paths]
        self.read, self.transform = read, transform

    def __len__(self):
        return len(self.paths)

    def __getitem__(self, index):
        image = self.read(self.paths[index])
        return (image if self.transform is None else self.transform(image)), self.targets[index]


class InMemory(Dataset):
    """Arrays, without a word of where they come from."""

    classes = CLASSES

    def __init__(self, images, transform=None):
        self.images, self.transform = images, transform
        self.targets = [i * 2 // len(images) for i in range(len(images))]

    def __len__(self):
        return len(self.images)

    def __getitem__(self, index):
        image = self.images[index]
        return (image if self.transform is None else self.transform(image)), self.targets[index]


def told(data, run, **options):
    """What `mix` says of other pictures."""
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        ganaug.mix(data, run, ratio=0.5, **options)
    return [str(one.message) for one in found if one.category is OtherPicturesWarning]


def rgb(path):
    return cv2.cvtColor(cv2.imread(path), cv2.COLOR_BGR2RGB)


# what is the same


@pytest.mark.parametrize(
    "read",
    [
        rgb,
        lambda path: cv2.resize(rgb(path), (24, 24)),
        lambda path: cv2.cvtColor(cv2.imread(path), cv2.COLOR_BGR2GRAY),
        lambda path: rgb(path).astype(np.float32) / 255,
        lambda path: rgb(path).transpose(2, 0, 1).copy(),
        lambda path: Image.open(path).resize((64, 64)),
        ganaug.read_image,
    ],
)
def test_loaders_that_give_the_same_pictures_are_passed_over(photos, read):
    assert not told(Files(photos[0], read), photos[1])


def test_torchvision_s_own_reading_of_plain_files_is_the_same(photos):
    root, run = photos
    random_crop = v2.Compose([v2.RandomResizedCrop(16), v2.PILToTensor()])
    for data in (ImageFolder(root), ImageFolder(root, transform=random_crop), Subset(ImageFolder(root), range(2, 14))):
        assert not told(data, run)


def test_other_images_than_the_fit_saw_are_no_fault(photos, tmp_path):
    new = written(tmp_path / "new", lambda c, i, file: scene(c, 100 + i).save(file))
    for data in (
        ImageFolder(new),
        Files(new, cv2.imread),
        InMemory([np.asarray(scene(i // 8, 50 + i)) for i in range(16)]),
    ):
        assert not told(data, photos[1])
    noise = np.random.default_rng(0).integers(0, 256, (16, 40, 32, 3), dtype=np.uint8)
    assert not told(InMemory(list(noise)), photos[1])


def test_what_was_fitted_on_the_data_set_itself_is_the_same(photos, tmp_path):
    data = Files(photos[0], cv2.imread)
    assert not told(data, fitted(data, tmp_path / "run"))


def test_copies_turned_beforehand_beside_their_originals_are_no_fault(photos):
    own = [np.asarray(ganaug.read_image(path)) for path in sorted(photos[0].rglob("*.jpg"))]
    assert not told(InMemory([*own[:8], *(one[:, ::-1].copy() for one in own[:8])] * 2), photos[1])


# what is not


OTHERWISE = {
    "blue and red are exchanged.*cv2.COLOR_BGR2RGB": [cv2.imread, lambda path: cv2.resize(cv2.imread(path), (24, 24))],
    "light and dark are exchanged": [lambda path: 255 - rgb(path)],
    "mirrored or turned": [lambda path: rgb(path)[:, ::-1].copy(), lambda path: np.rot90(rgb(path)).copy()],
    "another part of the picture": [lambda path: rgb(path)[8:30, 6:28].copy(),
                                    lambda path: np.pad(rgb(path), ((30, 30), (30, 30), (0, 0)))],
    "darker, brighter": [lambda path: rgb(path) // 3],
    "colour was learned, and grey": [lambda path: Image.open(path).convert("L").convert("RGB")],
}  # fmt: skip


@pytest.mark.parametrize(("words", "read"), [(words, read) for words, reads in OTHERWISE.items() for read in reads])
def test_the_difference_and_the_fix_are_named(photos, words, read):
    (message,) = told(Files(photos[0], read), photos[1])
    assert re.search(words, message)
    assert f"({2 * N} of {2 * N} items of the fit" in message
    assert "ganaug.fit(dataset, out)" in message or "cv2.cvtColor" in message


@pytest.mark.parametrize(
    ("words", "change"),
    [
        ("blue and red", lambda x: x[..., ::-1]),
        ("light and dark", lambda x: 255 - x),
        ("mirrored or turned", lambda x: x[::-1]),
        ("mirrored or turned", lambda x: np.rot90(x)),
        ("blue and red", lambda x: cv2.resize(x[..., ::-1], (16, 20), interpolation=cv2.INTER_AREA)),
        ("", lambda x: cv2.resize(x, (16, 20), interpolation=cv2.INTER_AREA)),
    ],
)
def test_arrays_are_compared_with_what_the_run_saw(photos, words, change):
    own = [np.asarray(ganaug.read_image(path)) for path in sorted(photos[0].rglob("*.jpg"))]
    messages = told(InMemory([np.ascontiguousarray(change(one)) for one in own]), photos[1])
    assert [words in message for message in messages] == ([True] if words else [])
    assert not any("read_image" in message for message in messages)


def test_a_part_of_a_chain_that_is_read_otherwise_is_found(photos):
    root, run = photos
    (message,) = told(ConcatDataset([ImageFolder(root), Files(root, cv2.imread)]), run)
    assert "blue and red" in message


def cut_out(c, i, file):
    pixels = np.asarray(scene(c, i))
    shown = pixels.max(2) > 100
    Image.fromarray(np.dstack([pixels * shown[..., None], np.where(shown, 255, 0).astype(np.uint8)])).save(file)


def turned(c, i, file):
    exif = Image.Exif()
    exif[274] = 6
    scene(c, i).save(file, exif=exif, quality=95)


def deep(c, i, file):
    Image.fromarray((np.asarray(scene(c, i, mode="L")) * 600.0).clip(0, 65535).astype(np.uint16)).save(file)


def twelve_bits(c, i, file):
    Image.fromarray((np.asarray(scene(c, i, mode="L")) / 255 * 4095).astype(np.uint16)).save(file)


@pytest.mark.parametrize(
    ("save", "suffix", "words", "options"),
    [
        (cut_out, ".png", "transparent pixels were learned on white", {}),
        (turned, ".jpg", "EXIF turns", {}),
        (deep, ".png", "more than 8 bits", {}),
        (twelve_bits, ".png", "more than 8 bits", {"range": (0, 4095)}),
    ],
)
def test_what_torchvision_reads_otherwise_is_said_with_the_loader_that_does_not(save, suffix, words, options, tmp_path):
    root = written(tmp_path / "data", save, suffix)
    run = fitted(root, tmp_path / "run", **options)
    (message,) = told(ImageFolder(root), run)
    assert words in message
    loader = re.search(r"ImageFolder\(root, loader=(.*?)\);", message).group(1)
    named = {"ganaug": ganaug, "functools": functools}
    if options:
        assert loader == "functools.partial(ganaug.read_image, range=(0, 4095))"
        reader = functools.partial(ganaug.read_image, range=(0, 4095))
    else:
        assert loader == "ganaug.read_image"
        reader = named["ganaug"].read_image
    assert not told(ImageFolder(root, loader=reader), run)
    with pytest.warns(OtherPicturesWarning):
        ganaug.augment_loader(DataLoader(ImageFolder(root), shuffle=True), run, ratio=0.5)
    if save is cut_out:  # cv2 drops the alpha and exchanges the colours
        found = told(Files(root, cv2.imread), run)
        assert ["transparent" in found[0], "blue and red" in found[1]] == [True, True]


def test_one_such_file_among_many_plain_ones_is_found(photos, tmp_path):
    root = tmp_path / "data"
    shutil.copytree(photos[0], root)
    for c, name in enumerate(CLASSES):
        for i in range(60):
            scene(c, 10 + i).save(root / name / f"new{i}.png")
    cut_out(0, 200, root / "cat" / "z.png")
    run = fitted(root, tmp_path / "run")
    (message,) = told(ImageFolder(root), run)
    assert "(1 of" in message
    assert "transparent" in message


def test_few_learned_files_among_many_are_enough(tmp_path):
    root = tmp_path / "data"
    for c, name in enumerate(CLASSES):
        (root / name).mkdir(parents=True)
        for i in range(120):
            scene(c, i).save(root / name / f"{i}.png")
    run = fitted(root, tmp_path / "run", limit=6)
    (message,) = told(Files(root, cv2.imread), run)
    assert "blue and red" in message
    began = time.perf_counter()
    told(ImageFolder(root), run)
    assert time.perf_counter() - began < 10


# what changes at random


def test_random_items_are_said_unless_synthetic_ones_have_a_transform_of_their_own(photos):
    root, run = photos
    aug = A.Compose([A.HorizontalFlip(p=0.5)])
    data = Files(root, lambda path: aug(image=rgb(path))["image"])
    (message,) = told(data, run)
    assert "changes its items at random" in message
    assert "give transform=" in message
    assert not told(data, run, transform=np.asarray)


def test_the_leak_guard_says_where_it_cannot_judge(photos):
    root, run = photos
    data = Files(root, lambda path: np.random.permutation(rgb(path)))  # noqa: NPY002
    with pytest.warns(SeenImagesWarning, match=r"Evaluation set 0 cannot be judged.*at random"):
        ganaug.mix(ImageFolder(root), run, ratio=0.5, evaluation=[data])
    with pytest.warns(SeenImagesWarning, match="The set cannot be judged"):
        ganaug.unseen(data, run)


# items over a range


@pytest.fixture(scope="module")
def spectrograms(tmp_path_factory):
    """Floats of -80 to 0, and a run on them."""
    place = tmp_path_factory.mktemp("spectrograms")
    unit = lambda c, i: np.asarray(scene(c, i, mode="L")).astype(np.float32) / 255  # noqa: E731
    root = written(place / "data", lambda c, i, file: np.save(file, unit(c, i) * 80 - 80), ".npy")
    return root, fitted(root, place / "run", range=(-80, 0))


def synthetic(mixed):
    return mixed[int(mixed.synthetic_indices()[0])][0]


@pytest.mark.parametrize(
    ("read", "dtype"),
    [
        (np.load, np.float32),
        (lambda path: np.load(path).astype(np.float64), np.float64),
        (lambda path: np.rint(np.load(path)).astype(np.int16), np.int16),
        (lambda path: torch.from_numpy(np.load(path))[None], torch.float32),
    ],
)
def test_synthetic_items_have_the_dtype_and_the_range_of_real_ones(spectrograms, read, dtype):
    root, run = spectrograms
    mixed = ganaug.mix(Files(root, read), run, ratio=0.5)
    made, real = synthetic(mixed), Files(root, read)[0][0]
    assert made.dtype == dtype
    assert made.shape == real.shape
    assert -80 <= made.min() < made.max() <= 0
    assert made.min() < -1


def test_items_that_were_scaled_to_0_to_1_stay_so(spectrograms):
    root, run = spectrograms
    made = synthetic(ganaug.mix(Files(root, lambda path: np.load(path) / 80 + 1), run, ratio=0.5))
    assert 0 <= made.min() < made.max() <= 1


def test_without_the_range_nothing_is_guessed(photos, spectrograms):
    with pytest.raises(IncompatibleLoaderError, match=r"range=\(LOW, HIGH\)"):
        ganaug.mix(Files(spectrograms[0], lambda path: np.load(path) + 90), photos[1], ratio=0.5)


def test_pictures_of_12_bits_are_served_with_12_bits(tmp_path):
    root = written(tmp_path / "data", twelve_bits)
    run = fitted(root, tmp_path / "run", range=(0, 4095))
    for read in (lambda path: Image.open(path).copy(), lambda path: cv2.imread(path, cv2.IMREAD_UNCHANGED)):
        mixed = ganaug.mix(DatasetFolder(root, loader=read, extensions=(".png",)), run, ratio=0.5)
        made = np.asarray(synthetic(mixed))
        assert made.dtype == np.uint16
        assert 255 < made.max() <= 4095


def test_batches_over_the_range_are_asked_to_be_scaled(spectrograms):
    transform = ganaug.SynthMix(spectrograms[1], ratio=0.5, classes=CLASSES)
    with pytest.raises(IncompatibleLoaderError, match=r"\(images \+ 80\) / \(0 \+ 80\)"):
        transform(torch.full((4, 1, 40, 32), -30.0), torch.tensor([0, 1, 0, 1]))
    assert transform(torch.rand(4, 1, 40, 32), torch.tensor([0, 1, 0, 1]))[0].shape == (4, 1, 40, 32)


def test_samples_by_themselves_say_what_their_8_bits_stand_for(spectrograms):
    assert "0 to 255 for -80 to 0" in repr(ganaug.SyntheticDataset(spectrograms[1], per_class=2))


def test_an_evaluation_set_is_read_over_the_range_of_the_run(spectrograms):
    root, run = spectrograms
    with pytest.raises(ganaug.GanaugError, match="were used to fit the generator"):
        ganaug.mix(Files(root, np.load), run, ratio=0.5, evaluation=[Files(root, np.load)])


# where files are


@pytest.mark.parametrize(
    "attributes",
    [
        lambda files: {"files": files},
        lambda files: {"samples": [(str(file), 0) for file in files]},
        lambda files: {"names": np.array([file.name for file in files]), "folder": files[0].parent},
        lambda files: {"other": ["x"] * len(files), "paths": tuple(map(str, files))},
    ],
)
def test_paths_are_found_wherever_a_data_set_keeps_them(attributes, tmp_path):
    files = [tmp_path / f"{i}.png" for i in range(3)]
    for file in files:
        file.touch()
    data = InMemory([0, 0, 0])
    vars(data).update(attributes(files))
    assert paths_of(data)(1) == str(files[1])


def test_a_data_set_without_paths_has_none(tmp_path):
    data = InMemory([0, 0, 0])
    data.names = ["a", "b", "c"]
    data.folder = str(tmp_path)
    assert paths_of(data) is None
