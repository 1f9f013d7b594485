"""Progress in Python: shown where somebody looks, silent elsewhere, and results as HTML."""

from __future__ import annotations

import io
import sys

import pytest
from rich.console import Console
from rich.text import Text

import ganaug
from ganaug.errors import OptionError
from ganaug.reporting import automatic, console, notebook, shows_progress, silent


@shows_progress
def work(fails: bool = False, *, report=automatic) -> object:
    report("work", 1, 2, "half")
    if fails:
        raise OptionError("It fails.")
    report("work", 2, 2, "whole")
    return report


class Screen(io.StringIO):
    def isatty(self) -> bool:
        return True


def terminal(monkeypatch: pytest.MonkeyPatch) -> Screen:
    """A terminal in place of the standard error, from here on; a fixture would set it before pytest sets its own."""
    screen = Screen()
    monkeypatch.setattr(sys, "stderr", screen)
    monkeypatch.setattr(console, "Console", lambda stderr: Console(file=screen, width=80, force_terminal=True))
    return screen


def text(screen: io.StringIO) -> str:
    return Text.from_ansi(screen.getvalue()).plain


def test_nothing_is_shown_where_nobody_looks(capfd, monkeypatch):
    assert work() is silent
    monkeypatch.setattr(sys, "stderr", None)  # a program without a terminal
    assert work() is silent
    assert capfd.readouterr() == ("", "")


def test_a_terminal_shows_bars_which_end_with_the_work_also_where_it_fails(monkeypatch):
    screen = terminal(monkeypatch)
    work()
    assert "2/2" in text(screen)
    with pytest.raises(OptionError):
        work(True)
    hidden, shown = "\x1b[?25l", "\x1b[?25h"  # the cursor
    assert screen.getvalue().count(hidden) == screen.getvalue().count(shown) == 2


def test_a_report_of_ones_own_is_told_in_their_place(monkeypatch):
    screen, told = terminal(monkeypatch), []
    work(report=lambda *of: told.append(of))
    work(report=ganaug.silent)
    assert told == [("work", 1, 2, "half"), ("work", 2, 2, "whole")]
    assert screen.getvalue() == ""


@pytest.mark.parametrize("widgets", [True, False])
def test_a_notebook_shows_bars_or_lines_where_these_need_a_package(widgets, monkeypatch, capsys):
    screen = io.StringIO()

    def notebook_console(stderr: bool) -> Console:
        return Console(file=screen, width=80, force_jupyter=False) if started else Console(force_jupyter=True)

    started: list[bool] = []
    monkeypatch.setattr(console, "Console", notebook_console)
    monkeypatch.setattr(console, "_has_widgets", lambda: started.append(True) or widgets)
    work()
    assert ("2/2" in screen.getvalue()) == widgets
    assert ("work: 2/2" in capsys.readouterr().err) == (not widgets)


def test_a_fit_shows_its_progress_on_a_terminal(monkeypatch, tmp_path):
    screen = terminal(monkeypatch)
    ganaug.fit("digits", tmp_path / "run", steps=3, limit=10)
    assert "3/3" in text(screen)
    before = len(screen.getvalue())
    ganaug.fit("digits", tmp_path / "quiet", steps=3, limit=10, report=ganaug.silent)
    assert len(screen.getvalue()) == before


def test_html_says_names_and_does_not_obey_them():
    page = notebook.block("<script>", ["a & b", "x\x1b[2J"], table="1 < 2\n3")
    assert page == (
        "<p><b>&lt;script&gt;</b></p><p>a &amp; b</p><p>x\\x1b[2J</p>"
        '<pre style="white-space: pre-wrap">1 &lt; 2\n3</pre>'
    )
