"""Images behind a URL that fsspec reads (s3://, gs://, hf://, https:// and many others): a folder of class folders is
read file by file; a single file, or a set of shards, is fetched to the user's cache, and fetched again when it changed.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import os
import posixpath
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import fsspec
import numpy as np
from fsspec.registry import known_implementations
from PIL import Image

from ganaug.data.labels.classes import check_names
from ganaug.data.pictures.depth import Range
from ganaug.data.pictures.images import BYTE_LIMIT, SUFFIXES, check_bytes, decode_image
from ganaug.data.sources.kinds import ALWAYS, SOURCES, Asked, in_short, is_text, source
from ganaug.data.sources.shards import shard_names
from ganaug.data.sources.source import refuse_idle
from ganaug.errors import DataError, MissingPackageError, UnreadableImageError
from ganaug.files.cache import cache_folder
from ganaug.files.integrity import need_space, writing
from ganaug.files.lock import part_file, put_in_place

_URL = re.compile(r"[a-z][a-z0-9+.-]*(::[a-z][a-z0-9+.-]*)*://.", re.IGNORECASE)
FILES = (".tar", ".parquet", ".arrow", ".feather", ".npz")  # that are fetched whole
_PART = ".fetched."  # how the name of a file begins while it is fetched
_READERS = 16  # threads, which mostly wait
_AGAIN = "Check the address and the connection, and start again."


@dataclass(frozen=True, eq=False, repr=False)
class UrlSource:
    """Images of a folder elsewhere. files: their paths there. marks: of each, what changes when it does. sizes: in
    bytes, 0 where that is not told."""

    system: Any
    files: Sequence[str]
    marks: Sequence[str]
    sizes: Sequence[int]
    labels: np.ndarray
    classes: tuple[str, ...]
    names: Sequence[str]
    groups: tuple[str, ...] | None = None
    ignored: Mapping[str, Sequence[str]] = field(default_factory=dict)
    span: Range | None = None
    array: None = None

    __repr__ = in_short

    def __len__(self) -> int:
        return len(self.files)

    def read(self, index: int) -> Image.Image:
        """Fetch and decode one image to mode "L" or "RGB"; raises UnreadableImageError for one that is gone or damaged,
        and DataError where the connection fails, so that no image is left out for it."""
        check_bytes(self.sizes[index], BYTE_LIMIT)  # before it is fetched
        try:
            data = self.system.cat_file(self.files[index])
        except FileNotFoundError as error:
            raise UnreadableImageError("the file is gone.", "Put it back.") from error
        except Exception as error:  # backends raise almost anything
            raise _failed(f"{self.files[index]} cannot be fetched", error) from error
        return decode_image(bytes(data), self.span)

    @property
    def threads(self) -> int:
        """How many may read it at once."""
        return _READERS

    def content(self) -> Iterator[bytes]:
        """Of each file what changes when it does."""
        for path, mark in zip(self.files, self.marks, strict=True):
            yield f"{path}\n{mark}\n".encode()


@source(
    "a URL of a folder or a file (s3://, gs://, hf://, https://)",
    takes=lambda data: is_text(data) and _URL.match(str(data)) is not None,
    reads=("split", "image", "target", "classes"),
)
def url(asked: Asked) -> Any:
    address = str(asked.data)
    system, path = _opened(address)
    names, suffix = shard_names(posixpath.basename(path)), posixpath.splitext(path)[1].lower()
    try:
        folder = suffix not in FILES and system.isdir(path)  # over HTTP, to look at a file is to fetch it
    except Exception as error:
        raise _failed(f"{address} cannot be read", error) from error
    if folder:
        refuse_idle(asked.reading, ALWAYS, "a folder behind a URL")
        return _folder(address, system, path, asked.reading.range)
    if suffix not in FILES:
        raise DataError(
            f"There is no folder {address}, and it is not a file of a kind that is read there.",
            f"Give the folder of the class folders, or a file: {', '.join(FILES)}.",
        )
    local = _fetched(address, system, posixpath.dirname(path), posixpath.basename(path), names, asked)
    kind = next(kind for kind in SOURCES.values() if kind.takes(local))
    refuse_idle(asked.reading, kind.reads, kind.words)
    return kind.open(Asked(local, asked.reading, asked.report))


def _opened(address: str) -> tuple[Any, str]:
    """The file system of a URL, and the path in it. Raises MissingPackageError where a backend is missing, DataError
    for a protocol that nobody knows."""
    protocol = re.split("::|://", address, maxsplit=1)[0].lower()
    try:
        system, path = fsspec.core.url_to_fs(address)
    except ImportError as error:
        known = importlib.metadata.metadata("fsspec").get_all("Provides-Extra") or []
        fix = f"pip install 'fsspec[{protocol}]'." if protocol in known else f"{str(error).rstrip('.')}."
        raise MissingPackageError(f"Reading {protocol}:// needs a package that is not installed.", fix) from error
    except Exception as error:
        if protocol not in known_implementations:
            raise DataError(
                f"{address} has a protocol that is not known, {protocol!r}.", "Check the spelling."
            ) from error
        raise _failed(f"{address} cannot be opened", error) from error
    return system, str(path)


def _folder(address: str, system: Any, root: str, span: Range | None) -> UrlSource:
    try:
        found = system.find(root, detail=True)
        marks = {path: _mark(system, path, facts) for path, facts in found.items()}
    except Exception as error:
        raise _failed(f"{address} cannot be listed", error) from error
    files: dict[str, str] = {}
    ignored: dict[str, list[str]] = {}
    for path in sorted(found):
        name = path[len(root.rstrip("/")) + 1 :]
        if any(part.startswith(".") for part in name.split("/")):
            ignored.setdefault("hidden file", []).append(name)
        elif posixpath.splitext(name)[1].lower() not in SUFFIXES:
            ignored.setdefault("not an image", []).append(name)
        elif "/" not in name:
            ignored.setdefault("image outside the class folders", []).append(name)
        else:
            files[name] = path
    if not files:
        raise DataError(
            f"{address} has no images in class folders.", "Put the images of each class in a folder: ROOT/CLASS/*.png."
        )
    called = [name.split("/")[0] for name in files]
    classes = check_names(sorted(set(called)))
    place = {name: label for label, name in enumerate(classes)}
    labels = np.array([place[name] for name in called], np.int64)
    paths = list(files.values())
    sizes = [int(found[path].get("size") or 0) for path in paths]
    return UrlSource(
        system, paths, [marks[path] for path in paths], sizes, labels, classes, list(files), ignored=ignored, span=span
    )


def _fetched(address: str, system: Any, folder: str, name: str, names: Sequence[str], asked: Asked) -> Path:
    """The path in the cache under which files of these names are, fetched where they are not there as they are now."""
    try:
        facts = [system.info(posixpath.join(folder, one)) for one in names]
        marks = [_mark(system, posixpath.join(folder, one), fact) for one, fact in zip(names, facts, strict=True)]
    except FileNotFoundError as error:
        raise DataError(f"There is no file or folder {address}.", "Check the address.") from error
    except Exception as error:
        raise _failed(f"{address} cannot be read", error) from error
    key = hashlib.sha256("\n".join([address, *marks]).encode()).hexdigest()[:24]
    home = cache_folder(os.path.join("urls", key))
    for done, (one, fact) in enumerate(zip(names, facts, strict=True)):
        if (home / one).is_file():
            continue
        size = int(fact.get("size") or 0)
        asked.report("fetching", done, len(names), one)
        need_space(home, size)
        with writing(home / one, size), part_file(home, _PART) as (file, part):
            try:
                system.get_file(posixpath.join(folder, one), str(part))
            except Exception as error:
                raise _failed(f"{one} of {address} cannot be fetched", error) from error
            if size and part.stat().st_size != size:
                raise DataError(f"{one} of {address} was cut off while it was fetched.", _AGAIN)
            put_in_place(file, part, home / one)
    return home / name


def _mark(system: Any, path: str, facts: Mapping[str, Any]) -> str:
    """What changes when a file does, as far as its system tells: over HTTP a key is the address alone."""
    return f"{system.ukey(path)} {sorted((name, str(fact)) for name, fact in facts.items())}"


def _failed(what: str, error: Exception) -> DataError:
    said = " ".join(str(error).split()).rstrip(".")
    return DataError(f"{what}: {type(error).__name__}{': ' * bool(said)}{said}.", _AGAIN)
