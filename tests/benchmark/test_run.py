"""Benches of a fitted run: its own split, its images kept out of the test, and the verdict beside it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

import ganaug
from ganaug.benchmark import bench
from ganaug.data import load_images
from ganaug.errors import ArtefactError, LabelMismatchError, LeakError
from ganaug.generator.integrity import unsealed

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


def test_what_a_killed_bench_left_half_written_is_cleared_and_the_bench_goes_on(tmp_path: Path, run: Path):
    first = bench("digits", run=run, out=tmp_path / "out", **QUICK)
    for place in (tmp_path / "out", tmp_path / "out" / "trials"):
        (place / ".results.json.abc.part").write_text("{")
    again = bench("digits", run=run, out=tmp_path / "out", **QUICK)
    assert again.data["trained"] == 0
    assert again.data["difference"] == first.data["difference"]
    assert not list((tmp_path / "out").rglob("*.part"))


def test_a_trial_that_was_altered_is_trained_again(tmp_path: Path, run: Path):
    first = bench("digits", run=run, out=tmp_path / "out", **QUICK)
    files = sorted((tmp_path / "out" / "trials").glob("*.json"))
    content = bytearray(files[0].read_bytes())
    place = content.index(b'"predictions"') + 20
    content[place] ^= 1
    files[0].write_bytes(content)
    again = bench("digits", run=run, out=tmp_path / "out", **QUICK)
    assert again.data["trained"] == 1
    assert again.data["difference"] == first.data["difference"]


def test_an_altered_verdict_serves_nothing(tmp_path: Path, run: Path):
    bench("digits", run=run, out=tmp_path / "out", **QUICK)
    file = run / "verdict.json"
    content = file.read_bytes()
    for place in range(0, len(content), max(1, len(content) // 60)):
        file.write_bytes(content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :])
        with pytest.raises(ArtefactError):
            ganaug.Run(run).verdict  # noqa: B018
    file.write_bytes(content)


def test_leaves_the_verdict_in_the_run_folder(tmp_path: Path, run: Path):
    results = bench("digits", run=run, out=tmp_path / "out", **QUICK)
    assert unsealed((run / "verdict.json").read_bytes(), run) == results.data
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
