"""Labels are matched by name, everywhere: permuted ones are mapped, missing ones no matter, foreign ones refused."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader
from torchvision.datasets import ImageFolder

from ganaug.data.sources.source import open_source
from ganaug.errors import LabelMismatchError
from ganaug.mixing.build import mix
from ganaug.mixing.imbalanced import GANSampler
from ganaug.mixing.loader import augment_loader
from ganaug.mixing.synthetic import SyntheticDataset
from ganaug.mixing.transforms import SynthMix
from ganaug.samples.run import Run
from tests.toys import mixing as toy
from tests.toys.images import picture as toy_picture


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


def test_integers_must_be_named(tmp_path):
    run = toy.save_generator(tmp_path / "generator", ("ant", "cow"))  # a part of the classes of a larger set, say
    x, y = np.zeros((30, toy.SIDE, toy.SIDE), np.uint8), np.array([0] * 10 + [2] * 20)
    more, labels = GANSampler(run, classes=["ant", "bee", "cow"]).fit_resample(x, y)
    assert labels[30:].tolist() == [0] * 10
    assert abs(more[30:].mean() - toy.LEVELS["ant"]) < 12


BEFORE, AFTER = ("caf\u00e9", "\u00dcbung"), ("cafe\u0301", "U\u0308bung")  # composed, decomposed


@pytest.mark.parametrize(("learned", "here"), [(BEFORE, AFTER), (AFTER, BEFORE)])
def test_names_that_look_the_same_are_the_same(learned, here, tmp_path, monkeypatch):
    for name, level in zip((*learned, *here), (60, 190) * 2, strict=True):
        monkeypatch.setitem(toy.LEVELS, name, level)
    run = toy.save_generator(tmp_path / "generator", learned)
    for door in (by_mix, by_loader, by_transform, by_sampler, by_albumentations):
        served = door(run, here[::-1], (0, 1))
        assert served
        for image, label in served:
            assert abs(np.asarray(image, dtype=float).mean() - toy.LEVELS[here[1 - label]]) < 16, door
    mixed = mix(Named(here, (0, 1)), run, ratio=0.5)
    assert mixed.classes == list(here)  # as the user writes them
    plain = mix(Named(learned, (0, 1)), run, ratio=0.5)
    assert all(np.array_equal(mixed[i][0], plain[i][0]) for i in range(24))
    made = SyntheticDataset(run, plan={learned[1]: 3, here[0]: 2}, classes=here[::-1])
    assert made.classes == list(here[::-1])
    assert made.targets == [0] * 3 + [1] * 2
    names = np.array(here)[[0, 1, 1]]
    _, y = GANSampler(run).fit_resample(np.zeros((3, 8, 8), np.uint8), names)
    assert y.tolist() == [*names.tolist(), here[0]]


def test_two_names_that_look_the_same_are_refused_together(run):
    for names in (("ant", BEFORE[0], AFTER[0]), (BEFORE[0], AFTER[0])):
        for door in (by_mix, by_loader, by_transform, by_sampler, by_albumentations):
            with pytest.raises(ValueError, match="look the same"):
                door(run, names, tuple(range(len(names))))


def one_batch(transform):
    return lambda run, **given: transform(run, **given)(torch.zeros(4, 1, 8, 8), torch.zeros(4, dtype=torch.int64))


def one_sample(run, **given):
    from ganaug.mixing.albumentations import SynthSample

    return SynthSample(run, p=1.0, **given)(image=np.zeros((8, 8), np.uint8), label=0)


def resampled(run, **given):
    return GANSampler(run, **given).fit_resample(np.zeros((4, 8, 8), np.uint8), np.array([0, 0, 0, 1]))


@pytest.mark.parametrize("door", [one_batch(SynthMix), resampled, one_sample])
def test_numbers_without_names_are_asked_about(run, door):
    with pytest.raises(
        LabelMismatchError,
        match=r"which number means which class is not known\..*classes=dataset\.classes.*classes=run\.classes",
    ):
        door(run)
    door(run, classes=Run(run).classes)
    door(run, classes=toy.CLASSES[::-1])


def test_one_folder_has_the_same_names_in_a_fit_and_in_a_mix(tmp_path, monkeypatch):
    """Folders of numbers, whose labels are these numbers and not their places in the list."""
    for name in ("0", "1", "10", "2"):
        monkeypatch.setitem(toy.LEVELS, name, 20 * int(name))
        (tmp_path / "data" / name).mkdir(parents=True)
        for i in range(4):
            toy_picture(i).save(tmp_path / "data" / name / f"{i}.png")

    class ByNumber(ImageFolder):
        def find_classes(self, directory):
            names, _ = super().find_classes(directory)
            return names, {name: int(name) for name in names}

    for change in (None, lambda label: 100 - label):
        data = ByNumber(tmp_path / "data", target_transform=change)
        source = open_source(data)
        run = toy.save_generator(tmp_path / f"generator{change is None}", source.classes)
        mixed = mix(data, run, ratio=0.5)
        assert sorted(mixed.classes) == sorted(source.classes) == ["0", "1", "10", "2"]
        names = {label: name for name, label in mixed.class_to_idx.items()}
        for index, (path, _) in enumerate(data.samples):
            folder = path.split("/")[-2]
            assert names[mixed[index][1]] == folder == source.classes[source.labels[index]]
            assert mixed.targets[index] == mixed[index][1]


@pytest.mark.parametrize("door", [by_mix, by_transform, by_sampler, by_albumentations])
def test_a_table_of_names_names_labels_with_gaps(run, door):
    served = door(run, {"bee": 2, "ant": 7, "cow": 5}, (2, 7, 5)) if door is not by_mix else by_table(run)
    for image, label in served:
        assert abs(np.asarray(image, dtype=float).mean() - toy.LEVELS[{2: "bee", 7: "ant", 5: "cow"}[label]]) < 16
    with pytest.raises(ValueError, match=r"one label to two names"):
        by_transform(run, {"ant": 1, "bee": 1}, (1,))


def by_table(run):
    return [(x, y) for x, y in mix(Named(None, (2, 7, 5)), run, ratio=1.0, classes={"bee": 2, "ant": 7, "cow": 5})]
