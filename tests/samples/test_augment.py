"""An exported folder holds what was asked for, and torchvision, timm and our own reader find it there."""

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import timm.data
from PIL import Image
from torchvision.datasets import ImageFolder

from ganaug.data.sources.source import open_source
from ganaug.errors import DiskFullError, LabelMismatchError, OptionError, OutputInUseError
from ganaug.samples.augment import augment
from ganaug.samples.blocks import Renderer, render
from ganaug.samples.exports.folder import folder_names
from ganaug.samples.run import load
from tests.toys import mixing as toy


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return toy.save_generator(tmp_path_factory.mktemp("exporting") / "generator")


def test_files_are_the_rendered_images(run, tmp_path):
    out = augment(run, {"cow": 40, "ant": 3, "bee": 0}, tmp_path / "new" / "out", seed=4)
    fitted = load(run)
    lines = [json.loads(line) for line in (out / "metadata.jsonl").read_text().splitlines()]
    assert len(lines) == 43
    assert sorted(path.name for path in out.iterdir()) == ["ant", "cow", "metadata.jsonl"]
    for line in lines:
        assert set(line) == {"file_name", "class", "seed", "index", "generator"}
        assert line["generator"] == fitted.hash
        label = fitted.card.classes.index(line["class"])
        with Image.open(out / line["file_name"]) as image:
            assert (image.mode, image.size) == ("L", (8, 8))
            assert np.array_equal(np.asarray(image), render(fitted, label, [line["index"]], seed=line["seed"])[0, 0])


def test_it_is_read_back(run, tmp_path):
    out = augment(run, dict.fromkeys(toy.CLASSES, 5), tmp_path / "out")
    folder, reader, source = ImageFolder(out), timm.data.create_dataset("", root=out), open_source(out)
    assert folder.classes == list(reader.reader.class_to_idx) == list(source.classes) == sorted(toy.CLASSES)
    assert len(folder) == len(reader) == len(source) == 15
    for i, (image, label) in enumerate(folder):
        assert abs(np.asarray(image).mean() - toy.LEVELS[folder.classes[label]]) < 16
        assert np.array_equal(np.asarray(source.read(i)), np.asarray(image)[..., 0])
        assert source.labels[i] == label


HUGGING_FACE = """
import json, socket, sys, numpy
socket.socket.connect = socket.create_connection = None  # whoever needs the network fails
from datasets import load_dataset
images = load_dataset("imagefolder", data_dir=sys.argv[1])["train"].class_encode_column("class")
names = images.features["class"].names
rows = [[names[row["class"]], row["index"], numpy.ravel(row["image"]).tolist()] for row in images]
print(json.dumps({"names": names, "rows": rows}))
"""


@pytest.mark.skipif(importlib.util.find_spec("datasets") is None, reason="Hugging Face datasets is not installed")
def test_hugging_face_reads_it_back(run, tmp_path):
    out = augment(run, {"ant": 40, "bee": 2, "cow": 5}, tmp_path / "out", seed=4)
    offline = {"HF_HOME": str(tmp_path / "hf"), "HF_HUB_OFFLINE": "1"}
    done = subprocess.run(
        [sys.executable, "-c", HUGGING_FACE, str(out)], capture_output=True, text=True, env={**os.environ, **offline}
    )
    assert done.returncode == 0, done.stderr
    found, fitted = json.loads(done.stdout), load(run)
    assert found["names"] == sorted(toy.CLASSES)
    assert len(found["rows"]) == 47
    for name, index, pixels in found["rows"]:
        label = fitted.card.classes.index(name)
        assert pixels == render(fitted, label, [index], seed=4)[0, 0].flatten().tolist()


def test_images_have_the_size_of_the_users_own(tmp_path):
    folder = toy.save_generator(tmp_path / "generator", channels=3, native_size=(10, 14))
    out = augment(folder, {"ant": 1}, tmp_path / "out")
    with Image.open(out / "ant" / "000000.png") as image:
        assert (image.mode, image.size) == ("RGB", (14, 10))


def test_odd_class_names_are_escaped_and_mapped(tmp_path, monkeypatch):
    odd = (
        "oak leaf",
        "../up",
        "a/b",
        "A%2Fb",
        ".hidden",
        "-rf",
        "con",
        "Ant",
        "ant",
        "é",
        "x" * 300,
        "tab\t",
        "*",
        "end.",
    )
    for name in odd:
        monkeypatch.setitem(toy.LEVELS, name, 100)
    out = augment(toy.save_generator(tmp_path / "g", odd), dict.fromkeys(odd, 1), tmp_path / "out")
    lines = [json.loads(line) for line in (out / "metadata.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [line["class"] for line in lines] == list(odd)
    assert all((out / line["file_name"]).resolve().is_relative_to(out.resolve()) for line in lines)
    assert len({Path(line["file_name"]).parent.name.casefold() for line in lines}) == len(odd)
    kept = [name for name, folder in folder_names(list(odd)).items() if folder == name]
    assert kept == ["oak leaf", "A%2Fb", "Ant", "é"]
    assert len(ImageFolder(out).classes) == len(odd)


def test_a_folder_in_use_is_left_alone(run, tmp_path):
    (tmp_path / "out").mkdir()
    augment(run, {"ant": 1}, tmp_path / "out")  # empty: fine
    with pytest.raises(OutputInUseError, match="not empty"):
        augment(run, {"ant": 2}, tmp_path / "out")
    assert len(list((tmp_path / "out" / "ant").iterdir())) == 1
    (tmp_path / "file").write_text("mine")
    with pytest.raises(OutputInUseError):
        augment(run, {"ant": 2}, tmp_path / "file")
    assert (tmp_path / "file").read_text() == "mine"


def test_nothing_is_left_behind(run, tmp_path, monkeypatch):
    with pytest.raises(LabelMismatchError, match="dog"):
        augment(run, {"dog": 1}, tmp_path / "out")
    for plan in ({"ant": 0}, {"ant": -1, "bee": 5}, {}):
        with pytest.raises(OptionError):
            augment(run, plan, tmp_path / "out")
    with pytest.raises(DiskFullError):
        augment(run, {"ant": 10**12}, tmp_path / "out")

    def interrupt(phase, done, total, detail):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        augment(run, {"ant": 100}, tmp_path / "out", report=interrupt)

    def no_space(self, label, count):
        yield from ()  # a stream, like the real one: what goes wrong does so while it is read
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Renderer, "stream", no_space)
    with pytest.raises(DiskFullError, match="No space left"):
        augment(run, {"ant": 100}, tmp_path / "out")
    assert not list(tmp_path.iterdir())
