"""Images that are more than memory should hold: kept in files of the user's cache while they are read.

The folder is named by a hash of the items of the source, as they are stored, and of how they are read. So another fit
finds them; one that was interrupted goes on where it was; and what is damaged is read again, from there on. What was
used least recently makes room, see `files.cache`. Of a source whose items cannot be compared without being read, the
files go when the images do.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import PIL

from ganaug.data.gathered import Form, Memory, Room, Shelf
from ganaug.data.pictures.depth import Range
from ganaug.data.records import RECORD, Log, Seen
from ganaug.data.sources.source import ImageSource
from ganaug.data.survey import number_within
from ganaug.errors import ArtefactError, OutputInUseError
from ganaug.files.blocks import Blocks
from ganaug.files.cache import cache_folder, size_of, trim, use
from ganaug.files.checked import bounded, fields_of, is_
from ganaug.files.integrity import need_space, read_whole, sealed, unsealed, write_atomically
from ganaug.files.lock import sole_writer
from ganaug.files.machine import memory_for_pixels
from ganaug.files.owner import Owner, gone_by
from ganaug.reporting import Report

FORMAT = 2
BLOCK = 1024  # images that are written at a time, unless they are large:
_BYTES = 1 << 23  # of such a block
_FORM = "form.json"
_ALONE = "alone."  # how the name of a folder begins that one reading has for itself


@contextlib.contextmanager
def store_of(source: Any, how: Mapping[str, Any], most: int, size: int, report: Report) -> Iterator[Store]:
    """Where the images of a source are kept, for the one process that reads them; others wait for it.

    how: they are read. most: number of images. size: bytes, at most, of them all. Raises DiskFullError, before anything
    is written where that can be known, or UnwritableError.
    """
    home = cache_folder("pixels")
    mark = _content(source, how, report)
    for old in home.glob(f"{_ALONE}*"):
        if gone_by(old.name.split(".")[1]):
            shutil.rmtree(old, ignore_errors=True)
    alone = mark is None
    folder = Path(tempfile.mkdtemp(prefix=f"{_ALONE}{Owner.myself().mark}.", dir=home)) if alone else home / str(mark)
    place = "in a file that goes with them" if alone else f"in {folder}, which may be deleted later"
    report("reading images", 0, 0, f"{size / 2**30:.1f} GiB of pixels, more than memory should hold: kept {place}")
    try:
        with _held(folder, report):
            use(folder)
            missing = size - size_of(folder)
            trim(home, folder, report, missing)
            need_space(folder, missing)
            store = Store(folder, most)
            try:
                yield store
            finally:
                store.seal()
                use(folder)
            trim(home, folder, report)
    finally:
        if alone:
            shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def shelf_for(
    opened: ImageSource, form: Form, span: Range | None, limit: int | None, seed: int, report: Report
) -> Iterator[Shelf]:
    """Where the pixels of a source are kept: in memory, or, where that should not hold them all, in files."""
    most, room = number_within(opened, limit), memory_for_pixels()
    size = most * (form.depth or 3) * (form.side or form.likely) ** 2
    if room is None or size <= room:
        yield Memory(most)
        return
    how: dict[str, Any] = {**asdict(form), "range": span}
    if limit is not None:
        how |= {"limit": limit, "seed": seed, "classes": opened.classes}
    with store_of(opened, how, most, size, report) as store:
        yield store


class Store:
    """A shelf in a folder, see `gathered.Shelf`. Only what is in both files, pixels and records, is believed."""

    mapped = True

    def __init__(self, folder: Path, most: int):
        self.folder, self.most = folder, most
        self.begun: tuple[Form, Room] | None = None
        self._room: FileRoom | None = None
        records = FileRoom(Blocks(folder / "records", RECORD.itemsize), RECORD, (most,))
        try:
            form, shape = _form_of(read_whole(folder / _FORM, 1 << 16), folder / _FORM)
        except (FileNotFoundError, ArtefactError):
            records.begin(0)
        else:
            self._room = self._room_of(shape)
            records.block = self._room.block
            form.count = max({*records.blocks.ends()} & {*self._room.blocks.ends()})
            records.begin(form.count)
            self._room.begin(form.count)
            self.begun = form, self._room
        self.log: Log = StoredLog(records)

    def room(self, shape: tuple[int, ...]) -> FileRoom:
        room = self._room_of(shape)
        room.begin(0)
        return room

    def settle(self, form: Form, room: Room) -> None:
        assert isinstance(room, FileRoom)
        log = self.log
        assert isinstance(log, StoredLog)
        room.seal(form.count)
        self._room, log.room.block = room, room.block
        self.seal()
        values = {**asdict(form), "shape": list(room.shape[1:]), "format": FORMAT}
        write_atomically(self.folder / _FORM, sealed(values))
        for old in self.folder.glob("pixels*"):
            if not old.name.startswith(room.blocks.path.name):
                old.unlink()

    def seal(self) -> None:
        """Write what waits to be written."""
        log = self.log
        assert isinstance(log, StoredLog)
        log.room.seal(log.count)
        if self._room is not None:
            self._room.seal(log.count)

    def _room_of(self, shape: tuple[int, ...]) -> FileRoom:
        name = f"pixels {'x'.join(map(str, shape))}."
        return FileRoom(Blocks(self.folder / name, int(np.prod(shape))), np.dtype(np.uint8), (self.most, *shape))


class FileRoom:
    """Values of one shape, written one after the other to a file. shape: of the most that there may be."""

    def __init__(self, blocks: Blocks, dtype: np.dtype, shape: tuple[int, ...]):
        self.blocks, self.dtype, self.shape = blocks, dtype, shape
        self.block = max(1, min(BLOCK, _BYTES // blocks.size))
        self.count = 0  # in the file
        self._waiting: list[bytes] = []

    def begin(self, count: int) -> None:
        """With so many of those that are there."""
        self.blocks.cut(count)
        self.count = count

    def __setitem__(self, row: int, value: Any) -> None:
        del self._waiting[row - self.count :]  # what was written and not noted, when reading was interrupted
        self._waiting.append(np.ascontiguousarray(np.broadcast_to(value, self.shape[1:])).tobytes())
        if len(self._waiting) >= self.block:
            self.seal(row + 1)

    def __getitem__(self, rows: Any) -> Any:
        self.seal(self.count + len(self._waiting))
        return self.blocks.array(self.dtype, (self.count, *self.shape[1:]))[rows]

    def seal(self, count: int) -> None:
        """Write what waits, as far as there are so many in all."""
        waiting = self._waiting[: max(0, count - self.count)]
        self.blocks.append(b"".join(waiting))
        self.count += len(waiting)
        del self._waiting[: len(waiting)]


class StoredLog(Log):
    """A log in a file. What it held when it was opened is not seen again."""

    def __init__(self, room: FileRoom):
        self.room, self.count = room, room.count
        there = self.written()["index"]
        self._there = np.zeros(there.max(initial=-1) + 1, bool)
        self._there[there] = True

    def holds(self, index: int) -> bool:
        return index < len(self._there) and bool(self._there[index])

    def add(self, seen: Seen) -> None:
        self.room[self.count] = seen.record
        self.count += 1

    def written(self) -> np.ndarray:
        found: np.ndarray = self.room[: self.count]
        return found


@contextlib.contextmanager
def _held(folder: Path, report: Report) -> Iterator[None]:
    """Hold the folder; wait as long as another process does, which reads the same images."""
    with contextlib.ExitStack() as held:
        told = False
        while True:
            try:
                held.enter_context(sole_writer(folder))
                break
            except FileNotFoundError:  # another process has just removed it, to make room
                continue
            except OutputInUseError as error:
                if not told:
                    report("reading images", 0, 0, f"waiting: {error.cause}")
                    told = True
                time.sleep(0.1)
        yield


def _form_of(data: bytes, path: Path) -> tuple[Form, tuple[int, ...]]:
    """Raises ArtefactError for what no `Store` wrote."""
    values = unsealed(data, path)
    try:
        fields_of(values, {"side", "depth", "likely", "proportion", "common", "count", "shape", "format"})
        bounded(values.pop("format"), FORMAT, FORMAT)
        shape = tuple(bounded(side, 1, 1 << 16) for side in is_(values.pop("shape"), list))
        form = Form(**values)
        form.common, form.proportion = (
            None if size is None else (size[0], size[1]) for size in (form.common, form.proportion)
        )
        return form, shape
    except (ValueError, TypeError) as error:
        raise ArtefactError(f"{path} cannot be used: {error}.", "Delete it: the images are read again.") from error


def _content(source: Any, how: Mapping[str, Any], report: Report) -> str | None:
    """A hash of what is stored of a source, and of how it is read; None where that takes as long as reading it."""
    content = getattr(source, "content", None)
    marks = None if content is None else content()
    if marks is None:
        return None
    said = {**how, "format": FORMAT, "pillow": PIL.__version__, "record": str(RECORD), "labels": _digest(source.labels)}
    hashed = hashlib.sha256(json.dumps(said, sort_keys=True).encode())
    for done, mark in enumerate(marks):
        hashed.update(mark)
        if done % BLOCK == 0:
            report("comparing with what was read", done, 0, "")
    return hashed.hexdigest()[:32]


def _digest(values: np.ndarray) -> str:
    return hashlib.sha256(np.ascontiguousarray(values).data).hexdigest()
