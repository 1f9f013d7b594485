"""The state of an unfinished fit on disk: whole or not there, the last two kept.

`state/step-N-HASH.safetensors` is written first; then `state/states.json`, which lists two files with their hashes, is
replaced in one atomic rename. That rename is the commit. The two are the newest state and the anchor before it: the
state at a round that the settings alone decide, to which a fit goes back when a number stops being finite.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from torch import Tensor

from ganaug.errors import ArtefactError, DivergedError
from ganaug.files.checked import bounded, fields_of, finite, is_, text
from ganaug.files.integrity import clear_parts, read_whole, reading, sealed, sha256, unsealed, write_atomically
from ganaug.files.tensors import from_bytes, not_finite, to_bytes
from ganaug.generator.interventions import Intervention

_LIST = "states.json"
_ANEW = "Start the fit anew in another folder."
_SMALL = 1 << 26  # bytes of the list, at most


@dataclass(frozen=True)
class SavedState:
    """Where a fit stood after `step` rounds; `tensors` are empty before the first one.

    log_bytes: how long metrics.jsonl was: what follows belongs to rounds that will be played again. sums: values that
    wait for the next line of it. interventions: so far. environment: libraries, threads and device.
    """

    step: int = 0
    tensors: Mapping[str, Tensor] = field(default_factory=dict)
    log_bytes: int = 0
    sums: Mapping[str, list[float]] = field(default_factory=dict)
    interventions: tuple[Intervention, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)

    def notes(self) -> dict[str, Any]:
        """All but the tensors, as JSON."""
        return {
            "step": self.step,
            "log_bytes": self.log_bytes,
            "sums": {name: list(values) for name, values in self.sums.items()},
            "interventions": [one.to_json() for one in self.interventions],
            "environment": dict(self.environment),
        }


@dataclass(frozen=True)
class _Entry:
    file: str
    bytes: int
    sha256: str
    anchor: bool
    notes: SavedState  # without its tensors

    def to_json(self) -> dict[str, Any]:
        return {**vars(self), "notes": self.notes.notes()}


def save_state(folder: Path, state: SavedState, anchor: SavedState | None = None) -> None:
    """Commit a state, and the anchor at or before it; all others are removed afterwards.

    anchor: None, or one without tensors, keeps the newest earlier state beside it. A crash at any instant leaves what
    was committed before, or this. Raises DivergedError, DiskFullError or UnwritableError before the commit.
    """
    clear_parts(folder)
    before = _entries(folder)
    newest = _written(folder, state, before, anchor is not None and anchor.step == state.step)
    entries = [newest]
    if anchor is not None and anchor.tensors and anchor.step < state.step:
        entries.append(_written(folder, anchor, before, True))
    else:
        entries += [old for old in before if old.file != newest.file and old.notes.step <= state.step][:1]
    listed = {"schema": 2, "states": [entry.to_json() for entry in entries]}
    write_atomically(folder / _LIST, sealed(listed))
    for file in folder.glob("step-*.safetensors"):
        if file.name not in {entry.file for entry in entries}:
            file.unlink(missing_ok=True)


def _written(folder: Path, state: SavedState, before: list[_Entry], anchor: bool) -> _Entry:
    """The entry of a state whose file lies in the folder."""
    require_finite(state)
    data = to_bytes(state.tensors)
    digest = sha256(data)
    entry = _Entry(_file_name(state.step, digest), len(data), digest, anchor, state)
    there = _content(folder / entry.file, entry.bytes) if any(old.file == entry.file for old in before) else None
    if there is None or sha256(there) != digest:
        write_atomically(folder / entry.file, data)
    return entry


def require_finite(state: SavedState) -> None:
    """Raise DivergedError if a number of the state is not finite: such a state is never kept."""
    for name in not_finite(state.tensors):
        raise DivergedError(f"The tensor {name} is not finite after step {state.step}.", "Try a smaller learning rate.")


def _file_name(step: int, digest: str) -> str:
    return f"step-{step:09d}-{digest[:12]}.safetensors"


def load_state(folder: Path) -> SavedState | None:
    """The newest state that is whole; None if none was ever committed. Raises ArtefactError if all are altered."""
    return _newest(folder, anchors_only=False)


def load_anchor(folder: Path) -> SavedState | None:
    """The newest anchor that is whole, None if there is none."""
    return _newest(folder, anchors_only=True)


def _newest(folder: Path, anchors_only: bool) -> SavedState | None:
    for _ in range(3):  # a reader may meet a list whose files a writer has just replaced
        entries = _entries(folder)
        for entry in entries:
            if anchors_only and not entry.anchor:
                continue
            data = _content(folder / entry.file, entry.bytes)
            if data is not None and sha256(data) == entry.sha256:
                return replace(entry.notes, tensors=from_bytes(data))
        if entries == _entries(folder):
            break
    if entries and not anchors_only:
        raise ArtefactError(f"No saved state in {folder} is whole.", _ANEW)
    return None


def _content(path: Path, size: int) -> bytes | None:
    try:
        data = read_whole(path, size)
    except (FileNotFoundError, ArtefactError):
        return None
    return data if len(data) == size else None


def _entries(folder: Path) -> list[_Entry]:
    file = folder / _LIST
    with reading(file, _ANEW):
        try:
            values = unsealed(read_whole(file, _SMALL), file)
        except FileNotFoundError:
            return []
        fields_of(values, {"schema", "states"})
        bounded(values["schema"], 2, 2)
        return [_entry(value) for value in is_(values["states"], list)]


def _entry(value: Any) -> _Entry:
    fields_of(is_(value, dict), {"file", "bytes", "sha256", "anchor", "notes"})
    notes = is_(value["notes"], dict)
    fields_of(notes, {"step", "log_bytes", "sums", "interventions", "environment"})
    state = SavedState(
        step=bounded(notes["step"], 0, 2**53),
        log_bytes=bounded(notes["log_bytes"], 0, 2**53),
        sums={text(k): [finite(v) for v in is_(vs, list)] for k, vs in is_(notes["sums"], dict).items()},
        interventions=tuple(Intervention.from_json(one) for one in is_(notes["interventions"], list)),
        environment={text(k): text(v) for k, v in is_(notes["environment"], dict).items()},
    )
    digest = text(value["sha256"])
    if value["file"] != _file_name(state.step, digest):
        raise ValueError("a state has another name than its step and hash")
    return _Entry(value["file"], bounded(value["bytes"], 0, 2**53), digest, is_(value["anchor"], bool), state)
