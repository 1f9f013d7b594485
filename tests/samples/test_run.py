"""A run in Python: what it prints, the images that it gives, and its picture."""

from __future__ import annotations

import shutil
from html import unescape
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image

import ganaug
from ganaug.errors import DataError, OptionError, TooFewImagesError, TranslatorError
from ganaug.files.integrity import sealed
from tests.toys.translators import names_of, pictures, save_translator


@pytest.fixture
def run(digits_run, tmp_path) -> ganaug.Run:
    """A copy to write to."""
    return ganaug.Run(shutil.copytree(digits_run.path, tmp_path / "run"))


def judged(run: ganaug.Run, verdict: str) -> None:
    found = {"verdict": verdict, "sentence": "Synthetic images <b>.", "mode": "replace", "ratio": 0}
    (run.path / "verdict.json").write_bytes(sealed(found))


def test_a_run_prints_what_it_is_in_one_line(run):
    assert repr(run) == f"Run({str(run.path)!r}, 10 classes, 12 steps of small, not benched)"
    judged(run, "harms")
    assert repr(run).endswith("12 steps of small, harms)")
    assert len(repr(run.load())) < 200 + len(str(run.path))
    assert repr(run.load().card) == "Card(10 classes, 12 steps of small)"


def test_whatever_is_wrong_with_a_run_it_prints(run, tmp_path):
    (run.path / "verdict.json").write_text("{")
    assert repr(run).endswith("a verdict that cannot be read)")
    assert run._repr_html_() == f"<p><b>{run!r}</b></p>".replace("'", "&#x27;")
    (run.path / "generator" / "card.json").write_text("{")
    assert repr(run).endswith("no generator)")
    assert repr(ganaug.Run(tmp_path / "none")).endswith("no generator)")
    (tmp_path / "begun" / "state").mkdir(parents=True)
    assert repr(ganaug.Run(tmp_path / "begun")).endswith("no generator yet)")


def test_a_notebook_shows_samples_and_the_verdict(run):
    assert run._repr_html_().count("data:image/png;base64,") == 1
    judged(run, "no evidence")
    page = run._repr_html_()
    assert "<b>." not in page
    assert "Synthetic images <b>." in unescape(page)


def test_samples_are_those_of_a_data_set_of_the_same_seed(run):
    images, labels = run.sample(3, seed=5)
    data = ganaug.SyntheticDataset(run, per_class=3, seed=5)
    assert labels.tolist() == [label for _, label in data]
    assert np.array_equal(images.squeeze(1).numpy(), np.stack([np.asarray(image) for image, _ in data]))
    assert not torch.equal(images, run.sample(3, seed=6)[0])
    with pytest.raises(OptionError, match="per_class is 0"):
        run.sample(0)


def test_a_class_that_is_withheld_is_neither_drawn_nor_shown(run, monkeypatch):
    monkeypatch.setattr("ganaug.samples.run.withheld", lambda fitted: ("3", "4"))
    images, labels = run.sample(2)
    assert len(images) == 16
    assert not {3, 4} & set(labels.tolist())
    monkeypatch.setattr("ganaug.samples.run.withheld", lambda fitted: fitted.classes)
    assert run.sample(2)[0].shape == (0, 1, 8, 8)


def test_a_picture_is_the_grid_that_preview_writes(run, tmp_path):
    before = sorted(run.path.rglob("*"))
    picture = run.show(4, seed=1)
    assert sorted(run.path.rglob("*")) == before  # nothing is written
    grid, *_ = ganaug.preview(run, tmp_path / "out", columns=4, seed=1, frames=1)
    with Image.open(grid) as written:
        assert np.array_equal(np.asarray(picture.convert(written.mode)), np.asarray(written))
    with_real = run.show(4, seed=1, data="digits")
    assert with_real.width > picture.width
    with pytest.raises(OptionError, match="A walk is written to files"):
        ganaug.preview(run, frames=2)


def test_a_picture_of_images_made_elsewhere_and_of_translations(toy_recipes, tmp_path):
    x = np.full((4, 8, 8), 200, np.uint8)
    x[:, 0, 0] = range(4)
    assert ganaug.preview((x, np.array([0, 1, 0, 1])), columns=2).height == 2 * (56 + 2) + 2
    fill = ganaug.Run(save_translator(tmp_path / "fill", "toy_fill"))
    x, y, _ = pictures(20, 0)
    assert isinstance(fill.show(2, data=(x, names_of(y))), Image.Image)
    with pytest.raises(TranslatorError, match="starts from"):
        fill.sample()
    assert "<img" not in fill._repr_html_()


def test_no_picture_where_a_choice_withholds_all(run, monkeypatch):
    monkeypatch.setattr("ganaug.samples.preview._served", lambda *of: [])
    with pytest.raises(TooFewImagesError, match="nothing to show"):
        run.show()


def test_a_run_of_a_table_has_no_images(tmp_path: Path):
    rows = ["a,b,class", *(f"{i / 7},{-i},{'no' if i % 2 else 'yes'}" for i in range(40))]
    (tmp_path / "table.csv").write_text("\n".join(rows))
    run = ganaug.fit(tmp_path / "table.csv", tmp_path / "run", target="class", steps=1)
    assert "2 classes, 1 step of wgan_gp" in repr(run)
    assert "<img" not in run._repr_html_()
    with pytest.raises(DataError, match="rows of a table"):
        run.sample()


@pytest.mark.parametrize("wrong", [None, 3, pd.DataFrame({"a": [1]}), ganaug.Run])
def test_what_is_no_run_is_called_so(wrong, tmp_path):
    for use in (ganaug.load, lambda run: ganaug.augment(run, {"0": 1}, tmp_path / "out")):
        with pytest.raises(DataError, match=f"A {type(wrong).__name__} is no run.*the path of a run"):
            use(wrong)
