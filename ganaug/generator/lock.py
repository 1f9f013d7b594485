"""One writer at a time: a lock on a folder that the system gives up by itself when its holder dies."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from ganaug.errors import OutputInUseError

LOCK = ".lock"  # stays in the folder; it is the lock on it that counts, not that it exists

if os.name == "posix":
    import fcntl

    def _try(file: BinaryIO) -> bool:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        return True
else:
    import msvcrt

    def _try(file: BinaryIO) -> bool:
        try:
            file.seek(1 << 20)  # beyond what is written, so that the holder's name can be read
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined]
        except OSError:
            return False
        return True


@contextmanager
def sole_writer(folder: Path) -> Iterator[None]:
    """Hold `folder` for writing. Raises OutputInUseError, naming the holder, if another process holds it.

    The lock belongs to an open file, so it ends with the process however that ends: nothing has to be cleaned up.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / LOCK).open("ab+") as file:
        if not _try(file):
            raise OutputInUseError(
                f"{folder} is being written by {_holder(file)}.",
                "Wait for it to end, stop it, or choose another folder.",
            )
        file.seek(0)
        file.truncate()
        facts = {"pid": os.getpid(), "host": socket.gethostname(), "since": time.strftime("%Y-%m-%d %H:%M:%S")}
        file.write(json.dumps(facts).encode())
        file.flush()
        yield


def _holder(file: BinaryIO) -> str:
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
        file.seek(0)
        facts = json.loads(file.read(1000))
        return f"process {int(facts['pid'])} on {str(facts['host'])[:80]!r} since {str(facts['since'])[:19]}"
    return "another process"
