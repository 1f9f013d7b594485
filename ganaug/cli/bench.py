"""`ganaug bench`: did it help?"""

from __future__ import annotations

import shlex
import sys

import rich_click as click

from ganaug.cli.group import common, show

NO_GAIN = 6  # exit code of --require-gain


@click.command()
@click.argument("data")
@click.option("--test", metavar="DATA", help="Test images; for a .npz file its own test part, if not given.")
@click.option("--run", type=click.Path(), help="The run to measure.")
@click.option("--synthetic", type=click.Path(), help="A folder of labelled synthetic images, in place of a run.")
@click.option("--out", type=click.Path(), required=True, help="Folder of results.json and report.html.")
@click.option(
    "--ratio",
    "ratios",
    type=float,
    multiple=True,
    help="A synthetic share to try; repeatable.  [default: 0.1, 0.25, 0.5]",
)
@click.option(
    "--policy",
    "mixings",
    multiple=True,
    metavar="NAME",
    help="A mixing policy to try: plain, light (loss weight 0.3, label smoothing 0.2), smooth, weak, rare (smaller "
    "classes only), finish (real images only at the end), fixed (a small pool), or several joined by +; repeatable.  "
    "[default: plain, light]",
)
@click.option(
    "--classical",
    multiple=True,
    metavar="NAME",
    help="Augmentation to try without synthetic images: crops, affine, flips, trivial, randaugment, mixup, cutmix, or "
    "none; repeatable. Name those that keep the label of your images.  [default: all; affine and flips with --quick]",
)
@click.option(
    "--seeds", type=click.IntRange(1), metavar="N", help="Paired seeds of the final comparison; no verdict with one."
)
@click.option("--quick", is_flag=True, help="Fewer seeds, steps and arms.")
@click.option("--limit", type=click.IntRange(2), metavar="N", help="At most N training images a class.")
@click.option("--groups", type=click.Path(dir_okay=False), help="CSV: item, group, of DATA.")
@click.option("--test-groups", type=click.Path(dir_okay=False), help="CSV: item, group, of the test images.")
@click.option("--root", type=click.Path(), help="Folder of a torchvision or timm data set given by name.")
@click.option(
    "--source", type=click.Path(), metavar="FOLDER", help="Paired images (masks), of the same names as DATA's."
)
@click.option(
    "--recipe", metavar="FILE:NAME", help="file.py:function, if the run was fitted with a recipe of your own."
)
@click.option(
    "--exact-only",
    is_flag=True,
    help="Leave only exact copies of seen images out of the test set, and list the near-duplicates: for different "
    "images that all look alike, such as parts before one camera.",
)
@click.option("--device", metavar="NAME", default="auto", show_default=True, help="auto, cpu, cuda, cuda:1, ...")
@click.option("--require-gain", is_flag=True, help="Exit with code 6 unless the verdict is `helps`.")
@common
def bench(
    data, test, run, synthetic, out, ratios, mixings, classical, seeds, quick, limit, groups, test_groups, root, source,
    recipe, exact_only, device, require_gain, seed, as_json, quiet,
):  # fmt: skip
    """Measure whether synthetic images help a classifier: helps, no evidence, harms, or withheld.

    \b
    ganaug bench data/train --test data/test --run runs/leaves --out runs/bench
    ganaug bench mnist.npz --limit 100 --run runs/mnist --out runs/bench --quick
    ganaug bench data/train --test data/test --synthetic other --out runs/bench
    ganaug bench data/train --test data/test --run runs/leaves --out runs/bench --require-gain

    The exit code is 0 whatever the verdict; with --require-gain it is 6 for any other than `helps`.
    """
    if (run is None) == (synthetic is None):
        raise click.UsageError("Give one of --run and --synthetic.")
    from ganaug.classifier.use import DEFAULTS
    from ganaug.cli.console import terminal
    from ganaug.cli.load import load_run
    from ganaug.evaluation.bench.arms import RATIOS
    from ganaug.evaluation.bench.run import bench as measure

    measured = load_run(run, recipe) if run is not None and recipe is not None else run
    try:
        with terminal(quiet) as report:
            results = measure(
                data, test=test, run=measured, synthetic=synthetic, out=out, ratios=ratios or RATIOS,
                mixings=mixings or DEFAULTS, classical=classical or None, seeds=seeds, quick=quick,
                limit=limit, seed=seed, groups=groups, test_groups=test_groups, root=root, source=source,
                device=device, exact_only=exact_only, report=report,
                command=shlex.join(["ganaug", *sys.argv[1:]]),
            )  # fmt: skip
    except KeyboardInterrupt:
        raise KeyboardInterrupt("finished trials are kept; the same command goes on with them") from None
    show(as_json, results.data, [results.table(), "", f"Report: {results.report_path}"])
    if require_gain and results.verdict != "helps":
        raise SystemExit(NO_GAIN)
