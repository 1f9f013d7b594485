"""Who works on something, in a few bytes: a process by its machine, number and beginning; and whether it is gone."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import json
import os
import socket
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from ganaug.files.checked import bounded, is_, strict_json, text


@dataclass(frozen=True)
class Owner:
    """A process. since: when it began to work. place: that within which a number means one process: machine, boot and
    namespace; "" where it is not known. begun: when the system began the process, in the system's own words, or ""."""

    pid: int
    host: str
    since: str
    place: str
    begun: str

    def __str__(self) -> str:
        return f"process {self.pid} on {self.host!r} since {self.since}"

    @property
    def mark(self) -> str:
        """For the name of a file: what `gone_by` needs."""
        return f"{self.place}-{self.pid}-{self.begun}"

    @property
    def near(self) -> bool:
        """Whether it can be seen from here."""
        return os.name == "posix" and self.place == _place()

    @property
    def gone(self) -> bool:
        """Whether it has ended for certain, however it ended; never known of a process elsewhere."""
        return self.near and _gone(self.pid, self.begun)

    def to_bytes(self) -> bytes:
        return json.dumps(asdict(self)).encode()

    @staticmethod
    def of(data: bytes) -> Owner | None:
        """The owner that signed so; None for anything else."""
        with contextlib.suppress(ValueError, KeyError, TypeError):
            values = is_(strict_json(data), dict)
            said = {name: text(values.get(name, ""))[:80] for name in ("host", "since", "place", "begun")}
            return Owner(bounded(values["pid"], 1, 2**31 - 1), **said)
        return None

    @staticmethod
    def myself() -> Owner:
        pid = os.getpid()
        return Owner(pid, socket.gethostname(), time.strftime("%Y-%m-%d %H:%M:%S"), _place(), _state(pid)[1])


def gone_by(mark: str) -> bool:
    """Whether the process of an `Owner.mark` has ended for certain."""
    place, _, rest = mark.partition("-")
    pid, _, begun = rest.partition("-")
    known = os.name == "posix" and place == _place() and pid.isdecimal() and 0 < int(pid) < 2**31
    return known and _gone(int(pid), begun)


def _gone(pid: int, begun: str) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    except OSError:  # it is there, and another user's
        pass
    state, since = _state(pid)
    return state == "Z" or bool(begun and since and begun != since)


def _state(pid: int) -> tuple[str, str]:
    """What Linux tells of a process: a letter for what it does, and the tick at which it began; "" elsewhere."""
    try:
        words = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return words[0], words[19]
    except (OSError, IndexError):
        return "", ""


@functools.cache
def _place() -> str:
    marks = [socket.gethostname()]
    with contextlib.suppress(OSError):
        marks.append(Path("/proc/sys/kernel/random/boot_id").read_text())
    with contextlib.suppress(OSError):
        marks.append(os.readlink("/proc/self/ns/pid"))
    return hashlib.sha256("\n".join(marks).encode()).hexdigest()[:12]
