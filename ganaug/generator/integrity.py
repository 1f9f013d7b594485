"""Folders that are whole or refused: every file is listed in a manifest with its size and SHA-256."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

from ganaug.errors import ArtefactError, DiskFullError

MANIFEST = "manifest.json"
_REFETCH = "Fetch or make it again."


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def write_atomically(path: Path, data: bytes) -> None:
    """Write a file so that a crash leaves either the old or the new content: temporary file, fsync, rename, fsync."""
    path.parent.mkdir(parents=True, exist_ok=True)
    need_space(path.parent, len(data))
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
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


def sync_folder(folder: Path) -> None:
    """Make a rename in this folder durable (where the system lets one open folders)."""
    if os.name == "posix":
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def need_space(folder: Path, size: int, spare: int = 1 << 20) -> None:
    """Raise DiskFullError unless `size` bytes (and a little more) are free where `folder` is or will be."""
    existing = folder
    while not existing.exists():
        existing = existing.parent
    free = shutil.disk_usage(existing).free
    if free < size + spare:
        raise DiskFullError(
            f"{folder} needs {size + spare:,} bytes, {free:,} are free.", "Free some space or choose another folder."
        )


def write_manifest(folder: Path, files: Mapping[str, bytes]) -> str:
    """Write the files, then, as the commit, a manifest of their sizes and hashes; gives the manifest's own hash."""
    for name, data in files.items():
        write_atomically(folder / name, data)
    entries = {name: {"bytes": len(data), "sha256": sha256(data)} for name, data in sorted(files.items())}
    manifest = json.dumps({"schema": 1, "files": entries}, indent=1).encode()
    write_atomically(folder / MANIFEST, manifest)
    return sha256(manifest)


def read_verified(folder: Path, names: tuple[str, ...]) -> tuple[dict[str, bytes], str]:
    """The content of exactly these files, each checked against the manifest; and the manifest's hash.

    Raises ArtefactError if a file is missing, longer or shorter than listed, or altered by so much as one bit.
    """
    try:
        manifest = (folder / MANIFEST).read_bytes()
        entries = json.loads(manifest)["files"]
        listed = {name: (entry["bytes"], entry["sha256"]) for name, entry in entries.items()}
    except FileNotFoundError as error:
        raise ArtefactError(f"{folder} has no {MANIFEST}.", "Name a run folder or a generator folder.") from error
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ArtefactError(f"{folder / MANIFEST} cannot be read: {error}.", _REFETCH) from error
    if set(listed) != set(names):
        raise ArtefactError(f"{folder / MANIFEST} lists {sorted(listed)}, not {sorted(names)}.", _REFETCH)
    contents = {}
    for name in names:
        path = folder / name
        size, digest = listed[name]
        try:
            if path.stat().st_size != size:
                raise ArtefactError(f"{path} has not the size that its manifest states.", _REFETCH)
            contents[name] = path.read_bytes()
        except OSError as error:
            raise ArtefactError(f"{path} cannot be read: {error.strerror}.", _REFETCH) from error
        if sha256(contents[name]) != digest:
            raise ArtefactError(f"{path} was altered: its hash is not the one in the manifest.", _REFETCH)
    return contents, sha256(manifest)
