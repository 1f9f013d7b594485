"""No memory, no space, no permission: a clear stop, and what was saved before is intact."""

from __future__ import annotations

import errno
import os
import resource
import shutil
import tempfile
from collections import namedtuple

import numpy as np
import pytest
import torch

import ganaug
from ganaug.device import out_of_memory
from ganaug.errors import DeviceError, DiskFullError, OutOfMemoryError, UnwritableError
from ganaug.files.integrity import write_atomically
from ganaug.fitting import play
from ganaug.generator.state import SavedState, load_state, save_state
from ganaug.samples.pool import Pool

SMALL = {"width": 4, "widest": 8, "latent": 8, "batch": 8}
STEPS = 12


def arrays():
    rng = np.random.default_rng(0)
    return rng.integers(0, 256, (24, 8, 8), dtype=np.uint8), np.arange(24) % 2


def weights(run):
    return (run.path / "generator" / "model.safetensors").read_bytes()


ERRORS = {
    "GPU": torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB."),
    "CPU": RuntimeError("[enforce fail at alloc_cpu.cpp:117] err == 0. DefaultCPUAllocator: can't allocate memory"),
    "cuDNN": RuntimeError("cuDNN error: CUDNN_STATUS_ALLOC_FAILED, CUDA out of memory"),
    "Python": MemoryError(),
}  # fmt: skip


@pytest.mark.long
@pytest.mark.parametrize("name", ERRORS)
@pytest.mark.parametrize("at", [0, 8])
def test_no_memory_is_a_stop_with_cause_and_the_state_is_kept(tmp_path, monkeypatch, name, at):
    real = play.train

    def failing(*args, **options):
        for progress in real(*args, **options):
            yield progress
            if progress.step == at:
                raise ERRORS[name]

    monkeypatch.setattr(play, "train", failing)
    with pytest.raises(OutOfMemoryError, match=f"step {at + 1}, a round of 8 items") as caught:
        ganaug.fit(arrays(), tmp_path / "run", options=SMALL, steps=STEPS)
    assert isinstance(caught.value, MemoryError)
    assert caught.value.exit_code == 5
    assert "batch" in caught.value.fix
    saved = load_state(tmp_path / "run" / "state")
    assert (saved is None) if at == 0 else (saved.step == at)
    monkeypatch.undo()
    run = ganaug.fit(arrays(), tmp_path / "run", options=SMALL, steps=STEPS, resume=True)
    assert weights(run) == weights(ganaug.fit(arrays(), tmp_path / "whole", options=SMALL, steps=STEPS))


def test_a_real_allocation_that_cannot_be_is_recognised_and_other_errors_are_not():
    with pytest.raises(RuntimeError) as caught:
        torch.empty(2**50)
    assert out_of_memory(caught.value)
    assert not out_of_memory(RuntimeError("shapes cannot be multiplied"))
    assert not out_of_memory(DeviceError("The device is out of memory.", ""))


def test_an_error_of_another_kind_passes_through(tmp_path, monkeypatch):
    def failing(*args, **options):
        raise RuntimeError("shapes cannot be multiplied")
        yield

    monkeypatch.setattr(play, "train", failing)
    with pytest.raises(RuntimeError, match="shapes"):
        ganaug.fit(arrays(), tmp_path / "run", options=SMALL, steps=STEPS)


def state(step):
    return SavedState(step, {"a": torch.full((20_000,), float(step))})


Usage = namedtuple("Usage", "total used free")
FAILURES = {
    "disk full": (errno.ENOSPC, DiskFullError),
    "quota": (errno.EDQUOT, DiskFullError),
    "size of a file": (errno.EFBIG, DiskFullError),
    "read-only": (errno.EROFS, UnwritableError),
    "not allowed": (errno.EACCES, UnwritableError),
    "bad disk": (errno.EIO, UnwritableError),
}


@pytest.mark.parametrize("call", ["mkstemp", "fsync", "replace"])
@pytest.mark.parametrize("name", FAILURES)
def test_a_failed_save_names_the_reason_and_leaves_the_old_state(tmp_path, monkeypatch, call, name):
    save_state(tmp_path / "state", state(1))
    number, kind = FAILURES[name]

    def failing(*args, **options):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(tempfile if call == "mkstemp" else os, call, failing)
    with pytest.raises(kind) as caught:
        save_state(tmp_path / "state", state(2))
    monkeypatch.undo()
    assert os.strerror(number) in caught.value.cause
    assert str(tmp_path) in caught.value.cause
    if kind is DiskFullError:
        assert "needs 80," in caught.value.cause
        assert ("bytes are free" in caught.value.cause) == (number != errno.EFBIG)
        assert ("limit of a file's size" in caught.value.fix) == (number == errno.EFBIG)
    assert load_state(tmp_path / "state").step == 1
    assert not list((tmp_path / "state").glob(".*"))


def test_too_little_space_is_seen_before_anything_is_written(tmp_path, monkeypatch):
    save_state(tmp_path / "state", state(1))
    before = sorted((tmp_path / "state").iterdir())
    monkeypatch.setattr(shutil, "disk_usage", lambda path: Usage(10**9, 10**9 - 50_000, 50_000))
    with pytest.raises(DiskFullError, match=r"needs 1,128,\d+ bytes, 50,000 are free"):
        save_state(tmp_path / "state", state(2))
    assert sorted((tmp_path / "state").iterdir()) == before
    with pytest.raises(DiskFullError):
        ganaug.fit(arrays(), tmp_path / "run", options=SMALL, steps=STEPS)


@pytest.mark.parametrize("room", [0, 1, 1000, 40_000, 79_999])
def test_a_file_that_the_system_cuts_off(tmp_path, room):
    """A real limit of this process, at several lengths."""
    write_atomically(tmp_path / "file", b"old")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, hard))
    try:
        with pytest.raises(DiskFullError, match="needs 80,000 bytes"):
            write_atomically(tmp_path / "file", bytes(80_000))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert (tmp_path / "file").read_bytes() == b"old"
    assert [p.name for p in tmp_path.iterdir()] == ["file"]


def test_a_fit_whose_disk_fills_up_stops_and_goes_on_later(tmp_path, monkeypatch):
    monkeypatch.setattr(play, "SAVE_SECONDS", -1.0)
    real, calls = os.fsync, []

    def filling(handle):
        calls.append(1)
        if len(calls) > 60:
            raise OSError(errno.ENOSPC, "No space left on device")
        real(handle)

    monkeypatch.setattr(os, "fsync", filling)
    with pytest.raises(DiskFullError, match="No space left"):
        ganaug.fit(arrays(), tmp_path / "run", options=SMALL, steps=STEPS)
    monkeypatch.undo()
    assert 0 < load_state(tmp_path / "run" / "state").step < STEPS
    run = ganaug.fit(arrays(), tmp_path / "run", options=SMALL, steps=STEPS, resume=True)
    assert weights(run) == weights(ganaug.fit(arrays(), tmp_path / "whole", options=SMALL, steps=STEPS))


def test_an_output_that_cannot_be_made_is_named(tmp_path, monkeypatch, digits_run):
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(UnwritableError, match="Not a directory"):
        ganaug.fit(arrays(), tmp_path / "file" / "run", options=SMALL, steps=1)

    def failing(*args, **options):
        raise OSError(errno.EDQUOT, os.strerror(errno.EDQUOT))

    monkeypatch.setattr(tempfile, "mkstemp", failing)
    with pytest.raises(DiskFullError, match="quota"):
        Pool.open(digits_run, {"0": 10}, folder=tmp_path)
    monkeypatch.undo()
    monkeypatch.setattr(os, "replace", failing)
    with pytest.raises(DiskFullError, match="quota"):
        ganaug.augment(digits_run, {"0": 10}, tmp_path / "out")
    monkeypatch.undo()
    assert [p.name for p in tmp_path.iterdir()] == ["file"]
