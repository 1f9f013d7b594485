"""Tables: what helps a classifier of few rows, and whether rows of wgan_gp help on top of that.

    python -m scripts.studies.rows --draws 3

Each draw takes other rows of a table of scikit-learn for the training, 20 of each class; all others are tested on. A
generator is fitted on the former (1,500 rounds of wgan_gp), and benched. A line a draw in results/rows.jsonl; a draw
that is there is not played again.
"""

from __future__ import annotations

import csv
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.datasets import load_breast_cancer, load_wine

from ganaug.evaluation.bench.run import bench
from ganaug.fitting.fit import fit
from scripts.studies.lib.command import count, options
from scripts.studies.lib.facts import machine, today
from scripts.studies.lib.results import RESULTS, Line, find, put

MODULE = "python -m scripts.studies.rows"
TABLES: dict[str, Callable[[], Any]] = {"breast cancer": load_breast_cancer, "wine": load_wine}
LIMIT, STEPS = 20, 1500  # rows of each class to train on; rounds of the fit
FILE = RESULTS / "rows.jsonl"


def write(bunch: Any, draw: int, out: Path) -> tuple[Path, Path]:
    """CSV files of `LIMIT` rows of each class, and of all others."""
    rng = np.random.default_rng(draw)
    chosen = np.concatenate(
        [rng.permutation(np.flatnonzero(bunch.target == c))[:LIMIT] for c in np.unique(bunch.target)]
    )
    inside = np.isin(np.arange(len(bunch.target)), chosen)
    files = out / "train.csv", out / "test.csv"
    for file, rows in zip(files, (inside, ~inside), strict=True):
        with file.open("w", newline="") as opened:
            writer = csv.writer(opened)
            writer.writerow([*bunch.feature_names, "class"])
            for values, label in zip(bunch.data[rows], bunch.target[rows], strict=True):
                writer.writerow([*(f"{value:g}" for value in values), bunch.target_names[label]])
    return files


def play(name: str, draw: int, out: Path) -> Line:
    """One fit and its bench: what is kept of them."""
    train, test = write(TABLES[name](), draw, out)
    run = fit(train, out / "run", target="class", steps=STEPS, seed=draw, device="cpu")
    found = bench(train, test=test, target="class", run=run, seed=draw, out=out / "bench", device="cpu").data
    kept = ("mean", "low", "high")
    rungs = [
        {"rung": one["rung"], "test": one["test"]["accuracy"]} | {edge: one["difference"][edge] for edge in kept}
        for one in found["ladder"]
    ]
    answer = found["sources"]["run"]
    return {
        "table": name, "draw": draw, "train": found["data"]["train"]["counts"], "rungs": rungs,
        "test": found["data"]["test"]["images"], "best": found["most"]["arms"]["best"]["name"],
        "most": found["most"]["verdict"], "verdict": answer["verdict"], "tried": answer["arms"]["with"]["name"],
        "change": {edge: answer["difference"][edge] for edge in kept}, "detectable": answer["power"]["detectable"],
        "agreement": answer["agreement"]["share"], "seconds": found["seconds"], "machine": machine(), "date": today(),
    }  # fmt: skip


def main(arguments: Sequence[str] | None = None) -> int:
    parser = options(__doc__)
    parser.add_argument("--draws", type=count, default=3, help="divisions of each table")
    asked = parser.parse_args(arguments)
    for name in TABLES:
        for draw in range(asked.draws):
            if find(FILE, table=name, draw=draw) is None:
                with tempfile.TemporaryDirectory() as folder:
                    put(FILE, play(name, draw, Path(folder)), "table", "draw")
    return 0


if __name__ == "__main__":
    sys.exit(main())
