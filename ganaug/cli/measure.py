"""`ganaug measure`: what the samples of a run are like, or images that were made elsewhere."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import rich_click as click

from ganaug.cli.group import Told, common
from ganaug.cli.options import DEVICE, OWN_RECIPE, PAIRS, reading_options
from ganaug.options import Reading, as_text

FIRST = ("label agreement", "within-class diversity", "copies")


@click.command()
@click.argument("run", type=click.Path())
@click.argument("data")
@click.option("--test", help="Images to compare with.  [default: images of DATA that the generator never saw]")
@click.option("--extractor", default="own", show_default=True, help="own, timm:NAME[@WEIGHTS] or inception.")
@click.option("--per-class", type=click.IntRange(2), help="Samples of each class.  [default: 500; 10,000 in all]")
@click.option(
    "--steps",
    type=click.IntRange(1),
    default=600,
    show_default=True,
    help="Steps of training of each small classifier.",
)
@DEVICE
@PAIRS
@reading_options
@OWN_RECIPE
@common
def measure(run, data, test, extractor, per_class, steps, device, pairs, reading, recipe, seed, report):
    """Measure samples against real images: fidelity, diversity, labels, copies, each with an interval.

    DATA is what the run was fitted on: images, a table, series. The column "real" shows the same figure for
    real ones, to compare with; figures that grow where images are few are compared below, with equal numbers. In place
    of a run, name a folder of class folders with images that were made elsewhere.

    \b
    ganaug measure runs/leaves data/train
    ganaug measure runs/leaves data/train --test data/test --json
    ganaug measure runs/mnist mnist.npz --extractor timm:resnet18.a1_in1k
    ganaug measure runs/table table.csv --test unseen.csv
    ganaug measure runs/cells photos --pairs masks
    ganaug measure made_by_diffusion data/train --test data/test
    """
    from ganaug.cli.load import load_run
    from ganaug.device import resolve_device
    from ganaug.evaluation.measuring.run import measure as examine

    samples = run if recipe is None else load_run(run, recipe)
    found = examine(
        samples, data, reading, test=test, extractor=extractor, per_class=per_class, steps=steps,
        seed=seed, device=str(resolve_device(device)), pairs=pairs, report=report,
    )  # fmt: skip
    return Told(found.to_json(), [*found.lines(), "", _what_next(found, run, data, reading, test)])


def _what_next(found: Any, run: str, data: str, reading: Reading, test: str | None) -> str:
    """What to read first, and the command that tells whether the samples help."""
    from ganaug.data.beside import to_bench

    there = {figure.name for figure in found.figures}
    first = [name for name in FIRST if name in there]
    read = f"Read first, beside the column real: {', '.join(first)}. " if first else ""
    source, out = ("synthetic", "OUT") if found.names else ("run", Path(run) / "bench")
    known = to_bench(data, reading, out, test, **{source: run})
    known = known or f"ganaug bench DATA --test TEST --{source} {as_text(run)} --out OUT"
    return f"{read}Whether they help a classifier: {known}"
