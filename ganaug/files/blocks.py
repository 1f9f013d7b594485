"""Records of one size in a file that grows block by block, and is believed as far as the hashes beside it go.

NAME holds the records, NAME.blocks a line for each block: how many records, and their SHA-256. A line is written after
its block, so that a crash, or a bit that turned, costs what comes from there on, and nothing before. Nothing is forced
to the disk: what a power cut loses no longer has its hash.
"""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from ganaug.files.integrity import open_plain, reading, sha256, write_atomically, writing
from ganaug.files.lock import keep

_COPIED = 1 << 24  # bytes at a time


class Blocks:
    """The records of a file, for its sole writer. size: bytes of each."""

    def __init__(self, path: Path, size: int):
        self.path, self.size, self.hashes = path, size, path.with_name(f"{path.name}.blocks")

    def ends(self) -> list[int]:
        """How many records there are after each block, the first ones up to one that is damaged or not whole."""
        found, count = [0], 0
        try:
            with os.fdopen(open_plain(self.path, os.O_RDONLY), "rb") as file:
                for records, digest in self._lines():
                    data = file.read(records * self.size)
                    if len(data) != records * self.size or sha256(data) != digest:
                        break
                    count += records
                    found.append(count)
        except FileNotFoundError:
            pass
        return found

    def cut(self, count: int) -> None:
        """Keep so many records, at the end of a block, and no more.

        What was vouched for and goes may be mapped by others, so that the file is then made anew.
        """
        lines, kept, left = self._lines(), list[tuple[int, str]](), count
        for records, digest in lines:
            if left < records or not records:
                break
            kept.append((records, digest))
            left -= records
        with writing(self.path, count * self.size):
            if len(kept) < len(lines):
                self._copied(count)
            else:
                with os.fdopen(open_plain(self.path, os.O_RDWR | os.O_CREAT), "rb+") as file:
                    file.truncate(count * self.size)
        write_atomically(self.hashes, "".join(f"{records} {digest}\n" for records, digest in kept).encode())

    def append(self, data: bytes) -> None:
        """Add a block. Raises DiskFullError or UnwritableError; what is there stays."""
        if not data:
            return
        line = f"{len(data) // self.size} {sha256(data)}\n".encode()
        for path, content in ((self.path, data), (self.hashes, line)):
            with writing(path, len(content)), os.fdopen(open_plain(path, _APPEND), "ab") as file:
                file.write(content)

    def array(self, dtype: np.dtype | type, shape: tuple[int, ...]) -> np.ndarray:
        """All records, as a memory map that is never written back, and keeps the file as long as it is open."""
        if not shape[0]:
            return np.empty(shape, dtype)
        with reading(self.path, "Read the images again."), self.path.open("rb") as file:
            keep(file)
            return np.memmap(file, dtype, "c", shape=shape)

    def remove(self) -> None:
        """Delete the files. Maps that are open stay readable."""
        self.hashes.unlink(missing_ok=True)
        self.path.unlink(missing_ok=True)

    def _lines(self) -> list[tuple[int, str]]:
        try:
            with os.fdopen(open_plain(self.hashes, os.O_RDONLY), "rb") as file:
                return list(_read(file.read()))
        except FileNotFoundError:
            return []

    def _copied(self, count: int) -> None:
        part = self.path.with_name(f".{self.path.name}.part")
        part.unlink(missing_ok=True)
        left = count * self.size
        with part.open("xb") as new, self.path.open("rb") if left else io.BytesIO() as old:
            while left and (data := old.read(min(left, _COPIED))):
                left -= new.write(data)
        os.replace(part, self.path)


_APPEND = os.O_WRONLY | os.O_CREAT | os.O_APPEND


def _read(text: bytes) -> Iterator[tuple[int, str]]:
    """Lines up to the first that is not one, or not whole."""
    for line in text.split(b"\n")[:-1]:
        records, _, digest = line.decode("ascii", "replace").partition(" ")
        if not records.isascii() or not records.isdigit() or len(records) > 12 or len(digest) != 64:
            return
        yield int(records), digest
