"""`ganaug preview`: what a run draws, or what images from elsewhere show."""

from __future__ import annotations

from pathlib import Path

import rich_click as click

from ganaug.cli.group import Told, common
from ganaug.cli.options import OWN_RECIPE, PAIRS, TRUNCATION


@click.command()
@click.argument("run", type=click.Path())
@click.option("--out", type=click.Path(), help="Folder of the pictures.  [default: RUN/preview]")
@click.option(
    "--columns", type=click.IntRange(1), metavar="N", default=10, show_default=True, help="Samples of each class."
)
@click.option("--frames", type=click.IntRange(1), metavar="N", help="Pictures of the latent walk.  [default: 48]")
@OWN_RECIPE
@TRUNCATION
@click.option("--data", help="Real images to show beside; those to start from, for a run that translates images.")
@PAIRS
@common
def preview(run, out, columns, frames, recipe, truncation, data, pairs, seed, report):
    """Draw samples: a page with a row for every class, a grid of the first ones, a walk through latent space.

    With --data, real images stand beside the samples of their class. Of images that were made elsewhere, in a folder of
    class folders, there is no walk.

    \b
    ganaug preview runs/leaves --data data/train
    ganaug preview made_by_diffusion --out pictures
    ganaug preview runs/cells --data photos --pairs masks
    """
    from ganaug.cli.load import load_run
    from ganaug.samples.enlarged import enlargement
    from ganaug.samples.pictures import MOST_ROWS
    from ganaug.samples.preview import preview as draw
    from ganaug.samples.run import made_elsewhere

    fitted = load_run(run, recipe) if recipe is not None or made_elsewhere(run) is None else None
    samples = run if fitted is None else fitted
    folder = Path(out) if out else Path(run) / "preview"
    files = draw(
        samples, folder, columns=columns, frames=frames, seed=seed, truncation=truncation, data=data, pairs=pairs
    )
    shown, enlarged = [str(f) for f in files], "" if fitted is None else enlargement(fitted.card)
    notes = [enlarged] if enlarged else []
    if fitted is not None and len(fitted.classes) > MOST_ROWS:
        notes.append(f"The page shows {len(fitted.classes)} classes, the pictures the first {MOST_ROWS} of them.")
    return Told({"files": shown, "notes": notes}, shown + notes)
