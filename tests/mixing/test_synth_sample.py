import json
import pickle

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader, Dataset

import ganaug
from ganaug.errors import DataError, LabelMismatchError
from ganaug.mixing.albumentations import SynthSample
from tests.toys import mixing as toy

A = pytest.importorskip("albumentations")


def flat(label, channels=3, side=8, dtype=np.uint8):
    level = toy.LEVELS[toy.CLASSES[label]]
    shape = (side, side) if channels == 0 else (side, side, channels)
    return np.full(shape, level if dtype == np.uint8 else level / 255, dtype=dtype)


def test_it_is_reached_from_the_package():
    assert ganaug.albumentations.SynthSample is SynthSample


@pytest.mark.parametrize("channels", [0, 1, 3])
@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_form_is_kept_and_class_is_shown(run, channels, dtype):
    pipeline = A.Compose([SynthSample(run, p=1.0, classes=toy.CLASSES)])
    for label in range(3):
        image = flat(label, channels, 12, dtype)
        out = pipeline(image=image, label=label)
        assert out["label"] == label
        assert out["image"].shape == image.shape
        assert out["image"].dtype == dtype
        assert toy.is_synthetic(out["image"])
        difference = abs(float(out["image"].mean()) - float(image.mean()))
        assert difference * (1 if dtype == np.uint8 else 255) < 16
        assert np.array_equal(image, flat(label, channels, 12, dtype))


def test_labels_may_be_names_arrays_or_another_argument(run):
    by_name = A.Compose([SynthSample(run, label_key="kind", p=1.0, classes=toy.CLASSES)])
    assert abs(by_name(image=flat(0), kind="cow")["image"].mean() - 220) < 16
    assert abs(by_name(image=flat(0), kind=np.int64(2))["image"].mean() - 220) < 16
    assert abs(by_name(image=flat(0), kind=torch.tensor(2))["image"].mean() - 220) < 16
    renamed = A.Compose([SynthSample(run, classes=["cow", "ant", "bee"], p=1.0)])
    assert abs(renamed(image=flat(0), label=0)["image"].mean() - 220) < 16


def test_it_survives_serialisation(run):
    pipeline = A.Compose([SynthSample(run, p=0.5, seed=7, classes=["cow", "ant", "bee"]), A.HorizontalFlip(p=0)])
    again = A.from_dict(json.loads(json.dumps(A.to_dict(pipeline))))
    images = [flat(i % 3) for i in range(20)]
    for copy in (again, pickle.loads(pickle.dumps(pipeline))):
        ours = [pipeline(image=image, label=0)["image"] for image in images]
        theirs = [copy(image=image, label=0)["image"] for image in images]
        assert np.array_equal(ours, theirs) == (copy is again)  # the second copy starts where the first had been
    assert "0.5" in repr(pipeline)


def test_the_share_is_p(run):
    pipeline = A.Compose([SynthSample(run, p=0.25, classes=toy.CLASSES)])
    replaced = [toy.is_synthetic(pipeline(image=flat(0), label=0)["image"]) for _ in range(2000)]
    assert abs(np.mean(replaced) - 0.25) < 0.03
    assert not toy.is_synthetic(
        A.Compose([SynthSample(run, p=0.0, classes=toy.CLASSES)])(image=flat(0), label=0)["image"]
    )


class Augmented(Dataset):
    def __init__(self, pipeline):
        self.pipeline = pipeline

    def __len__(self):
        return 64

    def __getitem__(self, index):
        return torch.from_numpy(self.pipeline(image=flat(0, 1), label=0)["image"])


def test_workers_and_epochs_do_not_repeat_each_other(run):
    pipeline = A.Compose([SynthSample(run, p=1.0, pool_per_class=4096, classes=toy.CLASSES)])
    for persistent in (False, True):
        loader = DataLoader(Augmented(pipeline), batch_size=8, num_workers=2, persistent_workers=persistent)
        shown = torch.cat([x for _ in range(2) for x in loader]).flatten(1)
        assert len(shown.unique(dim=0)) >= 112  # of 128; about two meet by chance, 64 where workers repeat each other
    some = DataLoader(
        Augmented(A.Compose([SynthSample(run, p=0.5, classes=toy.CLASSES)])), batch_size=64, num_workers=2
    )
    choices = [[toy.is_synthetic(x) for x in next(iter(some))] for _ in range(2)]
    assert choices[0] != choices[1]


def test_ranks_with_one_seed_draw_other_images(run, monkeypatch):
    drawn = []
    for rank in ("0", "1", "0"):
        monkeypatch.setenv("RANK", rank)
        pipeline = A.Compose([SynthSample(run, p=1.0, classes=toy.CLASSES)])
        drawn.append(np.stack([pipeline(image=flat(0), label=0)["image"] for _ in range(20)]))
    assert np.array_equal(drawn[0], drawn[2])
    assert not np.array_equal(drawn[0], drawn[1])


def test_what_it_cannot_do(run):
    pipeline = A.Compose([SynthSample(run, p=1.0, classes=toy.CLASSES)])
    with pytest.raises(ValueError, match="label"):
        pipeline(image=flat(0))
    for label in (3, -1, "dog", 1.5):
        with pytest.raises(LabelMismatchError, match="classes="):
            pipeline(image=flat(0), label=label)
    with pytest.raises(DataError):
        pipeline(image=np.zeros((8, 8, 5), np.uint8), label=0)
    with pytest.raises(ValueError, match="p"):
        SynthSample(run, p=2.0, classes=toy.CLASSES)
