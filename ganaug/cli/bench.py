"""`ganaug bench`: did it help?"""

from __future__ import annotations

import shlex
import sys
from typing import Any

import rich_click as click

from ganaug.cli.group import DataCommand, Told, common
from ganaug.cli.options import OWN_RECIPE, options_of, settings_from
from ganaug.evaluation.bench.settings import BenchSettings
from ganaug.reporting import Report

NO_GAIN = 6  # exit code of --require-gain


@click.command(cls=DataCommand)
@click.argument("data")
@click.option("--run", type=click.Path(), help="The run to measure.")
@click.option("--synthetic", type=click.Path(), help="A folder of labelled synthetic images, in place of a run.")
@click.option("--out", type=click.Path(), required=True, help="Folder of results.json and report.html.")
@options_of(BenchSettings)
@OWN_RECIPE
@click.option("--require-gain", is_flag=True, help="Exit with code 6 unless the verdict is `helps`.")
@common
@click.pass_context
def bench(
    ctx: click.Context, data: str, run: str | None, synthetic: str | None, out: str, recipe: str | None,
    require_gain: bool, report: Report, **given: Any,
) -> Told:  # fmt: skip
    """Measure whether synthetic images help a classifier: helps, no evidence, harms, or withheld.

    \b
    ganaug bench data/train --test data/test --run runs/leaves --out runs/bench
    ganaug bench mnist.npz --limit 100 --run runs/mnist --out runs/bench --quick
    ganaug bench data/train --test data/test --synthetic other --out runs/bench
    ganaug bench data/train --test data/test --run runs/leaves --out runs/bench --require-gain

    The exit code is 0 whatever the verdict; with --require-gain it is 6 for any other than `helps`.
    """
    settings, _ = settings_from(ctx, BenchSettings, given)
    if (run is None) == (synthetic is None):
        raise click.UsageError("Give one of --run and --synthetic.")
    if run is None and recipe is not None:
        raise click.UsageError("--recipe is the recipe of a run: leave it out with --synthetic.")
    from ganaug.cli.load import load_run
    from ganaug.evaluation.bench.run import bench as measure

    measured = load_run(run, recipe) if run is not None and recipe is not None else run
    try:
        results = measure(
            data, settings, run=measured, synthetic=synthetic, out=out, report=report,
            command=shlex.join(["ganaug", *sys.argv[1:]]),
        )  # fmt: skip
    except KeyboardInterrupt:
        raise KeyboardInterrupt("finished trials are kept; the same command goes on with them") from None
    code = NO_GAIN if require_gain and results.verdict != "helps" else 0
    return Told(results.data, [results.table(), "", f"Report: {results.report_path}"], code)
