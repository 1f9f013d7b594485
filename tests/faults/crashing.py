"""A file system that dies: from a chosen write, fsync, rename or removal on nothing happens any more, and what was not
forced to the disk may be lost."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest


class Crash(BaseException):
    """The machine is off."""


class DyingDisk:
    """Counts the calls that change the disk. At call `last` (0-based) it stops: a write is cut in half, any other call
    does not happen; every later call fails too, the clearing up after an exception included.

    power: a power cut, not only a killed process: renames and removals since the last fsync of their folder are undone,
    and files that were never forced to the disk are empty.
    """

    def __init__(self, patch: pytest.MonkeyPatch, last: int | None = None, power: bool = False):
        self.last, self.power, self.calls, self.dead = last, power, 0, False
        self._undo: list[tuple[Path, Path | None, bytes | None]] = []  # place, folder, content before
        self._loose: set[int] = set()  # inodes with content that no fsync has seen
        real = {name: getattr(os, name) for name in ("replace", "fsync", "unlink", "fdopen")}
        self._real = real

        def replace(a, b):
            self._alive()
            before = Path(b).read_bytes() if Path(b).exists() else None
            real["replace"](a, b)
            self._undo.append((Path(b), Path(b).parent, before))

        def unlink(path, *args, **options):
            self._alive()
            before = Path(path).read_bytes()
            real["unlink"](path, *args, **options)
            self._undo.append((Path(path), Path(path).parent, before))

        def fsync(handle):
            self._alive()
            facts = os.fstat(handle)
            if stat.S_ISDIR(facts.st_mode):
                folder = Path(os.readlink(f"/proc/self/fd/{handle}"))
                self._undo = [entry for entry in self._undo if entry[1] != folder]
            self._loose.discard(facts.st_ino)

        def fdopen(handle, mode="r", *args, **options):
            file = real["fdopen"](handle, mode, *args, **options)
            return _Writer(self, file) if "w" in mode else file

        for name, function in {"replace": replace, "unlink": unlink, "fsync": fsync, "fdopen": fdopen}.items():
            patch.setattr(os, name, function)

    def _alive(self) -> None:
        if not self.dead and self.calls == self.last:
            self.die()
        self.calls += 1
        if self.dead:
            raise Crash

    def die(self) -> None:
        self.dead = True
        if self.power:
            for path, _, before in reversed(self._undo):
                if before is None:
                    self._real["unlink"](path)
                else:
                    path.write_bytes(before)

    def write(self, file, data: bytes) -> int:
        dying = not self.dead and self.calls == self.last
        if dying:
            file.write(data[: len(data) // 2])
            file.flush()
        self._alive()
        self._loose.add(os.fstat(file.fileno()).st_ino)
        return file.write(data)

    def restored(self, folder: Path) -> None:
        """After the power came back: what was never forced to the disk is empty."""
        for file in folder.rglob("*"):
            if self.power and file.is_file() and file.stat().st_ino in self._loose:
                file.write_bytes(b"")


class _Writer:
    def __init__(self, disk: DyingDisk, file):
        self._disk, self._file = disk, file

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self._file.close()

    def write(self, data: bytes) -> int:
        return self._disk.write(self._file, data)

    def flush(self) -> None:
        self._file.flush()

    def fileno(self) -> int:
        return self._file.fileno()
