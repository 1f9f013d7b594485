"""An exported folder holds what was asked for, and torchvision, timm and our own reader find it there."""

import importlib.util
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import timm.data
from click.testing import CliRunner
from PIL import Image
from torchvision.datasets import ImageFolder

from ganaug.cli import cli
from ganaug.data.sources.source import open_source
from ganaug.errors import (
    DiskFullError,
    LabelMismatchError,
    NumberingWarning,
    OptionError,
    OutputInUseError,
    UnreadableWarning,
)
from ganaug.samples.augment import augment
from ganaug.samples.blocks import Renderer
from ganaug.samples.exports.folder import folder_names
from ganaug.samples.plan import balance
from ganaug.samples.run import load
from tests.toys import mixing as toy
from tests.toys.mixing import render


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return toy.save_generator(tmp_path_factory.mktemp("exporting") / "generator")


def test_files_are_the_rendered_images(run, tmp_path):
    out = augment(run, {"cow": 40, "ant": 3, "bee": 0}, tmp_path / "new" / "out", seed=4)
    fitted = load(run)
    lines = [json.loads(line) for line in (out / "metadata.jsonl").read_text().splitlines()]
    assert len(lines) == 44
    assert sorted(path.name for path in out.iterdir()) == ["ant", "bee", "cow", "metadata.jsonl"]
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


def test_a_class_that_needs_none_keeps_the_others_in_their_places(run, tmp_path):
    """Whoever reads the folder gives every class the number that the real images give it."""
    real = toy.write_folder(tmp_path / "real", {"ant": 5, "bee": 2, "cow": 3})
    out = augment(run, balance({"ant": 5, "bee": 2, "cow": 3}), tmp_path / "out")
    assert ImageFolder(out).class_to_idx == ImageFolder(real).class_to_idx
    reader = timm.data.create_dataset("", root=out).reader
    assert reader.class_to_idx == timm.data.create_dataset("", root=real).reader.class_to_idx
    assert [len(list((out / name).iterdir())) for name in sorted(toy.CLASSES)] == [1, 3, 2]


def test_where_numbers_differ_it_is_said_with_a_line_that_mends_it(run, tmp_path):
    with pytest.warns(NumberingWarning, match="target_transform=") as told:
        augment(run, {"cow": 2}, tmp_path / "out")
    line = re.search(r"ImageFolder\(.*?__getitem__\)", str(told[0].message)).group()
    read = eval(line, {"ImageFolder": ImageFolder})
    classes = load(run).card.classes
    assert {classes[label] for _, label in read} == {"cow"}


def test_names_in_another_order_than_folders_are_said(tmp_path):
    run = toy.save_generator(tmp_path / "g", ("cow", "ant", "bee"))
    with pytest.warns(NumberingWarning, match=r"1 for 'ant', 2 for 'bee', 0 for 'cow'"):
        augment(run, dict.fromkeys(toy.CLASSES, 1), tmp_path / "out")


def test_a_class_that_the_fit_left_out_has_a_number_all_the_same(tmp_path):
    run = toy.save_generator(tmp_path / "g", skipped=("asp", "dog"))
    with pytest.warns(NumberingWarning, match=r"0 for 'ant', 2 for 'bee', 3 for 'cow'"):
        augment(run, dict.fromkeys(toy.CLASSES, 1), tmp_path / "out")


def test_real_images_beside_synthetic_ones_make_one_training_set(run, tmp_path):
    real = toy.write_folder(tmp_path / "real", {"ant": 5, "bee": 2, "cow": 3, "elk": 2})
    out = augment(run, {"ant": 0, "bee": 3}, tmp_path / "out", with_real=real)
    both, alone = ImageFolder(out), ImageFolder(real)
    assert both.class_to_idx == alone.class_to_idx
    assert np.bincount(both.targets).tolist() == [5, 5, 3, 2]
    lines = [json.loads(line) for line in (out / "metadata.jsonl").read_text().splitlines()]
    copies = {line["real"]: out / line["file_name"] for line in lines if "real" in line}
    assert {name: path.read_bytes() for name, path in copies.items()} == {
        os.path.relpath(path, real): Path(path).read_bytes() for path, _ in alone.samples
    }
    x, y = np.stack([np.asarray(image.convert("L")) for image, _ in alone]), np.array(alone.targets)
    held = augment(run, {"bee": 3}, tmp_path / "arrays", with_real=(x, y), classes=alone.classes)
    assert np.bincount(ImageFolder(held).targets).tolist() == [5, 5, 3, 2]


@pytest.mark.parametrize(
    ("share", "numbers"), [(["--balance"], [7, 7, 7, 7]), (["--ratio", "0.5"], [10, 4, 6, 7])]
)  # fmt: skip
def test_what_is_filled_up_beside_real_images_are_these(run, tmp_path, share, numbers):
    real = toy.write_folder(tmp_path / "real", {"ant": 5, "bee": 2, "cow": 3, "elk": 7})
    out = tmp_path / "out"
    done = CliRunner().invoke(cli, ["augment", str(run), *share, "--with-real", str(real), "--out", str(out), "-q"])
    assert done.exit_code == 0, done.output
    assert np.bincount(ImageFolder(out).targets).tolist() == numbers


def test_real_images_beside_synthetic_ones_are_such_that_all_readers_read_them(run, tmp_path):
    real = toy.write_folder(tmp_path / "real", {"ant": 3, "bee": 2, "cow": 2})
    first, second, *_ = sorted((real / "ant").iterdir())
    picture = Image.open(first).convert("RGB")
    for number, (suffix, kind) in enumerate({".jfif": "JPEG", ".tif": "TIFF", ".webp": "WEBP"}.items()):
        picture.save(real / "cow" / f"more{number}{suffix}", kind)
    second.write_bytes(second.read_bytes()[:40])
    (real / "bee" / "empty.png").touch()
    with pytest.warns(UnreadableWarning, match="2 of 11 real images cannot be read.*empty") as told:
        out = augment(run, {"bee": 3}, tmp_path / "out", with_real=real)
    assert second.name in str(told[0].message)
    assert {path.suffix for path in out.rglob("real-*")} <= {".png", ".jpg", ".jpeg"}
    read = ImageFolder(out)
    assert len([image for image, _ in read]) == len(read) == 9 + 3
    assert len(timm.data.create_dataset("", str(out))) == len(read)


def test_a_withheld_class_is_not_filled(run, tmp_path, monkeypatch):
    monkeypatch.setattr("ganaug.generator.folder.Fitted.serves", lambda fitted, name: name != "ant")
    with pytest.warns(NumberingWarning):
        out = augment(run, {"ant": 4, "bee": 0, "cow": 2}, tmp_path / "out")
    assert ImageFolder(out).classes == ["bee", "cow"]


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
    out = augment(folder, dict.fromkeys(toy.CLASSES, 1), tmp_path / "out")
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
    with pytest.warns(NumberingWarning):
        out = augment(toy.save_generator(tmp_path / "g", odd), dict.fromkeys(odd, 1), tmp_path / "out")
    lines = [json.loads(line) for line in (out / "metadata.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [line["class"] for line in lines] == list(odd)
    assert all((out / line["file_name"]).resolve().is_relative_to(out.resolve()) for line in lines)
    assert len({Path(line["file_name"]).parent.name.casefold() for line in lines}) == len(odd)
    kept = [name for name, folder in folder_names(list(odd)).items() if folder == name]
    assert kept == ["oak leaf", "A%2Fb", "Ant", "é"]
    assert len(ImageFolder(out).classes) == len(odd)
    read = open_source(out)
    assert read.classes == tuple(sorted(odd))
    assert all(read.classes[label] == line["class"] for label, name in zip(read.labels, read.names, strict=True)
               for line in lines if line["file_name"] == name)  # fmt: skip
    (out / "metadata.jsonl").unlink()
    assert "%2A" in open_source(out).classes  # a folder of the user's own


@pytest.mark.parametrize("plan", [3, None, ["ant"], {"ant": "two"}, {"ant": 1.5}], ids=str)
def test_what_is_no_plan_is_refused(run, tmp_path, plan):
    with pytest.raises(OptionError, match="plan"):
        augment(run, plan, tmp_path / "out")


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
    for n in (1.5, True, "2"):
        with pytest.raises(OptionError, match=f"asks for {n!r} of the class 'ant'"):
            augment(run, {"bee": 1, "ant": n}, tmp_path / "out")
    for name in ("out.csv", "out.npz", "out.JPG", "out.tiff"):
        with pytest.raises(OptionError, match=rf"images are not written to a file like {name}\. Give --out OUT or"):
            augment(run, {"ant": 1}, tmp_path / name)
    with pytest.raises(DiskFullError):
        augment(run, {"ant": 10**12}, tmp_path / "out")

    def interrupt(phase, done, total, detail):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        augment(run, {"ant": 100}, tmp_path / "out", report=interrupt)

    def no_space(self, label, number):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Renderer, "block", no_space)
    with pytest.raises(DiskFullError, match="No space left"):
        augment(run, {"ant": 100}, tmp_path / "out")
    assert not list(tmp_path.iterdir())
