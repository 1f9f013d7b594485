"""Pictures for a user's own training: native ones, as many synthetic ones as were asked for, any loader."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image
from torch.utils.data import DataLoader, Dataset, Subset

from ganaug.errors import TooFewImagesError
from ganaug.mixing.picture_set import PictureSet
from tests.toys import mixing as toy

N = 30  # 15 ants, 10 bees, 5 cows


class Pictures:
    def __init__(self, images):
        self.images = list(images)

    def read(self, index):
        return self.images[index]


def native() -> Pictures:
    """Of different sizes and modes, flat in colour, numbered by it."""
    return Pictures(Image.new(("L", "RGB")[i % 2], (10 + i, 20), i if i % 2 == 0 else (i, i, i)) for i in range(N))


def synthetic(each: int = 40) -> tuple[Pictures, np.ndarray]:
    """Of labels in turn; each picture is one level above 100."""
    return Pictures(Image.new("L", (8, 8), 100 + i) for i in range(3 * each)), np.arange(3 * each) % 3


def pictures(ratio: float = 0.0, **more) -> PictureSet:
    options = {"synthetic": synthetic(), "ratio": ratio, **more}
    return PictureSet(native(), toy.labels(N), toy.CLASSES, **options)


def level(image: Image.Image) -> int:
    return int(np.asarray(image).flat[0])


def levels_and_labels(items):
    """To collate by; spawned workers find it by name."""
    return [(level(image), label) for image, label in items]


class Around(Dataset):
    """A data set of the user's around it, as training code has them."""

    def __init__(self, dataset):
        self.dataset = dataset

    def __len__(self):
        return len(self.dataset)

    def __getitem__(self, index):
        image, label = self.dataset[index]
        return image.convert("RGB"), label


def passes(loader, n):
    return [[item for batch in loader for item in batch] for _ in range(n)]


def test_real_pictures_come_as_the_user_has_them():
    dataset = pictures()
    assert (len(dataset), dataset.classes, dataset.targets) == (N, list(toy.CLASSES), toy.labels(N))
    for index, (image, label) in enumerate(dataset):
        assert (image.mode, image.size) == (("L", "RGB")[index % 2], (10 + index, 20))
        assert (level(image), label, type(label)) == (index, toy.labels(N)[index], int)
    assert level(dataset[-1][0]) == N - 1
    with pytest.raises(IndexError):
        dataset[N]


def test_what_is_done_to_a_picture_is_not_done_to_the_users_own():
    dataset, whole = pictures(), pictures().sample()
    dataset[0][0].thumbnail((2, 2))
    dataset[0][0].putpixel((0, 0), 255)
    assert dataset[0][0].size == (10, 20)
    assert dataset.sample() == whole


@pytest.mark.parametrize("ratio", [0.1, 0.25, 0.5, 1.0])
def test_the_share_is_exact_in_every_epoch_and_labels_stay(ratio):
    dataset = pictures(ratio)
    own = synthetic()[1]
    shown = passes(DataLoader(dataset, 7, shuffle=True, collate_fn=levels_and_labels), 4)
    for one in shown:
        made = [(value - 100, label) for value, label in one if value >= 100]
        assert len(one) == N
        assert len(made) == round(ratio * N)
        assert all(own[row] == label for row, label in made)
        assert np.bincount([label for _, label in one]).tolist() == [15, 10, 5]
    assert len({frozenset(one) for one in shown}) == 4
    assert f"{round(ratio * N)} of them synthetic" in repr(dataset)


def test_without_a_loader_an_epoch_is_what_is_said():
    dataset = pictures(0.5)
    first = [level(image) for image, _ in dataset]
    assert first == [level(image) for image, _ in dataset]
    dataset.set_epoch(1)
    second = [level(image) for image, _ in dataset]
    assert first != second
    assert [sum(value >= 100 for value in one) for one in (first, second)] == [15, 15]


def test_choices_are_a_function_of_the_seed():
    first, again, other = ([level(i) for i, _ in pictures(0.5, seed=seed)] for seed in (1, 1, 2))
    assert first == again != other


def test_items_of_a_class_without_synthetic_pictures_stay_real():
    made, labels = synthetic()
    few = [row for row, label in enumerate(labels) if label != 1]
    dataset = pictures(1.0, synthetic=(Pictures(made.images[row] for row in few), labels[few]))
    assert [level(image) >= 100 for image, _ in dataset] == [label != 1 for label in dataset.targets]
    for none in (None, (made, [])):
        with pytest.raises(TooFewImagesError, match="synthetic share of 0.5"):
            pictures(0.5, synthetic=none)


WORKERS = {
    "fork": {"num_workers": 2, "multiprocessing_context": "fork"},
    "spawn": {"num_workers": 1, "multiprocessing_context": "spawn", "persistent_workers": True},
}


@pytest.mark.parametrize("method", WORKERS)
def test_loader_workers_serve_the_same(method):
    options = {"batch_size": 7, "collate_fn": levels_and_labels}
    apart = passes(DataLoader(Around(pictures(0.5)), **options, **WORKERS[method]), 2)
    assert apart == passes(DataLoader(Around(pictures(0.5)), **options), 2)
    assert [sum(value >= 100 for value, _ in one) for one in apart] == [15, 15]


def test_a_subset_of_it_is_served_by_loaders():
    part = Subset(pictures(1.0), range(10))
    shown = passes(DataLoader(part, 4, collate_fn=levels_and_labels), 2)
    assert [label for _, label in shown[0]] == toy.labels(10)
    assert shown[0] != shown[1]


def test_a_sample_tells_places_and_pictures_whatever_the_epoch():
    dataset = pictures(0.5)
    before = dataset.sample()
    passes(DataLoader(dataset, 7, collate_fn=levels_and_labels), 2)
    assert dataset.sample() == before == pictures(0.1).sample()
    other = PictureSet(Pictures(native().images[::-1]), toy.labels(N), toy.CLASSES)
    assert other.sample() != before
