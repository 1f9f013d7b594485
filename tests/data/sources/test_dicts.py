"""Data sets whose items are dicts: Hugging Face's, and plain ones."""

import numpy as np
import pytest
from torch.utils.data import ConcatDataset, Dataset, Subset

from ganaug.data.check import check
from ganaug.data.load import load_images
from ganaug.data.sources.source import brings_test_part, open_source
from ganaug.errors import DataError, OptionError
from tests.toys.images import picture

datasets = pytest.importorskip("datasets")
LABELS = [1, 0, 1, 0, 1, 0, 0, 1]


def hub(columns=None, features=None):
    """Eight pictures, of "bee" and "ant"."""
    own = {"image": datasets.Image(), "label": datasets.ClassLabel(names=["ant", "bee"])}
    values = {"image": [picture(i) for i in range(8)], "label": LABELS}
    return datasets.Dataset.from_dict(values | (columns or {}), features=datasets.Features(own | (features or {})))


def test_features_say_what_columns_hold():
    source = open_source(hub())
    assert source.classes == ("ant", "bee")
    assert source.labels.tolist() == LABELS
    assert source.read(5).tobytes() == picture(5).tobytes()
    assert load_images(hub()).counts() == {"ant": 4, "bee": 4}
    assert check(hub()).counts == {"ant": 4, "bee": 4}


def test_formats_and_transforms_never_reach_the_generator():
    def dark(batch):
        return {"pixel_values": [np.zeros((3, 4, 4))] * len(batch["image"]), "label": batch["label"]}

    for changed in (hub().with_transform(dark), hub().with_format("torch"), hub().with_format("numpy", ["label"])):
        source = open_source(changed)
        assert source.labels.tolist() == LABELS
        assert source.read(5).tobytes() == picture(5).tobytes()


def test_parts_of_parts_and_shuffles():
    rows = [7, 2, 3]
    for part in (Subset(hub(), rows), hub().select(rows), Subset(Subset(hub(), [1, 7, 2, 3]), [1, 2, 3])):
        source = open_source(part)
        assert [source.classes[label] for label in source.labels] == ["bee", "bee", "ant"]
        assert source.read(0).tobytes() == picture(7).tobytes()
    both = open_source(ConcatDataset([hub(), hub()]))
    assert both.classes == ("ant", "bee")
    assert len(both) == 16


def test_other_names_types_and_texts():
    renamed = hub().rename_columns({"image": "img", "label": "fine"})
    assert open_source(renamed).classes == ("ant", "bee")
    texts = hub().cast_column("label", datasets.Value("int64")).remove_columns("label")
    texts = texts.add_column("label", ["bee" if label else "ant" for label in LABELS])
    source = open_source(texts)
    assert source.classes == ("ant", "bee")
    assert source.labels.tolist() == LABELS
    numbers = hub().cast_column("label", datasets.Value("int32"))
    assert open_source(numbers).classes == ("0", "1")
    assert open_source(numbers, classes=["x", "y"]).classes == ("x", "y")


def test_a_column_as_targets():
    source = open_source(hub(), targets=hub()["label"], classes=hub().features["label"].names)
    assert source.classes == ("ant", "bee")
    assert source.labels.tolist() == LABELS


def test_of_two_images_or_classes_one_is_named():
    two = hub({"coarse": [0] * 4 + [1] * 4}, {"coarse": datasets.ClassLabel(names=["x", "y"])})
    with pytest.raises(DataError, match=r"'label', 'coarse' may all be the class.*target='label'"):
        open_source(two)
    assert open_source(two, target="coarse").classes == ("x", "y")
    masks = hub({"mask": [picture(9) for _ in range(8)]}, {"mask": datasets.Image()})
    with pytest.raises(DataError, match=r"'image', 'mask' may all be the image.*image='image'"):
        open_source(masks)
    assert open_source(masks, image="image").read(2).tobytes() == picture(2).tobytes()
    with pytest.raises(OptionError, match="There is no 'photo'"):
        open_source(masks, image="photo")


def test_several_classes_of_one_image_and_missing_ones():
    several = hub({"label": [[0, 1]] * 8}, {"label": datasets.Sequence(datasets.ClassLabel(names=["ant", "bee"]))})
    with pytest.raises(DataError, match="holds list, not one class"):
        open_source(several)
    missing = hub({"label": [None, *LABELS[1:]]})
    with pytest.raises(DataError, match="1 of 8 items have no 'label'"):
        open_source(missing)


def test_a_dict_of_parts_and_a_stream():
    parts = datasets.DatasetDict(train=hub(), test=hub().select([0, 1]))
    assert len(open_source(parts)) == 8
    assert len(open_source(parts, split="test")) == 2
    assert brings_test_part(parts)
    with pytest.raises(DataError, match=r"no part 'val'.*'train', 'test'"):
        open_source(parts, split="val")
    with pytest.raises(DataError, match="streaming"):
        open_source(hub().to_iterable_dataset())
    with pytest.raises(DataError, match="not a source"):
        open_source({"x": 1})


class Plain(Dataset):
    """Dicts as MONAI has them, with a transform of pictures or of whole items."""

    def __init__(self, transform=None, whole=None, **more):
        self.transform, self.whole, self.more = transform, whole, more

    def __len__(self):
        return 8

    def __getitem__(self, index):
        image = picture(index)
        item = {"image": image if self.transform is None else self.transform(image), "label": LABELS[index]}
        return {**item, **self.more}


def test_plain_dicts():
    source = open_source(Plain(transform=lambda image: image.rotate(90), path="x"))
    assert source.classes == ("0", "1")
    assert source.labels.tolist() == LABELS
    assert source.read(5).tobytes() == picture(5).tobytes()
    with pytest.raises(OptionError, match="not dicts"):
        open_source([(picture(i), i % 2) for i in range(8)], image="image")
