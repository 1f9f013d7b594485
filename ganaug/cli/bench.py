"""`ganaug bench`: did it help?"""

from __future__ import annotations

import shlex
import sys

import rich_click as click

from ganaug.cli.group import common, show


@click.command()
@click.argument("data")
@click.option("--test", help="Test images; for a .npz file its own test part, if not given.")
@click.option("--run", type=click.Path(), help="The run to measure.")
@click.option("--synthetic", type=click.Path(), help="A folder of labelled synthetic images, in place of a run.")
@click.option("--out", type=click.Path(), required=True, help="Folder of results.json and report.html.")
@click.option("--seeds", type=click.IntRange(2), help="Paired seeds of the final comparison.")
@click.option("--quick", is_flag=True, help="Fewer seeds and steps.")
@click.option("--limit", type=click.IntRange(2), help="At most N training images a class.")
@click.option("--groups", type=click.Path(dir_okay=False), help="CSV: item, group.")
@click.option("--recipe", help="file.py:function, if the run was fitted with a recipe of your own.")
@common
def bench(data, test, run, synthetic, out, seeds, quick, limit, groups, recipe, seed, as_json, quiet):
    """Measure whether synthetic images help a classifier: helps, no evidence, harms, or withheld.

    \b
    ganaug bench data/train --test data/test --run runs/leaves --out runs/leaves/bench
    ganaug bench mnist.npz --limit 100 --run runs/mnist --out runs/mnist/bench --quick
    ganaug bench data/train --test data/test --synthetic data/other_synth --out bench_other
    """
    if (run is None) == (synthetic is None):
        raise click.UsageError("Give one of --run and --synthetic.")
    from ganaug.benchmark import bench as measure
    from ganaug.cli.load import load_run
    from ganaug.console import terminal

    measured = load_run(run, recipe) if run is not None and recipe is not None else run
    with terminal(quiet) as report:
        results = measure(
            data, test=test, run=measured, synthetic=synthetic, out=out, seeds=seeds, quick=quick, limit=limit,
            seed=seed, groups=groups, command=shlex.join(["ganaug", *sys.argv[1:]]), report=report,
        )  # fmt: skip
    show(as_json, results.data, [results.table(), "", f"Report: {results.report_path}"])
