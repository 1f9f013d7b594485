"""Where no picture transform keeps the label: do synthetic images help on top of everything else?

    GANAUG_DATA=FOLDER python -m scripts.studies.niche --draws 10                # goes on where it was
    GANAUG_DATA=FOLDER python -m scripts.studies.niche --cells spoken_digits-20 --draws 3

A cell is a data set, a number of images a class, and what the user is supposed to know: nothing (`--allow none`), or
that what one does to spectrograms keeps the label: shifts in time, noise, masks of time and frequency (SpecAugment,
arXiv 1904.08779). Each draw takes other images of the training part. A generator learns from them,
1,500 steps at up to 32 px; a quick bench of the small network, 400 steps a training, tries MixUp, CutMix, the allowed
changes, longer training and the mean of four networks, each tuned on validation images, and synthetic images on top of
the best of these.

A line a draw in results/niche.jsonl; a draw that is there is not played again.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ganaug.data.sources.arrays import from_arrays
from ganaug.evaluation.bench.run import bench
from ganaug.fitting.fit import fit
from scripts.studies.lib.command import count, options
from scripts.studies.lib.draws import play_all
from scripts.studies.lib.facts import image_set, machine, today
from scripts.studies.lib.results import RESULTS, Line, read
from scripts.studies.lib.words import interval, table

MODULE = "python -m scripts.studies.niche"
FIT, STEPS, SEEDS, TESTED = 1500, 400, 5, 100  # steps, steps, paired seeds, test images a class
SPECTRUM = ("shift-x", "noise", "mask-x", "mask-y")  # moved in time, noise, bands of time and frequency masked
CELLS = {
    f"{name}-{limit}{'+spectrum' * bool(allow)}": (name, limit, allow)
    for name, limit, allow in (
        ("spoken_digits", 20, ()), ("mnist", 50, ()), ("fashion_mnist", 50, ()), ("spoken_digits", 10, ()),
        ("spoken_digits", 50, ()), ("spoken_digits", 20, SPECTRUM),
    )
}  # fmt: skip


def play(cell: str, draw: int) -> Line:
    """One generator and its bench: what is kept of them."""
    name, limit, allow = CELLS[cell]
    with np.load(image_set(name)) as file:
        known = {each: file[each] for each in ("x_train", "y_train", "x_test", "y_test")}
        classes = [str(each) for each in file["classes"]]
    rows = np.sort(np.concatenate([np.flatnonzero(known["y_test"] == k)[:TESTED] for k in range(len(classes))]))
    data = from_arrays(known["x_train"], known["y_train"], classes=classes)
    test = from_arrays(known["x_test"][rows], known["y_test"][rows], classes=classes)
    size = min(32, known["x_train"].shape[1])
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        fit(data, out=work / "run", steps=FIT, size=size, limit=limit, seed=draw, allow=allow)
        results = bench(
            data, out=work / "bench", test=test, run=work / "run", model="small", quick=True, steps=STEPS, seeds=SEEDS,
            seed=draw, limit=limit, remedies=("augmentation", "longer", "mean"), ratios=(0.25, 0.5), uses=("plain",),
            augmentations=("none", *([allow[0], "+".join(allow)] if allow else []), "mixup", "cutmix"),
        ).data  # fmt: skip
    return kept(cell, draw, results)


def kept(cell: str, draw: int, results: dict[str, Any]) -> Line:
    metric, arms = results["metric"], results["arms"]
    return {
        "cell": cell, "draw": draw, "metric": metric, "change": results["difference"]["mean"],
        "verdict": results["verdict"], "arms": {side: arms[side]["name"] for side in ("without", "with")},
        "test": {side: arms[side]["test"][metric] for side in ("without", "with")},
        "rungs": [
            {"name": one["name"], "validation": one["validation"], "test": one["test"][metric]}
            for one in results["ladder"] if not one["why not"]
        ],
        "seconds": results["seconds"], "machine": machine(), "date": today(),
    }  # fmt: skip


def render() -> str:
    """A part of docs/study.md; "" where nothing was played."""
    lines = read(RESULTS / "niche.jsonl")
    if not lines:
        return ""
    rows = []
    for cell in CELLS:
        own = [line for line in lines if line["cell"] == cell]
        if own:
            sides = [f"{100 * np.mean([line['test'][side] for line in own]):.1f}" for side in ("without", "with")]
            means = sum(line["arms"]["without"].startswith("mean of") for line in own)
            rows.append([cell, str(len(own)), *sides, interval([line["change"] for line in own]), f"{means}"])
    return "\n".join([
        "## Where no picture transform keeps the label\n",
        f"Figures by `{MODULE}`: of spoken digits as log-mel pictures, and of digits and clothes, with every transform "
        "forbidden (`--allow none`); with `+spectrum` shifts in time, noise, and masks of time and frequency are "
        "allowed. A draw is one random choice of training images, with a generator of the default recipe, "
        f"{FIT:,} steps, and a quick bench of the small network, {STEPS} steps a training: synthetic images on top of "
        "the best of MixUp, CutMix, longer training and the mean of four networks. Accuracy on the test images in %; "
        "the change in points, with Student's 95 % interval, or that of each, where there are two.\n",
        table(["images a class", "draws", "best of the rest", "with synthetic images", "change",
               "draws in which that best is a mean"], rows),
        f"{lines[-1]['machine']['cpu']}, {lines[-1]['date']}.\n",
    ])  # fmt: skip


def main(arguments: Sequence[str] | None = None) -> int:
    parser = options(__doc__, "niche", draws=True)
    parser.add_argument("--draws", type=count, default=10, help="draws of each cell (default: 10)")
    parser.add_argument("--cells", nargs="+", choices=list(CELLS), help="only these")
    asked = parser.parse_args(arguments)
    draws = [{"cell": cell, "draw": draw} for draw in range(asked.draws) for cell in asked.cells or CELLS]
    play_all(asked, play, draws, told)
    return 0


def told(line: Line) -> str:
    return f"{100 * line['change']:+.1f} points over {line['arms']['without']}"


if __name__ == "__main__":
    sys.exit(main())
