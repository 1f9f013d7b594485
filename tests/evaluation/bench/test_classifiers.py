"""A bench of every kind of classifier: pretrained networks at their own size, trainings of the user's own."""

from __future__ import annotations

import inspect
import os
import shutil
from dataclasses import replace
from pathlib import Path

import click
import numpy as np
import pytest
from PIL import Image

import ganaug
from ganaug.classifier.features import Backbone
from ganaug.classifier.finetune import SCRATCH
from ganaug.cli.bench import _named
from ganaug.errors import OptionError, OwnTrainingError, WeightsError
from ganaug.evaluation.bench.record import _mean_curve
from ganaug.evaluation.bench.run import bench
from ganaug.evaluation.trials import finetune
from tests.toys.bench import images

FEW = {"quick": True, "seeds": 2, "ratios": (0.5,), "uses": ("plain",), "device": "cpu"}
BARE = {name: value for name, value in FEW.items() if name not in ("ratios", "uses")}  # no images to try
TINY = "test_resnet"


def photographs(folder: Path, count: int, seed: int) -> Path:
    """Pictures of 90 x 70 px, JPEG: a stripe, upright or lying, with noise."""
    rng = np.random.default_rng(seed)
    for name in ("lying", "upright"):
        (folder / name).mkdir(parents=True)
        for i in range(count):
            x = rng.integers(0, 120, (70, 90, 3))
            place = int(rng.integers(5, 55))
            stripe = np.s_[place : place + 9, :] if name == "lying" else np.s_[:, place : place + 9]
            x[stripe] += 120
            Image.fromarray(x.astype(np.uint8)).save(folder / name / f"{i}.jpg", quality=90)
    return folder


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, Path]:
    folder = tmp_path_factory.mktemp("photos")
    return tuple(photographs(folder / name, count, seed) for seed, (name, count) in enumerate(
        {"train": 10, "test": 26, "made": 6}.items()))  # fmt: skip


def test_photographs_are_benched_with_a_pretrained_network_at_its_own_size_once(photos, tmp_path, monkeypatch):
    train, test, made = photos
    given = {"test": test, "synthetic": made, "out": tmp_path / "out", "remedies": ("small",), "steps": 5, **FEW}
    results = bench(train, **given)
    data = results.data
    assert data["asked"] == {
        "name": "probe", "words": "linear probe of tf_efficientnet_lite0, 224x224 px", "size": [224, 224],
        "native": True,
    }  # fmt: skip
    assert data["verdict"] in ("helps", "no evidence", "harms")
    assert data["most"]["arms"]["as it is"]["test"]["accuracy"] > 0.8
    assert [rung["rung"] for rung in data["ladder"]] == ["as it is", "small"]
    assert data["ladder"][1]["cost"]["inference"] < 1
    assert "224x224 px" in data["sentence"]
    page = results.report_path.read_text()
    assert "90x70 px" in page
    monkeypatch.setattr(Backbone, "features", lambda *given: pytest.fail("a picture was looked at again"))
    monkeypatch.setattr("ganaug.evaluation.trials.learner.ArrayLearner.seconds_an_image", lambda *given: 1.0)
    again = bench(train, **given, cache=tmp_path / "out" / "seen").data
    assert again["trained"] == 0
    assert again["difference"] == data["difference"]


def test_without_synthetic_images_the_other_question_is_answered(photos, tmp_path):
    data = bench(images(20, 0), test=images(40, 1), out=tmp_path, model="small", remedies=("longer",), steps=6, **BARE)
    assert (data.verdict, data.ratio) == (None, 0)
    assert data.data["sources"] == {}
    assert "Not tested" in data.report_path.read_text()
    assert data.data["most"]["sentence"] in data.table()


def test_a_network_from_scratch_is_trained_at_its_own_size(photos, tmp_path, monkeypatch):
    monkeypatch.setattr(finetune, "SCRATCH", replace(SCRATCH, epochs=4, patience=1))
    train, test, _ = photos
    data = bench(train, test=test, out=tmp_path, model=TINY, weights="none", remedies=(), **BARE).data
    assert data["asked"]["words"] == f"{TINY} from scratch, 160x160 px"
    assert {trial["learner"] for trial in data["trials"]} == {"finetune"}
    assert all(trial["training"]["scratch"] for trial in data["trials"])
    assert min(trial["training"]["lr"] for trial in data["trials"]) == SCRATCH.lr


def test_trainings_that_stop_at_different_epochs_have_a_mean_curve():
    assert _mean_curve([(0.0, 1.0), (1.0, 1.0)]) == [0.5, 1.0]
    assert _mean_curve([(0.0, 1.0), (0.0, 0.5, 1.0)]) == [0.0, 0.5, 1.0]
    assert _mean_curve([(), (0.25,)]) == [0.25]
    assert _mean_curve([(), ()]) == []


def test_synthetic_images_are_not_taken_for_a_part_of_the_data(photos, tmp_path):
    train, test, made = photos
    for name in ("train", "validation", "test", "fold", "unlabelled", "run"):
        with pytest.raises(OptionError, match=f"none of them .*'{name}'"):
            bench(train, test=test, synthetic={name: made}, out=tmp_path, model="small", **FEW)
    assert _named(("a/test", "b/good")) == {"a/test": "a/test", "b/good": "b/good"}
    assert _named(("a/x", "b/good")) == {"x": "a/x", "good": "b/good"}
    assert set(_named(("one/made", "two/made"))) == {"one/made", "two/made"}
    with pytest.raises(click.UsageError, match="given twice"):
        _named(("a/x", "./a/x"))


def nearest_mean(dataset, *, validation, seed, device):
    """A training as users write them."""

    def x(some) -> np.ndarray:
        return np.stack([np.asarray(some[i][0].resize((8, 8)), dtype=float).ravel() for i in range(len(some))])

    seen, labels = x(dataset), np.array([dataset[i][1] for i in range(len(dataset))])
    means = np.stack([seen[labels == label].mean(0) for label in range(len(dataset.classes))])

    def predict(some) -> np.ndarray:
        off = np.abs(x(some)[:, None] - means).sum(2)
        logits = np.exp(-(off - off.min(1, keepdims=True)) / 500)
        return logits / logits.sum(1, keepdims=True)

    return predict


def test_a_training_of_the_users_own_is_benched_as_it_stands(photos, tmp_path):
    train, test, made = photos
    file = tmp_path / "mine.py"
    file.write_text(f"import numpy as np\n\n\n{inspect.getsource(nearest_mean)}")
    given = {"test": test, "synthetic": made, "out": tmp_path / "out", "remedies": (), **FEW}
    data = bench(train, train=f"{file}:nearest_mean", **given).data
    assert data["asked"]["words"] == "your training mine.py:nearest_mean"
    assert data["trained"] == len(data["trials"]) > 0
    assert data["verdict"] in ("helps", "no evidence", "harms")
    again = bench(train, train=f"{file}:nearest_mean", **given).data
    assert again["trained"] == 0
    assert f"{len(data['trials'])} of {len(data['trials'])} of your trainings were read from disk" in again["notes"][-1]
    other = tmp_path / "renamed"
    shutil.copytree(train, other)
    (other / "upright").rename(other / "z")
    shutil.copytree(test, tmp_path / "test")
    (tmp_path / "test" / "upright").rename(tmp_path / "test" / "z")
    plain = {"out": tmp_path / "names", "train": f"{file}:nearest_mean", "remedies": (), **BARE}
    assert bench(train, test=test, **plain).data["trained"]
    names = bench(other, test=tmp_path / "test", **plain).data
    assert names["trained"] == len(names["trials"])  # which may read the names of the classes
    file.write_text(file.read_text() + "\n# another version\n")
    assert bench(train, train=f"{file}:nearest_mean", **given).data["trained"] == data["trained"]
    in_python = bench(train, train=nearest_mean, **{**given, "out": tmp_path / "python"}).data
    assert in_python["difference"] == data["difference"]


def test_a_training_may_go_to_another_folder(photos, tmp_path, monkeypatch):
    def train(dataset, *, validation, seed, device):
        os.chdir("/")
        return nearest_mean(dataset, validation=validation, seed=seed, device=device)

    monkeypatch.chdir(tmp_path)
    data, test = (os.path.relpath(folder) for folder in photos[:2])
    results = bench(data, test=test, out="out", cache="seen", train=train, remedies=(), **BARE)
    page = results.report_path.read_text()
    assert page.count("Recall of each class on the test set") == 1
    assert "No remedy was asked for. As it is, your training" in page
    assert results.folder == tmp_path / "out"
    assert {file.name for file in results.folder.iterdir()} >= {"results.json", "report.html", "trials"}


def test_what_does_not_go_together_is_refused_before_anything_is_trained(photos, tmp_path, monkeypatch):
    train, test, _ = photos
    given = {"test": test, "out": tmp_path / "out", **FEW}
    with pytest.raises(OptionError, match="no model 'resnet1'") as caught:
        bench(train, model="resnet1", **given)
    assert "resnet" in str(caught.value.fix)
    for wrong, said in {
        "brings its network": {"train": nearest_mean, "model": "resnet18"},
        "from scratch": {"model": "small", "tune": "probe"},
        "starts from pretrained weights": {"model": TINY, "weights": "none", "tune": "finetune"},
        "reads no weights": {"model": TINY, "weights": "w.safetensors", "tune": "scratch"},
        "steps and augmentations": {"train": nearest_mean, "steps": 7},
        "brings its steps": {"train": nearest_mean, "augmentations": ("flips",)},
        "all images alike": {"train": nearest_mean, "uses": ("light",)},
        "`augmentation` is not tried": {"model": "small", "augmentations": ("flips",), "remedies": ("mean",)},
        "not trained in steps": {"uses": ("plain", "finish")},
        "No synthetic images are tried": {"model": "small"},
    }.items():
        with pytest.raises(OptionError, match=wrong):
            bench(train, **{**given, **said})
    monkeypatch.setattr("ganaug.evaluation.bench.room.usual", lambda: None)
    for unread in ({"tune": "finetune"}, {"weights": "absent.safetensors"}):
        with pytest.raises(OptionError, match="No network is named"):
            bench(train, **given, **unread)
    with pytest.raises(WeightsError):
        bench(train, model=TINY, weights=str(train / "lying" / "0.jpg"), **given)
    with pytest.raises(OwnTrainingError):
        bench(train, train=f"{tmp_path}/absent.py:train", **given)
    assert not list(tmp_path.rglob("trials"))


def test_without_a_pretrained_network_the_ways_to_one_are_told(tmp_path, monkeypatch, quick_classifier):
    monkeypatch.setattr("ganaug.evaluation.bench.room.usual", lambda: None)
    data = bench(images(20, 0), test=images(40, 1), out=tmp_path, remedies=("probe", "finetune"), **BARE).data
    assert data["asked"]["name"] == "small"
    for rung in data["ladder"][1:]:
        assert 'pip install "ganaug[lite]"' in rung["why not"]
        assert "--weights" in rung["why not"]


def test_fine_tuning_that_would_take_long_is_left_out_and_can_be_asked_for(photos, tmp_path, monkeypatch):
    monkeypatch.setattr("ganaug.evaluation.bench.room.QUICKLY_AFFORDED", 1e-9)
    train, test, _ = photos
    asked = ganaug.bench(train, test=test, out=tmp_path, **BARE, augmentations=("none",), steps=4)
    [left] = [rung for rung in asked.data["ladder"] if rung["rung"] == "finetune"]
    assert "--remedies finetune" in left["why not"]
    assert left["why not"] in asked.table()
