"""Which file of a folder a text in a list means: with or without its suffix, with or without the folders above it."""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Sequence
from pathlib import Path


class Files:
    """Files below a folder, by what a list may call them. names: their paths relative to it."""

    def __init__(self, root: Path, names: Sequence[str]):
        self.root, self.names = os.path.realpath(root), names
        self._whole: dict[str, list[int]] = {}
        self._bare: dict[str, list[int]] = {}
        self._tails: dict[str, list[int]] = {}
        for index, name in enumerate(names):
            whole = _plain(name)
            bare = os.path.splitext(whole)[0]
            self._whole.setdefault(whole, []).append(index)
            self._bare.setdefault(bare, []).append(index)
            for path in (whole, bare):
                for tail in _tails(path)[1:]:
                    self._tails.setdefault(tail, []).append(index)

    def find(self, text: str, base: Path) -> list[int]:
        """The files that a text of a list in the folder `base` may mean; of several, nothing says which.

        The path relative to the folder of files and the one relative to the list count first. Then one of the two may
        have folders before it that the other leaves out.
        """
        path = _plain(text)
        if not path:
            return []
        exact = self._exactly(path)
        inside = self.inside(text, base)
        if inside is not None and inside != path:
            exact = sorted({*exact, *self._exactly(inside)})
        if exact:
            return exact
        below = self._tails.get(path)
        return below or next(filter(None, map(self._exactly, _tails(path)[1:])), [])

    def inside(self, text: str, base: Path) -> str | None:
        """The text as a path relative to the folder of files, if it leads there from the folder `base`."""
        path = os.path.join(os.path.realpath(base), text.replace("\\", "/"))
        as_it_lies = _plain(os.path.relpath(path, self.root))
        if self._exactly(as_it_lies):
            return as_it_lies
        path = os.path.relpath(os.path.realpath(path), self.root)
        return None if path.startswith("..") else _plain(path)

    def _exactly(self, path: str) -> list[int]:
        return self._whole.get(path) or self._bare.get(path) or []


def _plain(path: str) -> str:
    """With forward slashes, without "./", and with accents written in one way."""
    path = path.strip().replace("\\", "/")
    return "" if not path else unicodedata.normalize("NFC", os.path.normpath(path))


def _tails(path: str) -> list[str]:
    """The path, and what is left of it without the first folder, without the first two, and so on."""
    parts = path.split("/")
    return ["/".join(parts[first:]) for first in range(len(parts))]
