"""A crash at every write, fsync, rename and removal of one save: the old or the new state is there, whole."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import torch

from ganaug.files.integrity import write_atomically
from ganaug.generator.card import Card
from ganaug.generator.folder import save
from ganaug.generator.state import SavedState, load_anchor, load_state, save_state
from ganaug.samples.run import load
from tests.faults.crashing import Crash, DyingDisk

pytestmark = pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="asks which file a number stands for")


def state(step: int) -> SavedState:
    tensors = {"a": torch.full((50,), float(step)), "b": torch.full((7, 3), float(step))}
    return SavedState(step, tensors, log_bytes=100 * step, sums={"loss": [0.1 * step]})


def outcomes(folder: Path, work, check, *, power: bool) -> int:
    """Crash at every point of `work`, on a copy of the folder, and check what is left. Gives the number of points."""
    points = None
    number = 0
    while points is None or number < points:
        copy = shutil.copytree(folder, folder.with_name(f"{folder.name} {number}{power}"))
        with pytest.MonkeyPatch.context() as patch:
            disk = DyingDisk(patch, number, power)
            try:
                work(copy)
            except Crash:
                pass
            else:
                points = number
        if disk.dead:
            disk.restored(copy)
            check(copy)
        number += 1
    return points


@pytest.mark.parametrize("power", [False, True], ids=["killed", "power cut"])
@pytest.mark.parametrize("anchored", [False, True])
def test_a_state_is_the_old_one_or_the_new_one(tmp_path, anchored, power):
    folder = tmp_path / "state"
    save_state(folder, state(4), state(4))
    save_state(folder, state(7), state(4))
    seen = set()

    def work(copy):
        save_state(copy, state(9), state(8) if anchored else state(4))

    def check(copy):
        found = load_state(copy)
        seen.add(found.step)
        assert found.step in (7, 9)
        assert found.log_bytes == 100 * found.step
        assert found.sums == {"loss": [0.1 * found.step]}
        assert all(torch.equal(t, torch.full_like(t, found.step)) for t in found.tensors.values())
        assert load_anchor(copy).step == (8 if anchored and found.step == 9 else 4)
        save_state(copy, state(10), state(8))  # and it goes on from there
        assert load_state(copy).step == 10
        assert not list(copy.glob(".*"))

    points = outcomes(folder, work, check, power=power)
    assert points >= (14 if anchored else 9)
    assert seen == {7, 9}


@pytest.mark.parametrize("power", [False, True], ids=["killed", "power cut"])
def test_the_first_state_is_there_or_not(tmp_path, power):
    (tmp_path / "state").mkdir()
    seen = set()

    def check(copy):
        found = load_state(copy)
        seen.add(None if found is None else found.step)

    outcomes(tmp_path / "state", lambda copy: save_state(copy, state(1), state(1)), check, power=power)
    assert None in seen
    assert seen <= {None, 1}


@pytest.mark.parametrize("power", [False, True], ids=["killed", "power cut"])
def test_a_generator_is_whole_or_not_there(tmp_path, digits_run, power):
    from ganaug.errors import ArtefactError

    fitted = digits_run.load()
    (tmp_path / "generator").mkdir()
    whole = []

    def work(copy):
        save(copy, fitted.networks, fitted.card)

    def check(copy):
        try:
            assert load(copy).hash == fitted.hash
            whole.append(True)
        except ArtefactError:
            assert not (copy / "manifest.json").exists()
            whole.append(False)

    outcomes(tmp_path / "generator", work, check, power=power)
    assert False in whole
    assert isinstance(fitted.card, Card)


@pytest.mark.parametrize("power", [False, True], ids=["killed", "power cut"])
def test_a_file_has_the_old_content_or_the_new_one(tmp_path, power):
    folder = tmp_path / "files"
    write_atomically(folder / "file", b"old" * 1000)
    seen = set()

    def check(copy):
        seen.add((copy / "file").read_bytes()[:3])
        assert (copy / "file").read_bytes() in (b"old" * 1000, b"new" * 999)

    assert outcomes(folder, lambda copy: write_atomically(copy / "file", b"new" * 999), check, power=power) >= 4
    assert b"old" in seen
