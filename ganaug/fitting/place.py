"""Where a run may be written, and where one is finished."""

from __future__ import annotations

from pathlib import Path

from ganaug.errors import OutputInUseError
from ganaug.files.integrity import is_part, writing
from ganaug.files.lock import LOCKS
from ganaug.fitting.settings_file import FILE
from ganaug.fitting.unlabelled import FILE as LABELS


def is_finished(run: Path) -> bool:
    """Whether a generator was written there."""
    return (run / "generator" / "manifest.json").exists()


def require_place(folder: Path, resume: bool) -> None:
    """Raise OutputInUseError where something else is, or a run that is not to be resumed."""
    with writing(folder):  # names may be too long
        folder.exists()
    if folder.exists() and not folder.is_dir():
        raise OutputInUseError(f"{folder} is not a folder.", "Choose another name.")
    if not resume and is_finished(folder):
        fix = f"Choose another folder. To train it for longer, or with other settings: --fork {folder} --out NEW."
        raise OutputInUseError(f"{folder} holds a finished run.", fix)
    names = {entry.name for entry in folder.iterdir()} if folder.exists() else set()
    others = sorted(name for name in names - LOCKS if not is_part(name))
    if others and not resume:
        raise OutputInUseError(f"{folder} is not empty.", "Choose another folder, or go on with --resume.")
    if others and not names & {FILE, LABELS, "state", "generator"}:
        raise OutputInUseError(f"{folder} holds no run to resume, but {others[0]}.", "Choose another folder.")
