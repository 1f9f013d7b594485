"""Folders of images, and CSV files that list images with their classes (the layout of most competitions)."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ganaug.data.labels.classes import named_labels
from ganaug.data.labels.csv_rows import SUFFIXES, some
from ganaug.data.labels.groups import require_all
from ganaug.data.pictures.files import SUFFIXES as PICTURES
from ganaug.data.sources.arrays import labels_and_names
from ganaug.data.sources.folder import PARTS, FolderSource, from_folder, images_below
from ganaug.data.sources.kinds import Asked, is_file, is_text, source
from ganaug.data.sources.links import NOT_FOLLOWED
from ganaug.data.sources.lists import Listing, group_column, label_cells, part_column, parts_in, read_list, rows_of_part
from ganaug.data.sources.matching import Files
from ganaug.data.sources.places import MOST_MISSING, Found, files_of, folder_of_list, image_columns, list_for
from ganaug.errors import DataError, LabelMismatchError, OptionError
from ganaug.options import Reading
from ganaug.reporting import Report, counted, silent

_FOLLOW = "If the links lead to images of your own, add --follow-links (follow_links=True)."


def _is_folder(data: Any) -> bool:
    return is_text(data) and Path(data).expanduser().is_dir()


@source("a folder ROOT/CLASS/*.png", takes=_is_folder, reads=("labels", "follow_links", "depth"))
def folder(asked: Asked) -> FolderSource:
    how = asked.reading
    if how.labels is not None:
        return from_list(asked.path, Path(how.labels).expanduser(), how, report=asked.report)
    if how.classes is not None:
        raise OptionError("classes= is not for folders.", "The names of the sub-folders are the classes.")
    try:
        found = from_folder(asked.path, how.follow_links, how.range, depth=how.depth)
    except DataError as error:
        _point_to_list(asked.path, error.cause)
        raise
    if len(found.classes) < 2:
        _point_to_list(asked.path, f"{asked.path} has one class folder only.")
    elif {name.lower() for name in found.classes} <= PARTS:
        _point_to_list(asked.path, f"{asked.path} holds the parts {', '.join(found.classes)}, and no class folders.")
    return found


def _has_test_rows(data: Any) -> bool:
    listing = read_list(Path(data).expanduser())
    part = part_column(listing, [])
    return part is not None and "test" in parts_in(listing.column(part))


@source(
    "a .csv file of images and labels",
    takes=lambda data: is_file(data, *SUFFIXES),
    reads=("image", "target", "classes", "follow_links"),
    parts=_has_test_rows,
)
def image_list(asked: Asked) -> FolderSource:
    root = folder_of_list(asked.path, asked.reading.image)
    assert root is not None  # a list that names no images was refused
    return from_list(root, asked.path, asked.reading, report=asked.report)


def from_list(
    root: Path, path: Path, reading: Reading | None = None, *, labelled: bool = True, report: Report = silent
) -> FolderSource:
    """Images below a folder with the classes that a CSV file gives them; no image is opened.

    The column of images is found by the files that it names, with or without suffix and folders, or named by
    `reading.image`; that of classes see `lists.label_cells`; a column "group" holds the subjects. Of a list with a
    column of parts, only `reading.split` is read. Files without a row, and rows without a file or label, are listed in
    `ignored`. labelled: False takes no label from it, so that it may have a column of images alone: all are of the
    class "all". Raises DataError for more than 5 % of rows without a file, for a text that may mean several files, for
    a file with two labels or groups, and for an image without a group.
    """
    how = Reading() if reading is None else reading
    listing, (names, ignored) = read_list(path, 1 + labelled), images_below(root, how.follow_links)
    links = len(ignored.get(NOT_FOLLOWED, ()))
    if links and not names:
        raise DataError(f"{root} holds {links} links, which are not followed, and no image.", _FOLLOW)
    shown = [name.encode("utf-8", "backslashreplace").decode() for name in names]
    besides = image_columns(listing, Files(root, names), how.image)
    _require_header(listing, besides[0], Files(root, names))
    found = files_of(listing, besides[0], Files(root, names))
    part = part_column(listing, [*besides, how.target or ""])
    rows = list(range(len(listing)))
    if part is not None:
        rows = rows_of_part(listing.column(part), how.split, path)
        besides = [*besides, part]
    _require_there(found, rows, listing, root, links)
    group = group_column(listing, besides, how.target)
    called, cells = "", ("all",) * len(rows)
    if labelled:
        called, cells = label_cells(listing.rows(rows), how.target, [*besides, *([group] if group else [])])
    cell_of = {row: cell for row, cell in zip(rows, cells, strict=True) if cell and row in found.files}
    label_of = _one_each(found, cell_of, shown, path, "label")
    kept = sorted(label_of)
    groups = None
    if group is not None and how.groups is None:
        texts = listing.column(group)
        group_of = _one_each(found, {row: texts[row] for row in cell_of}, shown, path, "group")
        groups = require_all((group_of[file] for file in kept), f"The column {group!r} of {path}")
    labels, classes, dropped = _numbered([label_of[file] for file in kept], how.classes)
    of_part = f", part {how.split!r}" if part is not None else ""
    told = f"{path}{of_part}: {counted(len(kept), 'image')} by {besides[0]!r}"
    told += f", {counted(len(classes), 'class')} by {called!r}" if labelled else ""
    told += f", {counted(len(set(groups)), 'group')} by {group!r}" if groups is not None else ""
    report("list", 0, 0, told)
    times = Counter(found.files[row] for row in cell_of)
    listed = set(found.files.values())
    notes = {
        "row without an image": [found.texts[row] for row in rows if row in found.missing],
        "row of an image in another folder": [found.texts[row] for row in rows if row in found.elsewhere],
        "row without a label": [found.texts[row] for row in rows if row in found.files and row not in cell_of],
        "row that repeats another": [shown[file] for file, n in times.items() if n > 1],
        "image of another part": [shown[file] for file in sorted(listed - {found.files.get(row) for row in rows})],
        "image without a row": [shown[file] for file in range(len(names)) if file not in listed],
        "class without items": dropped,
    }
    ignored = {**ignored, **{reason: list(which) for reason, which in notes.items() if which}}
    files, shown = [names[i] for i in kept], [shown[i] for i in kept]
    return FolderSource(root, files, labels, classes, shown, ignored, groups, span=how.range)


def is_image_list(data: Any, image: str | None = None) -> bool:
    """Whether it is a CSV file with a column of images, and so no table. image: the column, where it is named.

    Raises DataError for images that are not where they can be found, or in more than one folder.
    """
    if not is_file(data, *SUFFIXES):
        return False
    path = Path(data).expanduser()
    try:
        listing = read_list(path)
    except DataError:
        return False
    return image is not None or folder_of_list(path, listing=listing, table=True) is not None


def _point_to_list(folder: Path, cause: str) -> None:
    """Raises DataError, with what to type, if a list beside or in a folder gives classes to its images."""
    hint = list_for(folder)
    if hint is not None:
        raise DataError(f"{cause} {hint[0]} lists its images.", f"Read them by that list: {hint[1]}.")


def _require_header(listing: Listing, column: str, known: Files) -> None:
    """Raises DataError where the first line is an image like the others, which would be lost."""
    file = known.find(column, listing.path.parent)
    others = (name in cells for name, cells in zip(listing.header, listing.columns, strict=True) if name != column)
    if len(file) == 1 and (os.path.splitext(column)[1].lower() in PICTURES or any(others)):
        first = ",".join(listing.header)
        cause = f"The first line of {listing.path} names an image, {column!r}, in place of the columns."
        raise DataError(cause, f"Put a line of names above {first!r}, for instance: image,label.")


def _require_there(found: Found, rows: Sequence[int], listing: Listing, root: Path, links: int) -> None:
    missing = [found.texts[row] for row in rows if row in found.missing]
    if not any(row in found.files for row in rows) or len(missing) > MOST_MISSING * len(rows):
        cause = f"{listing.path} lists {len(rows)} images, of which {len(missing)} are not in {root}: {some(missing)}"
        fix = "Name the folder of these images, or take these rows out of the list."
        if links:
            cause += f"; {links} links in it are not followed"
            fix = _FOLLOW
        raise DataError(f"{cause}.", fix)


def _one_each(found: Found, labels: dict[int, str], names: Sequence[str], path: Path, what: str) -> dict[int, str]:
    """The label (or group) of each file; LabelMismatchError for a file with two."""
    label_of: dict[int, str] = {}
    twice = {found.files[row] for row, label in labels.items() if label_of.setdefault(found.files[row], label) != label}
    if twice:
        cause = (
            f"{path} gives {len(twice)} images more than one {what}: {some([names[file] for file in sorted(twice)])}."
        )
        raise LabelMismatchError(cause, f"Correct these rows: an image needs one {what}.")
    return label_of


def _numbered(cells: Sequence[str], given: Sequence[str] | None) -> tuple[np.ndarray, tuple[str, ...], tuple[str, ...]]:
    """Labels, class names, and names that no label has. Whole numbers are labels, in their order; texts are names."""
    plain = all(cell.lstrip("-").isdecimal() and str(int(cell)) == cell for cell in cells)
    values, names = labels_and_names(np.asarray([int(cell) for cell in cells] if plain else list(cells)), given)
    return named_labels(values, names)
