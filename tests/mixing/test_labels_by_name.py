"""Labels are matched by name, everywhere: permuted ones are mapped, missing ones no matter, foreign ones refused."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader

from ganaug.errors import LabelMismatchError
from ganaug.mixing.build import mix
from ganaug.mixing.imbalanced import GANSampler
from ganaug.mixing.loader import augment_loader
from ganaug.mixing.transforms import SynthMix
from tests.toys import mixing as toy


class Named(toy.Arrays):
    """Flat images; `labels[i]` of the image, and the names of the labels. No class list of its own if names is None."""

    def __init__(self, names, labels):
        super().__init__(24)
        self.targets = [labels[i % len(labels)] for i in range(24)]
        if names is not None:
            self.classes = list(names)


def by_mix(run, names, labels):
    return [(x, y) for x, y in mix(Named(names, labels), run, ratio=1.0)]


def by_loader(run, names, labels):
    loader = augment_loader(DataLoader(Named(names, labels), batch_size=5, shuffle=True), run, ratio=1.0)
    return [(x, int(y)) for xs, ys in loader for x, y in zip(xs.numpy(), ys, strict=True)]


def by_transform(run, names, labels):
    y = torch.tensor([labels[i % len(labels)] for i in range(24)])
    x = torch.zeros(24, 1, toy.SIDE, toy.SIDE)
    mixed, _ = SynthMix(run, ratio=1.0, classes=names)(x, y)
    return [(image * 255, int(label)) for image, label in zip(mixed.numpy(), y, strict=True)]


def by_sampler(run, names, labels):
    y = np.array([labels[i % len(labels)] for i in range(24)] + [labels[0]] * 8)
    x = np.zeros((32, toy.SIDE, toy.SIDE), np.uint8)
    more, y = GANSampler(run, classes=names).fit_resample(x, y)
    return list(zip(more[32:], y[32:].tolist(), strict=True))


doors = pytest.mark.parametrize("door", [by_mix, by_loader, by_transform, by_sampler])


@doors
@pytest.mark.parametrize(
    ("names", "labels"),
    [
        (("ant", "bee", "cow"), (0, 1, 2)),
        (("cow", "ant", "bee"), (0, 1, 2)),  # permuted
        (("bee", "cow"), (0, 1)),  # one class is missing, so that the others have other numbers
        (("cow", "bee", "ant"), (0, 2)),  # one class is named and has no items
    ],
)
def test_what_is_served_is_what_its_name_says(run, door, names, labels):
    served = door(run, names, labels)
    assert served
    for image, label in served:
        assert abs(np.asarray(image, dtype=float).mean() - toy.LEVELS[names[label]]) < 16


@doors
@pytest.mark.parametrize(
    ("names", "labels", "said"),
    [
        (("ant", "bee", "cow", "dog"), (0, 1, 2, 3), "dog"),  # added
        (("ant", "bee", "bull"), (0, 1, 2), "bull"),  # renamed
        (("ant", "bee", "Cow"), (0, 1, 2), "Cow"),
        (("ant", "bee"), (0, 1, 2), "2"),  # a label without a name
        (("ant", "ant", "bee"), (0, 1, 2), "repeat|ant"),
    ],
)
def test_what_the_generator_has_not_learned_is_refused_by_name(run, door, names, labels, said):
    with pytest.raises((LabelMismatchError, ValueError), match=said):
        door(run, names, labels)


def by_albumentations(run, names, labels):
    from ganaug.mixing.albumentations import SynthSample

    transform, image = SynthSample(run, p=1.0, classes=names), np.zeros((toy.SIDE, toy.SIDE), np.uint8)
    return [(transform(image=image, label=label)["image"], label) for label in labels]


@pytest.mark.parametrize("door", [by_mix, by_loader, by_transform, by_sampler, by_albumentations])
def test_classes_that_are_called_by_numbers_are_the_labels_of_these_numbers(door, tmp_path):
    run = toy.save_generator(tmp_path / "generator", ("1", "2"))
    for labels in ([1, 2], [1], [2]):
        if door is by_sampler and len(labels) < 2:
            labels = [*labels, 3 - labels[0]]
        for image, label in door(run, None, labels):
            assert abs(float(np.asarray(image, dtype=np.float64).mean()) - toy.LEVELS[str(label)]) < 12, label
    with pytest.raises(LabelMismatchError):
        door(run, None, [1, 0])


def test_integers_that_are_not_one_for_each_name_must_be_named(tmp_path):
    run = toy.save_generator(tmp_path / "generator", ("ant", "cow"))  # a part of the classes of a larger set, say
    x, y = np.zeros((30, toy.SIDE, toy.SIDE), np.uint8), np.array([0] * 10 + [2] * 20)
    with pytest.raises(LabelMismatchError, match="which is which"):
        GANSampler(run).fit_resample(x, y)
    more, labels = GANSampler(run, classes=["ant", "bee", "cow"]).fit_resample(x, y)
    assert labels[30:].tolist() == [0] * 10
    assert abs(more[30:].mean() - toy.LEVELS["ant"]) < 12
