"""Unreadable files out of the way, but never deleted: moved into a folder of their own, with a list of the reasons."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from pathlib import Path

from ganaug.data.outputs import require_outside
from ganaug.errors import OptionError, OutputInUseError
from ganaug.files.integrity import csv_text

LIST = "unreadable.csv"


def as_list(unreadable: Sequence[tuple[str, str]]) -> bytes:
    """(name, reason) of each as a CSV file, in UTF-8."""
    return csv_text([("name", "reason"), *unreadable]).encode()


def quarantine(root: str | Path, unreadable: Sequence[tuple[str, str]], into: str | Path) -> list[Path]:
    """Move these files of the folder `root` to the same places in the folder `into`; gives where they are now.

    unreadable: (path relative to root, reason), as `check` and `load_images` list them. The list is written first, to
    `into/unreadable.csv`. A link is moved, not what it points to. Without unreadable files nothing is written.

    Raises OptionError if `root` is not a folder or holds `into`, OutputInUseError if `into` is there and not empty.
    """
    root, into = Path(root), Path(into)
    if not root.is_dir():
        raise OptionError(f"{root} is not a folder: its images cannot be moved.", "Leave out --quarantine.")
    require_outside(into, root)
    if into.exists() and (not into.is_dir() or any(into.iterdir())):
        raise OutputInUseError(f"{into} exists and is not empty.", "Choose a new folder.")
    if not unreadable:
        return []
    into.mkdir(parents=True, exist_ok=True)
    with (into / LIST).open("xb") as file:
        file.write(as_list(unreadable))
    moved = []
    for name, _ in unreadable:
        place = into / name
        if not place.resolve().is_relative_to(into.resolve()):
            raise OptionError(f"{name!r} leads out of the folder.", "Name files relative to the data folder.")
        if os.path.lexists(root / name):
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.move(root / name, place)
            moved.append(place)
    return moved
