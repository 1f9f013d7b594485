"""The user's cache: what lies there may be deleted at any time, and is made again.

Where it has a bound, each entry is a folder. The one that was used least recently goes first, and none that a process
holds, or has open as a memory map. An entry is moved away before it is deleted, so that it is there as a whole or not.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from ganaug.errors import GanaugError, OptionError, UnwritableError
from ganaug.files.integrity import free_space, writing
from ganaug.files.lock import LOCKS, sole_writer, unread
from ganaug.files.owner import Owner
from ganaug.reporting import Report

LIMIT = "GANAUG_CACHE_GIB"  # the variable that names the bound
SHARE, MOST = 0.2, 20 << 30  # the bound without it: this share of the disk that is free but for us, and bytes
_GONE = "gone."  # how the name of an entry begins that is being deleted
_USED = "used"  # the file of an entry whose time says when it was used


def cache_folder(name: str) -> Path:
    """A folder of ours in the user's cache. Raises UnwritableError where it cannot be made."""
    folder = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "ganaug" / name
    try:
        with writing(folder):
            folder.mkdir(parents=True, exist_ok=True)
    except UnwritableError as error:
        raise UnwritableError(error.cause, "Make it writable, or name another cache by XDG_CACHE_HOME.") from error
    return folder


def use(entry: Path) -> None:
    """Note that an entry is used now."""
    with writing(entry / _USED):
        (entry / _USED).touch()


def size_of(entry: Path) -> int:
    """Bytes of the files of an entry."""
    return sum(size for size, _ in _facts(entry))


def trim(home: Path, mine: Path, report: Report, needed: int = 0) -> None:
    """Remove entries of `home`, first those that were used least recently, until all are within the bound, and so many
    bytes are free. `mine` stays, and what others use. Raises OptionError for a bound that is none."""
    for left in home.glob(f"{_GONE}*"):  # by a process that was killed
        shutil.rmtree(left, ignore_errors=True)
    sizes = {entry: size_of(entry) for entry in home.iterdir() if entry.is_dir() and "." not in entry.name}
    kept, free = sum(sizes.values()), free_space(home)
    most = _bound(free + kept)
    removed: list[int] = []
    others = sorted(sizes.keys() - {mine}, key=_last_used)
    while others and sum(removed) < max(kept - most, needed - free):
        entry = others.pop(0)
        if _removed(entry):
            removed.append(sizes[entry])
    if removed:
        what = f"{sum(removed) / 2**30:.2f} GiB removed from {home}, in {len(removed)} of its folders"
        why = f"used least recently: {most / 2**30:.2f} GiB are to be there at most ({LIMIT})"
        report("making room", 0, 0, f"{what}, {why}")


def _bound(free: int) -> float:
    """Bytes that entries may have together. free: those of the disk without any."""
    given = os.environ.get(LIMIT)
    if not given:
        return min(MOST, int(SHARE * free))
    try:
        most = float(given) * 2**30
    except ValueError:
        most = -1.0
    if not most >= 0:
        fix = "Give one like 50, 0.5 or inf, or unset it; 0 keeps only what is in use."
        raise OptionError(f"{LIMIT} is {given!r}, not a number of GiB.", fix)
    return most


def _removed(entry: Path) -> bool:
    """Remove an entry that nobody uses; whether there was one."""
    gone = entry.with_name(f"{_GONE}{Owner.myself().mark}.{entry.name}")
    try:
        with sole_writer(entry):
            there = [file for file in entry.iterdir() if file.name not in LOCKS]
            if not all(map(unread, there)):
                return False
            entry.rename(gone)
            shutil.rmtree(gone, ignore_errors=True)
            return bool(there)
    except (GanaugError, OSError):  # it is in use, or not ours
        return False


def _last_used(entry: Path) -> float:
    return max((time for _, time in _facts(entry)), default=0.0)


def _facts(entry: Path) -> list[tuple[int, float]]:
    """Size and time of each file but the lock, which whoever looks may have touched; none where another process has
    just removed them."""
    try:
        found = [file.stat() for file in entry.iterdir() if file.name not in LOCKS]
    except OSError:
        return []
    return [(facts.st_size, facts.st_mtime) for facts in found]
