"""The parts of a set as files that are sources by themselves: lists of files, Parquet, or arrays."""

from __future__ import annotations

import contextlib
import io
import os
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ganaug.data.sources.arrays import read_npz
from ganaug.data.sources.folder import FolderSource
from ganaug.data.sources.kinds import is_file
from ganaug.data.sources.parquet import ParquetSource, rows_of
from ganaug.data.sources.small import base_of, rows_in_base
from ganaug.data.sources.source import ImageSource, open_source
from ganaug.data.survey import Survey
from ganaug.errors import DataError, GanaugError, OutputInUseError
from ganaug.files.integrity import csv_text, write_atomically
from ganaug.options import Reading

PARTS = ("train", "test")
_BY_ROWS = "Divide them yourself by the rows that ganaug.split(data) gives: .train and .test."


def folder_beside(data: str) -> Path:
    """Where the parts of data lie if nothing else is said: "photos-split" beside "photos"."""
    path = Path(data).expanduser()
    if not path.exists():  # the name of a data set
        return Path(f"{path.name}-split")
    path = path if path.name not in ("", "..") else path.resolve()
    return path.with_name(f"{path.stem if path.is_file() else path.name}-split")


def require_free(out: Path, source: ImageSource) -> None:
    """Raise OutputInUseError where one of the files is there already, or `out` is no folder."""
    if out.exists() and not out.is_dir():
        raise OutputInUseError(f"{out} is not a folder.", "Choose another --out.")
    for file in _files(out, source):
        if os.path.lexists(file):
            raise OutputInUseError(f"{file} is there already.", "Choose another --out, or remove it.")


def write_parts(
    data: Any,
    source: ImageSource,
    found: Survey,
    parts: Sequence[np.ndarray],
    groups: Mapping[int, str] | None,
    reading: Reading,
    out: Path,
) -> tuple[tuple[Path, ...], Reading]:
    """Write both parts; gives the files and how they are read.

    parts: rows of the source, for training and for testing. groups: of each of these rows, or None. Raises DataError
    for pictures of several sizes, or of more than 8 bits, that are neither files nor arrays of an `.npz` file, and for
    names that no list can hold.
    """
    files, base = _files(out, source), base_of(source)
    of_rows = [None if groups is None else [groups[row] for row in rows.tolist()] for rows in parts]
    if isinstance(base, FolderSource):
        how = Reading(follow_links=reading.follow_links, range=reading.range)
        contents = [_list(source, rows, of, out) for rows, of in zip(parts, of_rows, strict=True)]
    elif isinstance(base, ParquetSource):
        how = Reading(image=reading.image, target=reading.target, range=reading.range)
        contents = [_parquet(base, rows_in_base(source, rows), of) for rows, of in zip(parts, of_rows, strict=True)]
    else:
        how = Reading(range=reading.range)
        contents = [_npz(data, source, found, reading, rows, of) for rows, of in zip(parts, of_rows, strict=True)]
    made = [folder for folder in (out, *out.parents) if not folder.exists()]
    try:
        for file, content in zip(files, contents, strict=True):
            write_atomically(file, content)
        if isinstance(base, FolderSource):
            for file, rows, of in zip(files, parts, of_rows, strict=True):
                _require_same(file, how, source, rows, of)
    except BaseException:  # taken back, and raised again
        for file in files:
            file.unlink(missing_ok=True)
        with contextlib.suppress(OSError):  # not made yet, or something else lies there
            for folder in made:
                folder.rmdir()
        raise
    return files, how


def _files(out: Path, source: ImageSource) -> tuple[Path, ...]:
    kinds = ((FolderSource, ".csv"), (ParquetSource, ".parquet"))
    suffix = next((suffix for kind, suffix in kinds if isinstance(base_of(source), kind)), ".npz")
    return tuple(out / f"{part}{suffix}" for part in PARTS)


def _list(source: ImageSource, rows: np.ndarray, groups: Sequence[str] | None, out: Path) -> bytes:
    """Image, label and group of each row; images by their paths from the folder of the list, where there is one."""
    lines = [("image", "label", *(() if groups is None else ("group",)))]
    for number, row in enumerate(rows.tolist()):
        path = _path_from(out, _lies_at(source, row))
        label = source.classes[int(source.labels[row])]
        lines.append((path, label, *(() if groups is None else (groups[number],))))
    return csv_text(lines).encode("utf-8", "backslashreplace")


def _lies_at(source: ImageSource, row: int) -> str:
    base = base_of(source)
    return os.path.join(os.path.realpath(base.root), base.files[int(rows_in_base(source, np.array([row]))[0])])


def _path_from(out: Path, file: str) -> str:
    try:
        path = Path(os.path.relpath(file, os.path.realpath(out))).as_posix()
    except ValueError:  # another drive
        path = Path(file).as_posix()
    return path if path == path.strip() else f"./{path}"  # white space around a cell is no part of it


def _require_same(
    file: Path, how: Reading, source: ImageSource, rows: np.ndarray, groups: Sequence[str] | None
) -> None:
    """Raises DataError where a list is not read back as what it was written for: names may be such that no list says
    them."""
    try:
        read = open_source(file, how)
        wanted = Counter(_items(source, rows, groups))
        found = Counter(_items(read, np.arange(len(read)), read.groups))
        if found == wanted:
            return
        path, label, *_ = next(iter((wanted - found) or (found - wanted)))
        why = f"{path!r} of the class {label!r} is read otherwise, or not at all"
    except GanaugError as error:
        why = error.cause.rstrip(".")
    raise DataError(f"No list can hold these images as they are called: {why}.", f"Rename what is odd. {_BY_ROWS}")


def _items(source: ImageSource, rows: np.ndarray, groups: Sequence[str] | None) -> list[tuple[str, str, str]]:
    """File, class and group of each row."""
    labels = [source.classes[label] for label in source.labels[rows].tolist()]
    files = [os.path.realpath(_lies_at(source, row)) for row in rows.tolist()]
    return list(zip(files, labels, groups or [""] * len(rows), strict=True))


def _parquet(source: ParquetSource, rows: np.ndarray, groups: Sequence[str] | None) -> bytes:
    import pyarrow.parquet

    buffer = io.BytesIO()
    pyarrow.parquet.write_table(rows_of(source, rows, groups), buffer)
    return buffer.getvalue()


def _npz(
    data: Any, source: ImageSource, found: Survey, reading: Reading, rows: np.ndarray, groups: Sequence[str] | None
) -> bytes:
    """Images, labels, class names, groups and pairs of these rows, the values of an `.npz` file as they are in it."""
    arrays: dict[str, np.ndarray]
    base, inner = base_of(source), rows_in_base(source, rows)
    if is_file(data, ".npz"):
        read, _ = read_npz(Path(data).expanduser(), reading.split)
        arrays = {name: values[inner] for name, values in read.items() if name in ("x", "pair")}
    elif found.deep(source) or getattr(base, "deep", None) is not None:
        raise DataError("These images have more than 8 bits, of which a copy of their pixels would keep 8.", _BY_ROWS)
    elif source.array is not None:
        pairs = getattr(source, "pairs", None)
        arrays = {"x": source.array[rows]} | ({} if pairs is None else {"pair": pairs[rows]})
    elif found.common_size() is None:
        cause = f"These images are not files, and of {len({image.size for image in found.images})} sizes"
        raise DataError(f"{cause}: an .npz file holds images of one size.", f"Give a folder of files. {_BY_ROWS}")
    else:
        arrays = {"x": np.stack([np.asarray(source.read(row).convert(found.mode())) for row in rows.tolist()])}
    arrays |= {"y": source.labels[rows], "classes": np.array(source.classes)}
    arrays |= {} if groups is None else {"group": np.array(groups)}
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)  # type: ignore[arg-type]
    return buffer.getvalue()
