"""Labelled images from a folder tree: ROOT/CLASS/**/image files, as torchvision's ImageFolder lays them out.

Differences, all on the safe side: hidden folders never become classes, links are not followed out of the tree unless
that is asked for, formats are allow-listed, and whatever is passed over is listed by name in `ignored`.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from ganaug.data.labels.classes import check_names
from ganaug.data.pictures.depth import Range
from ganaug.data.pictures.files import DICOM, SUFFIXES, WITHOUT_PYDICOM, has_pydicom, read_file, require_pydicom
from ganaug.data.pictures.images import content_of
from ganaug.data.sources.kinds import in_short
from ganaug.data.sources.links import DEAD, FETCH, NOT_FOLLOWED, TWICE, Links
from ganaug.data.sources.ours import MADE, SAMPLES, classes_written, made_here
from ganaug.data.sources.small import Larger, base_of
from ganaug.errors import DataError
from ganaug.files.machine import readers
from ganaug.reporting import printable

DEEPEST = 100  # folders in folders below a class
NOT_AN_IMAGE, OUTSIDE = "not an image", "image outside the class folders"  # why it is passed over
TOO_DEEP = "folder that lies too deep"
PARTS = frozenset({"train", "training", "test", "val", "valid", "validation"})
_TOOLS = frozenset({"__MACOSX", "__pycache__", "@eaDir", "$RECYCLE.BIN", "lost+found"})
_LAYOUT = "Put the images of each class in a folder of its own: ROOT/CLASS/*.png."


@dataclass(frozen=True, eq=False)
class FolderSource:
    """Images found under `root`. names: paths relative to it; ignored: reason -> what was passed over; span: the
    declared range of values of more than 8 bits; depth: the level of the folders that name the classes, None where a
    list does."""

    root: Path
    files: Sequence[str]
    labels: np.ndarray
    classes: tuple[str, ...]
    names: Sequence[str]
    ignored: Mapping[str, Sequence[str]]
    groups: tuple[str, ...] | None = None
    span: Range | None = None
    array: None = None
    depth: int | None = None

    __repr__ = in_short

    def __post_init__(self):
        object.__setattr__(self, "root", Path(self.root).absolute())  # whose code runs meanwhile may change the folder

    def __len__(self) -> int:
        return len(self.files)

    def read(self, index: int) -> Image.Image:
        """Decode one file to mode "L" or "RGB"; raises UnreadableImageError."""
        return read_file(os.path.join(self.root, self.files[index]), self.span)

    @property
    def threads(self) -> int:
        """How many may read it at once: by the first of its files."""
        places = (os.path.join(self.root, name) for name in self.files[:20])
        return readers([os.path.getsize(place) for place in places if os.path.isfile(place)])

    def content(self) -> Iterator[bytes]:
        """Of each file a hash of what it holds."""
        for name in self.files:
            yield content_of(os.path.join(self.root, name))


def file_of(source: Any, index: int) -> Path | None:
    """The file that an item of a source is, if it is one."""
    if isinstance(source, Larger):
        return file_of(source.source, int(source.rows[index]))
    return source.root / source.files[index] if isinstance(source, FolderSource) else None


def read_at_least(source: Any, index: int, side: int) -> Image.Image:
    """The image of an item of a source; that of a JPEG file may be smaller, with no side below so many px."""
    if isinstance(source, Larger):
        return read_at_least(source.source, int(source.rows[index]), side)
    if isinstance(source, FolderSource):
        return read_file(os.path.join(source.root, source.files[index]), source.span, side)
    return source.read(index)


def from_folder(
    root: str | Path, follow_links: bool = False, span: Range | None = None, *, depth: int = 1
) -> FolderSource:
    """Scan a folder of class folders; no image is opened.

    Classes are the sorted names of the sub-folders, empty ones included (`load_images` refuses those), but not what
    ganaug made; of samples that it wrote, the names that they were written for. follow_links: also out of the tree.
    span: the range of values of more than 8 bits. depth: the level of the class folders. Deeper ones bear their own
    names, or, where two are alike, the path: FRUIT_APPLE. Raises DataError where there is no class folder, for a run or
    a bench, where a class folder is a link that is not followed, where the folder holds train and test parts, and for
    class names that cannot be told apart; MissingPackageError where all files are DICOM and pydicom is missing.
    """
    root = Path(root)
    made = made_here(str(root))
    if made not in (None, SAMPLES):
        raise DataError(f"{root} is {made} that ganaug made, not labelled images.", "Give the folder of the images.")
    scan = Scan(root.resolve(), follow_links, depth)
    found = {path: list(scan.images(path)) for path in scan.class_folders(str(scan.root), depth)}
    paths = [os.path.relpath(path, scan.root) for path in found]
    _require_links(root, scan)
    _check_layout(root, paths, scan, depth)
    called = _called(paths, classes_written(str(root)) if made and depth == 1 else {})
    classes = sorted(called)
    place = {name: label for label, name in enumerate(classes)}
    labels = [place[name] for name, files in zip(called, found.values(), strict=True) for _ in files]
    files = [file for files in found.values() for file in files]
    if not files and scan.ignored.get(WITHOUT_PYDICOM):
        require_pydicom()
    names = [file.encode("utf-8", "backslashreplace").decode() for file in files]
    values = np.asarray(labels, dtype=np.int64)
    return FolderSource(root, files, values, _class_names(root, classes), names, scan.ignored, span=span, depth=depth)


def nesting(source: Any) -> str:
    """A sentence where images lie in folders below those that name the classes; else an empty text."""
    source = base_of(source)
    if not isinstance(source, FolderSource) or source.depth is None:
        return ""
    folders = Counter(name.rsplit("/", 1)[0] for name in source.names)
    below = [folder for folder in folders if folder.count("/") >= source.depth]
    if not below:
        return ""
    above, deeper = sorted(set(folders) - set(below)), sum(folders[folder] for folder in below)
    shown = f"{', '.join(map(printable, below[:3]))}{', ...' * (len(below) > 3)}"
    classes = len(source.classes)
    told = f"{deeper} images lie in {len(below)} folders below the {classes} class folders ({shown})"
    told += f", and {len(source) - deeper} in the class folders themselves" if above else ""
    return (
        f"{told}: all count as the class above them. If the folders below are the classes: --depth {source.depth + 1}."
    )


def images_below(root: Path, follow_links: bool = False) -> tuple[list[str], dict[str, list[str]]]:
    """The image files anywhere below a folder, relative to it; and what was passed over, by reason."""
    scan = Scan(root.resolve(), follow_links)
    return list(scan.images(str(scan.root))), scan.ignored


class Scan:
    """One walk over the tree, in sorted order, that remembers what it passes over. depth: the level of the class
    folders; lost: links beside them that are not followed, and may be classes."""

    def __init__(self, root: Path, follow_links: bool = False, depth: int = 1):
        self.root, self.depth = root, depth
        self.ignored: dict[str, list[str]] = {}
        self.lost: list[str] = []
        self.dicom = has_pydicom()
        self._links = Links(root) if follow_links else None

    def is_folder(self, entry: os.DirEntry[str]) -> bool:
        """Whether its images are read."""
        return entry.is_dir(follow_symlinks=self._links is not None)

    def note(self, reason: str, path: str) -> None:
        name = os.path.relpath(path, self.root)
        self.ignored.setdefault(reason, []).append(name.encode("utf-8", "backslashreplace").decode())

    def entries(self, folder: str) -> Iterator[os.DirEntry[str]]:
        """What is in `folder` and counts: files, folders that are neither hidden nor ganaug's, and links that stay in
        the tree."""
        try:
            with os.scandir(folder) as found:
                entries = sorted(found, key=lambda entry: entry.name)
        except OSError as error:
            raise DataError(f"{folder} cannot be read: {error.strerror}.", "Check its permissions.") from error
        for entry in entries:
            hidden = entry.name.startswith(".") or entry.name in _TOOLS
            if hidden:
                self.note("hidden folder" if os.path.isdir(entry.path) else "hidden file", entry.path)
            elif entry.is_symlink() and (reason := self._unfollowed(entry)):
                self.note(reason, entry.path)
                if self._holds_classes(folder) and (os.path.isdir(entry.path) or not os.path.exists(entry.path)):
                    self.lost.append(entry.name)
            elif self.is_folder(entry) and made_here(entry.path):
                self.note(MADE, entry.path)
            else:
                yield entry

    def _holds_classes(self, folder: str) -> bool:
        return len(Path(folder).relative_to(self.root).parts) < self.depth

    def class_folders(self, folder: str, level: int) -> Iterator[str]:
        """The folders `level` levels below `folder`."""
        for entry in self.entries(folder):
            if self.is_folder(entry):
                yield from self.class_folders(entry.path, level - 1) if level > 1 else [entry.path]
            elif _suffix(entry.name) in SUFFIXES:
                self.note(OUTSIDE, entry.path)
            else:
                self.note(NOT_AN_IMAGE, entry.path)

    def images(self, folder: str, depth: int = 0) -> Iterator[str]:
        """Image files below `folder`, relative to the root."""
        if self._links is not None and not self._links.enter(folder, first=depth == 0):
            self.note(TWICE, folder)
            return
        for entry in self.entries(folder):
            if self.is_folder(entry):
                if depth < DEEPEST:
                    yield from self.images(entry.path, depth + 1)
                else:
                    self.note(TOO_DEEP, entry.path)
            elif _suffix(entry.name) in DICOM and not self.dicom:
                self.note(WITHOUT_PYDICOM, entry.path)
            elif entry.is_file() and _suffix(entry.name) in SUFFIXES:
                if self._links is not None and not self._links.take(entry.path):
                    self.note(TWICE, entry.path)
                else:
                    yield os.path.relpath(entry.path, self.root)
            else:
                self.note(NOT_AN_IMAGE, entry.path)

    def _unfollowed(self, entry: os.DirEntry[str]) -> str | None:
        """Why a link is not followed. Without more, links to files of this tree are; links to folders (which may turn
        in circles) are not."""
        try:
            target = Path(entry.path).resolve(strict=True)
        except (OSError, RuntimeError):  # it leads nowhere, or to itself
            return DEAD
        if self._links is not None:
            return "link that turns in a circle" if self._links.circles(entry.path, target) else None
        return None if target.is_file() and target.is_relative_to(self.root) else NOT_FOLLOWED


def _require_links(root: Path, scan: Scan) -> None:
    if scan.lost:
        listed = ", ".join(map(repr, scan.lost[:5])) + (f" and {len(scan.lost) - 5} more" if len(scan.lost) > 5 else "")
        why, fix = "lead nowhere", FETCH
        if NOT_FOLLOWED in scan.ignored:
            why = "are not followed"
            fix = "If they lead to images of your own, add --follow-links (follow_links=True); else remove them."
        cause = f"Among the class folders of {root} are links that {why}, so that classes are lost: {listed}."
        raise DataError(cause, fix)


def _called(paths: Sequence[str], written: Mapping[str, str]) -> list[str]:
    """Names of the classes that these folders are, by their relative paths. written: see `classes_written`."""
    own = [written.get(path, os.path.basename(path)) for path in paths]
    return own if len(set(own)) == len(own) else [path.replace(os.sep, "_") for path in paths]


def _check_layout(root: Path, paths: Sequence[str], scan: Scan, depth: int) -> None:
    classes = sorted({path.split(os.sep)[0] for path in paths})
    if not classes:
        if depth > 1:
            cause = f"{root} has no folders {depth} levels deep."
            raise DataError(cause, f"Give a smaller --depth: at --depth {depth} a class is ROOT{'/FOLDER' * depth}.")
        loose = len(scan.ignored.get(OUTSIDE, ()))
        hidden = ", ".join(map(repr, scan.ignored.get("hidden folder", ())))
        links = len(scan.ignored.get(NOT_FOLLOWED, ()))
        also = f" Images that lie in it directly: {loose}." if loose else ""
        also += f" Hidden folders do not count: {hidden}." if hidden else ""
        made = ", ".join(map(repr, scan.ignored.get(MADE, ())))
        also += f" Folders that ganaug made do not count: {made}." if made else ""
        also += f" {links} links lead out of it and are not followed." if links else ""
        dead = len(scan.ignored.get(DEAD, ()))
        also += f" {dead} links lead nowhere." if dead else ""
        raise DataError(f"{root} has no class folders.{also}", _LAYOUT)
    parts = [name for name in classes if name.lower() in PARTS]  # "train" alone may be a class, of vehicles say
    training = [name for name in parts if name.lower().startswith("train") and _has_folders(root / name)]
    if (training and len(parts) > 1) or (len(parts) == len(classes) and all(_has_folders(root / p) for p in parts)):
        first = (training or parts)[0]
        others = [name for name in classes if name not in parts]
        cause = f"{root} holds the parts {', '.join(parts)} of a data set, not class folders"
        cause += f" (beside them: {', '.join(map(repr, others[:5]))})." if others else "."
        raise DataError(cause, f"Give one part, {root / first}, and the other where a test set is asked for.")


def _class_names(root: Path, classes: Sequence[str]) -> tuple[str, ...]:
    try:
        return check_names(classes)
    except DataError as error:
        raise DataError(f"{root}: {error.cause}", "Rename it, or move the images of one into the other.") from None


def _has_folders(folder: Path) -> bool:
    with os.scandir(folder) as entries:
        return any(entry.is_dir() and not entry.name.startswith(".") for entry in entries)


def _suffix(name: str) -> str:
    return os.path.splitext(name)[1].lower()
