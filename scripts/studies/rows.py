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
from scripts.studies.lib.results import RESULTS, Line, find, put, read
from scripts.studies.lib.words import table

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


def render() -> str:
    """A part of docs/study.md; "" where nothing was played."""
    lines = read(FILE)
    if not lines:
        return ""

    def told(change: Line) -> str:
        return f"{100 * change['mean']:+.1f} ({100 * change['low']:+.1f} to {100 * change['high']:+.1f})"

    rows = []
    for line in lines:
        first, *others = line["rungs"]
        changes = {one["rung"]: told(one) for one in others}
        rows.append([
            f"{line['table']}, draw {line['draw']}", str(line["test"]), f"{100 * first['test']:.1f}",
            *(changes.get(name, "-") for name in ("logistic", "mean")), line["best"].replace(": real", ""),
            f"{told(line['change'])}: {line['verdict']}", f"{100 * line['detectable']:.1f}",
        ])  # fmt: skip
    return "\n".join([
        "## Rows of a table\n",
        f"Figures by `{MODULE}`: tables of scikit-learn, {LIMIT} rows of each class (a fifth of them for validation) "
        f"to train on, all others to test on, and a generator of {STEPS:,} rounds of `wgan_gp`; a full bench of ten "
        "seeds. Accuracy of gradient boosting on the test rows in %; changes in points, with the 95 % interval that "
        "decides. The last column: the change by synthetic rows that would be found four times in five.\n",
        table(["table", "test rows", "as it is", "logistic regression", "mean of both", "chosen",
               "synthetic rows on top of the best of the rest", "would be found"], rows),
        f"{lines[-1]['machine']['cpu']}, {lines[-1]['date']}.\n",
    ])  # fmt: skip


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
