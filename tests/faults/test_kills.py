"""Killed at random instants, work goes on and ends with the bytes of work that never was interrupted."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="forks and counts threads")


def module(name: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    """What a module prints that is run as a program."""
    return subprocess.run(
        [sys.executable, "-m", name, *map(str, arguments)],
        capture_output=True, text=True, cwd=Path(__file__).parents[2], env={**os.environ, "OMP_NUM_THREADS": "1"},
    )  # fmt: skip


def killed(kind: str, kills: int, folder: Path, seed: int = 0) -> dict:
    """Counts of `killing.py`, in a process of its own: a fork takes along what other tests left."""
    done = module("tests.faults.killing", kind, kills, seed, folder)
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout)


@pytest.mark.long
def test_kills_of_fits(tmp_path):
    counts = killed("fit", 15, tmp_path)
    assert counts["wrong"] == []
    assert counts["kills"] >= 15
    assert counts["advanced"] >= counts["kills"] / 2  # resumed from a step above 0
    assert counts["chains"] >= 2


@pytest.mark.long
@pytest.mark.parametrize(("kind", "kills"), [("augment", 10), ("shards", 3), ("pool", 10), ("bench", 5)])
def test_kills_of_folders_pools_and_benches(kind, kills, tmp_path):
    for seed in range(8):  # until a kill left something, to go on from or to be cleared away: when it does is chance
        counts = killed(kind, kills, tmp_path / f"try {seed}", seed)
        assert counts["wrong"] == []
        assert counts["kills"] >= kills
        if counts["advanced"]:
            return
    pytest.fail("No kill left anything.")


@pytest.mark.long
def test_fifty_trials_of_writers_and_readers_at_once(tmp_path):
    done = module("tests.faults.writing", 50, 0, tmp_path)
    assert done.returncode == 0, done.stderr[-3000:]
    counts = json.loads(done.stdout)
    assert counts["wrong"] == 0
    assert counts["trials"] == counts["reclaimed"] == 50
    assert counts["won"] >= 100 - counts["killed"]  # one of the three, unless it was killed, and the late one
    assert min(counts["refused"], counts["reads"], counts["killed"]) > 0
