"""The cache of pixels has a bound: what was used least recently makes room, and nothing that is in use."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest

from ganaug.data.load import load_images
from ganaug.errors import OptionError
from ganaug.files import cache
from tests.data.test_store import a_folder

WHOLE = 40 * 1600  # bytes of pixels of `a_folder`; what else is kept of it is less than half as much


@pytest.fixture
def sets(tmp_path):
    """Five folders of other images each."""
    return [a_folder(tmp_path / f"set{seed}", seed=seed) for seed in range(5)]


def limit(monkeypatch, sets_kept: float) -> None:
    monkeypatch.setenv(cache.LIMIT, repr(sets_kept * WHOLE / 2**30))


def loaded(root, into, heard=None):
    """Load a set and let go of it; the entry of the cache, which was used later than all others."""
    before = set(into.cache.glob("*")) if into.cache.exists() else set()
    load_images(root, size=40, report=(lambda *said: heard.append(said)) if heard is not None else lambda *said: None)
    new = [entry for entry in into.cache.iterdir() if entry not in before]
    later = time.time() + 2 * len(list(into.cache.iterdir())) - 1000
    for entry in new:
        aged(entry, later)
    return new[0] if new else None


def aged(entry, when):
    for file in entry.iterdir():
        os.utime(file, (when, when))


def test_what_was_used_least_recently_goes_first(sets, little_memory, reads, monkeypatch):
    limit(monkeypatch, 100)
    entries = [loaded(root, little_memory) for root in sets[:3]]
    load_images(sets[0], size=40)  # now it was used last
    limit(monkeypatch, 3.9)  # of 1.2 to 1.3 a set: three of them
    heard = []
    entries.append(loaded(sets[3], little_memory, heard))
    assert [entry.exists() for entry in entries] == [True, False, True, True]
    (said,) = [detail for phase, *_, detail in heard if phase == "making room"]
    assert said.startswith(f"0.00 GiB removed from {little_memory.cache}, in 1 of its folders, used least recently")
    assert cache.LIMIT in said
    reads.clear()
    load_images(sets[0], size=40)
    assert not reads
    load_images(sets[1], size=40)
    assert len(reads) == 40


def test_without_the_variable_a_share_of_the_disk_is_kept(sets, little_memory, monkeypatch):
    first = loaded(sets[0], little_memory)
    one = cache.size_of(first)
    for free, kept in ((100 * one, True), (int(6.5 * one), False)):  # with the two: a fifth of 102, and of 8.5
        monkeypatch.setattr(cache, "free_space", lambda path, free=free: free)
        loaded(sets[1], little_memory)
        assert first.exists() == kept
    monkeypatch.setattr(cache, "free_space", lambda path: 1 << 50)
    monkeypatch.setattr(cache, "MOST", one)
    second = next(little_memory.cache.iterdir())
    loaded(sets[2], little_memory)
    assert not second.exists()


def test_room_is_made_before_a_disk_is_called_full(sets, little_memory, monkeypatch):
    first = loaded(sets[0], little_memory)
    limit(monkeypatch, 100)
    monkeypatch.setattr(cache, "free_space", lambda path: 0)
    loaded(sets[1], little_memory)
    assert not first.exists()


def test_what_is_in_use_stays(sets, little_memory, monkeypatch):
    limit(monkeypatch, 0)
    mapped = load_images(sets[0], size=40)
    kept = mapped.pixels.clone()
    part = mapped.stored.take(mapped.labels.nonzero()[:, 0])  # shares the map
    (entry,) = little_memory.cache.iterdir()
    load_images(sets[1], size=40)
    assert entry.exists()
    assert (mapped.pixels == kept).all()
    del mapped
    load_images(sets[2], size=40)
    assert entry.exists()
    assert len(part)
    del part
    load_images(sets[3], size=40)
    assert not entry.exists()
    assert len(list(little_memory.cache.iterdir())) == 1


@pytest.mark.parametrize("given", ["much", "-1", "nan"])
def test_a_bound_that_is_none_is_refused_before_anything_is_read(sets, little_memory, reads, monkeypatch, given):
    monkeypatch.setenv(cache.LIMIT, given)
    with pytest.raises(OptionError, match=f"{cache.LIMIT} is '{given}'"):
        load_images(sets[0])
    assert not reads


CHILD = """
import os, sys
from ganaug.data import load, store
store.memory_for_pixels, store.BLOCK = (lambda: 0), 8
"""
HELD = (
    CHILD
    + """
kept = load.load_images(sys.argv[1], size=40)
print("here", flush=True)
sys.stdin.readline()
print(int(kept.pixels.long().sum()), flush=True)
"""
)
KILLED = (
    CHILD
    + """
import shutil, signal
from ganaug.files import cache
def killed(folder, **more):
    sorted(cache.Path(folder).glob("pixels*"))[0].unlink()
    os.kill(os.getpid(), signal.SIGKILL)
cache.shutil.rmtree = killed
load.load_images(sys.argv[1], size=40)
"""
)
TURNS = (
    CHILD
    + """
for turn in range(6):
    kept = load.load_images(sys.argv[1 + turn % 3], size=40)
    print(int(kept.pixels.long().sum()), flush=True)
    del kept
"""
)


def child(program, *arguments):
    return subprocess.Popen(
        [sys.executable, "-c", program, *map(str, arguments)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )


@pytest.mark.skipif(os.name != "posix", reason="kills by signals")
def test_a_removal_that_was_killed_is_ended_by_the_next(sets, little_memory, reads, monkeypatch):
    limit(monkeypatch, 100)
    plain = load_images(sets[0], size=40).pixels.clone()
    first = next(little_memory.cache.iterdir())
    limit(monkeypatch, 0)
    killed = child(KILLED, sets[1])
    killed.communicate()
    assert killed.returncode == -signal.SIGKILL
    assert not first.exists()  # it is there as a whole or not
    (left,) = little_memory.cache.glob("gone.*")
    reads.clear()
    again = load_images(sets[0], size=40)
    assert not left.exists()
    assert (again.pixels == plain).all()
    assert len(reads) == 40


@pytest.mark.skipif(sys.platform == "win32", reason="locks of files that are read")
def test_what_another_process_maps_stays_until_it_ends(sets, little_memory, monkeypatch):
    limit(monkeypatch, 0)
    other = child(HELD, sets[0])
    assert other.stdout.readline() == "here\n"
    (entry,) = little_memory.cache.iterdir()
    load_images(sets[1], size=40)
    assert entry.exists()
    said, _ = other.communicate("\n")
    load_images(sets[2], size=40)
    assert not entry.exists()
    assert int(said) == int(load_images(sets[0], size=40).pixels.long().sum())


def test_two_processes_that_make_room_for_each_other_read_what_is_right(sets, little_memory, monkeypatch):
    limit(monkeypatch, 0)
    little_memory(1 << 30)
    sums = [int(load_images(root, size=40).pixels.long().sum()) for root in sets[:3]]
    both = [child(TURNS, *(sets[(start + i) % 3] for i in range(3))) for start in (0, 1)]
    for start, process in enumerate(both):
        said, _ = process.communicate()
        assert process.returncode == 0
        assert list(map(int, said.split())) == [sums[(start + i) % 3] for i in range(6)]
