"""A fit that learns from unlabelled images, too: which, under which labels, and who knows of it afterwards."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from PIL import Image
from torch.utils.data import TensorDataset

import ganaug
from ganaug.classifier import labelling
from ganaug.classifier.pseudo import Pseudo
from ganaug.cli.group import cli
from ganaug.data.duplicates.fingerprint import fingerprint
from ganaug.data.load import load_images
from ganaug.errors import (
    ArtefactError,
    LeakError,
    OptionError,
    OutputInUseError,
    PseudoLabelsWarning,
    TooFewImagesError,
)
from ganaug.fitting import unlabelled as module
from ganaug.fitting.prepare import prepare
from ganaug.fitting.settings import FitSettings
from ganaug.fitting.settings_file import digest_of
from ganaug.generator.known import known_to
from ganaug.generator.parts import FitParts
from ganaug.reporting import silent
from tests.toys.images import noise_folder

SMALL = {"width": 4, "widest": 8, "latent": 8, "batch": 8}
RNG = np.random.default_rng(0)
DATA = RNG.integers(0, 256, (40, 8, 8), dtype=np.uint8), np.arange(40) % 2
POOL = RNG.integers(0, 256, (30, 8, 8), dtype=np.uint8)
TOLD = "the oracle says so"


class Judges:
    """Stand in for those who label: an image at an even place gets the class "0", one at a place behind them "1"; of
    every third nobody is sure."""

    def __init__(self):
        self.asked, self.sure, self.turned = 0, True, False

    def __call__(self, training, validation, unlabelled, *, seed, device, report):
        self.asked += 1
        assert len(set(training.classes)) == 2
        rows = np.flatnonzero(np.arange(len(unlabelled)) % 3 < 2) if self.sure else np.empty(0, np.int64)
        labels = (rows + self.turned) % 2
        return Pseudo(rows, labels, np.ones(len(rows)), 0.9, 0.9, TOLD), "an oracle"


@pytest.fixture
def judges(monkeypatch: pytest.MonkeyPatch) -> Judges:
    stand_in = Judges()
    monkeypatch.setattr(labelling, "label_images", stand_in)
    return stand_in


def fitted(out: Path, **options: Any) -> ganaug.Run:
    return ganaug.fit(DATA, out, **{"steps": 10, "options": SMALL, "unlabelled": POOL, "device": "cpu", **options})


def stopped(out: Path, **options: Any) -> Path:
    def report(phase, done, total, detail=""):
        if phase == "fit" and done == 6 and total == 10:
            signal.raise_signal(signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        fitted(out, report=report, **options)
    return out


def weights(run: ganaug.Run) -> bytes:
    return (run.path / "generator" / "model.safetensors").read_bytes()


def test_batches_come_from_both_and_the_card_keeps_them_apart(tmp_path, judges):
    said: list[tuple[Any, ...]] = []
    run = fitted(tmp_path / "run", report=lambda *event: said.append(event))
    found = prepare(DATA, FitSettings(unlabelled=POOL), silent)
    assert found.beside is not None
    assert (len(found.training), len(found.validation), len(found.beside)) == (32, 8, 20)
    assert (found.beside.labels.tolist(), found.beside.classes) == ([i % 2 for i in range(30) if i % 3 < 2], ("0", "1"))
    drawn = {image.tobytes() for image in found.batches.items.images[:].numpy()}
    assert drawn == {image.tobytes() for part in (found.training, found.beside) for image in part.pixels.numpy()}
    assert digest_of(found.training, found.validation) != digest_of(found.training, found.validation, found.beside)
    card = run.load().card
    assert card.unlabelled == found.beside.fingerprints
    assert set(card.fingerprints) == set(found.training.fingerprints)
    assert card.counts == {"0": 20, "1": 20}
    assert weights(run) != weights(fitted(tmp_path / "alone", unlabelled=None))
    assert ("pseudo-labels", f"20 of 30 images were given a label by an oracle. By the same rule, {TOLD}.") in {
        (event[0], event[-1]) for event in said
    }
    assert any("20 that had no label to train on, too" in event[-1] for event in said)


def test_who_looks_for_images_that_were_seen_finds_them(tmp_path, judges):
    run = fitted(tmp_path / "run")
    taken = POOL[np.arange(30) % 3 < 2]
    known = known_to(run.load())
    assert {fingerprint(image) for image in taken} <= known.fingerprints
    assert set(load_images((taken, np.arange(20) % 2)).likenesses) <= known.likenesses
    with pytest.raises(LeakError):
        ganaug.mix(TensorDataset(*map(torch.from_numpy, DATA)), run, evaluation=[(taken, np.arange(20) % 2)], ratio=0.5)
    both = load_images((np.concatenate([DATA[0], POOL]), np.arange(70) % 2))
    parts = FitParts(both, run.load().card)
    assert parts.unlabelled.sum() == 20
    assert len(parts.unseen) == 8 + 10


def test_a_resume_goes_on_with_the_labels_that_were_given_first(tmp_path, judges):
    whole = fitted(tmp_path / "whole")
    out = stopped(tmp_path / "run")
    asked, judges.turned = judges.asked, True  # another machine would say something else
    run = fitted(out, resume=True)
    assert judges.asked == asked
    assert weights(run) == weights(whole)
    assert run.load().card == whole.load().card
    assert fitted(out, resume=True, unlabelled=POOL[::-1].copy()).path == out  # finished; in another order
    before = (out / module.FILE).read_bytes()
    fork = fitted(tmp_path / "fork", fork=out, steps=12)
    assert (fork.path / module.FILE).read_bytes() == before
    assert judges.asked == asked


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"unlabelled": POOL[:10]}, "unlabelled images that the run learned from are not there"),
        ({"unlabelled": None}, "was begun with unlabelled images"),
    ],
)
@pytest.mark.parametrize("way", ["resume", "fork"])
def test_other_unlabelled_images_are_refused(tmp_path, judges, given, words, way):
    out = stopped(tmp_path / "run")
    how = {"out": out, "resume": True} if way == "resume" else {"out": tmp_path / "fork", "fork": out}
    with pytest.raises(OptionError, match=words):
        fitted(**how, **given)
    assert not (tmp_path / "fork").exists()


def test_a_run_without_them_gets_none_later(tmp_path, judges):
    out = stopped(tmp_path / "run", unlabelled=None)
    with pytest.raises(OptionError, match="was begun without unlabelled images"):
        fitted(out, resume=True)
    assert not judges.asked


def altered(file: Path) -> None:
    file.write_text(file.read_text().replace('"0"', '"1"', 1))


def without_hash(file: Path) -> None:
    file.write_text(json.dumps({"name, fingerprint, label": []}))


@pytest.mark.parametrize("harm", [altered, without_hash, lambda file: file.write_bytes(b"{")])
def test_labels_that_were_altered_are_refused(tmp_path, judges, harm: Callable[[Path], Any]):
    out = stopped(tmp_path / "run")
    harm(out / module.FILE)
    with pytest.raises(ArtefactError, match=module.FILE):
        fitted(out, resume=True)


def test_a_fit_that_was_killed_right_after_its_labels_were_kept_begins_anew(tmp_path, judges):
    out, asked = stopped(tmp_path / "run"), judges.asked
    for file in out.rglob("*"):
        if file.is_file() and file.name != module.FILE:
            file.unlink()
    for folder in ("state", "samples"):
        (out / folder).rmdir()
    with pytest.raises(OutputInUseError, match="--resume"):
        fitted(out)
    assert fitted(out, resume=True).load().card.steps == 10
    assert judges.asked == asked


def test_where_nobody_is_sure_the_labelled_images_are_learned_alone(tmp_path, judges):
    judges.sure = False
    with pytest.warns(PseudoLabelsWarning, match=f"None of 30 unlabelled images.*alone: {TOLD}"):
        run = fitted(tmp_path / "run")
    assert run.load().card.unlabelled == ()
    assert weights(run) == weights(fitted(tmp_path / "alone", unlabelled=None))
    fitted(tmp_path / "run", resume=True)  # nobody is asked, and warns, again


@pytest.mark.filterwarnings("ignore::ganaug.errors.FewImagesWarning")
def test_classes_that_are_too_small_to_judge_are_said(monkeypatch):
    monkeypatch.setattr("ganaug.classifier.labelling.usual", lambda: None)
    few = DATA[0][:5], np.array([0, 0, 0, 1, 1])  # one of the last two is held out
    with pytest.warns(PseudoLabelsWarning, match="1 images of 1 to learn from: too few"):
        found = prepare(few, FitSettings(unlabelled=POOL), silent)
    assert found.beside is not None
    assert len(found.beside) == 0


def test_copies_are_left_out_and_told_of(judges):
    said: list[str] = []
    turned = np.concatenate([DATA[0][:3], DATA[0][3:5, :, ::-1], POOL[:10], POOL[:4]])
    found = prepare(DATA, FitSettings(unlabelled=turned), lambda *event: said.append(event[-1]))
    assert found.beside is not None
    assert not {*found.beside.fingerprints} & {*found.training.fingerprints, *found.validation.fingerprints}
    assert len(found.beside) == 7  # of ten
    told = "19 images; 4 that are there twice were left out; 5 copies of labelled images, exact or near, were left out"
    assert told in said
    with pytest.raises(TooFewImagesError, match="All 4 unlabelled images are among the labelled ones"):
        prepare(DATA, FitSettings(unlabelled=DATA[0][:4]), silent)


def test_many_are_chosen_among_by_the_seed(judges, monkeypatch):
    monkeypatch.setattr(module, "MOST", 12)
    said: list[str] = []
    one, same, other = (
        prepare(DATA, FitSettings(unlabelled=POOL, seed=seed), lambda *event: said.append(event[-1])).beside
        for seed in (0, 0, 1)
    )
    assert one is not None
    assert one.fingerprints == same.fingerprints != other.fingerprints
    assert "12 images; at most 12 are looked at, chosen by the seed" in said


def test_a_recipe_that_knows_no_classes_takes_all(judges):
    found = prepare(DATA, FitSettings(recipe="gan", options={"conditional": False}, unlabelled=POOL), silent)
    assert found.beside is not None
    assert (len(found.beside), found.beside.classes, judges.asked) == (30, ("all",), 0)
    assert len(found.batches.items.images) == 32 + 30


def test_what_has_no_use_for_them_refuses_them(tmp_path):
    table = tmp_path / "table.csv"
    table.write_text("a,b,c\n" + "".join(f"{i},{i % 3},{i % 2}\n" for i in range(12)))
    waves = RNG.standard_normal((12, 16)), np.arange(12) % 2
    for data, options in ((table, {"target": "c"}), (waves, {})):
        with pytest.raises(OptionError, match="unlabelled would change nothing"):
            ganaug.fit(data, tmp_path / "run", unlabelled=POOL, steps=1, **options)
    with pytest.raises(OptionError, match="learns from pairs, and unlabelled images have none"):
        fitted(tmp_path / "run", recipe="pix2pix", pairs=DATA[0], options={})
    pool = noise_folder(tmp_path / "pool", {"any": 3})
    with pytest.raises(OptionError, match="lies in the data folder"):
        fitted(pool / "run", unlabelled=pool)
    assert not (tmp_path / "run").exists()


def test_the_command_says_how_to_find_out(tmp_path, judges, monkeypatch):
    noise_folder(tmp_path / "train", {"ant": 20, "bee": 20}, (8, 8))
    noise_folder(tmp_path / "test", {"ant": 2, "bee": 2}, (8, 8))
    pool = tmp_path / "my pool"
    pool.mkdir()
    for i, pixels in enumerate(POOL):
        Image.fromarray(pixels).save(pool / f"{i:02}.png")
    line = ["fit", tmp_path / "train", "--unlabelled", pool, "--out", tmp_path / "run", "--steps", 2, "--device", "cpu"]
    line += [word for name, value in SMALL.items() for word in ("--set", f"{name}={value}")]
    done = CliRunner().invoke(cli, [str(word) for word in line])
    assert done.exit_code == 0, (done.output, done.exception)
    assert f"--unlabelled '{pool}' --run {tmp_path / 'run'} --out" in done.output
    assert len(ganaug.Run(tmp_path / "run").load().card.unlabelled) == 20
