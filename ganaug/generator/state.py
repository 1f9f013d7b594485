"""The state of an unfinished fit on disk: whole or not there, the last two kept.

`state/step-N.safetensors` is written first; then `state/states.json`, which lists the last two files with their hashes,
is replaced in one atomic rename. That rename is the commit.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from torch import Tensor

from ganaug.errors import ArtefactError
from ganaug.generator.integrity import sha256, write_atomically
from ganaug.generator.tensors import from_bytes, to_bytes

_LIST = "states.json"
_KEPT = 2


@dataclass(frozen=True)
class _Entry:
    step: int
    file: str
    bytes: int
    sha256: str
    log_bytes: int  # how long metrics.jsonl was: what follows belongs to steps that will be played again


@dataclass(frozen=True)
class SavedState:
    step: int
    tensors: dict[str, Tensor]
    log_bytes: int


def save_state(folder: Path, step: int, tensors: dict[str, Tensor], log_bytes: int) -> None:
    """Commit the state after `step` rounds; older states than the last two are removed afterwards."""
    data = to_bytes(tensors)
    entry = _Entry(step, f"step-{step:09d}.safetensors", len(data), sha256(data), log_bytes)
    write_atomically(folder / entry.file, data)
    entries = [entry] + [old for old in _entries(folder) if old.step < step][: _KEPT - 1]
    write_atomically(folder / _LIST, json.dumps([asdict(e) for e in entries], indent=1).encode())
    for file in folder.glob("step-*.safetensors"):
        if file.name not in {e.file for e in entries}:
            file.unlink(missing_ok=True)


def load_state(folder: Path) -> SavedState | None:
    """The newest state that is whole; None if none was ever committed. Raises ArtefactError if all are altered."""
    entries = _entries(folder)
    for entry in entries:
        path = folder / entry.file
        data = path.read_bytes() if path.is_file() and path.stat().st_size == entry.bytes else b""
        if sha256(data) == entry.sha256:
            return SavedState(entry.step, from_bytes(data), entry.log_bytes)
    if entries:
        raise ArtefactError(f"No saved state in {folder} is whole.", "Start the fit anew in another folder.")
    return None


def _entries(folder: Path) -> list[_Entry]:
    file = folder / _LIST
    if not file.exists():
        return []
    try:
        entries = [_Entry(**entry) for entry in json.loads(file.read_bytes())]
        if any(not e.file == f"step-{e.step:09d}.safetensors" for e in entries):
            raise ValueError("a state has another name than its step")
        return entries
    except (OSError, ValueError, TypeError, RecursionError) as error:
        raise ArtefactError(f"{file} cannot be read: {error}.", "Start the fit anew in another folder.") from error
