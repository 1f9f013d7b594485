"""A watch over what the interpreter does: while it is on, it is noted when code runs, modules are imported, processes
start, sockets are opened, or the disk changes outside the allowed folders."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_CODE = (
    "exec",
    "compile",
    "import",
    "code.__new__",
    "function.__new__",
    "marshal.",
    "pickle.",
    "ctypes.",
    "cpython.run",
)
_PROCESS = (
    "subprocess.",
    "os.system",
    "os.exec",
    "os.spawn",
    "os.posix_spawn",
    "os.fork",
    "os.startfile",
    "pty.",
    "os.kill",
)
_NETWORK = ("socket.", "urllib.", "http.", "ftplib.", "smtplib.", "webbrowser.", "poplib.", "imaplib.", "telnetlib.")
_DISK = (
    "os.remove", "os.rename", "os.rmdir", "os.mkdir", "os.link", "os.symlink", "os.truncate", "os.chmod", "os.chown",
    "os.utime", "os.setxattr", "os.removexattr", "shutil.", "tempfile.",
)  # fmt: skip
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND

_state = threading.local()
_installed: list[bool] = []


def _hook(event: str, arguments: tuple) -> None:
    watch = getattr(_state, "watch", None)
    if watch is not None:
        _state.watch = None  # what we do here is not watched
        try:
            watch.see(event, arguments)
        finally:
            _state.watch = watch


class Watch:
    """seen: what was noted, as text. writes: the only folders in which files may change; code: whether imports and the
    running of code are noted."""

    def __init__(self, writes: tuple[Path, ...], code: bool):
        self.writes = tuple(os.path.realpath(folder) for folder in writes)
        self.code = code
        self.seen: list[str] = []

    def see(self, event: str, arguments: tuple) -> None:
        if event == "socket.gethostname":  # this machine's own name, asked of nobody else
            return
        if event.startswith(_PROCESS + _NETWORK) or (self.code and event.startswith(_CODE)):
            self.seen.append(f"{event} {str(arguments)[:300]}")
        elif event == "open":
            path, mode, flags = arguments
            if (flags or 0) & _WRITING or set(mode or "") & set("wax+"):
                self._changes(event, path)
        elif event.startswith(_DISK):
            for path in [a for a in arguments if isinstance(a, (str, bytes, os.PathLike))][:2]:
                self._changes(event, path)

    def _changes(self, event: str, path) -> None:
        if isinstance(path, int):  # a descriptor: it was opened before
            return
        where = os.path.realpath(os.fsdecode(path))
        if where in ("/dev/null", "/dev/tty") or any(f"{where}/".startswith(f"{folder}/") for folder in self.writes):
            return
        self.seen.append(f"{event} {where}")


@contextmanager
def watched(*writes: Path, code: bool = True) -> Iterator[Watch]:
    """Note what this thread does. The hook stays for good, as hooks do, and does nothing outside of this."""
    if not _installed:
        sys.addaudithook(_hook)
        _installed.append(True)
    watch = Watch(writes, code)
    _state.watch = watch
    try:
        yield watch
    finally:
        _state.watch = None
