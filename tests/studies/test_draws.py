"""Draws of a study are played once, here or on an executor."""

from __future__ import annotations

import multiprocessing
from argparse import Namespace
from concurrent.futures import ProcessPoolExecutor
from functools import partial

import pytest

from scripts.studies.lib import draws
from scripts.studies.lib.facts import AbsentError
from scripts.studies.lib.results import read

DRAWS = [{"cell": cell, "draw": draw} for cell in ("ant", "bee", "gone") for draw in range(2)]


def play(cell, draw, *, scale):
    if cell == "gone":
        raise AbsentError("There is no set gone.", "Fetch it.")
    return {"value": scale * draw}


def pool(address):
    assert address == "tcp://somewhere:1"
    return ProcessPoolExecutor(1, multiprocessing.get_context("spawn"))


@pytest.mark.parametrize("executor", [None, "tcp://somewhere:1"])
def test_what_is_lacking_is_played_and_what_lacks_its_data_is_told(tmp_path, monkeypatch, capsys, executor):
    monkeypatch.setattr(draws, "executor_at", pool)
    for scale, where in ((10, executor), (1000, None)):  # the second time all is there
        asked = Namespace(results=tmp_path / "lines.jsonl", executor=where)
        draws.play_all(asked, partial(play, scale=scale), DRAWS, lambda line: f"value {line['value']}")
    kept = [(line["cell"], line["draw"], line["value"]) for line in read(asked.results)]
    assert kept == [("ant", 0, 0), ("ant", 1, 10), ("bee", 0, 0), ("bee", 1, 10)]
    said = capsys.readouterr().out.splitlines()
    played = ["ant, 0: value 0", "ant, 1: value 10", "bee, 0: value 0", "bee, 1: value 10"]
    lacking = [f"gone, {draw}: There is no set gone. Fetch it." for draw in range(2)]
    assert sorted(said) == sorted([*played, *lacking, *lacking])
