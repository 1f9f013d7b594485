"""Links that are followed out of a folder: each target is read once, and none that leads back."""

from __future__ import annotations

import os
from pathlib import Path

from ganaug.errors import DataError

NOT_FOLLOWED = "link that is not followed"
DEAD = "link that leads nowhere"
FETCH = "Fetch what the links lead to (git annex get, dvc pull), or remove them."
TWICE = "link to what is read already"


class Links:
    """What one walk over a tree has met, by where it really lies."""

    def __init__(self, root: Path):
        self._root = root
        self._class = ""
        self._folders: dict[str, str] = {}  # real path -> the class folder under which it was read
        self._files: set[str] = set()  # of the class that is being read

    def circles(self, path: str, target: Path) -> bool:
        """Whether a link leads to a folder that it lies in."""
        return Path(os.path.dirname(path)).resolve().is_relative_to(target) or self._root.is_relative_to(target)

    def enter(self, folder: str, first: bool) -> bool:
        """Whether a folder is to be read: not, if it was. first: it is that of a class.

        Raises DataError if it was read for another class.
        """
        if first:
            self._class, self._files = os.path.basename(folder), set()
        real = os.path.realpath(folder)
        if real not in self._folders:
            self._folders[real] = self._class
            return True
        if self._folders[real] != self._class:
            cause = f"{folder} is a folder of two classes, {self._folders[real]!r} and {self._class!r}, by a link."
            raise DataError(cause, "Remove one of the two links.")
        return False

    def take(self, file: str) -> bool:
        """Whether a file is to be read: not, if this class has it already under another name."""
        real = os.path.realpath(file)
        new = real not in self._files
        self._files.add(real)
        return new
