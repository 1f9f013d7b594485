"""The files behind the items of somebody's data set, where it holds their paths."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from torch.utils.data import ConcatDataset

PathOf = Callable[[int], str]


def paths_of(dataset: Any) -> PathOf | None:
    """The path of an item by its index; None for a data set that holds none.

    Looked for are a list or column of as many paths as there are items, or of tuples that begin with one, among the
    attributes of the data set and of its reader (timm); paths may be below a folder that another attribute names.
    """
    if isinstance(dataset, ConcatDataset):
        return _of_parts(dataset)
    for holder in (dataset, getattr(dataset, "reader", None)):
        values = getattr(holder, "__dict__", {})
        roots = ["", *(os.fspath(one) for one in values.values() if isinstance(one, (str, Path)))]
        for column in _columns(values, len(dataset)):
            for root in roots:
                if _is_file(root, column[0]) and _is_file(root, column[-1]):
                    return lambda index, root=root, column=column: os.path.join(root, _path(column[index]))  # type: ignore[misc]
    return None


def _of_parts(dataset: ConcatDataset) -> PathOf | None:
    parts = [paths_of(part) for part in dataset.datasets]
    ends = np.asarray(dataset.cumulative_sizes)

    def path(index: int) -> str:
        part = int(np.searchsorted(ends, index, side="right"))
        of = parts[part]
        assert of is not None
        return of(index - (int(ends[part - 1]) if part else 0))

    return None if None in parts else path


def _columns(values: dict[str, Any], count: int) -> Iterator[Any]:
    """Sequences of `count` entries, the columns of a frame among them."""
    for value in values.values():
        if isinstance(value, (list, tuple)) or (isinstance(value, np.ndarray) and value.ndim):
            found = [value]
        elif hasattr(value, "columns") and hasattr(value, "to_numpy"):
            found = [value[name].to_numpy() for name in value.columns]
        else:
            found = [value.to_numpy()] if hasattr(value, "to_numpy") else []
        yield from (column for column in found if len(column) == count and count)


def _path(entry: Any) -> str:
    """A path, or the one that a tuple begins with; "" for anything else."""
    first = entry[0] if isinstance(entry, (list, tuple)) and entry else entry
    return os.fspath(first) if isinstance(first, (str, Path)) else ""


def _is_file(root: str, entry: Any) -> bool:
    path = _path(entry)
    try:
        return bool(path) and os.path.isfile(os.path.join(root, path))
    except ValueError:  # a null byte
        return False
