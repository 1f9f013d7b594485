"""Tables and series: what helps a classifier of few rows, and whether rows of a generator help on top of that.

    python -m scripts.studies.rows --draws 10                    # goes on where it was
    python -m scripts.studies.rows --cells wine-20 --draws 3

A cell is a set of scikit-learn and a number of rows of each class. Each draw takes other rows for the training; all
others are tested on. The digits are series here: eight values at each of eight times. A generator is fitted on the
training rows (1,500 rounds of wgan_gp; for series, of rcgan), and benched. A line a draw in results/rows.jsonl; a draw
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
from sklearn.datasets import load_breast_cancer, load_digits, load_wine

from ganaug.evaluation.bench.run import bench
from ganaug.fitting.fit import fit
from scripts.studies.lib.command import count, options
from scripts.studies.lib.draws import play_all
from scripts.studies.lib.facts import machine, today
from scripts.studies.lib.results import RESULTS, Line, read
from scripts.studies.lib.words import interval, table

MODULE = "python -m scripts.studies.rows"
SETS: dict[str, Callable[[], Any]] = {
    "breast_cancer": load_breast_cancer, "wine": load_wine, "digits": load_digits,
}  # fmt: skip
SERIES = "digits"
CELLS = {
    f"{name}-{limit}": (name, limit)
    for name, limits in (("breast_cancer", (10, 20, 50)), ("wine", (10, 20)), (SERIES, (10, 20, 50)))
    for limit in limits
}  # fmt: skip
STEPS = 1500  # rounds of the fit
RUNGS = ("logistic", "mean")
FILE = RESULTS / "rows.jsonl"


def divided(labels: np.ndarray, limit: int, draw: int) -> tuple[np.ndarray, np.ndarray]:
    """`limit` rows of each class, and all others: bool (N,) each."""
    rng = np.random.default_rng(draw)
    chosen = np.concatenate([rng.permutation(np.flatnonzero(labels == c))[:limit] for c in np.unique(labels)])
    inside = np.isin(np.arange(len(labels)), chosen)
    return inside, ~inside


def write(bunch: Any, limit: int, draw: int, out: Path) -> tuple[Path, Path]:
    """CSV files of a table: what to train on, what to test on."""
    files = out / "train.csv", out / "test.csv"
    for file, rows in zip(files, divided(bunch.target, limit, draw), strict=True):
        with file.open("w", newline="") as opened:
            writer = csv.writer(opened)
            writer.writerow([*bunch.feature_names, "class"])
            for values, label in zip(bunch.data[rows], bunch.target[rows], strict=True):
                writer.writerow([*(f"{value:g}" for value in values), bunch.target_names[label]])
    return files


def write_series(bunch: Any, limit: int, draw: int, out: Path) -> Path:
    """An .npz file of series (N, 8, 8) of both parts."""
    series, names = bunch.images.transpose(0, 2, 1).astype(np.float32), [str(name) for name in bunch.target_names]
    train, test = divided(bunch.target, limit, draw)
    parts = {"train": train, "test": test}
    arrays = {f"x_{part}": series[rows] for part, rows in parts.items()}
    arrays |= {f"y_{part}": bunch.target[rows] for part, rows in parts.items()}
    np.savez(out / "series.npz", classes=names, **arrays)
    return out / "series.npz"


def play(cell: str, draw: int) -> Line:
    """One fit and its bench: what is kept of them."""
    name, limit = CELLS[cell]
    bunch = SETS[name]()
    how: dict[str, Any] = {"seed": draw, "device": "cpu"}
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder)
        if name == SERIES:
            data = write_series(bunch, limit, draw, out)
            run = fit(data, out / "run", recipe="rcgan", steps=STEPS, **how)
            found = bench(data, run=run, out=out / "bench", **how).data
        else:
            data, test = write(bunch, limit, draw, out)
            run = fit(data, out / "run", target="class", steps=STEPS, **how)
            found = bench(data, test=test, target="class", run=run, out=out / "bench", **how).data
    kept = ("mean", "low", "high")
    rungs = [
        {"rung": one["rung"], "test": one["test"][found["metric"]]} | {edge: one["difference"][edge] for edge in kept}
        for one in found["ladder"] if not one["why not"]
    ]  # fmt: skip
    answer, most, counts = found["sources"]["run"], found["most"], found["data"]["train"]["counts"]
    return {
        "cell": cell, "draw": draw, "metric": found["metric"], "train": counts, "rungs": rungs,
        "test": found["data"]["test"]["images"], "best": most["arms"]["best"]["name"], "most": most["verdict"],
        "most_change": most["difference"]["mean"],
        "verdict": answer["verdict"], "tried": answer["arms"]["with"]["name"],
        "change": {edge: answer["difference"][edge] for edge in kept}, "detectable": answer["power"]["detectable"],
        "agreement": answer["agreement"]["share"], "seconds": found["seconds"], "machine": machine(), "date": today(),
    }  # fmt: skip


def render() -> str:
    """A part of docs/study.md; "" where nothing was played."""
    lines = read(FILE)
    if not lines:
        return ""
    rows = []
    for cell in CELLS:
        own = [line for line in lines if line["cell"] == cell]
        if own:
            changes = [[one["mean"] for line in own for one in line["rungs"] if one["rung"] == name] for name in RUNGS]
            verdicts = [line["verdict"] for line in own]
            rows.append([
                cell, str(len(own)), f"{100 * np.mean([line['rungs'][0]['test'] for line in own]):.1f}",
                *(interval(known) if known else "-" for known in changes),
                interval([line["most_change"] for line in own]), interval([line["change"]["mean"] for line in own]),
                ", ".join(f"{name} {verdicts.count(name)}" for name in dict.fromkeys(verdicts)),
            ])  # fmt: skip
    return "\n".join([
        "## Rows of a table, and series\n",
        f"Figures by `{MODULE}`: sets of scikit-learn, so many rows of each class (a fifth of them for validation) to "
        "train on, all others to test on; the digits as series of eight values at eight times. The generator plays "
        f"{STEPS:,} rounds of `wgan_gp`, or of `rcgan` for series; a full bench of ten seeds. Accuracy of gradient "
        "boosting as it is, on the test rows in %; changes in points, with Student's 95 % interval where there are "
        "several draws (a draw is one random choice of training rows). "
        "The verdicts are those of synthetic rows on top of the best of the rest, one a draw.\n",
        table(["rows a class", "draws", "as it is", "logistic regression", "mean of both", "chosen",
               "synthetic rows on top", "verdicts"], rows),
        f"{lines[-1]['machine']['cpu']}, {lines[-1]['date']}.\n",
    ])  # fmt: skip


def main(arguments: Sequence[str] | None = None) -> int:
    parser = options(__doc__, "rows", draws=True)
    parser.add_argument("--draws", type=count, default=10, help="draws of each cell (default: 10)")
    parser.add_argument("--cells", nargs="+", choices=list(CELLS), help="only these")
    asked = parser.parse_args(arguments)
    draws = [{"cell": cell, "draw": draw} for draw in range(asked.draws) for cell in asked.cells or CELLS]
    play_all(asked, play, draws, told)
    return 0


def told(line: Line) -> str:
    return f"{100 * line['change']['mean']:+.1f} points, {line['verdict']}"


if __name__ == "__main__":
    sys.exit(main())
