"""`ganaug bench`: did it help?"""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import Any

import rich_click as click

from ganaug.cli.group import DataCommand, Told, common
from ganaug.cli.options import OWN_RECIPE, options_of, settings_from
from ganaug.evaluation.bench.settings import BenchSettings
from ganaug.reporting import Report

NO_GAIN = 6  # exit code of --require-gain


@click.command(cls=DataCommand)
@click.argument("data")
@click.option("--run", type=click.Path(), help="A run, whose samples are tried.")
@click.option(
    "--synthetic", type=click.Path(), multiple=True, help="Labelled synthetic images (or rows) to try; repeatable."
)
@click.option("--out", type=click.Path(), required=True, help="Folder of results.json and report.html.")
@options_of(BenchSettings)
@OWN_RECIPE
@click.option("--executor", metavar="ADDRESS", help="Train small networks on the Dask cluster at tcp://HOST:PORT.")
@click.option("--require-gain", is_flag=True, help="Exit with code 6 unless the verdict is `helps`.")
@common
@click.pass_context
def bench(
    ctx: click.Context, data: str, run: str | None, synthetic: tuple[str, ...], out: str, recipe: str | None,
    executor: str | None, require_gain: bool, report: Report, **given: Any,
) -> Told:  # fmt: skip
    """Measure what helps a classifier of few images, rows or series most, and whether synthetic ones help on top of
    that.

    Each answer is helps, no evidence, harms, or withheld. The exit code is 0 whatever they are; with --require-gain it
    is 6 unless synthetic images help.

    \b
    ganaug bench data/train --test data/test --out runs/bench
    ganaug bench data/train --test data/test --run runs/leaves --out runs/bench
    ganaug bench data/train --test data/test --model resnet18.a1_in1k --out runs/bench
    ganaug bench mnist.npz --limit 100 --model small --run runs/mnist --out runs/bench --quick
    ganaug bench data/train --test data/test --synthetic diffusion --synthetic renderer --out runs/bench
    ganaug bench train.csv --target diagnosis --test test.csv --run runs/rows --out runs/bench
    """
    settings, _ = settings_from(ctx, BenchSettings, given)
    if run is None and recipe is not None:
        raise click.UsageError("--recipe is the recipe of a run: leave it out without --run.")
    if require_gain and run is None and not synthetic:
        raise click.UsageError("--require-gain is about synthetic images: give --run or --synthetic.")
    from ganaug.cli.load import load_run
    from ganaug.evaluation.bench.run import bench as measure

    measured = load_run(run, recipe) if run is not None and recipe is not None else run
    try:
        results = measure(
            data, settings, run=measured, synthetic=_named(synthetic), out=out, report=report,
            executor=executor, command=shlex.join(["ganaug", *sys.argv[1:]]),
        )  # fmt: skip
    except KeyboardInterrupt:
        raise KeyboardInterrupt("finished trials are kept; the same command goes on with them") from None
    code = NO_GAIN if require_gain and results.verdict != "helps" else 0
    return Told(results.data, [results.table(), "", f"Report: {results.report_path}"], code)


def _named(folders: tuple[str, ...]) -> Any:
    """None, one folder, or several by as much of their paths as tells them apart, and from the parts of the data.
    Raises UsageError where one is given twice."""
    from ganaug.evaluation.bench.parts import taken  # after --help

    if len(folders) < 2:
        return folders[0] if folders else None
    parts = [Path(folder).absolute().parts for folder in folders]
    for depth in range(1, max(map(len, parts)) + 1):
        names = ["/".join(part[-depth:]) for part in parts]
        if len(set(names)) == len(names) and not taken(names):
            return dict(zip(names, folders, strict=True))
    raise click.UsageError("A folder of synthetic images is given twice.")
