"""The long versions of the tests in tests/faults and tests/fuzz: kills, mutants, and writers at once.

    python -m pytest -m soak                 # all, forty minutes of one core
    python -m pytest -m soak -k "kill-fit"   # one kind
    python -m pytest -m soak --lf            # go on with what failed

Each cell has a seed of its own and works in a process of its own. The table at the end adds up what the cells counted.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fuzz import folders, images

ROOT = Path(__file__).parents[2]
# kind -> cells, work in a cell
KINDS = {
    "kill fit": (20, 25),
    "kill augment": (4, 25),
    "kill pool": (4, 25),
    "kill bench": (4, 10),
    "writers": (5, 100),
    "folders": (50, 20_000),
    "images": (20, 10_000),
}
BAD = ("wrong", "silent", "executed", "crashed")  # counts that must be zero
CELLS = [
    pytest.param(kind, work, seed, id=f"{kind.replace(' ', '-')}-{seed}")
    for kind, (cells, work) in KINDS.items()
    for seed in range(cells)
]


@pytest.mark.soak
@pytest.mark.parametrize(("kind", "work", "seed"), CELLS)
def test_soak(kind: str, work: int, seed: int, tmp_path: Path, record_property) -> None:
    counts = counted(kind, work, seed, tmp_path)
    totals = {name: len(value) if isinstance(value, list) else value for name, value in counts.items()}
    record_property("soak", (kind, totals))
    assert not any(totals.get(name) for name in BAD), counts


def counted(kind: str, work: int, seed: int, folder: Path) -> dict:
    """What a cell found."""
    if kind.startswith("kill "):
        return printed("tests.faults.killing", kind.removeprefix("kill "), work, seed, folder)
    if kind == "writers":
        return printed("tests.faults.writing", work, seed, folder)
    if kind == "folders":
        run = folders.source(folder / "run")
        with folders.workplace() as place:
            return {"mutants": work, **vars(folders.run(work, seed, run, place))}
    return {"mutants": work, **vars(images.run(work, seed))}


def printed(module: str, *arguments: object) -> dict:
    """The last line that a module prints, which is JSON, in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", module, *map(str, arguments)],
        stdout=subprocess.PIPE, text=True, check=True, cwd=ROOT, env={**os.environ, "OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    return json.loads(done.stdout.splitlines()[-1])
