"""Mixing into data sets of dicts: synthetic items are dicts like the real ones."""

import numpy as np
import pytest
import torch
from torch.utils.data import ConcatDataset, DataLoader, Dataset, Subset

import ganaug
from ganaug.errors import IncompatibleLoaderError
from tests.toys.images import picture

datasets = pytest.importorskip("datasets")
LABELS = [1, 0] * 6


def hub(**more):
    features = {"image": datasets.Image(), "label": datasets.ClassLabel(names=["ant", "bee"])}
    values = {"image": [picture(i) for i in range(12)], "label": LABELS}
    made = datasets.Dataset.from_dict(values, features=datasets.Features(features))
    for name, column in more.items():
        made = made.add_column(name, column)
    return made


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return ganaug.fit(hub(), tmp_path_factory.mktemp("dicts") / "run", recipe="cgan", steps=2, size=16)


def both(mixed):
    """A real item and a synthetic one."""
    chosen = set(mixed.synthetic_indices().tolist())
    assert chosen
    real = next(i for i in range(len(mixed)) if i not in chosen)
    return mixed[real], mixed[min(chosen)], min(chosen)


def test_items_of_hugging_face_are_dicts_of_the_same_types(run):
    real, synthetic, place = both(ganaug.mix(hub(), run, ratio=0.5))
    assert list(real) == list(synthetic) == ["image", "label"]
    assert real["image"].mode == synthetic["image"].mode == "RGB"
    assert real["image"].size == synthetic["image"].size
    assert type(real["label"]) is type(synthetic["label"]) is int
    assert synthetic["label"] == LABELS[place]


def test_a_transform_of_batches_is_the_same_for_both(run):
    seen = []

    def change(batch):
        seen.append(set(batch))
        pixels = [torch.from_numpy(np.array(image)).permute(2, 0, 1) / 255 for image in batch["image"]]
        return {"pixel_values": pixels, "labels": [label + 10 for label in batch["label"]]}

    real, synthetic, place = both(ganaug.mix(hub().with_transform(change), run, ratio=0.5))
    assert list(real) == list(synthetic) == ["pixel_values", "labels"]
    assert real["pixel_values"].shape == synthetic["pixel_values"].shape
    assert synthetic["labels"] == LABELS[place] + 10
    assert all(keys == {"image", "label"} for keys in seen)
    with pytest.raises(IncompatibleLoaderError, match="transform= cannot make"):
        both(ganaug.mix(hub().with_transform(change), run, ratio=0.5, transform=lambda image: image))


@pytest.mark.parametrize("form", ["torch", "numpy"])
def test_formats_are_those_of_the_real_items(run, form):
    real, synthetic, place = both(ganaug.mix(hub().with_format(form), run, ratio=0.5))
    for key in real:
        assert type(real[key]) is type(synthetic[key])
        assert real[key].shape == synthetic[key].shape
        assert real[key].dtype == synthetic[key].dtype
    assert int(synthetic["label"]) == LABELS[place]


def test_texts_as_labels_stay_texts(run):
    texts = hub().remove_columns("label").add_column("label", ["bee" if label else "ant" for label in LABELS])
    mixed = ganaug.mix(texts, run, ratio=0.5)
    real, synthetic, place = both(mixed)
    assert {real["label"], synthetic["label"]} <= {"ant", "bee"}
    assert synthetic["label"] == ("bee" if LABELS[place] else "ant")
    with pytest.raises(IncompatibleLoaderError, match="Leave targets= out"):
        ganaug.mix(texts, run, ratio=0.5, targets=LABELS, classes=["ant", "bee"])


def test_other_columns_are_refused_with_the_line_that_helps(run):
    with pytest.raises(IncompatibleLoaderError, match=r"select_columns\(\['image', 'label'\]\)"):
        ganaug.mix(hub(path=list("abcdefghijkl")), run, ratio=0.5)
    with pytest.raises(IncompatibleLoaderError, match="format of the data set leaves out 'label'"):
        ganaug.mix(hub().with_format("torch", ["image"]), run, ratio=0.5)


def test_a_column_as_targets_and_names_of_the_features(run):
    data = hub()
    mixed = ganaug.mix(data, run, ratio=0.5, targets=data["label"], classes=data.features["label"].names)
    real, synthetic, place = both(mixed)
    assert mixed.targets == LABELS
    assert synthetic["label"] == LABELS[place]


def test_loaders_subsets_and_balance(run):
    data = hub().with_format("torch")
    loader = ganaug.augment_loader(DataLoader(data, 4, shuffle=True, num_workers=1), run, ratio=0.5)
    batches = list(loader)
    assert sum(len(batch["label"]) for batch in batches) == 12
    assert all(batch["image"].shape[1:] == (3, 12, 12) for batch in batches)
    part = Subset(hub(), [0, 1, 2, 4, 6])
    mixed = ganaug.mix(part, run, mode="balance")
    assert len(mixed) == 8
    assert all(mixed[i]["label"] == 0 for i in range(5, 8))


def test_a_transform_that_is_set_later_reaches_the_image_of_every_item(run):
    mixed = ganaug.mix(hub(), run, ratio=0.5)
    mixed.transform = lambda image: image.size
    assert {mixed[i]["image"] for i in range(12)} == {(12, 12)}


class Plain(Dataset):
    def __init__(self, whole=None):
        if whole is not None:
            self.transform = whole

    def __len__(self):
        return 12

    def __getitem__(self, index):
        item = {"img": picture(index), "label": LABELS[index]}
        return self.transform(item) if hasattr(self, "transform") else item


def test_plain_dicts(run):
    real, synthetic, place = both(ganaug.mix(Plain(), run, ratio=0.5, classes=["ant", "bee"]))
    assert list(real) == list(synthetic) == ["img", "label"]
    assert real["img"].size == synthetic["img"].size
    assert synthetic["label"] == LABELS[place]


def test_a_transform_of_whole_items_asks_for_one_of_images(run):
    def bright(item):
        return {"img": item["img"].point(lambda value: 255), "label": item["label"]}

    with pytest.raises(IncompatibleLoaderError, match="Give transform="):
        ganaug.mix(Plain(bright), run, ratio=0.5, classes=["ant", "bee"])
    mixed = ganaug.mix(
        Plain(bright), run, ratio=0.5, classes=["ant", "bee"], transform=lambda image: image.convert("L")
    )
    real, synthetic, _ = both(mixed)
    assert (real["img"].mode, synthetic["img"].mode) == ("RGB", "L")


def test_concatenated_data_sets_are_made_one_first(run):
    with pytest.raises(IncompatibleLoaderError, match="concatenate_datasets"):
        ganaug.mix(ConcatDataset([hub(), hub()]), run, ratio=0.5)
    real, synthetic, _ = both(ganaug.mix(datasets.concatenate_datasets([hub(), hub()]), run, ratio=0.5))
    assert list(real) == list(synthetic)


def test_without_synthetic_items_every_item_is_as_it_was(run):
    mixed = ganaug.mix(hub(path=list("abcdefghijkl")), run, ratio=0)
    assert list(mixed[3]) == ["image", "label", "path"]
    mixed.transform = lambda image: image.size
    assert mixed[3]["image"] == (12, 12)


def test_a_dict_of_parts_is_no_data_set_to_mix_into(run):
    with pytest.raises(IncompatibleLoaderError, match=r"dataset\['train'\]"):
        ganaug.mix(datasets.DatasetDict(train=hub()), run)


def test_the_trainer_of_hugging_face_collates_what_is_mixed(run):
    transformers = pytest.importorskip("transformers")
    mixed = ganaug.mix(hub().with_format("torch"), run, ratio=0.5)
    batch = transformers.default_data_collator([mixed[i] for i in range(4)])
    assert batch["labels"].shape == (4,)
