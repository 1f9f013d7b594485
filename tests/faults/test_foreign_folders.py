"""A run folder or data from elsewhere: links, pipes and damage in them change nothing outside, and hang nobody."""

from __future__ import annotations

import os
import shutil
import signal
import zipfile

import numpy as np
import pytest

import ganaug
from ganaug.data.load import load_images
from ganaug.errors import ArtefactError, DataError, GanaugError, HarmfulError, OptionError
from ganaug.files.integrity import sealed
from ganaug.fitting import play
from ganaug.fitting.doctor.history import read_history
from ganaug.generator.folder import run_folder
from ganaug.generator.known import known_to
from ganaug.generator.state import load_state, save_state
from ganaug.samples.pool import Pool

SMALL = {"width": 4, "widest": 8, "latent": 8, "batch": 8}


def arrays():
    rng = np.random.default_rng(0)
    return rng.integers(0, 256, (24, 8, 8), dtype=np.uint8), np.arange(24) % 2


def stopping(at):
    def report(phase, done, total, detail=""):
        if phase == "fit" and done == at and total:
            signal.raise_signal(signal.SIGINT)

    return report


@pytest.fixture(scope="module")
def stopped(tmp_path_factory):
    """A run that was interrupted at step 6 of 10."""
    out = tmp_path_factory.mktemp("stopped") / "run"
    with pytest.raises(KeyboardInterrupt):
        ganaug.fit(arrays(), out, steps=10, options=SMALL, report=stopping(6))
    return out


@pytest.fixture
def run(stopped, tmp_path):
    return shutil.copytree(stopped, tmp_path / "run")


def resumed(run, data=None, **options):
    return ganaug.fit(arrays() if data is None else data, run, steps=10, options=SMALL, resume=True, **options)


@pytest.mark.parametrize("name", [".lock", "metrics.jsonl"])
def test_a_link_in_the_place_of_a_file_that_is_written_is_refused_and_not_followed(run, tmp_path, name):
    target = tmp_path / "thesis.tex"
    target.write_text("years of work " * 1000)
    (run / name).unlink(missing_ok=True)
    (run / name).symlink_to(target)
    with pytest.raises(ArtefactError, match="not a plain file"):
        resumed(run)
    assert target.read_text() == "years of work " * 1000


@pytest.mark.parametrize("name", ["state", "samples", "generator"])
def test_a_link_in_the_place_of_a_folder_that_is_written_is_refused(run, tmp_path, name):
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "step-my-thesis.safetensors").write_text("years of work")
    if (run / name).exists():
        for file in (run / name).iterdir():
            shutil.copy(file, outside)
        shutil.rmtree(run / name)
    before = {file.name: file.read_bytes() for file in outside.iterdir()}
    (run / name).symlink_to(outside, target_is_directory=True)
    with pytest.raises(ArtefactError, match="is a link"):
        resumed(run)
    assert {file.name: file.read_bytes() for file in outside.iterdir()} == before


def test_pictures_replace_a_link_in_their_place(digits_run, tmp_path):
    target, out = tmp_path / "thesis.tex", tmp_path / "out"
    target.write_text("years of work")
    out.mkdir()
    for name in ("grid.png", "walk.png", "walk.gif"):
        (out / name).symlink_to(target)
    ganaug.preview(digits_run, out, columns=2, frames=2)
    assert target.read_text() == "years of work"
    assert not (out / "grid.png").is_symlink()


@pytest.mark.parametrize("name", ["likenesses.txt", "metrics.jsonl"])
@pytest.mark.parametrize("kind", ["pipe", "device"])
def test_pipes_and_devices_hang_nobody(digits_run, tmp_path, name, kind):
    run = shutil.copytree(digits_run.path, tmp_path / "run")
    (run / "likenesses.txt").unlink()
    (run / name).unlink(missing_ok=True)
    if kind == "pipe":
        os.mkfifo(run / name)
    else:
        (run / name).symlink_to("/dev/zero")
    with pytest.raises(ArtefactError):
        known_to(ganaug.load(run)) if name.startswith("likenesses") else read_history(run)


def test_a_pipe_in_the_place_of_a_pool_is_replaced(digits_run, tmp_path):
    folder = tmp_path / "pool"
    pool = Pool.open(digits_run, {"0": 8}, folder=folder)
    images = np.array(pool.images)
    for suffix in (".json", ".npy"):
        file = pool.path.with_suffix(suffix)
        file.unlink()
        os.mkfifo(file)
        assert np.array_equal(Pool.open(digits_run, {"0": 8}, folder=folder).images, images)


def test_a_resume_notices_other_labels_and_other_names(run):
    x, y = arrays()
    for other in ((x, 1 - y), (x, np.array(["dog", "cat"])[y])):
        with pytest.raises(OptionError, match="data"):
            resumed(run, other)
    assert resumed(run).load().card.steps == 10


def test_a_resume_notices_another_recipe_file(tmp_path):
    own = tmp_path / "mine.py"
    own.write_text(f"from ganaug.recipes import make\n\ndef mine():\n    return make('small', {SMALL})\n")
    out, name = tmp_path / "own", f"{own}:mine"
    with pytest.raises(KeyboardInterrupt):
        ganaug.fit(arrays(), out, steps=4, recipe=name, report=stopping(2))
    own.write_text(own.read_text() + "# edited\n")
    with pytest.raises(OptionError, match="recipe file"):
        ganaug.fit(arrays(), out, steps=4, recipe=name, resume=True)


def test_a_fork_that_was_stopped_before_it_began_never_becomes_a_fresh_fit(run, tmp_path, monkeypatch):
    def killed(*given):
        raise KeyboardInterrupt("killed")

    monkeypatch.setattr(play, "save_state", killed)
    with pytest.raises(KeyboardInterrupt):
        ganaug.fit(arrays(), tmp_path / "fork", steps=12, options=SMALL, fork=run)
    monkeypatch.undo()
    with pytest.raises(ArtefactError, match="stopped before it began"):
        ganaug.fit(arrays(), tmp_path / "fork", steps=12, options=SMALL, resume=True)


def test_a_state_without_the_settings_that_it_was_played_under_is_refused(run):
    (run / "fit.json").unlink()
    with pytest.raises(ArtefactError, match="no fit.json"):
        resumed(run)


def test_a_damaged_state_is_written_again_when_its_step_comes_again(run):
    saved = load_state(run / "state")
    (newest,) = (run / "state").glob(f"step-{saved.step:09d}-*")
    content = newest.read_bytes()
    newest.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    save_state(run / "state", saved)
    assert newest.read_bytes() == content


def test_a_generator_is_known_by_its_place_however_it_is_written(digits_run, tmp_path, monkeypatch):
    run = shutil.copytree(digits_run.path, tmp_path / "run")
    values = {"verdict": "harms", "mode": "replace", "ratio": 0, "generator": ganaug.load(run).hash}
    (run / "verdict.json").write_bytes(sealed(values))
    (tmp_path / "link").symlink_to(run / "generator", target_is_directory=True)
    monkeypatch.chdir(run / "generator")
    for written in (run, run / "generator", tmp_path / "link", "."):
        assert run_folder(written).resolve() == run.resolve()
        with pytest.raises(HarmfulError):
            ganaug.augment(written, {"0": 1}, tmp_path / "out")


def npy(shape, descr="|u1"):
    header = f"{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}".encode()
    return b"\x93NUMPY\x01\x00" + (len(header) + 1).to_bytes(2, "little") + header + b"\n"


HOSTILE = {
    "huge": npy(f"({1 << 40}, 8, 8)"), "beyond": npy(f"({1 << 70}, 8, 8)"), "minus": npy("(" + "-" * 9000 + "1,)"),
    "brackets": npy("((((("), "quotes": npy("'''abc"), "keys": npy("{1: 2, 'a': 3}"), "unhashable": npy("{[1]: 2}"),
    "true": npy("(True, 8, 8)"), "negative": npy("(-1, 8, 8)"), "object": npy("(4, 8, 8)", descr="|O"),
    "pixels": npy("(1, 8100, 8100)") + bytes(8100 * 8100), "short": npy("(4, 8, 8)") + bytes(17),
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_arrays_that_claim_what_they_are_not_are_refused_before_they_are_read(name, tmp_path):
    np.savez(tmp_path / "good.npz", x=np.zeros((4, 8, 8), np.uint8), y=np.arange(4) % 2)
    with (
        zipfile.ZipFile(tmp_path / "good.npz") as good,
        zipfile.ZipFile(tmp_path / "bad.npz", "w", zipfile.ZIP_DEFLATED) as bad,
    ):
        bad.writestr("y.npy", good.read("y.npy"))
        bad.writestr("x.npy", HOSTILE[name])
    with pytest.raises(DataError):
        load_images(tmp_path / "bad.npz")
    with pytest.raises(DataError):
        ganaug.fit(tmp_path / "bad.npz", tmp_path / "run", kind="series", steps=1)


def test_archives_that_are_damaged_or_locked_are_refused(tmp_path):
    x, y = np.zeros((40, 8, 8), np.uint8), np.arange(40) % 2
    np.savez(tmp_path / "plain.npz", x=x, y=y)
    with (
        zipfile.ZipFile(tmp_path / "plain.npz") as plain,
        zipfile.ZipFile(tmp_path / "lzma.npz", "w", zipfile.ZIP_LZMA) as packed,
    ):
        for name in plain.namelist():
            packed.writestr(name, plain.read(name))
    content = bytearray((tmp_path / "lzma.npz").read_bytes())
    for place in range(60, len(content) - 200, 7):
        content[place] ^= 0x55
    (tmp_path / "lzma.npz").write_bytes(content)
    locked = bytearray((tmp_path / "plain.npz").read_bytes())
    for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        start = 0
        while (start := locked.find(mark, start)) >= 0:
            locked[start + offset] |= 1  # the flag of an encrypted member
            start += 4
    (tmp_path / "locked.npz").write_bytes(locked)
    for name in ("lzma", "locked"):
        with pytest.raises(GanaugError):
            load_images(tmp_path / f"{name}.npz")
    for wrong in ({"classes": np.array("ab")}, {"group_train": np.array(3)}):
        np.savez(tmp_path / "odd.npz", x_train=x, y_train=y, **wrong)
        with pytest.raises(DataError):
            load_images(tmp_path / "odd.npz")
    np.savez(tmp_path / "pairs.npz", a=x[:3], b=x, y=y, split=np.zeros(40, int))
    with pytest.raises(DataError, match="other lengths"):
        load_images(tmp_path / "pairs.npz")
