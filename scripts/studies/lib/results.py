"""What the study keeps: JSON files that are whole or absent, packed answers, and locks that die with their holder."""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from ganaug.files.integrity import clear_parts, write_atomically
from ganaug.files.lock import hold

FORMAT = 1  # of the JSON files
TUNED = "tuned.json"


def draw_file(out: Path, cell: str, draw: int) -> Path:
    """Where the results of one draw of a cell lie."""
    return out / cell / f"draw-{draw:02d}.json"


def write_json(path: Path, values: dict[str, Any]) -> None:
    """Beside, then in place at once. Only for the process that has claimed the file."""
    if path.parent.is_dir():
        clear_parts(path.parent, path.name)
    write_atomically(path, (json.dumps({"format": FORMAT, **values}, indent=1, allow_nan=False) + "\n").encode())


def read_json(path: Path) -> dict[str, Any]:
    """Raises ValueError, naming the file, for anything but a file of the study."""
    try:
        values = json.loads(path.read_bytes())
        if values["format"] != FORMAT:
            raise ValueError(f"its format is {values['format']}, not {FORMAT}")
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{path} is no result of the study: {error!r}. Delete it, and run the study again.") from error
    return values


def pack_flags(flags: np.ndarray) -> str:
    """bool (N,) as base64 of the zlib stream of its bits."""
    return base64.b64encode(zlib.compress(np.packbits(flags).tobytes(), 9)).decode()


def unpack_flags(text: str, n: int) -> np.ndarray:
    """The first n flags: bool (n,). Raises ValueError where there are fewer."""
    flags = np.unpackbits(np.frombuffer(zlib.decompress(base64.b64decode(text)), dtype=np.uint8))
    if len(flags) < n:
        raise ValueError(f"{len(flags)} flags are packed, {n} are needed")
    return flags[:n].astype(bool)


def pack_numbers(numbers: np.ndarray) -> str:
    """Whole numbers 0..65535, (N,), as base64 of the zlib stream of two bytes each, the lower one first."""
    return base64.b64encode(zlib.compress(numbers.astype("<u2").tobytes(), 9)).decode()


def unpack_numbers(text: str) -> np.ndarray:
    """int64 (N,)."""
    return np.frombuffer(zlib.decompress(base64.b64decode(text)), dtype="<u2").astype(np.int64)


@contextmanager
def claimed(path: Path) -> Iterator[bool]:
    """Whether this process alone holds the lock. The system gives it up when the process ends, however it ends."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("ab") as file:
        yield hold(file)
