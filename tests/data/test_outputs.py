"""Nothing is written where data are read, and what ganaug made there all the same is no class."""

from __future__ import annotations

import json
import os
import shutil
import unicodedata
from pathlib import Path

import pytest
from click.testing import CliRunner
from torch.utils.data import Subset
from torchvision.datasets import ImageFolder

import ganaug
from ganaug.cli.group import cli
from ganaug.data.check import check
from ganaug.data.load import load_images
from ganaug.data.outputs import require_outside
from ganaug.data.sources.folder import from_folder
from ganaug.data.sources.ours import MADE, made_here
from ganaug.errors import DataError, OptionError
from ganaug.evaluation.bench.run import OURS
from ganaug.fitting.estimate import dry_run
from ganaug.samples.choosing.files import CHOICE, TENSORS
from ganaug.samples.preview import preview
from tests.toys.images import picture

CLASSES = ("cat", "dog")


def folder(root: Path, classes: tuple[str, ...] = CLASSES) -> Path:
    for label, name in enumerate(classes):
        (root / name).mkdir(parents=True)
        for i in range(4):
            picture(10 * label + i).save(root / name / f"{i}.png")
    return root


@pytest.fixture
def data(tmp_path):
    return folder(tmp_path / "data" / "train")


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Do not write to it."""
    home = tmp_path_factory.mktemp("run")
    made = ganaug.fit(folder(home / "data"), home / "run", recipe="cgan", steps=1, size=16)
    return made.path


def everything(root):
    return sorted(str(path.relative_to(root)) for path in root.rglob("*"))


def ways(data: Path, tmp_path: Path) -> list[str | Path]:
    """Names of a place in the data folder."""
    (tmp_path / "link").symlink_to(data)
    (tmp_path / "to class").symlink_to(data / "cat")
    (data / "away").symlink_to(tmp_path / "not there")
    return [
        data, data / "new", data / "cat", data / "cat" / "deep" / "new", data / "x" / ".." / "new",
        data.parent / "test" / ".." / "train" / "new", os.path.relpath(data / "new"), tmp_path / "link" / "new",
        tmp_path / "to class" / "new", tmp_path / "link", data / "away", f"{data}/",
    ]  # fmt: skip


def test_a_place_in_the_data_is_known_however_it_is_written(data, tmp_path):
    sets = [
        data,
        str(data),
        f"{data}/.",
        from_folder(data),
        ImageFolder(data),
        Subset(Subset(ImageFolder(data), [0]), [0]),
    ]
    for out in ways(data, tmp_path):
        for one in sets:
            with pytest.raises(OptionError, match="lies in the data folder.*Choose a folder outside"):
                require_outside(out, None, one)
        with pytest.raises(OptionError, match=r"holds images of the classes 'dog' and 'cat'"):
            require_outside(out, classes=("ant", "dog", "cat"))
    for out in (data.parent, data.parent / "train_synth", data.parent / "trai", tmp_path / "run", data / ".." / "run"):
        require_outside(out, *sets, classes=CLASSES)
    require_outside(data / "new", classes=("cat", "bird"))  # one folder of that name says little


def test_a_file_of_data_is_not_written_over(tmp_path):
    (tmp_path / "data.npz").touch()
    (tmp_path / "link.npz").symlink_to("data.npz")
    for out in ("data.npz", "link.npz", "new/../data.npz"):
        (tmp_path / "new").mkdir(exist_ok=True)
        with pytest.raises(OptionError, match="is the data themselves"):
            require_outside(tmp_path / out, tmp_path / "data.npz")
    require_outside(tmp_path / "run", tmp_path / "data.npz")


def test_a_folder_of_the_name_of_an_embedded_set_is_no_data(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "digits").mkdir()
    require_outside(tmp_path / "digits", "digits")
    with pytest.raises(OptionError):
        require_outside(tmp_path / "digits" / "run", tmp_path / "digits")


def test_names_that_look_the_same_are_the_same(tmp_path):
    composed = ("é", "ü")
    folder(tmp_path, tuple(unicodedata.normalize("NFD", name) for name in composed))
    with pytest.raises(OptionError, match="holds images of the classes"):
        require_outside(tmp_path / "new", classes=composed)


def test_every_command_that_writes_refuses_a_place_in_the_data(data, run, tmp_path):
    other = folder(tmp_path / "other")
    before, out = everything(tmp_path), data / "new"
    small = {"recipe": "cgan", "steps": 1, "size": 16}
    for act in (
        lambda: ganaug.fit(data, out, **small),
        lambda: ganaug.fit(data, out, resume=True, **small),
        lambda: ganaug.fit(ImageFolder(data), out, **small),
        lambda: ganaug.fit(other, out, pairs=data, **small),
        lambda: dry_run(data, out, **small),
        lambda: ganaug.augment(run, {"cat": 1}, out),
        lambda: preview(run, out),
        lambda: ganaug.bench(data, run=run, test=other, out=out),
        lambda: ganaug.bench(other, run=run, test=data, out=out),
        lambda: ganaug.bench(other, synthetic=data, test=other, out=out),
        lambda: ganaug.bench(other, run=run, test=other, out=out),
    ):
        with pytest.raises(OptionError, match=r"lies in"):
            act()
    for arguments in (
        ("fit", data, "--out", out),
        ("fit", data, "--out", out, "--dry-run"),
        ("augment", run, "--per-class", 1, "--out", out),
        ("preview", run, "--out", out),
        ("bench", data, "--test", other, "--run", run, "--out", out),
        ("features", run, data, "--out", data / "new.npz"),
        ("features", run, other, "--out", data / "new.npz"),
        ("check", data, "--quarantine", out, "--no-timing"),
    ):
        done = CliRunner().invoke(cli, [str(one) for one in arguments])
        assert isinstance(done.exception, OptionError), (arguments, done.output, done.exception)
        assert "lies in" in str(done.exception)
    assert everything(tmp_path) == before


def test_what_ganaug_made_in_the_data_is_passed_over_by_name(data, run, tmp_path):
    ganaug.augment(run, {"cat": 2, "dog": 2}, tmp_path / "samples")
    preview(run, tmp_path / "preview", columns=2, frames=2)
    before = load_images(data)
    shutil.copytree(run, data / "a run")
    shutil.copytree(run, data / "cat" / "a run below")
    shutil.copytree(run / "generator", data / "a generator")
    shutil.move(tmp_path / "samples", data / "a samples")
    shutil.move(tmp_path / "preview", data / "a preview")
    for name, held in (("a choice", (CHOICE, TENSORS)), ("a bench", OURS), ("a stopped bench", ("trials", ".lock"))):
        (data / name).mkdir()
        picture(0).save(data / name / "picture.png")
        for file in held:
            (data / name / file).touch()
    found, said = from_folder(data), []
    assert found.classes == CLASSES
    assert sorted(found.ignored[MADE]) == sorted([*(n for n in os.listdir(data) if n[:2] == "a "), "cat/a run below"])
    now = load_images(data, report=lambda *what: said.append(what))
    assert now.names == before.names
    assert any("8 x folder that ganaug made" in detail for _, _, _, detail in said)
    assert found.ignored[MADE] == list(check(data).ignored[MADE])
    require_outside(data / "a run" / "preview", data, classes=CLASSES)  # it is passed over with the run


def test_a_folder_of_ones_own_is_not_taken_for_ours(data):
    (data / "cat" / "metadata.jsonl").write_text('{"file_name": "0.png", "class": "cat"}\n')  # Hugging Face's
    (data / "dog" / "metadata.jsonl").write_bytes(b"\xff[[[")
    (data / "dog" / "fit.json").write_text("{}")
    (data / "dog" / "grid.png").write_bytes((data / "dog" / "0.png").read_bytes())
    assert from_folder(data).classes == CLASSES
    assert len(from_folder(data)) == 9


def test_samples_are_a_source_and_a_run_is_none(run, tmp_path):
    synthetic = ganaug.augment(run, {"cat": 2, "dog": 2}, tmp_path / "synthetic")
    assert json.loads((synthetic / "metadata.jsonl").read_text().splitlines()[0])["class"] == "cat"
    assert made_here(str(synthetic)) == "samples of a generator"
    assert from_folder(synthetic).classes == CLASSES
    with pytest.raises(OptionError, match="lies in the data folder"):
        require_outside(synthetic / "new", synthetic)
    with pytest.raises(DataError, match="is a run that ganaug made, not labelled images"):
        ganaug.open_source(run)
    shutil.copytree(run, tmp_path / "only" / "run")
    with pytest.raises(DataError, match=r"no class folders.*Folders that ganaug made do not count: 'run'"):
        from_folder(tmp_path / "only")
