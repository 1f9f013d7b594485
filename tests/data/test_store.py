import os
import signal
import subprocess
import sys
import time
from dataclasses import fields

import numpy as np
import pytest
import torch
from PIL import Image

from ganaug import fit
from ganaug.data.batches import ClassBalancedBatches
from ganaug.data.load import LabelledImages, load_images
from ganaug.data.pictures import files as picture_files
from ganaug.data.pixels import Pixels
from ganaug.data.sources import folder as folders
from ganaug.data.spec import DataSpec
from ganaug.data.split import hold_out
from ganaug.errors import DiskFullError, UnreadableImageError, UnwritableError
from ganaug.files import integrity
from ganaug.reporting import silent


def a_folder(root, n=20, sizes=((40, 40),), colour=frozenset(), seed=0):
    """Two classes of n pictures each; those of the numbers in `colour` have colours."""
    rng = np.random.default_rng(seed)
    for number in range(2 * n):
        path = root / "ab"[number % 2] / f"{number:03}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        size = sizes[number % len(sizes)]
        shape = (*size, 3) if number in colour else size
        Image.fromarray(rng.integers(0, 256, shape, dtype=np.uint8)).save(path)
    return root


def same(one: LabelledImages, other: LabelledImages) -> bool:
    for field in fields(LabelledImages):
        mine, theirs = getattr(one, field.name), getattr(other, field.name)
        if field.name == "stored":
            assert torch.equal(one.pixels, other.pixels)
        elif isinstance(mine, torch.Tensor):
            assert torch.equal(mine, theirs), field.name
        else:
            assert mine == theirs, field.name
    return True


KINDS = {
    "one size": {},
    "several sizes, found late": {"sizes": ((20, 20),) * 39 + ((30, 24),)},
    "not square": {"sizes": ((20, 16),)},
    "of 32 px and others": {"sizes": ((32, 32),) * 39 + ((50, 50),)},
    "colours, found late": {"colour": {35}},
    "both": {"colour": {7, 36}, "sizes": ((16, 12),) * 30 + ((40, 12),) * 10},
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("options", [{}, {"size": 16, "channels": 1}, {"limit": 7, "channels": 3}])
def test_it_makes_no_difference_whether_pixels_lie_in_memory(tmp_path, little_memory, reads, kind, options):
    """Law: the same bytes, the first time and when they are found again."""
    root = a_folder(tmp_path / "data", **KINDS[kind])
    little_memory(1 << 30)
    plain = load_images(root, **options)
    assert not plain.stored.mapped
    little_memory(0)
    kept = load_images(root, **options)
    assert kept.stored.mapped
    reads.clear()
    again = load_images(root, **options)
    assert not reads
    assert same(plain, kept)
    assert same(plain, again)
    for one, other in zip(hold_out(plain), hold_out(again), strict=True):
        assert same(one, other)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("after", [3, 8, 21, 37])
def test_reading_goes_on_where_it_was_interrupted(tmp_path, little_memory, reads, monkeypatch, kind, after):
    root = a_folder(tmp_path / "data", **KINDS[kind])
    little_memory(1 << 30)
    plain = load_images(root)
    little_memory(0)
    reads.clear()

    def stop(path, *more):
        if len(reads) >= after:
            raise KeyboardInterrupt
        reads.append(os.path.basename(path))
        return picture_files.read_file(path, *more)

    with monkeypatch.context() as patch:
        patch.setattr(folders, "read_file", stop)
        with pytest.raises(KeyboardInterrupt):
            load_images(root)
    assert len(reads) == after
    assert same(load_images(root), plain)
    assert len(reads) == len(set(reads)) == 40  # each was read once


@pytest.mark.parametrize("name", ["pixels", "records"])
@pytest.mark.parametrize("where", [0, -1])
@pytest.mark.parametrize("damage", ["bit", "short", "gone", "hashes short", "hashes odd", "form"])
def test_what_is_damaged_is_read_again_from_there(tmp_path, little_memory, reads, name, where, damage):
    root = a_folder(tmp_path / "data")
    whole = load_images(root)
    kept = whole.pixels.clone()
    (file,) = (f for f in next(little_memory.cache.iterdir()).glob(f"{name}*") if not f.name.endswith(".blocks"))
    hashes = file.with_name(f"{file.name}.blocks")
    content = file.read_bytes()
    if damage == "bit":
        content = bytearray(content)
        content[where] ^= 1
        file.unlink()  # whoever has it open keeps what is there
        file.write_bytes(content)
    elif damage == "short":
        file.unlink()
        file.write_bytes(content[: len(content) // 2])
    elif damage == "gone":
        file.unlink()
    elif damage == "hashes short":
        hashes.write_bytes(hashes.read_bytes()[:-30])
    elif damage == "hashes odd":
        hashes.write_bytes(b"\xff\n" + hashes.read_bytes())
    else:
        (file.parent / "form.json").write_bytes(b'{"shape": 1}')
    reads.clear()
    again = load_images(root)
    assert torch.equal(again.pixels, kept)
    assert torch.equal(whole.pixels, kept)  # what others have open stays as it was
    lost = {"bit": 40 if where == 0 else 8, "hashes short": 8, "short": 20}.get(damage, 40)
    assert lost <= len(reads) <= lost + 8
    reads.clear()
    assert same(load_images(root), again)
    assert not reads


def test_other_content_or_another_way_of_reading_is_not_taken_for_the_same(tmp_path, little_memory, reads):
    root = a_folder(tmp_path / "data")
    first = load_images(root)
    assert not same_pixels(load_images(root, size=16), first)
    one = root / "a" / "000.png"
    facts = one.stat()
    Image.fromarray(255 - np.asarray(Image.open(one))).save(one)
    os.utime(one, ns=(facts.st_atime_ns, facts.st_mtime_ns))
    reads.clear()
    assert not same_pixels(load_images(root), first)
    assert len(reads) == 40


def same_pixels(one, other):
    return one.pixels.shape == other.pixels.shape and torch.equal(one.pixels, other.pixels)


def test_unreadable_images_are_told_each_time(tmp_path, little_memory, reads):
    root = a_folder(tmp_path / "data")
    (root / "a" / "004.png").write_bytes(b"no image")
    (root / "b" / "007.png").write_bytes((root / "b" / "007.png").read_bytes()[:50])
    little_memory(1 << 30)
    plain = load_images(root, limit=15)
    little_memory(0)
    assert same(load_images(root, limit=15), plain)
    assert same(load_images(root, limit=15), plain)
    with pytest.raises(UnreadableImageError):
        load_images(root, strict=True)


def test_a_data_set_that_is_no_files_leaves_nothing_behind(little_memory):
    x = np.random.default_rng(0).integers(0, 256, (40, 20, 20), dtype=np.uint8)
    items = [(Image.fromarray(one), i % 2) for i, one in enumerate(x)]
    abandoned = little_memory.cache / "alone.elsewhere-1-1.xy"
    abandoned.mkdir(parents=True)  # of a process elsewhere, which may still run
    kept = load_images(items)
    assert kept.stored.mapped
    assert list(little_memory.cache.iterdir()) == [abandoned]
    assert torch.equal(kept.pixels[:, 0], torch.from_numpy(x))
    assert load_images((x, np.arange(40) % 2)).stored.mapped  # an array is found again
    assert len(list(little_memory.cache.iterdir())) == 2


def test_a_full_disk_and_a_cache_that_cannot_be_written_are_told(tmp_path, little_memory, monkeypatch):
    root = a_folder(tmp_path / "data")
    with monkeypatch.context() as patch:
        patch.setattr(integrity, "free_space", lambda path: 1000)
        with pytest.raises(DiskFullError, match="1,000 are free"):
            load_images(root)
    blocked = tmp_path / "blocked"
    blocked.write_text("a file")
    monkeypatch.setenv("XDG_CACHE_HOME", str(blocked))
    with pytest.raises(UnwritableError):
        load_images(root)


def test_a_fit_makes_the_same_generator_either_way(tmp_path, little_memory):
    root = a_folder(tmp_path / "data", sizes=((16, 16),))
    hashes = []
    for room in (1 << 30, 0):
        little_memory(room)
        hashes.append(fit(root, out=tmp_path / f"run {room}", steps=4, report=silent).load().hash)
    assert hashes[0] == hashes[1]


def test_what_memory_should_not_hold_stays_off_the_accelerator():
    images = torch.zeros(8, 1, 4, 4, dtype=torch.uint8)
    spec, labels = DataSpec((1, 4, 4), ("a", "b")), torch.arange(8) % 2
    for mapped in (False, True):
        batches = ClassBalancedBatches(Pixels((images,), mapped=mapped), labels, spec, "meta")
        assert isinstance(batches.items.images, Pixels) == mapped
    assert batches.draw(4, torch.Generator()).real.device.type == "meta"


MEASURED = """
import re, sys, threading, time
from ganaug.data import load, store
store.memory_for_pixels = lambda: 0
from ganaug.data.split import hold_out
def held(): return int(re.search(r"RssAnon:\\s+(\\d+)", open("/proc/self/status").read())[1]) << 10
most = [0]
def watch():
    while True:
        most[0] = max(most[0], held())
        time.sleep(0.02)
threading.Thread(target=watch, daemon=True).start()
parts = hold_out(load.load_images(sys.argv[1], size=64))
print(most[0], sum(map(len, parts)))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="memory is measured by Linux")
def test_ten_times_the_images_take_no_more_memory(tmp_path):
    """The aim is 5 % more; 2,000 images of 12 KiB are 24 MiB."""
    most = []
    for number in (200, 2000):
        root = a_folder(tmp_path / str(number), n=number // 2, sizes=((8, 8),), colour=range(number))
        environment = {**os.environ, "XDG_CACHE_HOME": str(tmp_path / "cache")}
        command = [sys.executable, "-c", MEASURED, str(root)]
        done = subprocess.run(command, capture_output=True, text=True, env=environment, check=True)
        most.append(int(done.stdout.split()[0]))
    assert most[1] < 1.05 * most[0] + (4 << 20)


KILLED = """
import sys
from ganaug.data import load, store
store.memory_for_pixels, store.BLOCK = (lambda: 0), 8
from ganaug.data.sources import folder
read, n = folder.read_file, 0
def slow(*given):
    global n
    n += 1
    if n == int(sys.argv[2]):
        print("here", flush=True)
        import time; time.sleep(60)
    return read(*given)
folder.read_file = slow
load.load_images(sys.argv[1])
"""


@pytest.mark.skipif(os.name != "posix", reason="kills by signals")
def test_a_kill_costs_a_block_and_a_second_process_waits(tmp_path, little_memory, reads):
    root = a_folder(tmp_path / "data")
    process = subprocess.Popen([sys.executable, "-c", KILLED, str(root), "22"], stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "here\n"
    told = []

    def report(phase, done, total, detail):
        if detail.startswith("waiting"):
            told.append(detail)
            os.kill(process.pid, signal.SIGKILL)
            process.wait()

    started = time.monotonic()
    kept = load_images(root, report=report)
    assert time.monotonic() - started < 30
    assert told
    assert f"process {process.pid}" in told[0]
    assert len(reads) == 40 - 16  # two blocks of 8 were whole
    little_memory(1 << 30)
    assert same(kept, load_images(root))
    process.stdout.close()
