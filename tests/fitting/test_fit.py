"""Fitting: what a run folder holds, how it resumes, and what it refuses."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import ganaug
from ganaug.data.load import load_images
from ganaug.errors import (
    ArtefactError,
    DataError,
    DeviceError,
    DivergedError,
    FewImagesWarning,
    OptionError,
    OutputInUseError,
    TooFewImagesError,
    UnwritableError,
)
from ganaug.files.lock import sole_writer
from ganaug.game.ranks import started
from ganaug.generator.state import load_state
from ganaug.recipes.named import recipe_named


def arrays(n=24, classes=2, size=8):
    rng = np.random.default_rng(0)
    return rng.integers(0, 256, (n, size, size), dtype=np.uint8), np.arange(n) % classes


def weights(run):
    return (run.path / "generator" / "model.safetensors").read_bytes()


def test_a_run_folder_holds_what_it_should(digits_run):
    names = {p.name for p in digits_run.path.iterdir()}
    assert {"generator", "metrics.jsonl", "samples", "state", "fit.json"} <= names
    assert {p.name for p in (digits_run.path / "generator").iterdir()} == {
        "card.json",
        "model.safetensors",
        "manifest.json",
    }
    lines = [json.loads(line) for line in (digits_run.path / "metrics.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines] == list(range(1, 13))
    assert all("generator/relativistic.generator" in line for line in lines)
    with Image.open(next((digits_run.path / "samples").glob("*.png"))) as grid:
        assert grid.height > grid.width  # ten classes below each other, eight samples across


def test_the_card_tells_what_was_seen_and_what_was_held_out(digits_run):
    card = digits_run.load().card
    images = load_images("digits", limit=30)
    assert set(card.fingerprints) | set(card.held_out) == set(images.fingerprints)
    assert not set(card.fingerprints) & set(card.held_out)
    assert card.counts == {str(c): 30 for c in range(10)}
    assert (card.codec.mode, card.codec.size) == ("L", (8, 8))


def test_same_seed_same_bytes_another_seed_others(tmp_path):
    runs = [ganaug.fit(arrays(), tmp_path / str(i), steps=3, seed=s) for i, s in enumerate((1, 1, 2))]
    assert weights(runs[0]) == weights(runs[1])
    assert runs[0].load().hash == runs[1].load().hash
    assert weights(runs[0]) != weights(runs[2])


def test_few_images_are_warned_of_by_class(tmp_path):
    X, y = arrays(n=40)
    y[4:] = 1
    with pytest.warns(FewImagesWarning, match=r"1 of 2 classes .* 0 \(\d+\)"):
        ganaug.fit((X, y), tmp_path / "run", steps=1)


def test_held_out_groups_are_whole(tmp_path):
    groups = [f"tile {i // 4}" for i in range(24)]
    images = load_images(arrays(), groups=groups)
    card = ganaug.fit(images, tmp_path / "run", steps=1).load().card
    by_print = dict(zip(images.fingerprints, groups, strict=True))
    assert not {by_print[f] for f in card.fingerprints} & {by_print[f] for f in card.held_out}


INTERRUPTED = """
import ganaug, numpy as np, torch
torch.set_num_threads(1)
rng = np.random.default_rng(0)
data = rng.integers(0, 256, (24, 8, 8), dtype=np.uint8), np.arange(24) % 2
try:
    ganaug.fit(data, {out!r}, steps=60, seed=3)
except KeyboardInterrupt as stop:
    print("stopped", stop)
    raise SystemExit(130)
"""


def test_ctrl_c_saves_and_a_resume_ends_with_the_same_bytes(tmp_path):
    out = tmp_path / "run"
    process = subprocess.Popen(
        [sys.executable, "-c", INTERRUPTED.format(out=str(out))], stdout=subprocess.PIPE, text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    log = out / "metrics.jsonl"
    while process.poll() is None and not (log.exists() and any((out / "samples").glob("*"))):
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    printed, _ = process.communicate(timeout=60)
    assert process.returncode == 130, printed
    assert "stopped at step" in printed
    saved = load_state(out / "state")
    assert saved is not None
    assert 0 < saved.step < 60
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        said = []
        run = ganaug.fit(arrays(), out, steps=60, seed=3, resume=True, report=lambda *what: said.append(what))
        whole = ganaug.fit(arrays(), tmp_path / "whole", steps=60, seed=3)
    finally:
        torch.set_num_threads(threads)
    assert ("fit", 0, 0, f"resumed at step {saved.step}") in said
    assert weights(run) == weights(whole)
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    assert [line["step"] for line in lines if "checkup" not in line] == list(range(1, 61))


def test_resume_of_a_finished_run_does_nothing_and_of_none_starts_at_zero(tmp_path):
    said = []
    run = ganaug.fit(arrays(), tmp_path / "run", steps=2, resume=True, report=lambda *what: said.append(what))
    assert ("fit", 0, 0, "resumed at step 0") in said
    before = weights(run)
    ganaug.fit(arrays(), tmp_path / "run", steps=2, resume=True)
    assert weights(run) == before


def test_a_budget_becomes_steps_before_the_first_one(tmp_path):
    run = ganaug.fit(arrays(), tmp_path / "run", budget="2s")
    stored = json.loads((run.path / "fit.json").read_text())
    assert run.load().card.steps == (stored["end"] or stored["planned_steps"])
    assert 1 <= stored["threads"] <= torch.get_num_threads()


def test_resume_with_other_settings_or_images_is_refused(tmp_path):
    run = ganaug.fit(arrays(), tmp_path / "run", steps=2)
    for file in (run.path / "generator").iterdir():
        file.unlink()
    with pytest.raises(OptionError, match="seed"):
        ganaug.fit(arrays(), run.path, steps=2, seed=1, resume=True)
    with pytest.raises(OptionError, match="data"):
        ganaug.fit(arrays(n=26), run.path, steps=2, resume=True)
    ganaug.fit(arrays(), run.path, steps=2, resume=True)


def test_a_run_that_diverges_keeps_its_last_state_and_names_the_term(tmp_path):
    with pytest.raises(DivergedError, match="step"):
        ganaug.fit(arrays(), tmp_path / "run", steps=50, options={"lr": 1e25})
    assert not (tmp_path / "run" / "generator").exists()


def test_one_channel_last_pixel_sizes_and_colour(tmp_path):
    rng = np.random.default_rng(0)
    colour = rng.integers(0, 256, (8, 20, 20, 3), dtype=np.uint8)
    run = ganaug.fit((colour, np.arange(8) % 2), tmp_path / "run", steps=1)
    assert run.load().card.shape == (3, 20, 20)
    assert run.load().card.codec.mode == "RGB"


@pytest.mark.parametrize(
    ("arguments", "kind", "words"),
    [
        ({"recipe": "nosuch"}, OptionError, "small"),
        ({"options": {"nosuch": 1}}, OptionError, "nosuch"),
        ({"options": {"lr": "fast"}}, OptionError, "lr"),
        ({"budget": "soon"}, OptionError, "10m"),
        ({"budget": -1}, OptionError, "budget"),
        ({"budget": 5, "steps": 5}, OptionError, "one of them"),
        ({"steps": 0}, OptionError, "steps"),
        ({"seed": -1}, OptionError, "seed"),
        ({"device": "cuda:99"}, DeviceError, "device"),
        ({"recipe": "nosuch.py:f"}, OptionError, "nosuch.py"),
    ],
)
def test_a_wrong_setting_is_named_and_nothing_is_written(tmp_path, arguments, kind, words):
    with pytest.raises(kind, match=words):
        ganaug.fit(arrays(), tmp_path / "run", **{"steps": None if "budget" in arguments else 1, **arguments})
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        ((np.zeros((4, 8, 8), np.uint8), np.zeros(4, int)), DataError),
        ((np.zeros((4, 8, 8), np.uint8), np.array([0.5, 1, 0, 1])), DataError),
        ((np.full((4, 8, 8), np.nan), np.array([0, 1, 0, 1])), DataError),
        ((np.zeros((4, 8, 8), np.uint8), np.array([0, 1, 0, -1])), DataError),
        ((np.zeros((3, 8, 8), np.uint8), np.array([0, 1, 0])), TooFewImagesError),
        ("no/such/folder", DataError),
    ],
)
def test_images_that_cannot_be_used_are_refused_and_nothing_is_written(tmp_path, data, kind):
    with pytest.raises(kind):
        ganaug.fit(data, tmp_path / "run", steps=1)
    assert not (tmp_path / "run").exists()


def test_an_output_in_use_is_left_alone(tmp_path, digits_run):
    (tmp_path / "note.txt").write_text("mine")
    with pytest.raises(OutputInUseError):
        ganaug.fit(arrays(), tmp_path, steps=1)
    assert [p.name for p in tmp_path.iterdir()] == ["note.txt"]
    with pytest.raises(OutputInUseError, match="finished"):
        ganaug.fit(arrays(), digits_run.path, steps=1)
    with pytest.raises(OutputInUseError):
        ganaug.fit(arrays(), tmp_path / "note.txt", steps=1)


RECIPE = """
from dataclasses import replace
from ganaug.game import term
from ganaug.recipes import make

@term
def least_squares(r):
    return (r.real_scores - 1).square().mean() + r.fake_scores.square().mean()

def lsgan(lr: float = 1e-3):
    base = make("cgan", {"lr": lr})
    first, second = base.players
    return replace(base, players=(replace(first, loss=least_squares), second))

def wrong():
    return 5
"""


def test_a_recipe_of_the_users_own_runs_when_it_is_named_and_only_then(tmp_path):
    file = tmp_path / "mygan.py"
    file.write_text(RECIPE)
    run = ganaug.fit(arrays(), tmp_path / "run", steps=2, recipe=f"{file}:lsgan", options={"lr": 2e-3})
    with pytest.raises(ganaug.GanaugError, match="recipe"):
        ganaug.load(run)

    fitted = ganaug.load(run, recipe=recipe_named(f"{file}:lsgan", {}))
    assert fitted.card.settings == {"lr": 2e-3}
    with pytest.raises(OptionError, match="int"):
        ganaug.fit(arrays(), tmp_path / "other", steps=1, recipe=f"{file}:wrong")


def test_two_writers_on_one_run_and_only_one_wins(tmp_path):
    with sole_writer(tmp_path / "run"), pytest.raises(OutputInUseError, match="process"):
        ganaug.fit(arrays(), tmp_path / "run", steps=2)
    run = ganaug.fit(arrays(), tmp_path / "run", steps=2)  # free again: the lock file alone is nothing
    assert run.load().card.steps == 2


def test_the_discriminator_sees_what_is_allowed_and_nothing_else(tmp_path):
    """Where nothing is, a fit is that of an eye that moves no image."""
    data = arrays()
    closed = ganaug.fit(data, tmp_path / "closed", steps=3, allow="none")
    blind = ganaug.fit(data, tmp_path / "blind", steps=3, options={"eye": 0.0})
    moved = ganaug.fit(data, tmp_path / "moved", steps=3, allow=("turn", "noise"))
    assert weights(closed) == weights(blind)
    assert weights(closed) != weights(moved)
    assert closed.load().card.allow == ()
    assert moved.load().card.allow == ("turn", "noise")


OWN = """
from ganaug.networks.eyes import AffineEye, OpenEye
from ganaug.recipes.modern import small
from dataclasses import replace

class Own(OpenEye.__mro__[1]):
    def forward(self, x, rng):
        return x

def seeing(eye):
    recipe = small()
    return replace(recipe, networks=lambda spec, prior: {**recipe.networks(spec, prior), "eye": eye(spec)})

def deaf():
    return seeing(lambda spec: AffineEye())

def obedient():
    return seeing(lambda spec: AffineEye(allow=spec.allow))

def unknown():
    return seeing(lambda spec: Own())
"""


def test_a_recipe_of_ones_own_keeps_to_what_is_allowed_or_is_refused(tmp_path):
    file = tmp_path / "own.py"
    file.write_text(OWN)
    with pytest.raises(OptionError, match="not allowed: turn, scale, shift-x, shift-y"):
        ganaug.fit(arrays(), tmp_path / "deaf", recipe=f"{file}:deaf", steps=1, allow="flip-x")
    ganaug.fit(arrays(), tmp_path / "obedient", recipe=f"{file}:obedient", steps=1, allow="flip-x")
    said = []
    ganaug.fit(arrays(), tmp_path / "unknown", recipe=f"{file}:unknown", steps=1, allow="flip-x",
               report=lambda *told: said.append(told[-1]))  # fmt: skip
    assert any("is not known" in text for text in said)


@pytest.mark.parametrize("said", [{"RANK": "1"}, {"RANK": "1", "WORLD_SIZE": "1"}], ids=str)
def test_one_process_is_told_whatever_number_it_has(digits_run, monkeypatch, said):
    for name, value in said.items():
        monkeypatch.setenv(name, value)
    assert started() == (0, 1)


@pytest.mark.parametrize("said", [{"RANK": "x"}, {"WORLD_SIZE": "two"}, {"RANK": "2", "WORLD_SIZE": "2"}], ids=str)
def test_numbers_of_processes_that_are_none_are_refused(tmp_path, monkeypatch, said):
    for name, value in said.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(OptionError, match="RANK is .* and WORLD_SIZE .*torchrun"):
        ganaug.fit("digits", tmp_path / "run", steps=1, limit=4)


def test_copies_of_one_picture_are_one_image(tmp_path):
    x = np.random.default_rng(0).integers(0, 256, (60, 8, 8), np.uint8)
    x[:30] = x[0]
    with pytest.warns(FewImagesWarning, match=r"1 of 2 classes have fewer than .*: 0 \(1\)"):
        run = ganaug.fit((x, np.arange(60) // 30), tmp_path / "run", steps=1)
    with pytest.raises(TooFewImagesError, match="30 images of 0 to learn from, 1 without copies: too few"):
        ganaug.choose(run, (x, np.arange(60) // 30))


def test_a_run_that_has_saved_nothing_yet_is_told_from_what_is_no_run(tmp_path, digits_run):
    begun = tmp_path / "begun"
    begun.mkdir()
    for name in ("fit.json", "metrics.jsonl"):
        shutil.copy(Path(digits_run.path) / name, begun)
    for use in (ganaug.load, lambda run: ganaug.augment(run, {"1": 2}, tmp_path / "out"),
                lambda run: ganaug.choose(run, "digits")):  # fmt: skip
        with pytest.raises(ArtefactError, match="begun is not finished.*--resume"):
            use(begun)
    with pytest.raises(ArtefactError, match="nowhere does not exist"):
        ganaug.choose(tmp_path / "nowhere", "digits")
    with pytest.raises(ArtefactError, match="saved no state yet.*--resume"):
        ganaug.fit("digits", tmp_path / "new", fork=begun, steps=20, limit=30)


def test_names_that_cannot_be_are_refused(tmp_path):
    data = np.random.default_rng(0).integers(0, 256, (20, 8, 8), np.uint8), np.arange(20) % 2
    with pytest.raises(UnwritableError, match="Choose a shorter name"):
        ganaug.fit(data, tmp_path / ("n" * 300), steps=1)
    with pytest.raises(OptionError, match="cannot be a name"):
        ganaug.fit(data, f"{tmp_path}/a\0b", steps=1)
