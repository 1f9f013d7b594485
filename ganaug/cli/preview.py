"""`ganaug preview`: what a run draws, or what images from elsewhere show."""

from __future__ import annotations

from pathlib import Path

import rich_click as click

from ganaug.cli.group import Told, common
from ganaug.cli.options import OWN_RECIPE, PAIRS, START, TRUNCATION


@click.command()
@click.argument("run", type=click.Path())
@click.option("--out", type=click.Path(), help="Folder of the pictures.  [default: RUN/preview]")
@click.option(
    "--columns", type=click.IntRange(1), metavar="N", default=10, show_default=True, help="Samples of each class."
)
@click.option("--frames", type=click.IntRange(1), metavar="N", help="Pictures of the latent walk.  [default: 48]")
@OWN_RECIPE
@TRUNCATION
@START
@PAIRS
@common
def preview(run, out, columns, frames, recipe, truncation, data, pairs, seed, report):
    """Draw samples: a grid with one row a class, and a walk through latent space (PNG and GIF).

    Of images that were made elsewhere, in a folder of class folders, there is the grid alone.

    \b
    ganaug preview runs/leaves
    ganaug preview made_by_diffusion --out pictures
    ganaug preview runs/cells --data photos --pairs masks
    """
    from ganaug.cli.load import load_run
    from ganaug.samples.enlarged import enlargement
    from ganaug.samples.pictures import preview as draw
    from ganaug.samples.run import made_elsewhere

    fitted = load_run(run, recipe) if recipe is not None or made_elsewhere(run) is None else None
    samples = run if fitted is None else fitted
    folder = Path(out) if out else Path(run) / "preview"
    files = draw(
        samples, folder, columns=columns, frames=frames, seed=seed, truncation=truncation, data=data, pairs=pairs
    )
    shown, enlarged = [str(f) for f in files], "" if fitted is None else enlargement(fitted.card)
    notes = [enlarged] if enlarged else []
    return Told({"files": shown, "notes": notes}, shown + notes)
