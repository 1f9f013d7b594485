"""A choice among images that were made elsewhere is a list of the files that pass, which is given in their place."""

from __future__ import annotations

import csv
import shutil
from dataclasses import replace

import numpy as np
import pytest
from click.testing import CliRunner

import ganaug
from ganaug import Rules
from ganaug.classifier.judge import CROSSWISE
from ganaug.cli.group import cli
from ganaug.data.load import load_images
from ganaug.errors import DataError, LabelMismatchError, OptionError, OutputInUseError, WithheldWarning
from tests.toys import elsewhere


@pytest.fixture(scope="module", autouse=True)
def quick_judges():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("ganaug.classifier.judge.CROSSWISE", replace(CROSSWISE, steps=CROSSWISE.steps // 4))
        yield


@pytest.fixture(scope="module")
def train():
    return load_images("digits", limit=40)


@pytest.fixture(scope="module")
def made(tmp_path_factory, train):
    """Unseen digits, 12 a class, at 16 px; among the 0s are 4s and copies, and all 1s are 7s."""
    root = tmp_path_factory.mktemp("made") / "folder"
    test = load_images("digits", split="test").limited(12, 0)
    elsewhere.write(root, test, sizes=[(16, 16)])
    for i, file in enumerate(sorted((root / "4").iterdir())[:4]):
        shutil.copy(file, root / "0" / f"four{i}.png")
    copies = train.take(np.flatnonzero(train.labels.numpy() == 0)[:4])
    elsewhere.write(root / "copies", copies, sizes=[(8, 8)])
    for i, file in enumerate((root / "copies" / "0").iterdir()):
        file.rename(root / "0" / f"copy{i}.png")
    shutil.rmtree(root / "copies")
    shutil.rmtree(root / "1")
    shutil.copytree(root / "7", root / "1")
    (root / "2" / "broken.png").write_bytes(b"no image")
    return root


@pytest.fixture(scope="module")
def kept(made, train, tmp_path_factory):
    return ganaug.choose(made, train, Rules(label=0.05, copies=0.02), out=tmp_path_factory.mktemp("kept") / "kept.csv")


def test_the_list_leaves_out_wrong_labels_copies_and_a_bad_class(kept, made):
    with open(kept.folder, newline="") as file:
        rows = list(csv.DictReader(file))
    files = {(kept.folder.parent / row["image"]).resolve(): row["class"] for row in rows}
    assert all(file.is_file() and file.parent == (made / name).resolve() for file, name in files.items())
    assert kept.withheld == ("1",)
    assert kept.accepted["1"] < 0.25
    zeros = [file.name for file, name in files.items() if name == "0"]
    assert len(zeros) >= 8
    assert not [name for name in zeros if name.startswith(("four", "copy"))]
    assert kept.refused["0"]["copies"] == pytest.approx(4 / 20, abs=0.06)
    assert "1 of 129 images cannot be read." in kept.lines()
    assert all(row["class"] != "1" for row in rows)


def test_the_list_is_given_in_the_place_of_all(kept, train, monkeypatch):
    real = [(pixels[0], label) for pixels, label in zip(train.pixels.numpy(), train.labels.tolist(), strict=True)]
    monkeypatch.chdir(kept.folder.parent)
    for name in (kept.folder, "kept.csv"):
        with pytest.warns(WithheldWarning, match=r"no synthetic image of 1 class \(1\)"):
            mixed = ganaug.mix(real, name, ratio=0.5, classes=train.classes)
        labels = {int(mixed[i][1]) for i in mixed.synthetic_indices().tolist()}
        assert labels == {0, 2, 3, 4, 5, 6, 7, 8, 9}


def test_what_cannot_be_kept_is_said(made, train, kept, digits_run, tmp_path):
    out = tmp_path / "kept.csv"
    for how, words in (
        ({}, "name the list to write"),
        ({"out": out, "rules": Rules(realism=0.1)}, "without a discriminator"),
        ({"out": out, "rules": Rules(spread=0.8)}, "without latents"),
        ({"out": made / "kept.csv"}, "lies in the data folder"),
    ):
        with pytest.raises(OptionError, match=words):
            ganaug.choose(made, train, **how)
    with pytest.raises(OutputInUseError):
        ganaug.choose(made, train, out=kept.folder)
    with pytest.raises(DataError, match="list of image files"):
        ganaug.choose((train.pixels[:, 0].numpy(), train.labels.numpy()), train, out=out)
    with pytest.raises(OptionError, match="kept in RUN/choice"):
        ganaug.choose(digits_run, "digits", out=out)
    with pytest.raises(LabelMismatchError, match="'0'"):
        ganaug.choose(made, train.without(["0"]), out=out)
    assert not out.exists()


@pytest.mark.long
def test_the_command(made, tmp_path):
    out = tmp_path / "kept.csv"
    done = CliRunner().invoke(cli, ["choose", str(made), "digits", "--label", "0", "--out", str(out)])
    assert done.exit_code == 0, done.output
    assert "in place of the folder" in done.output
    assert f"--synthetic {out}" in done.output
    assert out.is_file()
