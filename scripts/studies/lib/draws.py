"""Draws of a study: each is a pure function of its names, and gives a line. What is there is not played again."""

from __future__ import annotations

import argparse
import functools
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import as_completed

from ganaug.evaluation.trials.executor import executor_at
from scripts.studies.lib.facts import AbsentError
from scripts.studies.lib.results import Line, find, put

Play = Callable[..., Line]


def play_all(asked: argparse.Namespace, play: Play, draws: Iterable[Line], said: Callable[[Line], str]) -> None:
    """Play what is not in `asked.results`, keep each line as it comes, and print what is `said` of it.

    play: gives the line of the named values of a draw, such as cell="wine-20", draw=3; on `asked.executor` it is played
    there, so that it must be a function of a module, or a partial one. What needs a data set that is not there is told.
    """
    lacking = [names for names in draws if find(asked.results, **names) is None]
    for names, found in _here(play, lacking) if asked.executor is None else _there(asked.executor, play, lacking):
        title = ", ".join(map(str, names.values()))
        if isinstance(found, AbsentError):
            print(f"{title}: {found}", flush=True)
        else:
            put(asked.results, {**names, **found}, *names)
            print(f"{title}: {said(found)}", flush=True)


def _here(play: Play, draws: Iterable[Line]) -> Iterator[tuple[Line, Line | AbsentError]]:
    for names in draws:
        yield names, _played(play, names)


def _there(address: str, play: Play, draws: Iterable[Line]) -> Iterator[tuple[Line, Line | AbsentError]]:
    with executor_at(address) as executor:
        sent = {executor.submit(functools.partial(_played, play), names): names for names in draws}
        for future in as_completed(sent):
            yield sent[future], future.result()


def _played(play: Play, names: Line) -> Line | AbsentError:
    try:
        return play(**names)
    except AbsentError as error:
        return error
