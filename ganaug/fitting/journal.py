"""`metrics.jsonl`: a line of mean losses every so many rounds, and a line for each check-up and each intervention, each
with a hash of itself. What is written goes to the user's tracker, too."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TextIO

import numpy as np

from ganaug.errors import TrackerError
from ganaug.files.functions import staying
from ganaug.files.integrity import open_plain, sealed_line

Track = Callable[[int, dict[str, Any]], None]  # (step, values by name)


def untracked(step: int, values: dict[str, Any]) -> None:
    """Keep nothing."""


class Journal:
    """sums: values of each term that wait for the next line."""

    def __init__(self, file: Path, track: Track = untracked):
        self.file, self.track = file, track
        self.sums: dict[str, list[float]] = {}
        self._open: TextIO | None = None

    def begin(self, size: int, sums: Mapping[str, list[float]]) -> None:
        """Go on after `size` bytes: forget lines about rounds that will be played again."""
        self.close()
        handle = open_plain(self.file, os.O_RDWR | os.O_CREAT | os.O_APPEND)
        os.ftruncate(handle, min(size, os.fstat(handle).st_size))
        self.sums = {name: list(values) for name, values in sums.items()}
        self._open = os.fdopen(handle, "a", encoding="utf-8")

    def add(self, losses: Mapping[str, float]) -> None:
        for name, value in losses.items():
            self.sums.setdefault(name, []).append(value)

    def write(self, step: int, speed: float) -> None:
        """The means since the last line."""
        means = {name: float(np.mean(values)) for name, values in self.sums.items()}
        self.note({"step": step, "steps_per_second": round(speed, 3), **means})
        self.sums.clear()

    def note(self, values: Mapping[str, Any]) -> None:
        assert self._open is not None
        self._open.write(sealed_line(values))
        self.tell(values["step"], {name: value for name, value in values.items() if name != "step"})

    def tell(self, step: int, values: dict[str, Any]) -> None:
        """Hand values on to the tracker. Raises TrackerError where it fails, in whatever way."""
        try:
            with staying():
                self.track(step, values)
        except Exception as error:
            cause = f"The tracker failed at step {step}: {type(error).__name__}: {error}."
            raise TrackerError(cause, "Mend it or leave it out, and go on with --resume (resume=True).") from error

    def keep(self) -> int:
        """Make sure of all lines; gives how many bytes they are."""
        assert self._open is not None
        self._open.flush()
        os.fsync(self._open.fileno())
        return self._open.tell()

    def close(self) -> None:
        if self._open is not None:
            self._open.close()
            self._open = None
