"""What a study keeps: files of one JSON object a line, locks that die with their holder, packed answers."""

from __future__ import annotations

import base64
import json
import time
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from ganaug.errors import OutputInUseError
from ganaug.files.integrity import clear_parts, write_atomically
from ganaug.files.lock import hold

ROOT = Path(__file__).resolve().parents[3]
DOCS = ROOT / "docs"
RESULTS = ROOT / "scripts" / "studies" / "results"
FORMAT = 1  # of a line
PATIENCE = 60  # seconds that one waits for others, who hold a file for milliseconds
Line = dict[str, Any]


def read(file: Path) -> list[Line]:
    """The lines of a file, in order; none where it is absent.

    Raises ValueError, naming file and line, for anything but lines of a study.
    """
    lines = file.read_bytes().splitlines() if file.exists() else []
    return [_parsed(text, f"Line {number} of {file}") for number, text in enumerate(lines, 1)]


def _parsed(text: bytes, where: str) -> Line:
    try:
        values = json.loads(text)
        if values["format"] != FORMAT:
            raise ValueError(f"its format is {values['format']}, not {FORMAT}")
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{where} is no result of a study: {error!r}. Delete it, and run the study again.") from error
    return values


def find(file: Path, **named: Any) -> Line | None:
    """The first line with these values, if there is one."""
    return next((line for line in read(file) if {name: line.get(name) for name in named} == named), None)


def put(file: Path, line: Line, *names: str) -> None:
    """Keep a line, instead of the one with the same values of these names if there is one. Lines are sorted by them;
    one that lacks a name comes before those that have it.

    Several processes may put lines into one file at the same time; who reads it meanwhile finds whole lines.
    """

    def place(one: Line) -> list[tuple[Any, ...]]:
        return [(one[name],) if name in one else () for name in names]

    with _held(file):
        others = [one for one in read(file) if place(one) != place(line)]
        write(file, sorted([*others, line], key=place))


def write(file: Path, lines: Iterable[Line]) -> None:
    """All lines of a file: beside, then in place at once."""
    texts = [json.dumps({"format": FORMAT, **line}, separators=(",", ":")) for line in lines]
    write_atomically(file, "".join(f"{text}\n" for text in texts).encode())


@contextmanager
def _held(file: Path) -> Iterator[None]:
    """Wait until nobody else writes the file; raises OutputInUseError after a minute."""
    lock = file.parent / f".{file.name}.lock"
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        with claimed(lock) as mine:
            if mine:
                clear_parts(file.parent, file.name)
                try:
                    yield
                finally:
                    lock.unlink()
                return
        time.sleep(0.02)
    raise OutputInUseError(f"{file} has been held by another process for {PATIENCE} s.", f"See who holds {lock}.")


@contextmanager
def claimed(lock: Path) -> Iterator[bool]:
    """Whether this process alone holds the lock. The system gives it up when the process ends, however it ends."""
    lock.parent.mkdir(parents=True, exist_ok=True)
    with lock.open("ab") as file:
        yield hold(file, lock)


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
