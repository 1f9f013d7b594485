"""The user's cache: what lies there may be deleted at any time, and is made again."""

from __future__ import annotations

import os
from pathlib import Path

from ganaug.files.integrity import writing


def cache_folder(name: str) -> Path:
    """A folder of ours in the user's cache. Raises UnwritableError where it cannot be made."""
    folder = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "ganaug" / name
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
    return folder
