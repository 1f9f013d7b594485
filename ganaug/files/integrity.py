"""Files that are whole or refused: written beside and put in place at once, listed with their size and SHA-256."""

from __future__ import annotations

import csv
import errno
import hashlib
import io
import json
import os
import shutil
import stat
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ganaug.errors import ArtefactError, DiskFullError, GanaugError, UnwritableError
from ganaug.files.checked import bounded, fields_of, is_, strict_json, text

MANIFEST = "manifest.json"
SUM, _SHORT = "sum", 16  # field of a sealed line, and its hexadecimal digits
_PART = ".part"  # what the name of a file ends in while it is written
_SMALL = 1 << 20  # bytes of a manifest or a list of states, at most
_LARGE = 1 << 36  # bytes of any other file, at most
_REFETCH = "Fetch or make it again."
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def write_atomically(path: Path, data: bytes) -> None:
    """Write a file so that a crash leaves either the old or the new content: temporary file, fsync, rename, fsync.

    Raises DiskFullError, with the bytes needed and free, or UnwritableError; the old content is then untouched.
    """
    need_space(path.parent, len(data))
    with writing(path, len(data)):
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = open_part(path)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            os.chmod(name, 0o644)
            os.replace(name, path)
            sync_folder(path.parent)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise


def csv_text(rows: Iterable[Iterable[Any]], end: str = "\r\n") -> str:
    """Rows as lines of CSV, each with this end."""
    found = io.StringIO(newline="")
    csv.writer(found, lineterminator=end).writerows(rows)
    return found.getvalue()


@contextmanager
def writing(path: Path, size: int = 0) -> Iterator[None]:
    """What the system says about a failed write of `size` bytes to `path`, as an error with cause and fix."""
    try:
        yield
    except GanaugError:
        raise
    except OSError as error:
        reason = error.strerror or str(error)
        if error.errno in _FULL:
            need = f" and needs {size:,} bytes" if size else ""
            free = f"; {free_space(path):,} bytes are free on the disk" if error.errno != errno.EFBIG else ""
            fix = "Free some space, or have the quota raised" if free else "Have the limit of a file's size raised"
            raise DiskFullError(
                f"{path} cannot be written{need}: {reason}{free}.", f"{fix}; what was saved before is untouched."
            ) from error
        too_long = error.errno == errno.ENAMETOOLONG
        fix = "Choose a shorter name" if too_long else "Make the folder writable, or choose another"
        saved = "; what was saved before is untouched."
        raise UnwritableError(f"{path} cannot be written: {reason}.", fix + saved) from error


@contextmanager
def reading(what: Path | str, fix: str) -> Iterator[None]:
    """What is not as it should be in a file, as an ArtefactError: it cannot be read, and why."""
    try:
        yield
    except ArtefactError:
        raise
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise ArtefactError(f"{what} cannot be read: {error}.", fix) from error


def open_part(path: Path) -> tuple[int, str]:
    """Handle and name of a new temporary file beside `path`, for what will be there: see `clear_parts`."""
    return tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=_PART)


def is_part(name: str) -> bool:
    """Whether a file of this name is what a killed writer left half written."""
    return name.startswith(".") and name.endswith(_PART)


def clear_parts(folder: Path, name: str = "*") -> None:
    """Remove what a killed writer left half written. Only for the sole writer of a folder, or of the file `name`."""
    for file in folder.glob(f".{name}.*{_PART}"):
        file.unlink(missing_ok=True)


def sync_folder(folder: Path) -> None:
    """Make a rename in this folder durable (where the system lets one open folders)."""
    if os.name == "posix":
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def need_space(folder: Path, size: int) -> None:
    """Raise DiskFullError unless `size` bytes (and a little more) are free where `folder` is or will be."""
    free, needed = free_space(folder), size + (1 << 20)
    if free < needed:
        raise DiskFullError(
            f"{folder} needs {needed:,} bytes, {free:,} are free.", "Free some space or choose another folder."
        )


def free_space(path: Path) -> int:
    """Bytes that are free where this path is or will be."""
    while not path.exists():
        path = path.parent
    return shutil.disk_usage(path).free


def read_whole(path: Path, most: int = _LARGE) -> bytes:
    """The content of a plain file of at most `most` bytes: no link, no pipe, no device.

    Raises FileNotFoundError, and ArtefactError for anything else.
    """
    try:
        handle = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))
        with os.fdopen(handle, "rb") as file:
            facts = os.fstat(handle)
            if not stat.S_ISREG(facts.st_mode):
                raise ArtefactError(f"{path} is not a plain file.", _REFETCH)
            if facts.st_size > most:
                raise ArtefactError(f"{path} has {facts.st_size:,} bytes, above the limit of {most:,}.", _REFETCH)
            return file.read(facts.st_size + 1)
    except FileNotFoundError:
        raise
    except OSError as error:
        reason = "it is a link" if error.errno == errno.ELOOP else error.strerror or str(error)
        fix = "Put the file itself there." if error.errno == errno.ELOOP else "Make it readable."
        raise ArtefactError(f"{path} cannot be read: {reason}.", fix) from error


def open_plain(path: Path, flags: int) -> int:
    """A handle of a plain file, made if `flags` say so: a link, a pipe or a device is never opened.

    Raises ArtefactError for these, and whatever the system says.
    """
    extra = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0)
    try:
        handle = os.open(path, flags | extra | getattr(os, "O_BINARY", 0), 0o644)
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.ENXIO):
            raise ArtefactError(f"{path} is not a plain file.", "Remove it: it does not belong there.") from error
        raise
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise ArtefactError(f"{path} is not a plain file.", "Remove it: it does not belong there.")
    return handle


def file_digest(path: Path) -> str:
    """SHA-256 of a plain file, however large. Raises ArtefactError for a link, and whatever the system says."""
    with os.fdopen(open_plain(path, os.O_RDONLY), "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def own_folders(run: Path, names: Iterable[str]) -> None:
    """Raise ArtefactError where one of these folders of a run is a link: what is written would land elsewhere."""
    for name in names:
        if (run / name).is_symlink():
            raise ArtefactError(
                f"{run / name} is a link.", "Put the folder itself there, or name the one that it leads to."
            )


def sealed(values: Mapping[str, Any]) -> bytes:
    """A JSON object with a hash of itself in the field `sha256`."""
    body = json.dumps(dict(values), indent=1, sort_keys=True)
    return json.dumps({**values, "sha256": sha256(body.encode())}, indent=1, sort_keys=True).encode()


def unsealed(data: bytes, path: Path) -> dict[str, Any]:
    """What was sealed; raises ArtefactError if so much as one bit of it changed."""
    with reading(path, "Start anew in another folder."):
        values = is_(strict_json(data), dict)
        del values["sha256"]
        if sealed(values) != data:
            raise ValueError("it was altered")
        return values


def sealed_line(values: Mapping[str, Any]) -> str:
    """A JSON object in a line, whose last field, `sum`, is a hash of the rest."""
    body = json.dumps(dict(values))
    return f'{body[:-1]}, "{SUM}": "{sha256(body.encode())[:_SHORT]}"}}\n'


def unsealed_line(line: str) -> Any:
    """What was sealed, from a line without its end. Raises ValueError if so much as one bit of it changed."""
    values = json.loads(line)
    if type(values) is dict:
        values.pop(SUM, None)
    if type(values) is not dict or not values or sealed_line(values) != f"{line}\n":
        raise ValueError("it was altered")
    return values


def write_manifest(folder: Path, files: Mapping[str, bytes]) -> str:
    """Write the files, then, as the commit, a manifest of their sizes and hashes; gives the manifest's own hash."""
    for name, data in files.items():
        write_atomically(folder / name, data)
    manifest = _manifest({name: (len(data), sha256(data)) for name, data in files.items()})
    write_atomically(folder / MANIFEST, manifest)
    return sha256(manifest)


def _manifest(listed: Mapping[str, tuple[int, str]]) -> bytes:
    entries = {name: {"bytes": size, "sha256": digest} for name, (size, digest) in sorted(listed.items())}
    return json.dumps({"schema": 1, "files": entries}, indent=1).encode()


def _listed(manifest: bytes) -> dict[str, tuple[int, str]]:
    values = is_(strict_json(manifest), dict)
    fields_of(values, {"schema", "files"})
    listed = {}
    for name, entry in is_(values["files"], dict).items():
        fields_of(is_(entry, dict), {"bytes", "sha256"})
        listed[name] = bounded(entry["bytes"], 0, _LARGE), text(entry["sha256"])
    if _manifest(listed) != manifest:
        raise ValueError("it was altered")
    return listed


def read_verified(folder: Path, names: tuple[str, ...]) -> tuple[dict[str, bytes], str]:
    """The content of exactly these files, each checked against the manifest; and the manifest's hash.

    Raises ArtefactError if a file is missing, longer or shorter than listed, altered by so much as one bit, or a link.
    Other files in the folder are never opened.
    """
    with reading(folder / MANIFEST, _REFETCH):
        try:
            manifest = read_whole(folder / MANIFEST, _SMALL)
        except FileNotFoundError as error:
            raise ArtefactError(f"{folder} has no {MANIFEST}.", "Name a run folder or a generator folder.") from error
        listed = _listed(manifest)
    if set(listed) != set(names):
        raise ArtefactError(f"{folder / MANIFEST} lists {sorted(listed)}, not {sorted(names)}.", _REFETCH)
    contents = {}
    for name in names:
        path = folder / name
        size, digest = listed[name]
        try:
            contents[name] = read_whole(path, size)
        except FileNotFoundError as error:
            raise ArtefactError(f"{path} is missing.", _REFETCH) from error
        if len(contents[name]) != size:
            raise ArtefactError(f"{path} has not the size that its manifest states.", _REFETCH)
        if sha256(contents[name]) != digest:
            raise ArtefactError(f"{path} was altered: its hash is not the one in the manifest.", _REFETCH)
    return contents, sha256(manifest)
