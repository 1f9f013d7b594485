"""The command line of a study: its documentation as help, and options that several have."""

from __future__ import annotations

import argparse
from pathlib import Path

from scripts.studies.lib.results import RESULTS


def options(documentation: str | None, results: str = "", *, draws: bool = False) -> argparse.ArgumentParser:
    """A parser. results: name of the file that the study keeps its lines in, for `--results`. draws: they are played by
    `play_all`, so that an executor may play them."""
    parser = argparse.ArgumentParser(description=documentation, formatter_class=argparse.RawDescriptionHelpFormatter)
    if results:
        file = RESULTS / f"{results}.jsonl"
        parser.add_argument("--results", type=Path, default=file, metavar="FILE", help=f"[{file.name} in results/]")
    if draws:
        where = "of a Dask scheduler whose workers play the draws; started in this folder, they find this package"
        parser.add_argument("--executor", metavar="ADDRESS", help=where)
    return parser


def count(text: str) -> int:
    """A number from 1, for `type=`."""
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text} is below 1")
    return number
