"""Samples in shards: files that are made one by one, by whom and in whatever order, to the same bytes.

What all shards are made from stands in `shards.manifest`, which is there first. Of each shard a manifest lists the
files and their hashes; it is written last, so that a shard is whole, or is made again.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from concurrent.futures import BrokenExecutor, CancelledError, Executor, Future, as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ganaug.data.sources.ours import SHARDS
from ganaug.errors import ExecutorError, GanaugError, OutputInUseError
from ganaug.files.integrity import (
    clear_parts,
    file_digest,
    need_space,
    own_folders,
    read_whole,
    sealed,
    sha256,
    unsealed,
    write_atomically,
    writing,
)
from ganaug.files.lock import part_file, put_in_place, remove_abandoned, sole_maker
from ganaug.reporting import Report
from ganaug.samples.exports.folder import METADATA
from ganaug.samples.exports.formats import Format, Wanted, room

FORMAT = 1
_PART = f".{SHARDS}."  # how the name of that file begins while it is written
_MOST = 1 << 28  # bytes of a manifest, at most


@dataclass(frozen=True)
class Shards:
    """A folder of `count` shards of one format. identity: what all of them are made from, as JSON."""

    out: Path
    kind: Format
    count: int
    identity: dict[str, Any]

    @property
    def seal(self) -> bytes:
        """The content of `shards.manifest`."""
        return sealed({"schema": FORMAT, "format": self.kind.name, "shards": self.count, **self.identity})

    def stem(self, shard: int) -> str:
        return f"synthetic-{shard:05}-of-{self.count:05}"

    def claim(self) -> None:
        """Make sure that the folder is for these shards. Raises OutputInUseError where it holds anything else, and
        ArtefactError for a manifest that was altered."""
        file = self.out / SHARDS
        with writing(self.out):
            self.out.mkdir(parents=True, exist_ok=True)
            if not file.exists():
                others = [name for name in os.listdir(self.out) if not name.startswith(_PART)]
                if others and SHARDS not in others:
                    cause = f"{self.out} holds other things than shards."
                    raise OutputInUseError(cause, "Choose a new folder, or empty this one.")
                for old in self.out.glob(f"{_PART}*"):
                    remove_abandoned(old)
                with part_file(self.out, _PART) as (opened, part):
                    opened.write(self.seal)
                    put_in_place(opened, part, file)
        there = unsealed(read_whole(file, _MOST), file)
        mine = unsealed(self.seal, file)
        differing = sorted(name for name in there.keys() | mine.keys() if there.get(name) != mine.get(name))
        if differing:
            cause = f"{self.out} holds the shards of another set: its {', '.join(differing)} differ."
            raise OutputInUseError(cause, "Choose another folder, or ask for what those shards are made from.")

    def whole(self, shard: int) -> bool:
        """Whether a shard is there, with the bytes that were written."""
        file = self._manifest(shard)
        try:
            listed = unsealed(read_whole(file, _MOST), file)
            ours = (listed["set"], listed["shard"]) == (sha256(self.seal), shard)
            return ours and all(file_digest(self.out / name) == one for name, one in listed["files"].items())
        except (OSError, GanaugError, KeyError, AttributeError):
            return False

    def make(self, shard: int, wanted: Wanted) -> None:
        """Write a shard, over what is left of an earlier attempt. Raises OutputInUseError where another process is
        writing it, DiskFullError, UnwritableError."""
        stem, one_file = self.stem(shard), bool(self.kind.suffixes)
        with writing(self.out), sole_maker(self.out / stem) as part:
            need_space(self.out, room(wanted))
            clear_parts(self.out, self._manifest(shard).name)
            part.mkdir()
            made = part / (f"{stem}{self.kind.suffixes[0]}" if one_file else stem)
            self.kind.write(wanted, made)
            files = [made] if one_file else sorted(file for file in made.rglob("*") if file.is_file())
            digests = {self._place(shard, made, file): file_digest(file) for file in files}
            self.claim()  # two sets of shards may have begun at once
            self._manifest(shard).unlink(missing_ok=True)
            own_folders(self.out, {Path(name).parts[0] for name in digests})
            for file in files:
                place = self.out / self._place(shard, made, file)
                place.parent.mkdir(exist_ok=True)
                os.replace(file, place)
            shutil.rmtree(part)
            write_atomically(
                self._manifest(shard), sealed({"set": sha256(self.seal), "shard": shard, "files": digests})
            )

    def _place(self, shard: int, made: Path, file: Path) -> str:
        """Where a file of a shard lies in the end; those of a folder lie among those of the others."""
        if file == made:
            return made.name
        place = file.relative_to(made).as_posix()
        return f"{self.stem(shard)}.jsonl" if place == METADATA else place

    def _manifest(self, shard: int) -> Path:
        return self.out / f"{self.stem(shard)}.manifest"


def in_executor(
    executor: Executor, make: Callable[..., None], count: int, given: tuple[Any, ...], report: Report
) -> None:
    """Call `make(*given, shard)` for each shard, in an executor. Where one fails, those that have not begun are left
    out. Raises what it raised, and ExecutorError where workers were lost."""
    futures: list[Future[None]] = []
    try:
        futures += [executor.submit(make, *given, shard) for shard in range(count)]
        for done, future in enumerate(as_completed(futures), 1):
            future.result()
            report("shards", done, count, "")
    except (BrokenExecutor, CancelledError) as error:
        why = str(error).rstrip(".") or "it was shut down"
        cause = f"The executor lost its workers before all {count} shards were made: {why}."
        raise ExecutorError(cause, "Do the same again: shards that are whole are kept.") from error
    finally:
        for future in futures:
            future.cancel()
