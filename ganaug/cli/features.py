"""`ganaug features`: what a run knows about images."""

from __future__ import annotations

import rich_click as click

from ganaug.cli.group import Told, common
from ganaug.cli.options import DEVICE, LIMIT, OWN_RECIPE, reading_options


@click.command()
@click.argument("run", type=click.Path())
@click.argument("data")
@click.option("--out", type=click.Path(dir_okay=False), help=".npz or .parquet file to write.")
@click.option(
    "--part",
    type=click.Choice(["auto", "encoder", "encoder-penultimate", "reader", "discriminator"]),
    default="auto",
    show_default=True,
    help="The network whose features are written.",
)
@click.option("--test", metavar="DATA", help="Images to test the probe on.  [default: those the fit did not see]")
@click.option("--no-probe", is_flag=True, help="Only write the features.")
@reading_options
@LIMIT
@DEVICE
@OWN_RECIPE
@common
def features(run, data, out, part, test, no_probe, reading, limit, device, recipe, seed, report):
    """Write what a run knows about the images DATA, and compare it with raw pixels where labels are few.

    The features are those of an encoder (bigan, aae, vae), of the reader of infogan, or of the last layer but one of a
    discriminator. The comparison is a linear classifier trained on 10, 50 and 200 labels a class.

    \b
    ganaug features runs/leaves data/train --out leaves.npz
    ganaug features runs/mnist mnist.npz --test mnist.npz
    ganaug features runs/leaves data/train --part discriminator --out leaves.parquet
    """
    from ganaug.cli.load import load_run, own_recipe
    from ganaug.data.beside import both_readings
    from ganaug.data.outputs import require_outside
    from ganaug.device import resolve_device
    from ganaug.errors import OptionError
    from ganaug.evaluation.probing.probes import HEADER, probe
    from ganaug.evaluation.probing.table import checked
    from ganaug.evaluation.probing.table import features as know

    if no_probe and test is not None:
        raise OptionError("--test is for the probe, which --no-probe leaves out.", "Leave out one of them.")
    if no_probe and out is None:
        raise OptionError("Without the probe and without --out nothing is left to do.", "Give --out FILE.")
    file = None if out is None else checked(out)
    fitted = load_run(run, recipe)
    if file is not None:
        require_outside(file, data, test, classes=fitted.card.classes)
    options = {"part": part, "device": str(resolve_device(device)), "recipe": own_recipe(recipe)}
    here, there = both_readings(reading, data, test)
    known = know(fitted, data, here, limit=limit, seed=seed, report=report, **options)
    other = None if test is None else know(fitted, test, there, report=report, **options)
    if file is not None:
        known.save(file)
    probes = [] if no_probe else probe(known, other, seed=seed, report=report)
    count, width = known.values.shape
    where = "" if file is None else f", in {file}"
    lines = [f"{count} images, {width} features each, from the {known.part}{where}."]
    if probes:
        lines += ["", HEADER, *(found.line() for found in probes), ""]
        lines += [f"Accuracy on {probes[0].tested} images, {probes[0].unseen} of which gradients of the fit never saw: "
                  "mean over 3 random choices of the labels (lowest to highest)."]  # fmt: skip
    values = {"images": count, "features": width, "part": known.part, "out": None if file is None else str(file)}
    values["probe"] = [
        {"labels": p.labels, "features": p.features, "pixels": p.pixels, "tested": p.tested, "unseen": p.unseen}
        for p in probes
    ]
    return Told(values, lines)
