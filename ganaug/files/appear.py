"""A file or a folder that appears at once, when it is whole."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ganaug.errors import OutputInUseError
from ganaug.files.integrity import need_space, sync_folder, writing
from ganaug.files.lock import sole_maker


@contextmanager
def appearing(out: Path, *, folder: bool, size: int = 0) -> Iterator[Path]:
    """Where to write what will be at `out`, of so many bytes, when the block ends; an interruption leaves nothing
    behind.

    Raises OutputInUseError if it exists (an empty folder may), DiskFullError, UnwritableError."""
    if out.exists() and not folder:
        raise OutputInUseError(f"{out} exists.", "Choose a new name.")
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise OutputInUseError(f"{out} exists and is not empty.", "Choose a new folder, or empty this one.")
    with writing(out):
        out.parent.mkdir(parents=True, exist_ok=True)
        need_space(out.parent, size)
        with sole_maker(out) as part:
            part.mkdir()
            yield part / out.name
            if folder and out.exists():
                out.rmdir()
            if not folder:
                with (part / out.name).open("rb+") as file:
                    os.fsync(file.fileno())
            os.replace(part / out.name, out)
            sync_folder(out.parent)
