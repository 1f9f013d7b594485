"""Where the images are that a list names, and which of its columns names them."""

from __future__ import annotations

import os
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ganaug.data.labels.csv_rows import SUFFIXES as LISTS
from ganaug.data.labels.csv_rows import some
from ganaug.data.labels.groups import GROUP
from ganaug.data.pictures.files import SUFFIXES
from ganaug.data.sources.folder import images_below
from ganaug.data.sources.lists import LABEL_NAMES, Listing, group_column, label_cells, part_column, read_list
from ganaug.data.sources.matching import Files
from ganaug.errors import DataError

MOST_MISSING = 0.05  # share of listed images that may be absent
_PROBE = 20  # rows by which a folder is looked for
_MOST_FOLDERS = 200  # beside a list, that are looked into


@dataclass
class Found:
    """texts: of the column of images, by row. files: row -> number of its file; missing, elsewhere: rows whose file is
    nowhere, and those whose file is beside the list, in another folder."""

    texts: Sequence[str]
    files: dict[int, int] = field(default_factory=dict)
    missing: set[int] = field(default_factory=set)
    elsewhere: set[int] = field(default_factory=set)


def files_of(listing: Listing, column: str, known: Files) -> Found:
    """Raises DataError for a text that may mean several files, and for a file that two texts mean."""
    base = listing.path.parent
    found, beside = Found(listing.column(column)), _folders_beside(base)
    text_of: dict[int, str] = {}
    for row, text in enumerate(found.texts):
        files = known.find(text, base)
        if len(files) > 1:
            cause = f"{text!r} in {listing.path} may be {some([known.names[file] for file in files])}."
            raise DataError(cause, "Write the whole path, with its suffix, into the list.")
        if files:
            found.files[row] = files[0]
            if text_of.setdefault(files[0], text) != text:
                cause = f"{text!r} and {text_of[files[0]]!r} in {listing.path} are both {known.names[files[0]]!r}."
                raise DataError(cause, "Write the path of each image in one way.")
        elif text and any(_there(place, text) for place in beside):
            found.elsewhere.add(row)
        else:
            found.missing.add(row)
    return found


def image_columns(listing: Listing, known: Files, named: str | None) -> list[str]:
    """The columns that name images, the one to use first. Raises DataError if there is none, or nothing decides it."""
    means = {name: _meant(cells, known, listing.path.parent) for name, cells in _columns(listing)}
    enough = max(1, min(len(listing), len(known.names)) / 2)
    naming = [name for name, files in means.items() if len({file for file in files if file is not None}) >= enough]
    if named is not None:
        listing.column(named)
        return [named, *(name for name in naming if name != named)]
    if not naming:
        best = max(means, key=lambda name: len({file for file in means[name] if file is not None}))
        if not known.names:
            refuse_unread(listing.path, dict(_columns(listing)), [Path(known.root), listing.path.parent])
        images = f"its images are called {some(known.names, 2)}" if known.names else "there is no image"
        raise DataError(
            f"No column of {listing.path} names the images of {known.root} ({best!r} holds "
            f"{some(listing.column(best), 2)}; {images}).",
            "Name the folder of these images, or the column: --image COLUMN (image= in Python).",
        )
    for name in naming[1:]:
        pairs = zip(means[naming[0]], means[name], strict=True)
        if any(one != other for one, other in pairs if None not in (one, other)):
            raise DataError(
                f"The columns {naming[0]!r} and {name!r} of {listing.path} name other images.",
                f"Say which to take: --image {shlex.quote(naming[0])} (image= in Python).",
            )
    return naming


def folder_of_list(
    path: Path, image: str | None = None, *, listing: Listing | None = None, table: bool = False
) -> Path | None:
    """The folder of the images that a list names: what its paths have in common, or the one folder beside it that holds
    files of these names.

    image: the column, where it is named. table: it may as well be a table without images; then None is given. Raises
    DataError if no folder or several fit.
    """
    listing = read_list(path) if listing is None else listing
    columns = dict(_columns(listing)) if image is None else {image: listing.column(image)}
    places: dict[Path, str] = {}
    for name, cells in columns.items():
        for place in _folders(cells, path.parent):
            places.setdefault(place, name)
    if len(places) == 1:
        return next(iter(places))
    quoted = shlex.quote(str(path))
    if places:
        raise DataError(
            f"{path} lists images that are in {len(places)} folders beside it: {some(list(map(str, places)))}.",
            f"Say which to take: {shlex.quote(str(next(iter(places))))} --labels {quoted} (labels= in Python).",
        )
    naming = next((name for name, cells in columns.items() if _image_names(cells)), image)
    if naming is None:
        refuse_unread(path, columns, _folders_beside(path.parent))
    if naming is None and table:
        return None
    fix = f"Name their folder: FOLDER --labels {quoted} (labels= in Python)"
    if naming is None:
        cause = f"No column of {path} names images that are in its folder or beside it."
        tables = "A table without images is for ganaug.fit and ganaug.bench (target=)"
        raise DataError(cause, f"{fix}. {tables}; to look at one: ganaug check {quoted} --target COLUMN.")
    raise DataError(
        f"The column {naming!r} of {path} names images ({some(columns[naming], 2)}), but they are not beside it.",
        f"{fix}; or, for a table, leave the column out: --drop {shlex.quote(naming)}." if table else f"{fix}.",
    )


def refuse_unread(path: Path, columns: Mapping[str, Sequence[str]], places: Sequence[Path]) -> None:
    """Raises DataError where most cells of a column of a list name files that are there, and none is of a format that
    is read."""
    for name, cells in columns.items():
        distinct = list(dict.fromkeys(filter(None, cells)))
        texts = distinct[:_PROBE]
        for place in places if 2 * len(distinct) > len(cells) else ():  # else rather labels
            there = [text for text in texts if os.path.isfile(place / text.replace("\\", "/"))]
            if 2 * len(there) > len(texts) and not any(_there(place, text) for text in texts):
                raise DataError(
                    f"The column {name!r} of {path} names files of a format that is not read, like {there[0]!r}.",
                    f"Convert them to PNG; these are read: {', '.join(sorted(SUFFIXES))}. If it is a table, leave the "
                    f"column out: --drop {shlex.quote(name)} (drop=).",
                )


def list_for(folder: Path) -> tuple[Path, str] | None:
    """A list in a folder or beside it that names the images of the folder, and the command that reads it."""
    names, _ = images_below(folder)
    known = Files(folder, names)
    for place in (folder, folder.resolve().parent) if names else ():
        for path in sorted(one for one in place.iterdir() if one.suffix.lower() in LISTS and one.is_file()):
            try:
                listing = read_list(path)
                columns = image_columns(listing, known, None)
            except DataError:
                continue
            try:
                root = folder_of_list(path, listing=listing) or folder
            except DataError:
                root = folder
            try:
                part = part_column(listing, columns)
                besides = [*columns, *([part] if part else [])]
                group = group_column(listing, besides, None)
                target, _ = label_cells(listing, None, [*besides, *([group] if group else [])])
                target = f" --target {shlex.quote(target)}" if target in listing.header else ""
            except DataError:
                target = " --target COLUMN"
            root = root if root.resolve().is_relative_to(folder.resolve()) else folder
            return path, f"ganaug check {shlex.quote(str(root))} --labels {shlex.quote(str(path))}{target}"
    return None


def _columns(listing: Listing) -> list[tuple[str, tuple[str, ...]]]:
    """The columns that may name images: a class or a group may be called like the file of another image."""
    found = list(zip(listing.header, listing.columns, strict=True))
    return [one for one in found if one[0].lower() not in (*LABEL_NAMES, GROUP)] or found


def _meant(cells: Sequence[str], known: Files, base: Path) -> list[int | None]:
    found = [known.find(cell, base) for cell in cells]
    return [files[0] if files else None for files in found]


def _folders(cells: Sequence[str], base: Path) -> list[Path]:
    """The folders in which the files of a column are: by their paths from the folder of the list, else the folders in
    it, else those beside it, that hold such files."""
    distinct = list(dict.fromkeys(cell for cell in cells if cell))
    if 2 * len(distinct) < len(cells):  # rather labels
        return []
    probe = distinct[:: max(1, len(distinct) // _PROBE)][:_PROBE]

    paths = _image_names(probe)  # else any number may be the name of some file: then all must be there
    enough = (0.5 if paths else 1 - MOST_MISSING) * max(1, len(probe))

    def holds(place: Path) -> bool:
        return sum(_there(place, text) for text in probe) >= enough

    if holds(base):
        return _common(distinct, base)
    inside = [place for place in _folders_beside(base) if place != base and holds(place)]
    if inside or not paths:
        return inside
    return [place for place in _folders_beside(base.resolve().parent)[1:] if holds(place)]


def _common(texts: Sequence[str], base: Path) -> list[Path]:
    """The folder that these paths, relative to `base`, have in common."""
    here = base.resolve()
    paths = [here / text.replace("\\", "/") for text in texts]
    for whole in (os.path.realpath, os.path.normpath):  # where links lead, or else where they lie
        common = Path(os.path.commonpath({os.path.dirname(whole(path)) for path in paths}))
        if common == here.parent or not here.parent.is_relative_to(common):
            return [base / os.path.relpath(common, here) if common.is_relative_to(here) else common]
    cause = f"The images that the list in {base} names lie far apart: they have only {common} in common."
    raise DataError(cause, "Write their paths from a folder that holds them all, and the list.")


def _folders_beside(base: Path) -> list[Path]:
    """A folder and those directly in it."""
    try:
        inside = sorted(one for one in base.iterdir() if one.is_dir() and not one.name.startswith("."))
    except OSError:
        inside = []
    return [base, *inside[:_MOST_FOLDERS]]


def _there(folder: Path, text: str) -> bool:
    """Whether a folder holds the image of that name, with or without a suffix."""
    path = os.path.join(folder, text.replace("\\", "/"))
    if os.path.splitext(path)[1].lower() in SUFFIXES and os.path.isfile(path):
        return True
    return any(os.path.isfile(path + suffix) for low in sorted(SUFFIXES) for suffix in (low, low.upper()))


def _image_names(cells: Sequence[str]) -> bool:
    """Whether most cells end like the names of image files."""
    return 2 * sum(os.path.splitext(cell)[1].lower() in SUFFIXES for cell in cells) > len(cells)
