"""Parquet and Arrow files of encoded images, as Hugging Face writes them. A row group is read when its images are."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from ganaug.data.labels.classes import named_labels
from ganaug.data.labels.groups import GROUP, require_all
from ganaug.data.pictures.depth import Range
from ganaug.data.pictures.images import content_of, decode_image
from ganaug.data.sources.arrays import item_names, labels_and_names
from ganaug.data.sources.keys import image_key, label_key
from ganaug.data.sources.kinds import Asked, in_short, is_file, source
from ganaug.data.sources.shards import shards_of
from ganaug.errors import DataError, MissingPackageError, UnreadableImageError


@dataclass(frozen=True, eq=False)
class ParquetSource:
    """paths, files: of the set, and opened; starts: the first row of each block of rows, and the end; column: of the
    images.
    """

    paths: Sequence[Path]
    files: Sequence[Any]
    blocks: Sequence[tuple[int, int]]
    starts: np.ndarray
    column: str
    labels: np.ndarray
    classes: tuple[str, ...]
    names: Sequence[str]
    groups: tuple[str, ...] | None = None
    ignored: Mapping[str, Sequence[str]] = field(default_factory=dict)
    span: Range | None = None
    array: None = None
    _read: dict[int, Any] = field(default_factory=dict)

    __repr__ = in_short

    def __len__(self) -> int:
        return len(self.labels)

    def read(self, index: int) -> Image.Image:
        """Decode one image to mode "L" or "RGB"; raises UnreadableImageError."""
        block = int(np.searchsorted(self.starts, index, side="right")) - 1
        if block not in self._read:
            self._read.clear()
            file, number = self.blocks[block]
            self._read[block] = _block(self.files[file], number, self.column)
        cell = self._read[block][index - int(self.starts[block])].as_py()
        data = cell.get("bytes") if isinstance(cell, dict) else cell
        if not data:
            path = cell.get("path") if isinstance(cell, dict) else None
            reason = f"it holds the path {path!r} in place of an image." if path else "there is no image."
            raise UnreadableImageError(reason, "Write the images themselves into the file.")
        return decode_image(bytes(data), self.span)

    def content(self) -> Iterator[bytes]:
        """Of each file a hash of what it holds; and the column that is read."""
        yield self.column.encode()
        yield from (content_of(path, sys.maxsize) for path in self.paths)


@source(
    "a .parquet or .arrow file of images and labels",
    takes=lambda data: is_file(data, ".parquet", ".arrow", ".feather"),
    reads=("image", "target", "classes"),
)
def parquet(asked: Asked) -> ParquetSource:
    how, paths = asked.reading, shards_of(asked.path)
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError as error:
        fix = "pip install 'ganaug[parquet]' (or pip install pyarrow)."
        raise MissingPackageError(f"Reading {asked.path.suffix} files needs pyarrow.", fix) from error
    try:
        files = [_opened(path) for path in paths]
        schema = _schema(files[0])
        kinds = {name: _kind(schema.field(name).type, pyarrow) for name in schema.names}
        said = _features(schema)
        kinds |= {name: kind for name, kind in said.items() if name in kinds and kind in ("Image", "ClassLabel")}
        called = (name for name in kinds if name.lower() == GROUP and name not in (how.image, how.target))
        group = next(called, None) if len(kinds) > 2 else None
        kinds.pop(group or "", None)
        column = image_key(kinds, how.image)
        target = label_key(kinds, column, how.target)
        if kinds[column] != "Image":
            cause = f"The column {column!r} of {asked.path} holds {schema.field(column).type}, not encoded images."
            raise DataError(cause, "Give images as the bytes of their files: {bytes: ...} or binary.")
        names = _names(schema, target)
        cells = [cell for file in files for cell in _column(file, target)]
        groups = [cell for file in files for cell in _column(file, group)] if group and how.groups is None else None
        blocks = [(number, block) for number, file in enumerate(files) for block in range(_blocks(file))]
        sizes = [_rows(files[file], block) for file, block in blocks]
    except (OSError, ValueError, KeyError, pyarrow.ArrowException) as error:
        if isinstance(error, DataError):
            raise
        raise DataError(f"{asked.path} cannot be read: {error}.", "Write it again, or fetch it again.") from error
    missing = sum(cell is None for cell in cells)
    if missing:
        cause = f"{missing} of {len(cells)} rows of {asked.path} have no {target!r}."
        raise DataError(cause, "Leave them out of the file, or name another column: --target COLUMN.")
    odd = next((type(cell).__name__ for cell in cells if not isinstance(cell, (int, str, bytes))), None)
    if odd is not None:
        cause = f"The column {target!r} of {asked.path} holds {odd}, not one class for each image."
        raise DataError(cause, "Write classes as integers or texts, or name another column: --target COLUMN (target=).")
    kin = None if groups is None else require_all(groups, f"The column {group!r} of {asked.path}")
    values, given = labels_and_names(np.asarray(cells), how.classes if how.classes is not None else names)
    labels, classes, dropped = named_labels(values, given, drop_empty=how.classes is None)
    ignored = {"class without items": dropped} if dropped else {}
    starts = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
    return ParquetSource(
        paths, files, blocks, starts, column, labels, classes, item_names(len(labels)),
        groups=kin, ignored=ignored, span=how.range,
    )  # fmt: skip


def rows_of(source: ParquetSource, rows: np.ndarray, groups: Sequence[str] | None) -> Any:
    """All columns of these rows, in their order, as an Arrow table; with these groups, where they are given."""
    import pyarrow

    blocks = zip(source.blocks, source.starts[:-1], source.starts[1:], strict=True)
    table = pyarrow.concat_tables([
        _table(source.files[file], block).take(rows[(rows >= low) & (rows < high)] - low)
        for (file, block), low, high in blocks
    ])  # fmt: skip
    if groups is None:
        return table
    kept = [name for name in table.column_names if name.lower() != GROUP]
    return table.select(kept).append_column(GROUP, pyarrow.array(groups))


def _opened(path: Path) -> Any:
    import pyarrow
    import pyarrow.parquet

    if path.suffix.lower() == ".parquet":
        return pyarrow.parquet.ParquetFile(path)
    mapped = pyarrow.memory_map(str(path))
    try:
        return pyarrow.ipc.open_file(mapped).read_all()
    except pyarrow.ArrowInvalid:  # a stream, as the caches of Hugging Face are
        mapped.seek(0)
        return pyarrow.ipc.open_stream(mapped).read_all()


def _schema(file: Any) -> Any:
    return file.schema_arrow if hasattr(file, "schema_arrow") else file.schema


def _blocks(file: Any) -> int:
    return file.num_row_groups if hasattr(file, "num_row_groups") else 1


def _rows(file: Any, block: int) -> int:
    return file.metadata.row_group(block).num_rows if hasattr(file, "num_row_groups") else file.num_rows


def _block(file: Any, block: int, column: str) -> Any:
    if hasattr(file, "num_row_groups"):
        return file.read_row_group(block, columns=[column])[column]
    return file[column]


def _table(file: Any, block: int) -> Any:
    return file.read_row_group(block) if hasattr(file, "num_row_groups") else file


def _column(file: Any, name: str) -> list[Any]:
    table = file.read(columns=[name]) if hasattr(file, "num_row_groups") else file
    return table[name].to_pylist()


def _kind(kind: Any, pyarrow: Any) -> str:
    if pyarrow.types.is_struct(kind) and "bytes" in [kind.field(i).name for i in range(kind.num_fields)]:
        return "Image"
    return "Image" if pyarrow.types.is_binary(kind) or pyarrow.types.is_large_binary(kind) else str(kind)


def _features(schema: Any) -> dict[str, str]:
    """What the columns hold, where Hugging Face wrote the file: "Image", "ClassLabel" and others."""
    return {name: str(one.get("_type")) for name, one in _told(schema).items() if isinstance(one, dict)}


def _names(schema: Any, target: str) -> list[str] | None:
    one = _told(schema).get(target)
    names = one.get("names") if isinstance(one, dict) else None
    return [str(name) for name in names] if isinstance(names, list) else None


def _told(schema: Any) -> dict[str, Any]:
    try:
        told = json.loads((schema.metadata or {})[b"huggingface"])["info"]["features"]
    except (KeyError, TypeError, ValueError):
        return {}
    return told if isinstance(told, dict) else {}
