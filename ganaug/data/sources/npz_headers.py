"""What the arrays of an .npz file claim to be, looked at before any of them is read."""

from __future__ import annotations

import io
import math
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ganaug.data.pictures.images import PIXEL_LIMIT
from ganaug.errors import DataError

MOST_BYTES = 1 << 34  # of one array in memory
_HEADER = 1 << 16  # bytes of an array's header, at most
PLAIN = "Save plain arrays: images as uint8, labels as integers, classes as a string array."


def header(archive: zipfile.ZipFile, name: str) -> tuple[tuple[int, ...], np.dtype, int]:
    """Shape, type and number of bytes in front of the values. Raises whatever damaged archives make zipfile and numpy
    raise."""
    with archive.open(name) as member:
        start = io.BytesIO(member.read(_HEADER))
    version = np.lib.format.read_magic(start)
    read: Any = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}[version]
    shape, _, dtype = read(start, max_header_size=_HEADER)
    if len(shape) > 8 or not all(type(side) is int and 0 <= side < 1 << 48 for side in shape):
        raise ValueError(f"{name} states the shape {shape}")
    return shape, dtype, start.tell()


def require_sizes(path: Path, names: Mapping[str, str]) -> None:
    """Each array must hold what its header states, within the limits of bytes and of pixels; names: part -> key.

    Raises DataError, or whatever damaged archives make zipfile and numpy raise.
    """
    with zipfile.ZipFile(path) as archive:
        for part, key in names.items():
            shape, dtype, before = header(archive, f"{key}.npy")
            size, there = math.prod(shape) * dtype.itemsize, archive.getinfo(f"{key}.npy").file_size
            if not dtype.hasobject and before + size != there:
                raise DataError(f"{key} of {path} states {before + size:,} bytes and has {there:,}.", PLAIN)
            if size > MOST_BYTES:
                raise DataError(f"{key} of {path} takes {size:,} bytes, above the limit of {MOST_BYTES:,}.", PLAIN)
            pixels = math.prod(side for side in shape[1:] if side not in (1, 3, 4))
            if part in ("x", "pair") and pixels > PIXEL_LIMIT:
                cause = f"Items of {key} in {path} have {pixels:,} px, above the limit of {PIXEL_LIMIT:,}."
                raise DataError(cause, "Make them smaller.")
            if part in ("classes", "group") and len(shape) != 1:
                raise DataError(f"{key} of {path} has the shape {shape}.", "Give one text or number for each.")
