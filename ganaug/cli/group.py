"""The group of commands, and the options that every command has."""

from __future__ import annotations

import contextlib
import functools
import importlib
import inspect
import json
import os
import sys
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import rich_click as click

from ganaug import __version__
from ganaug.reporting import plain

COMMANDS = (
    "check",
    "split",
    "fit",
    "preview",
    "measure",
    "doctor",
    "choose",
    "features",
    "bench",
    "describe",
    "augment",
    "recipes",
)  # in the order of a user's steps; each is a function of the module of its name


class _Commands(click.RichGroup):
    """A group that imports the module of a command only when it is used."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in COMMANDS:
            return None
        return vars(importlib.import_module(f"ganaug.cli.{name}"))[name]


class DataCommand(click.RichCommand):
    """A command that reads DATA: its help ends with the kinds that there are. tables: whether one may be given."""

    tables = True

    @property
    def epilog(self) -> str | None:
        from ganaug.data.sources.source import sources_in_words

        return f"DATA: {sources_in_words()}{'; a table is a .csv file (with --target)' if self.tables else ''}."

    @epilog.setter
    def epilog(self, value: str | None) -> None:
        pass


@click.rich_config({"text_paragraph_linebreaks": "\n\n", "padding_helptext_first_line": (0, 0, 1, 0)})
@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="ganaug")
def cli() -> None:
    """I have too few images: what helps? Find out on your own images, with your own classifier. Train a GAN on them,
    and find out whether its images help on top of the best of the rest.

    \b
    ganaug check   data/train
    ganaug split   data/photos --test 0.25
    ganaug bench   data/train --test data/test --out runs/what_helps
    ganaug fit     data/train --out runs/leaves --budget 10m
    ganaug preview runs/leaves
    ganaug measure runs/leaves data/train
    ganaug doctor  runs/leaves
    ganaug choose  runs/leaves data/train
    ganaug features runs/leaves data/train --out leaves.npz
    ganaug bench   data/train --test data/test --run runs/leaves --out runs/bench
    ganaug augment runs/leaves --balance --out data/train_synth
    """


class Told(NamedTuple):
    """What a command found: as JSON, as lines, and the exit code."""

    values: dict[str, Any]
    lines: list[str]
    code: int = 0


def common(command: Callable[..., Told | None]) -> Callable[..., None]:
    """--seed, --json and --quiet: the command gets `seed`, where it draws, and `report`, and what it tells is printed,
    as JSON on request, else as lines, in which names cannot command the terminal; nothing where another process tells
    it. An interruption says what is kept, with exit code 130."""
    takes = inspect.signature(command).parameters.values()
    draws = any(one.name == "seed" or one.kind is inspect.Parameter.VAR_KEYWORD for one in takes)

    @functools.wraps(command)
    def stoppable(*args: Any, as_json: bool, quiet: bool, **options: Any) -> None:
        from ganaug.reporting.console import terminal

        if not draws:
            del options["seed"]
        try:
            with _elsewhere() if as_json else contextlib.nullcontext(), terminal(quiet) as report:
                told = command(*args, report=report, **options)
            if told is None:
                return
            values, lines, code = told
            click.echo(json.dumps(values) if as_json else "\n".join(map(plain, lines)))
        except KeyboardInterrupt as stop:
            click.echo(f"Interrupted: {str(stop) or 'stopped'}.", err=True)
            raise SystemExit(130) from None
        if code:
            raise SystemExit(code)

    seed_of = "Seed of all random numbers." if draws else "No effect: nothing here is random."
    for option in (
        click.option("--quiet", "-q", is_flag=True, help="No progress; results and errors only."),
        click.option("--json", "as_json", is_flag=True, help="Print the result as one JSON object."),
        click.option("--seed", type=click.IntRange(0), default=0, metavar="N", show_default=True, help=seed_of),
    ):
        stoppable = option(stoppable)
    return stoppable


@contextlib.contextmanager
def _elsewhere() -> Iterator[None]:
    """What other people's code prints meanwhile goes to standard error, also from other processes."""
    with contextlib.redirect_stdout(sys.stderr), contextlib.ExitStack() as stack:
        with contextlib.suppress(OSError):  # one of them is closed
            kept = os.dup(1)
            stack.callback(os.close, kept)
            os.dup2(2, 1)
            stack.callback(os.dup2, kept, 1)
        yield


def number(name: str, text: str) -> float:
    """A number that a user typed where a word would do too."""
    try:
        return float(text)
    except ValueError as error:
        raise click.BadParameter(f"{text!r} is neither a number nor auto.", param_hint=f"--{name}") from error
