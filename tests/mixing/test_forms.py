"""Synthetic items carry the label of a real one of their class: same type, dtype, shape and value; else a refusal."""

import enum
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch.utils.data import ConcatDataset, DataLoader, Subset, default_collate

from ganaug.errors import DataError, IncompatibleLoaderError, LabelMismatchError
from ganaug.mixing.build import mix
from ganaug.mixing.forms import same_label
from tests.toys import mixing as toy

Kind = enum.IntEnum("Kind", ["ANT", "BEE", "COW"], start=0)
FORMS = {
    "int": int,
    "bool-like": np.int8,
    "numpy": np.int64,
    "unsigned": np.uint8,
    "float": float,
    "numpy float": np.float32,
    "enum": Kind,
    "tensor": torch.tensor,
    "small tensor": lambda k: torch.tensor(k, dtype=torch.uint8),
    "tensor of one": lambda k: torch.tensor([k]),
    "float tensor of one": lambda k: torch.tensor([float(k)]),
    "half tensor": lambda k: torch.tensor(k, dtype=torch.float16),
    "array": np.array,
    "array of one": lambda k: np.array([k], dtype=np.float32),
    "list of one": lambda k: [k],
    "tuple of one": lambda k: (float(k),),
    "one-hot tensor": lambda k: torch.eye(3)[k],
    "one-hot of integers": lambda k: torch.eye(3, dtype=torch.int64)[k],
    "one-hot of truth": lambda k: torch.eye(3, dtype=torch.bool)[k],
    "wider one-hot": lambda k: torch.eye(5)[k],
    "one-hot array": lambda k: np.eye(3, dtype=np.float32)[k],
    "one-hot list": lambda k: np.eye(3)[k].tolist(),
    "one-hot tuple": lambda k: tuple(int(place == k) for place in range(3)),
    "text": toy.CLASSES.__getitem__,
    "bytes": lambda k: toy.CLASSES[k].encode(),
    "numpy text": lambda k: np.str_(toy.CLASSES[k]),
}
OTHERS = {
    "smoothed": lambda k: torch.eye(3)[k] * 0.9 + 0.1 / 3,
    "several": lambda k: torch.tensor([1.0, 1.0, float(k == 2)]),
    "box": lambda k: [k, 4, 8, 8],
    "dict": lambda k: {"class": k},
    "other words": lambda k: ("x", "y", "z")[k],
    "shifted one-hot": lambda k: torch.eye(4)[k + 1],
    "matrix": lambda k: torch.eye(3)[k][None],
    "nothing": lambda k: None,
}


class Labelled(toy.Pictures):
    """Items that carry a label in another form."""

    def __init__(self, form, **settings):
        super().__init__(**settings)
        self.form = form

    def __getitem__(self, index):
        image, label = super().__getitem__(index)
        return image, self.form(label)


def require_alike(mixed, form):
    """Labels of a mixed data set are those of the real ones, also in a batch."""
    assert len(mixed.synthetic_indices())
    for index, kind in enumerate(toy.labels(60)):
        image, label = mixed[index]
        assert same_label(label, form(kind))
        assert abs(np.asarray(image).reshape(-1)[2:].mean() - toy.LEVELS[toy.CLASSES[kind]]) < 9
    as_tensors = [(0, form(kind)) for kind in toy.labels(60)]
    mixed.transform = lambda image: 0
    batch = next(iter(DataLoader(mixed, 60)))[1]
    assert repr(batch) == repr(default_collate(as_tensors)[1])


@pytest.mark.parametrize("name", FORMS)
@pytest.mark.parametrize("how", ["target_transform", "items", "both"])
def test_synthetic_labels_have_the_form_of_real_ones(run, name, how):
    form = FORMS[name]
    if how == "target_transform":
        mixed = mix(toy.Pictures(target_transform=form), run, ratio=0.5)
    elif how == "items":
        mixed = mix(Labelled(form), run, ratio=0.5, targets=toy.labels(60), classes=toy.CLASSES)
    else:
        moved = Labelled(lambda label: form(label - 3), target_transform=lambda label: label + 3)
        mixed = mix(moved, run, ratio=0.5, targets=toy.labels(60), classes=toy.CLASSES)
    require_alike(mixed, form)
    assert mixed.targets == toy.labels(60)
    assert mixed.class_to_idx == {"ant": 0, "bee": 1, "cow": 2}


@pytest.mark.parametrize("name", OTHERS)
def test_labels_that_are_no_function_of_the_class_are_refused(run, name):
    data = Labelled(OTHERS[name])
    with pytest.raises((IncompatibleLoaderError, LabelMismatchError), match=r"carries.*(Mix into|classes=\[)"):
        mix(data, run, ratio=0.5, targets=toy.labels(60), classes=toy.CLASSES)


@pytest.mark.parametrize("name", [name for name in OTHERS if name not in ("nothing", "several")])
def test_whatever_target_transform_makes_of_a_class_is_made_of_it_again(run, name):
    require = mix(toy.Pictures(target_transform=OTHERS[name]), run, ratio=0.5)
    for index, kind in enumerate(toy.labels(60)):
        assert same_label(require[index][1], OTHERS[name](kind)) or name == "dict"


def test_labels_that_differ_within_a_class_are_refused(run):
    class Soft(toy.Pictures):
        def __getitem__(self, index):
            image, label = super().__getitem__(index)
            return image, torch.eye(3)[label] * (0.9 if index > 50 else 1.0)

    with pytest.raises(IncompatibleLoaderError, match="neither a number, a one-hot vector nor the name"):
        mix(Soft(), run, targets=toy.labels(60), classes=toy.CLASSES)


def test_targets_that_items_do_not_carry_are_refused(run):
    wrong = [(label + 1) % 3 for label in toy.labels(60)]
    with pytest.raises(LabelMismatchError, match=r"Item 0 carries the label 0, but its class is the label 1"):
        mix(toy.Pictures(), run, targets=wrong, classes=["cow", "ant", "bee"])


def test_a_label_that_a_type_has_no_room_for_is_refused(run):
    class Bits(toy.Pictures):
        def __getitem__(self, index):
            image, label = super().__getitem__(index)
            return image, label > 0

    with pytest.raises((IncompatibleLoaderError, LabelMismatchError)):
        mix(Bits(), run, targets=toy.labels(60), classes=toy.CLASSES)


def test_the_names_are_those_of_a_fit_through_a_target_transform(run):
    world = {0: 7, 1: 3, 2: 5}
    mixed = mix(toy.Pictures(target_transform=world.__getitem__), run, ratio=0.5)
    assert mixed.class_to_idx == {"bee": 3, "cow": 5, "ant": 7}
    assert mixed.classes == ["bee", "cow", "ant"]
    assert mixed.targets == [world[kind] for kind in toy.labels(60)] == [label for _, label in mixed]
    require_alike(mixed, world.__getitem__)
    merged = toy.Pictures(target_transform=lambda kind: kind % 2)
    with pytest.raises(LabelMismatchError, match="not learned the class '0'"):
        mix(merged, run)


def test_merged_classes_are_called_by_their_numbers(tmp_path):
    run = toy.save_generator(tmp_path / "generator", ("1", "2"))
    data = toy.Pictures(target_transform=lambda kind: 1 + (kind > 0))
    mixed = mix(data, run, ratio=0.5)
    assert mixed.targets == [1 + (kind > 0) for kind in toy.labels(60)] == [label for _, label in mixed]


def test_a_target_transform_that_is_never_called_is_not_called_for_synthetic_items(run):
    class Deaf(toy.Pictures):
        def __getitem__(self, index):
            return Image.fromarray(toy.real_pixels(index, self.targets[index])), self.targets[index]

    mixed = mix(Deaf(target_transform=str), run, ratio=0.5)
    assert [label for _, label in mixed] == toy.labels(60)


def test_a_target_transform_that_is_set_later_holds_for_both(run):
    data = Labelled(torch.tensor)
    mixed = mix(data, run, ratio=0.5)
    mixed.target_transform = lambda kind: 5 - kind
    assert mixed.targets == [5 - kind for kind in toy.labels(60)]
    require_alike(mixed, lambda kind: torch.tensor(5 - kind))


def test_appended_items_and_subsets(run):
    part = Subset(toy.Pictures(target_transform=lambda kind: torch.eye(3)[kind]), [*range(3, 60)])
    mixed = mix(part, run, mode="balance")
    kinds = mixed.targets
    assert np.bincount(kinds).tolist() == [27, 27, 27]
    assert all(torch.equal(mixed[index][1], torch.eye(3)[kinds[index]]) for index in range(len(mixed)))


def test_concatenated_sets_of_other_forms_are_refused(run):
    plain = toy.Pictures(transform=toy.as_tensor)
    both = ConcatDataset([plain, toy.Pictures(transform=toy.as_tensor, target_transform=float)])
    with pytest.raises(IncompatibleLoaderError):
        mix(both, run, transform=toy.as_tensor)
    mixed = mix(ConcatDataset([plain, plain]), run, transform=toy.as_tensor, ratio=0.5)
    assert [label for _, label in mixed] == toy.labels(60) * 2


def test_items_of_three_parts_are_refused_with_what_to_write(run):
    class Indexed(toy.Pictures):
        def __getitem__(self, index):
            return *super().__getitem__(index), index

    with pytest.raises(IncompatibleLoaderError, match=r"tuple of 3.*\[:2\]"):
        mix(Indexed(), run)
    assert len(mix(Indexed(), run, ratio=0)[0]) == 3


def test_random_target_transforms_are_drawn_for_each_item(run):
    stream = np.random.default_rng(0)
    noisy = mix(toy.Pictures(target_transform=lambda kind: torch.eye(3)[kind] + stream.random()), run, ratio=0.5)
    assert len({float(label.sum()) for _, label in noisy}) == 60


def test_items_without_a_number_say_what_to_give(run):
    for form in (FORMS["text"], FORMS["one-hot tensor"], FORMS["float"]):
        data = Labelled(form)
        del data.targets
        data.targets_of_its_own = toy.labels(60)
        data.__class__ = Hidden
        with pytest.raises(DataError, match="give targets="):
            mix(data, run)


class Hidden(Labelled):
    """Without `.targets`."""

    def __len__(self):
        return 60

    def __getitem__(self, index):
        kind = self.targets_of_its_own[index]
        return Image.fromarray(toy.real_pixels(index, kind)), self.form(kind)


@pytest.mark.parametrize(
    ("given", "fix"),
    [
        ("data/train", r"ImageFolder\(place, transform\)"),
        (Path("data/train"), r"ImageFolder\(place, transform\)"),
        ((np.zeros((4, 8, 8), np.uint8), np.zeros(4)), r"TensorDataset\(images, labels\)"),
        (iter([]), "__len__ and __getitem__"),
        ({"train": []}, r"dataset\['train'\]"),
    ],
)
def test_what_is_no_data_set_is_refused_with_the_way_to_one(given, fix, digits_run):
    with pytest.raises(IncompatibleLoaderError, match=fix):
        mix(given, digits_run)
