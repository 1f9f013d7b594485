"""Benches of a fitted run: its own split, its images kept out of the test, and the verdict beside it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

import ganaug
from ganaug.benchmark import bench
from ganaug.data import load_images
from ganaug.errors import LabelMismatchError, LeakError

from .toy import images

pytestmark = pytest.mark.usefixtures("quick_classifier")
QUICK = {"quick": True, "ratios": (0.25,), "seeds": 2}


@pytest.fixture
def run(tmp_path: Path, digits_run: ganaug.Run) -> Path:
    return Path(shutil.copytree(digits_run.path, tmp_path / "run"))


def test_trains_on_what_gradients_saw_and_validates_on_what_fit_held_out(tmp_path: Path, run: Path):
    card = ganaug.load(run).card
    results = bench("digits", run=run, out=tmp_path / "out", **QUICK)
    facts = results.data["data"]
    assert facts["train"]["images"] == len(card.fingerprints)
    assert facts["validation"]["images"] == len(card.held_out)
    assert "were not part of the fit" in results.data["notes"][0]
    assert min(facts["synthetic"]["counts"]) >= 32


def test_leaves_the_verdict_in_the_run_folder(tmp_path: Path, run: Path):
    results = bench("digits", run=run, out=tmp_path / "out", **QUICK)
    assert json.loads((run / "verdict.json").read_text()) == results.data
    assert ganaug.Run(run).verdict == results.data
    assert results.data["generator"] == ganaug.load(run).hash


def test_refuses_a_test_set_that_the_generator_was_fitted_on(tmp_path: Path, run: Path):
    seen = load_images("digits")
    x, y = seen.pixels[:, 0].numpy(), [seen.classes[label] for label in seen.labels]
    with pytest.raises(LeakError, match="test images are among"):
        bench("digits", test=(x, y), run=run, out=tmp_path / "out", **QUICK)


def test_refuses_data_of_other_classes(tmp_path: Path, run: Path):
    with pytest.raises(LabelMismatchError, match="The generator knows the classes 0, 1"):
        bench(images(20, 0), test=images(40, 1), run=run, out=tmp_path / "out", **QUICK)
