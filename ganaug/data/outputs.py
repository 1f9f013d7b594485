"""What is written must not lie where data are read: it would be a class, or more images of one, the next time."""

from __future__ import annotations

import itertools
import os
import unicodedata
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from torch.utils.data import Dataset, Subset

from ganaug.data.pictures.files import SUFFIXES
from ganaug.data.sources.folder import FolderSource
from ganaug.data.sources.kinds import SOURCES, is_text
from ganaug.data.sources.ours import SAMPLES, made_here
from ganaug.data.sources.small import base_of
from ganaug.errors import OptionError
from ganaug.options import Reading

_OUTSIDE = "Choose a folder outside, so that it is not read as a class."
_ENOUGH = 2  # folders of images with the names of classes, which make a folder one of data


def require_outside(out: str | Path, *data: Any, classes: Sequence[str] = ()) -> None:
    """Raise OptionError where `out`, which need not exist, lies in a folder of data, however it is written (links and
    `..` in it), or is a file of data.

    data: whatever is read as images, None for nothing. classes: of a generator; where the data are not given, a folder
    that holds images in folders of these names is taken for them. What lies in a folder that ganaug made is passed over
    when data are read, and allowed.
    """
    out = Path(out).expanduser()
    if "\0" in str(out):
        raise OptionError(f"{str(out)!r} cannot be a name: it holds a character of code 0.", "Choose another name.")
    places = list(dict.fromkeys((out.resolve(), out.parent.resolve() / out.name)))
    for one in data:
        file = Path(one).expanduser() if is_text(one) else None
        if file is not None and file.is_file() and out.exists() and out.samefile(file):
            raise OptionError(f"{out} is the data themselves.", "Choose another name.")
        root = _folder_of(one)
        if root is not None and any(_inside(place, root) for place in places):
            raise OptionError(f"{out} lies in the data folder {root}.", _OUTSIDE)
    for place in places:
        lies = _class_folders(place, classes)
        if lies is not None:
            folder, names = lies
            named = " and ".join(map(repr, names))
            raise OptionError(f"{out} lies in {folder}, which holds images of the classes {named}.", _OUTSIDE)


def refuse_within(unlabelled: Any, data: Any, reading: Reading) -> None:
    """Raise OptionError for a folder of unlabelled images that lies in one of class folders, or is it."""
    root = _folder_of(data) if reading.labels is None else None
    if root is not None and is_text(unlabelled) and Path(unlabelled).is_dir():
        place = Path(unlabelled).expanduser()
        if any(_inside(one / "image", root) for one in (place.resolve(), place.parent.resolve() / place.name)):
            cause = f"The unlabelled images in {place} lie in the data folder {root}, whose folders are classes."
            raise OptionError(cause, "Move them out of it.")


def _folder_of(data: Any) -> Path | None:
    """The folder of class folders that a source is read from, if there is one."""
    if is_text(data):
        folder = Path(data).expanduser()
        named = any(
            kind.parts for kind in SOURCES.values() if kind.takes(data)
        )  # "digits", beside a folder of the name
        return folder if folder.is_dir() and not named else None
    if isinstance(base_of(data), FolderSource):
        return Path(base_of(data).root)
    while isinstance(data, Subset):
        data = data.dataset
    if isinstance(data, Dataset) and isinstance(getattr(data, "samples", None), list):  # torchvision's DatasetFolder
        return _folder_of(getattr(data, "root", None))
    return None


def _inside(place: Path, root: Path) -> bool:
    for folder in _above(place):
        if folder.samefile(root):
            return True
        if _is_passed_over(folder):
            return False
    return False


def _class_folders(place: Path, classes: Sequence[str]) -> tuple[Path, list[str]] | None:
    """The folder above that holds images of classes, and two of these."""
    for folder in _above(place):
        found = list(itertools.islice((name for name in classes if _images_of(folder, name)), _ENOUGH))
        if len(found) == _ENOUGH:
            return folder, found
        if _is_passed_over(folder):
            return None
    return None


def _above(place: Path) -> list[Path]:
    return [folder for folder in (place, *place.parents) if os.path.isdir(folder)]


def _is_passed_over(folder: Path) -> bool:
    return made_here(str(folder)) not in (None, SAMPLES)


def _images_of(folder: Path, name: str) -> bool:
    """Whether there is a folder of this name with an image in it."""
    forms = {name, unicodedata.normalize("NFC", name), unicodedata.normalize("NFD", name)}
    return any(
        Path(file).suffix.lower() in SUFFIXES
        for form in forms
        if _is_name(form)
        for _, _, files in os.walk(folder / form)
        for file in files
    )


def _is_name(text: str) -> bool:
    return text not in ("", ".", "..") and not {"/", "\\", "\0"} & set(text)
