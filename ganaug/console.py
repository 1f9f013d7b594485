"""Progress on a terminal: a bar with the time left; plain lines where the output is not a terminal."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from ganaug.reporting import Report, silent

LINE_SECONDS = 10.0  # between two plain lines of one phase


@contextmanager
def terminal(quiet: bool) -> Iterator[Report]:
    """A report that shows on standard error; silent if quiet."""
    if quiet:
        yield silent
    elif sys.stderr.isatty():
        with _bars() as report:
            yield report
    else:
        yield _lines()


@contextmanager
def _bars() -> Iterator[Report]:
    columns = (
        TextColumn("{task.description}"),
        BarColumn(bar_width=24),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[detail]}", markup=False),
    )
    with Progress(*columns, console=Console(stderr=True)) as progress:
        tasks = {}

        def report(phase: str, done: int, total: int, detail: str = "") -> None:
            if phase not in tasks:
                tasks[phase] = progress.add_task(phase, total=total, detail=detail, completed=0)
            progress.update(tasks[phase], completed=done, total=total, detail=detail)

        yield report


def _lines() -> Report:
    began: dict[str, float] = {}
    last: dict[str, float] = {}

    def report(phase: str, done: int, total: int, detail: str = "") -> None:
        now = time.monotonic()
        first = phase not in began
        began.setdefault(phase, now)
        if not first and done < total and now - last[phase] < LINE_SECONDS:
            return
        last[phase] = now
        elapsed = now - began[phase]
        left = f", {_clock(elapsed / done * (total - done))} left" if 0 < done < total and elapsed > 1 else ""
        print(f"{phase}: {done}/{total}{left}  {detail}".rstrip(), file=sys.stderr, flush=True)

    return report


def _clock(seconds: float) -> str:
    minutes, seconds = divmod(int(seconds), 60)
    return f"{minutes}:{seconds:02d}"
