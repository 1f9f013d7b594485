"""Progress for people: a bar with the time left on a terminal and in a notebook; plain lines, or nothing, elsewhere."""

from __future__ import annotations

import importlib
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, Task, TextColumn
from rich.table import Column
from rich.text import Text

from ganaug.reporting import Report, printable, silent

LINE_SECONDS = 10.0  # between two plain lines of one phase


@contextmanager
def terminal(quiet: bool) -> Iterator[Report]:
    """A report that shows on standard error; silent if quiet. A total of 0 marks a remark: a line of its own."""
    if quiet:
        yield silent
    elif sys.stderr.isatty():
        with _bars() as report:
            yield report
    else:
        yield _lines()


@contextmanager
def where_seen() -> Iterator[Report]:
    """A report for Python that shows where a person looks: on a terminal and in a notebook, there as lines where
    ipywidgets, which bars need, is missing. Silent elsewhere: a log is the program's own."""
    notebook = Console(stderr=True).is_jupyter
    if notebook and not _has_widgets():
        yield _lines()
    elif notebook or (sys.stderr is not None and sys.stderr.isatty()):
        with _bars() as report:
            yield report
    else:
        yield silent


def _has_widgets() -> bool:
    try:
        importlib.import_module("ipywidgets")
    except ImportError:
        return False
    return True


@contextmanager
def _bars() -> Iterator[Report]:
    whole = Column(no_wrap=True)  # where the terminal is narrow, the free text is cut and nothing else
    columns = (
        TextColumn("{task.description}", table_column=whole),
        BarColumn(bar_width=16, table_column=whole.copy()),
        MofNCompleteColumn(table_column=whole.copy()),
        _Clock(table_column=whole.copy()),
        _Detail(table_column=Column()),
    )
    progress, tasks = Progress(*columns, console=Console(stderr=True)), {}

    def report(phase: str, done: int, total: int, detail: str = "") -> None:
        progress.start()  # not before: many commands have nothing to report
        detail = printable(detail)  # it may hold the name of a class
        if phase not in tasks and done == total <= 1:  # a remark: nothing to wait for
            progress.console.print(f"{phase}: {detail}", markup=False, highlight=False)
            return
        if phase not in tasks:
            tasks[phase] = progress.add_task(phase, total=total, detail=detail, completed=0)
        progress.update(tasks[phase], completed=done, total=total, detail=detail)

    try:
        yield report
    finally:
        if progress.live.is_started:
            progress.stop()


class _Clock(ProgressColumn):
    """The time that is left; at the end, the time it took."""

    def render(self, task: Task) -> Text:
        if task.finished:
            return Text(_clock(task.finished_time or 0))
        left = task.time_remaining
        return Text("-:-- left" if left is None else f"{_clock(left)} left")


class _Detail(ProgressColumn):
    """Free text, on one line."""

    def render(self, task: Task) -> Text:
        return Text(task.fields["detail"], no_wrap=True, overflow="ellipsis")


def _lines() -> Report:
    began: dict[str, tuple[float, int]] = {}  # when, and how much was done then: a resumed fit begins above 0
    last: dict[str, tuple[float, int]] = {}

    def report(phase: str, done: int, total: int, detail: str = "") -> None:
        detail = printable(detail)
        if not total:
            print(f"{phase}: {detail}", file=sys.stderr, flush=True)
            return
        now = time.monotonic()
        first = phase not in began or done < last[phase][1]  # the phase begins again
        if first:
            began[phase] = now, done
        elif done < total and now - last[phase][0] < LINE_SECONDS:
            return
        last[phase] = now, done
        elapsed, gone = now - began[phase][0], done - began[phase][1]
        left = f", {_clock(elapsed / gone * (total - done))} left" if gone and done < total and elapsed > 1 else ""
        print(f"{phase}: {done}/{total}{left}  {detail}".rstrip(), file=sys.stderr, flush=True)

    return report


def _clock(seconds: float) -> str:
    minutes, seconds = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{seconds:02d}" if hours else f"{minutes}:{seconds:02d}"
