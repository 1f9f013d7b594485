"""Rendered images on disk: one .npy file that is read through a memory map, and one .json file that vouches for it.

The file's name is a hash of what its images are made from, so that the same images are rendered once; the manifest is
written last, so that a file without its own hash in it is not believed.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import math
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from ganaug.errors import ArtefactError, OutputInUseError
from ganaug.files.integrity import file_digest, need_space, read_whole, reading, writing
from ganaug.files.lock import part_file, put_in_place, remove_abandoned, sole_maker
from ganaug.reporting import Report

PATIENCE = 600.0  # seconds that one waits for another process, before one renders the same images too
_PART = ".pool."  # how the name of a file begins while it is written


class ImageMap:
    """Images that are a pure function of `identity`, a JSON object; extent: (N, C, H, W).

    Small to pickle: each process opens the map again when it reads.
    """

    def __init__(self, folder: Path, identity: dict[str, Any], extent: tuple[int, ...]):
        self.folder, self.identity, self.extent = Path(folder), identity, extent
        self._map: np.ndarray | None = None

    def __getstate__(self) -> dict:
        return {**self.__dict__, "_map": None}

    @property
    def path(self) -> Path:
        """The .npy file; a .json file beside it says what it holds and vouches for it."""
        text = json.dumps(self.identity, sort_keys=True)
        return self.folder / f"{hashlib.sha256(text.encode()).hexdigest()[:24]}.npy"

    @property
    def images(self) -> np.ndarray:
        """All of them: uint8 (N, C, H, W), a read-only memory map. Raises ArtefactError if the file is gone."""
        if self._map is None:
            with reading(f"The rendered images at {self.path}", "Begin again: they are then rendered."):
                mapped = np.load(self.path, mmap_mode="r" if self.extent[0] else None, allow_pickle=False)
            if mapped.dtype != np.uint8 or mapped.shape != self.extent:
                raise ArtefactError(f"{self.path} holds other things than images.", "Delete it: it is rendered again.")
            self._map = mapped.view(np.ndarray)
        return self._map

    def read(self, rows: np.ndarray) -> np.ndarray:
        """Chosen rows as ordinary memory: uint8 (len(rows), C, H, W)."""
        return self.images[rows]

    def remove(self) -> None:
        """Delete the files. Maps that are open stay readable."""
        self._manifest.unlink(missing_ok=True)
        self.path.unlink(missing_ok=True)

    def complete(self) -> bool:
        """Whether the images are on disk as a whole, with the bytes that were rendered."""
        try:
            manifest = json.loads(read_whole(self._manifest, 1 << 26))
            return manifest == {"identity": self.identity, "sha256": file_digest(self.path)}
        except (OSError, ValueError, RecursionError):
            return False

    def provide(self, blocks: Callable[[], Iterable[tuple[np.ndarray, str]]], report: Report) -> None:
        """Make sure that the images are on disk. Of several processes that want them at once (ranks, workers), one
        renders and writes what `blocks()` gives, as `write` does, and the others wait for it."""
        since, told = time.monotonic(), False
        while not self.complete():
            try:
                with contextlib.nullcontext() if time.monotonic() - since > PATIENCE else sole_maker(self.path):
                    if not self.complete():
                        self.write(blocks(), report)
            except OutputInUseError as error:
                if not told:
                    report("render", 0, 0, f"waiting: {error.cause}")
                    told = True
                time.sleep(0.1)

    def write(self, blocks: Iterable[tuple[np.ndarray, str]], report: Report) -> None:
        """Write blocks of images, each with a word for the report, to a temporary file; put it in place at once.

        Nothing is forced to the disk: what a power cut loses no longer has its hash, and is rendered again. Raises
        DiskFullError, before anything is written where that can be known, or UnwritableError.
        """
        size = math.prod(self.extent)
        need_space(self.folder, size)
        with writing(self.path, size):
            for old in self.folder.glob(f"{_PART}*"):
                remove_abandoned(old)
            with part_file(self.folder, _PART) as (file, part):
                self._write_into(file, blocks, report)
                file.seek(0)
                digest = hashlib.file_digest(file, "sha256").hexdigest()
                put_in_place(file, part, self.path)
            vouch = json.dumps({"identity": self.identity, "sha256": digest}, indent=1)
            with part_file(self.folder, _PART) as (file, part):  # never into a file that lies there, nor through a link
                file.write(vouch.encode())
                put_in_place(file, part, self._manifest)

    @property
    def _manifest(self) -> Path:
        return self.path.with_suffix(".json")

    def _write_into(self, file: BinaryIO, blocks: Iterable[tuple[np.ndarray, str]], report: Report) -> None:
        header = {"descr": "|u1", "fortran_order": False, "shape": self.extent}
        np.lib.format.write_array_header_1_0(file, header)
        done = 0
        for images, detail in blocks:
            file.write(np.ascontiguousarray(images).data)
            done += len(images)
            report("render", done, self.extent[0], detail)
