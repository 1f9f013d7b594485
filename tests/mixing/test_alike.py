"""What a data set does to its items anywhere but in its `.transform` would be seen on real images alone."""

import os
import pickle
import random
from collections import Counter
from typing import NamedTuple

import numpy as np
import pytest
import torch
from PIL import Image, ImageOps
from torch.utils.data import ConcatDataset, DataLoader, Dataset, Subset
from torchvision import tv_tensors
from torchvision.transforms import v2

import ganaug
from ganaug.errors import ArtefactError, IncompatibleLoaderError, OptionError, OtherPicturesWarning
from ganaug.mixing.build import mix
from ganaug.mixing.transforms import SynthMix
from tests.toys import mixing as toy

TO_TENSOR = v2.Compose([v2.ToImage(), v2.ToDtype(torch.float32, scale=True)])


class Around(Dataset):
    """Items of another data set, as a wrapper serves them."""

    def __init__(self, inside):
        self.inside, self.targets, self.classes = inside, inside.targets, inside.classes

    def __len__(self):
        return len(self.inside)

    def __getitem__(self, index):
        return self.inside[index]


class Joint(toy.Pictures):
    """A joint transform of image and label."""

    def __init__(self, transforms):
        super().__init__()
        self.transforms = transforms

    def __getitem__(self, index):
        return self.transforms(*super().__getitem__(index))


class Shown(Subset):
    """A subset with a transform of its own."""

    def __init__(self, dataset, transform):
        super().__init__(dataset, range(len(dataset)))
        self.transform, self.targets, self.classes = transform, dataset.targets, dataset.classes

    def __getitem__(self, index):
        image, label = self.dataset[index]
        return self.transform(image), label

    def __getitems__(self, indices):
        return [self[index] for index in indices]


class Keeping(toy.Pictures):
    """Items are transformed once, and kept."""

    def __init__(self, transform, *, before=False):
        super().__init__(transform=transform)
        self.kept = {}
        if before:
            list(map(self.__getitem__, range(len(self))))

    def __getitem__(self, index):
        if index not in self.kept:
            self.kept[index] = super().__getitem__(index)
        return self.kept[index]


class After(toy.Pictures):
    """Works on what its transform gives."""

    def __getitem__(self, index):
        image, label = super().__getitem__(index)
        return (image - 0.5) / 0.1, label


def two_of(transform):
    both = ConcatDataset([toy.Pictures(30, transform), toy.Pictures(30, transform)])
    both.targets, both.classes = toy.labels(30) * 2, list(toy.CLASSES)
    return both


def darker(image):
    return image.point(lambda value: value // 4)


@pytest.mark.parametrize(
    "dataset",
    [
        Around(toy.Pictures(transform=darker)),
        two_of(ImageOps.invert),
        Shown(toy.Pictures(transform=darker), TO_TENSOR),
        Joint(lambda image, label: (darker(image), label)),
        Keeping(darker, before=True),
        After(transform=TO_TENSOR),
        After(transform=lambda image: np.float32(image) / 255),
    ],
    ids=["wrapper", "concatenated", "subset", "joint", "kept before", "after", "arrays after"],
)
def test_changes_that_synthetic_images_would_not_go_through_are_refused(run, dataset):
    with pytest.raises(IncompatibleLoaderError, match="transform="):
        mix(dataset, run, ratio=0.5)


def test_a_data_set_inside_that_changes_the_size_alone_is_followed(run):
    mixed = mix(Around(toy.Pictures(transform=v2.Resize((12, 12)), side=24)), run, ratio=0.5)
    assert {image.size for image, _ in mixed} == {(12, 12)}


def test_items_that_are_kept_stay_those_of_the_user(run):
    dataset = Keeping(TO_TENSOR)
    mixed = mix(dataset, run, ratio=0.5)
    assert not dataset.kept or all(isinstance(image, torch.Tensor) for image, _ in dataset.kept.values())
    assert {type(image) for image, _ in mixed} == {tv_tensors.Image}


@pytest.mark.parametrize(
    "transform",
    [v2.PILToTensor(), np.asarray, lambda image: TO_TENSOR(image).expand(3, -1, -1), lambda image: 1 / 0],
    ids=["dtype", "type", "shape", "failing"],
)
def test_a_transform_that_makes_other_items_is_refused(run, transform):
    with pytest.raises(IncompatibleLoaderError, match="ynthetic image"):
        mix(toy.Pictures(transform=TO_TENSOR), run, ratio=0.5, transform=transform)


def test_another_scale_is_told(run):
    normalised = v2.Compose([TO_TENSOR, v2.Normalize([0.9], [0.1])])
    with pytest.warns(OtherPicturesWarning, match=r"values from .*real ones from -"):
        mix(toy.Pictures(transform=normalised), run, ratio=0.5, transform=TO_TENSOR)


@pytest.mark.parametrize("low", [-1.0, -0.3])
def test_arrays_on_another_scale_are_refused(run, low):
    dataset = toy.Arrays(dtype=np.float32)
    dataset.images = dataset.images * (1 - low) + low
    with pytest.raises(IncompatibleLoaderError, match="values from -"):
        mix(dataset, run, ratio=0.5, classes=toy.CLASSES)


class Sample(NamedTuple):
    image: object
    label: int


@pytest.mark.parametrize("holder", [list, lambda pair: Sample(*pair)], ids=["list", "named tuple"])
def test_items_are_of_the_type_of_real_ones(run, holder):
    class Held(toy.Pictures):
        def __getitem__(self, index):
            return holder(super().__getitem__(index))

    mixed = mix(Held(), run, ratio=0.5)
    assert len(mixed.synthetic_indices()) == 30
    assert len({type(item) for item in mixed}) == 1


def test_tensors_of_torchvision_stay_so(run):
    class Tensors(toy.Pictures):
        def __getitem__(self, index):
            label = self.targets[index]
            return self.transform(tv_tensors.Image(toy.real_pixels(index, label)[None])), label

    mixed = mix(Tensors(transform=v2.ToDtype(torch.float32, scale=True)), run, ratio=0.5)
    assert {type(image) for image, _ in mixed} == {tv_tensors.Image}


def test_two_labels_anywhere_in_a_class_are_refused(run):
    class Several(toy.Pictures):
        def __getitem__(self, index):
            image, label = super().__getitem__(index)
            vector = torch.eye(3)[label]
            return image, vector if index % 20 < 10 else vector + torch.eye(3)[(label + 1) % 3]

    with pytest.raises(IncompatibleLoaderError):
        mix(Several(120), run, ratio=0.5)


@pytest.mark.parametrize("asked", [{"pool_epochs": 0}, {"pool_epochs": 1.5}, {"transform": 3}])
def test_settings_that_mean_nothing_are_refused(run, asked):
    with pytest.raises(OptionError):
        mix(toy.Pictures(), run, ratio=0.5, **asked)


def test_global_random_streams_stay_as_they_are(run):
    def drawn():
        return torch.rand(1).item(), np.random.rand(), random.random()  # noqa: NPY002

    def noisy(image):
        return Image.fromarray(np.clip(image + np.random.randint(0, 2, (8, 8)), 0, 255).astype(np.uint8))  # noqa: NPY002

    def seeded():
        torch.manual_seed(3)
        np.random.seed(3)  # noqa: NPY002
        random.seed(3)

    seeded()
    expected = drawn()
    seeded()
    SynthMix(run, classes=toy.CLASSES)
    mix(toy.Pictures(transform=noisy), run, ratio=0.5)
    assert drawn() == expected


@pytest.mark.parametrize(("low", "high", "normalize"), [(-1, 1, None), (0, 255, None), (0, 255, ([0.5], [0.5]))])
def test_batches_on_another_scale_are_refused(run, low, high, normalize):
    change = SynthMix(run, ratio=0.5, classes=toy.CLASSES, normalize=normalize)
    images, labels = torch.linspace(low, high, 4 * 64).reshape(4, 1, 8, 8), torch.tensor([0, 1, 2, 0])
    with pytest.raises(IncompatibleLoaderError, match="normalize="):
        change(images, labels)


def test_batches_that_noise_has_left_a_little_beyond_are_taken(run):
    change = SynthMix(run, ratio=0.5, classes=toy.CLASSES)
    change(torch.linspace(-0.2, 1.2, 4 * 64).reshape(4, 1, 8, 8), torch.tensor([0, 1, 2, 0]))


def test_a_copy_notices_another_run_at_its_place(tmp_path):
    toy.save_generator(tmp_path / "run" / "generator")
    mixed = pickle.dumps(mix(toy.Pictures(), tmp_path / "run", ratio=0.5, fresh=True))
    change = pickle.dumps(SynthMix(tmp_path / "run", ratio=0.5, classes=toy.CLASSES, live=True))
    os.rename(tmp_path / "run", tmp_path / "old")
    toy.save_generator(tmp_path / "run" / "generator", classes=tuple(reversed(toy.CLASSES)))
    with pytest.raises(ArtefactError, match="another one"):
        pickle.loads(mixed).set_epoch(3)
    with pytest.raises(ArtefactError, match="another one"):
        pickle.loads(change)(torch.rand(4, 1, 8, 8), torch.tensor([0, 1, 2, 0]))


def test_a_data_set_inside_is_told_the_epoch(run):
    class Told(toy.Pictures):
        epoch = 0

        def set_epoch(self, epoch):
            self.epoch = epoch

    mixed = mix(Told(), run, ratio=0.5)
    mixed.set_epoch(4)
    assert mixed.dataset.epoch == 4
    assert len(list(DataLoader(mixed, batch_size=None))) == 60


@pytest.mark.filterwarnings("ignore::ganaug.errors.WithheldWarning")
def test_a_class_that_the_fit_left_out_stays_real_at_every_door(tmp_path):
    run = toy.save_generator(tmp_path / "g", toy.CLASSES[:2], skipped=toy.CLASSES[2:])
    assert Counter(ganaug.SyntheticDataset(run, per_class=4, classes=toy.CLASSES).targets) == {0: 4, 1: 4}
    change = ganaug.albumentations.SynthSample(run, p=1.0, classes=toy.CLASSES)
    image = np.zeros((8, 8), np.uint8)
    assert not toy.is_synthetic(change(image=image, label=2)["image"])
    assert toy.is_synthetic(change(image=image, label=1)["image"])
    labels = np.array([0] * 6 + [1] * 3 + [2] * 2)
    resampled = ganaug.GANSampler(run, classes=toy.CLASSES).fit_resample(np.zeros((11, 8, 8), np.uint8), labels)[1]
    assert Counter(resampled.tolist()) == {0: 6, 1: 6, 2: 2}


def test_a_relative_path_outlives_a_change_of_the_working_directory(tmp_path, monkeypatch):
    toy.save_generator(tmp_path / "run" / "generator")
    monkeypatch.chdir(tmp_path)
    data, mixed = ganaug.SyntheticDataset("run", per_class=2), mix(toy.Pictures(), "run", ratio=0.5, fresh=True)
    change = pickle.dumps(SynthMix("run", ratio=0.5, classes=toy.CLASSES, live=True))
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert len([*pickle.loads(pickle.dumps(data))]) == 6
    pickle.loads(pickle.dumps(mixed)).set_epoch(2)
    pickle.loads(change)(torch.rand(4, 1, 8, 8), torch.tensor([0, 1, 2, 0]))
