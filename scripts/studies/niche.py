"""Where no picture transform keeps the label: do synthetic images help on top of everything else?

    GANAUG_DATA=FOLDER python -m scripts.studies.niche --draws 10                # goes on where it was
    GANAUG_DATA=FOLDER python -m scripts.studies.niche --cells spoken_digits-20 --draws 3

A cell is a data set, a number of images a class, and what the user is supposed to know: nothing (`--allow none`), or
that small shifts keep the label. Each draw takes other images of the training part. A generator learns from them,
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
from scripts.studies.lib.facts import AbsentError, image_set, machine, today
from scripts.studies.lib.results import Line, find, put

MODULE = "python -m scripts.studies.niche"
FIT, STEPS, SEEDS, TESTED = 1500, 400, 5, 100  # steps, steps, paired seeds, test images a class
SHIFTS = ("shift-x", "shift-y")
CELLS = {
    f"{name}-{limit}{'+shifts' * bool(allow)}": (name, limit, allow)
    for name, limit, allow in (
        ("spoken_digits", 20, ()), ("mnist", 50, ()), ("fashion_mnist", 50, ()), ("spoken_digits", 10, ()),
        ("spoken_digits", 50, ()), ("spoken_digits", 20, SHIFTS),
    )
}  # fmt: skip


def play(cell: str, draw: int, work: Path) -> Line:
    """One generator and its bench: what is kept of them."""
    name, limit, allow = CELLS[cell]
    with np.load(image_set(name)) as file:
        known = {each: file[each] for each in ("x_train", "y_train", "x_test", "y_test")}
        classes = [str(each) for each in file["classes"]]
    rows = np.sort(np.concatenate([np.flatnonzero(known["y_test"] == k)[:TESTED] for k in range(len(classes))]))
    data = from_arrays(known["x_train"], known["y_train"], classes=classes)
    test = from_arrays(known["x_test"][rows], known["y_test"][rows], classes=classes)
    size = min(32, known["x_train"].shape[1])
    fit(data, out=work / "run", steps=FIT, size=size, limit=limit, seed=draw, allow=allow)
    results = bench(
        data, out=work / "bench", test=test, run=work / "run", model="small", quick=True, steps=STEPS, seeds=SEEDS,
        seed=draw, limit=limit, remedies=("augmentation", "longer", "mean"), ratios=(0.25, 0.5), uses=("plain",),
        augmentations=("none", *(["crops"] if allow else []), "mixup", "cutmix"),
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


def main(arguments: Sequence[str] | None = None) -> int:
    parser = options(__doc__, "niche")
    parser.add_argument("--draws", type=count, default=10, help="draws of each cell (default: 10)")
    parser.add_argument("--cells", nargs="+", choices=list(CELLS), help="only these")
    asked = parser.parse_args(arguments)
    for draw in range(asked.draws):
        for cell in asked.cells or CELLS:
            if find(asked.results, cell=cell, draw=draw):
                continue
            try:
                with tempfile.TemporaryDirectory() as folder:
                    found = play(cell, draw, Path(folder))
            except AbsentError as error:
                print(f"{cell}: {error}", flush=True)
                continue
            put(asked.results, found, "cell", "draw")
            print(f"{cell} {draw}: {100 * found['change']:+.1f} points over {found['arms']['without']}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
