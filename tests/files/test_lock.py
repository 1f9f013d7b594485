"""Two at once: one wins, the other says who holds the folder; a dead holder holds nothing."""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

import ganaug
from ganaug.data.sources.arrays import from_arrays
from ganaug.errors import OutputInUseError, UnwritableError
from ganaug.files import lock
from ganaug.files.imagemap import ImageMap
from ganaug.files.lock import LOCK, LOCKS, OWNER, keep, part_file, remove_abandoned, sole_maker, sole_writer, unread
from ganaug.files.owner import Owner

NO_LOCKS = (errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS)
HOLD = """
import errno, sys, time
from contextlib import ExitStack
from pathlib import Path
from ganaug.files import lock
if "without" in sys.argv:
    def refuse(*_):
        raise OSError(errno.ENOLCK, "No locks available")
    lock._lock = refuse
with ExitStack() as held:
    if "part" in sys.argv:
        print(held.enter_context(lock.part_file(Path(sys.argv[1]), ".pool."))[1], flush=True)
    else:
        held.enter_context(lock.sole_writer(Path(sys.argv[1])))
        print("held", flush=True)
    time.sleep(60)
"""


class Holder:
    def __init__(self, *arguments: object):
        self.process = subprocess.Popen(
            [sys.executable, "-c", HOLD, *map(str, arguments)], stdout=subprocess.PIPE, text=True
        )
        assert self.process.stdout is not None
        self.said = self.process.stdout.readline().strip()
        self.pid = self.process.pid

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()
        assert self.process.stdout is not None
        self.process.stdout.close()


@pytest.fixture
def holding():
    held: list[Holder] = []

    def hold(*arguments: object) -> Holder:
        held.append(Holder(*arguments))
        return held[-1]

    yield hold
    for one in held:
        one.kill()


@pytest.fixture
def holder(holding, tmp_path):
    return holding(tmp_path)


@pytest.fixture(params=NO_LOCKS, ids=errno.errorcode.get)
def no_locks(request, monkeypatch):
    """A file system without locks, as the system calls that."""
    fail_with(monkeypatch, request.param)


def fail_with(monkeypatch, code):
    def refuse(*_):
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr("fcntl.flock", refuse)


def test_the_second_writer_is_told_who_holds_the_folder(holder, tmp_path):
    before = (tmp_path / LOCK).read_bytes()
    with pytest.raises(OutputInUseError, match=f"process {holder.pid} on"), sole_writer(tmp_path):
        pass
    assert (tmp_path / LOCK).read_bytes() == before


@pytest.mark.skipif(os.name != "posix", reason="signals")
def test_a_killed_holder_leaves_the_folder_free(holder, tmp_path):
    os.kill(holder.pid, signal.SIGKILL)
    holder.process.wait()
    time.sleep(0.01)
    with sole_writer(tmp_path):
        assert str(os.getpid()) in (tmp_path / LOCK).read_text()


def test_it_can_be_held_again_and_within_a_process_too(tmp_path):
    for _ in range(2):
        with sole_writer(tmp_path / "new"), pytest.raises(OutputInUseError), sole_writer(tmp_path / "new"):
            pass


def test_rubbish_in_the_file_is_no_obstacle(tmp_path):
    (tmp_path / LOCK).write_bytes(b"\xff{" * 999)
    with sole_writer(tmp_path), pytest.raises(OutputInUseError, match="process"), sole_writer(tmp_path):
        pass


posix = pytest.mark.skipif(os.name != "posix", reason="flock")


@posix
def test_without_locks_a_file_names_the_owner_and_goes_with_the_work(no_locks, tmp_path):
    for _ in range(2):
        with sole_writer(tmp_path):
            assert {entry.name for entry in tmp_path.iterdir()} == LOCKS
            with pytest.raises(OutputInUseError, match=f"process {os.getpid()} on .*no locks"), sole_writer(tmp_path):
                pass
    assert {entry.name for entry in tmp_path.iterdir()} == {LOCK}
    with sole_maker(tmp_path / "made") as part:
        part.mkdir()
        with pytest.raises(OutputInUseError), sole_maker(tmp_path / "made"):
            pass
        part.rename(tmp_path / "made")
    assert {entry.name for entry in tmp_path.iterdir()} == {LOCK, "made"}


@posix
@pytest.mark.parametrize(("theirs", "ours"), [("without", "without"), ("without", "with"), ("with", "without")])
def test_processes_with_and_without_locks_keep_apart_and_a_killed_one_holds_nothing(
    monkeypatch, holding, tmp_path, theirs, ours
):
    if ours == "without":
        fail_with(monkeypatch, errno.ENOLCK)
    other = holding(tmp_path, theirs)
    for _ in range(2):
        with pytest.raises(OutputInUseError, match=f"process {other.pid} on") as refused, sole_writer(tmp_path):
            pass
        assert refused.value.fix.startswith("Wait for it to end, stop it")
    other.kill()
    with sole_writer(tmp_path):
        pass
    assert {entry.name for entry in tmp_path.iterdir()} == {LOCK}


@posix
@pytest.mark.parametrize("change", [{"place": "elsewhere"}, {"place": ""}, {"pid": 0}])
def test_an_owner_that_cannot_be_seen_from_here_is_believed_and_the_file_is_named(no_locks, tmp_path, change):
    claim = tmp_path / (LOCK + OWNER)
    claim.write_text(json.dumps(json.loads(Owner.myself().to_bytes()) | change))
    for _ in range(2):
        with pytest.raises(OutputInUseError, match="If it has ended") as refused, sole_writer(tmp_path):
            pass
        assert str(claim) in refused.value.fix
    claim.unlink()
    with sole_writer(tmp_path):
        pass


@posix
def test_a_number_that_another_process_has_now_is_not_the_owner(no_locks, tmp_path):
    if not Owner.myself().begun:
        pytest.skip("the system does not tell when a process began")
    facts = json.loads(Owner.myself().to_bytes()) | {"begun": "1"}
    (tmp_path / (LOCK + OWNER)).write_text(json.dumps(facts))
    with sole_writer(tmp_path):
        pass


@posix
def test_only_one_removes_what_a_killed_owner_left(monkeypatch, tmp_path):
    """Whoever saw the old claim, and comes late, must not remove the new one."""
    fail_with(monkeypatch, errno.ENOLCK)
    claim = tmp_path / (LOCK + OWNER)
    old = json.dumps(json.loads(Owner.myself().to_bytes()) | {"begun": "1"}).encode()
    claim.write_bytes(old)
    real, late = type(claim).read_bytes, []

    def read_then_lose(path):
        content = real(path)
        if path == claim and content == old and not late:
            late.append(1)
            claim.write_bytes(Owner.myself().to_bytes() + b" ")  # another one was quicker
        return content

    monkeypatch.setattr(type(claim), "read_bytes", read_then_lose)
    with pytest.raises(OutputInUseError), sole_writer(tmp_path):
        pass
    assert claim.exists()


@posix
@pytest.mark.parametrize("code", [errno.EBADF, errno.EIO])
def test_another_failure_is_told_as_it_is(monkeypatch, tmp_path, code):
    fail_with(monkeypatch, code)
    for hold in (sole_writer(tmp_path), sole_maker(tmp_path / "made"), part_file(tmp_path, ".pool.")):
        with pytest.raises(UnwritableError, match=f"cannot be locked: {os.strerror(code)}"), hold:
            pass
    assert {entry.name for entry in tmp_path.iterdir()} <= {LOCK, ".made.lock"}


@posix
def test_nothing_is_tried_for_ever(monkeypatch, tmp_path):
    monkeypatch.setattr(lock, "_removed", lambda file, path: True)
    for hold in (sole_writer(tmp_path), sole_maker(tmp_path / "made"), part_file(tmp_path, ".pool.")):
        with pytest.raises(OutputInUseError, match="by others all the time"), hold:
            pass


@posix
def test_a_folder_that_is_moved_away_while_one_waits_is_not_taken_for_held(tmp_path, monkeypatch):
    """As a cache moves what it deletes: the lock in what was moved is worth nothing."""
    folder, attempt = tmp_path / "entry", lock._try
    folder.mkdir()

    def moved(file, path):
        if not (tmp_path / "gone").exists():
            folder.rename(tmp_path / "gone")
            folder.mkdir()
        return attempt(file, path)

    monkeypatch.setattr(lock, "_try", moved)
    with sole_writer(folder):
        assert (folder / LOCK).read_bytes()
        with pytest.raises(OutputInUseError), sole_writer(folder):
            pass
    assert not (tmp_path / "gone" / LOCK).read_bytes()


@pytest.mark.skipif(os.name != "posix", reason="other systems remove no file that is open")
def test_a_file_is_unread_when_no_map_of_it_is_left(tmp_path):
    file = tmp_path / "file"
    file.write_bytes(bytes(10))
    assert unread(file)
    with file.open("rb") as opened:
        keep(opened)
        found = np.memmap(opened, np.uint8, "c", shape=(10,))
    part = found[3:]
    del found
    assert not unread(file)
    del part
    assert unread(file)


@pytest.mark.parametrize("theirs", ["without", "with"])
def test_without_locks_what_a_killed_writer_left_is_still_removed(no_locks, holding, tmp_path, theirs):
    other = holding(tmp_path, theirs, "part")
    left = type(tmp_path)(other.said)
    assert not remove_abandoned(left)
    other.kill()
    assert remove_abandoned(left)
    assert not left.exists()
    unknown = tmp_path / ".pool.abc"
    unknown.touch()
    assert not remove_abandoned(unknown)


@posix
def test_without_locks_images_are_rendered_and_a_fit_is_served(no_locks, tmp_path):
    def blocks():
        yield np.zeros((2, 1, 4, 4), np.uint8), "all"

    made = ImageMap(tmp_path / "pool", {"of": "a test"}, (2, 1, 4, 4))
    made.folder.mkdir()
    made.write(blocks(), lambda *_: None)
    assert made.complete()
    rng = np.random.default_rng(0)
    data = from_arrays(rng.integers(0, 256, (24, 8, 8), dtype=np.uint8), np.arange(24) % 2)
    run = ganaug.fit(data, tmp_path / "run", steps=1, recipe="cgan")
    ganaug.augment(run, {"0": 2}, tmp_path / "synthetic")
    assert not [path for path in tmp_path.rglob("*") if OWNER in path.name or ".part" in path.name]
