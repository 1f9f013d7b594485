"""One writer at a time: a lock on a folder that the system gives up by itself when its holder dies."""

from __future__ import annotations

import contextlib
import io
import json
import os
import shutil
import socket
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, BinaryIO

from ganaug.errors import OutputInUseError
from ganaug.files.integrity import open_plain

LOCK = ".lock"  # stays in the folder; it is the lock on it that counts, not that it exists

if os.name == "posix":
    import fcntl

    def _try(file: IO[Any]) -> bool:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        return True
else:
    import msvcrt

    def _try(file: IO[Any]) -> bool:
        try:
            file.seek(1 << 20)  # beyond what is written, so that the holder's name can be read
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined]
        except OSError:
            return False
        return True


@contextmanager
def sole_writer(folder: Path) -> Iterator[None]:
    """Hold `folder` for writing. Raises OutputInUseError, naming the holder, if another process holds it.

    The lock belongs to an open file, so it ends with the process however that ends: nothing has to be cleaned up.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with _lock_file(folder / LOCK) as file:
        if not _try(file):
            raise OutputInUseError(
                f"{folder} is being written by {_holder(file)}.",
                "Wait for it to end, stop it, or choose another folder.",
            )
        _sign(file)
        yield


@contextmanager
def sole_maker(path: Path) -> Iterator[Path]:
    """Hold the making of a file or folder that does not exist yet; gives the name under which to write it, beside it.

    What a killed process left under that name is removed; the lock goes when the work is done. Raises OutputInUseError,
    naming the holder, if another process is making it.
    """
    lock, part = (path.parent / f".{path.name}.{end}" for end in ("lock", "part"))
    while True:
        with _lock_file(lock) as file:
            if not _try(file):
                raise OutputInUseError(f"{path} is being written by {_holder(file)}.", "Wait, or choose another name.")
            if not hold(file):
                continue  # another process has just finished, and removed the lock
            _sign(file)
            try:
                shutil.rmtree(part, ignore_errors=True)
                yield part
            finally:
                shutil.rmtree(part, ignore_errors=True)
                lock.unlink()
            return


def _lock_file(path: Path) -> BinaryIO:
    """Opened for appending and reading, made if it is not there; a link or a pipe in its place is refused."""
    return os.fdopen(open_plain(path, os.O_RDWR | os.O_CREAT | os.O_APPEND), "ab+")


def _sign(file: BinaryIO) -> None:
    file.seek(0)
    file.truncate()
    facts = {"pid": os.getpid(), "host": socket.gethostname(), "since": time.strftime("%Y-%m-%d %H:%M:%S")}
    file.write(json.dumps(facts).encode())
    file.flush()


@contextmanager
def part_file(folder: Path, prefix: str) -> Iterator[tuple[io.BufferedRandom, Path]]:
    """A new file to write into, held as long as it is written, so that others can tell it from one whose writer died.
    It is removed in the end, unless it was put into place."""
    while True:
        handle, name = tempfile.mkstemp(dir=folder, prefix=prefix)
        with os.fdopen(handle, "wb+") as file:
            try:
                if hold(file):
                    yield file, Path(name)
                    return
            finally:
                Path(name).unlink(missing_ok=True)


def hold(file: IO[Any]) -> bool:
    """Hold an open file until it is closed; False if another process holds it, or has just removed it."""
    return _try(file) and (os.name != "posix" or os.fstat(file.fileno()).st_nlink > 0)


def remove_abandoned(file: Path) -> bool:
    """Remove a file that nobody holds: its writer was killed. Gives whether it is gone."""
    with contextlib.suppress(OSError), file.open("rb+") as opened:
        if not _try(opened):
            return False
        file.unlink()
    return not file.exists()


def _holder(file: BinaryIO) -> str:
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
        file.seek(0)
        facts = json.loads(file.read(1000))
        return f"process {int(facts['pid'])} on {str(facts['host'])[:80]!r} since {str(facts['since'])[:19]}"
    return "another process"
