"""`ganaug preview`: what a run draws."""

from __future__ import annotations

from pathlib import Path

import rich_click as click

from ganaug.cli.group import common, show


@click.command()
@click.argument("run", type=click.Path())
@click.option("--out", type=click.Path(), help="Folder of the pictures.  [default: RUN/preview]")
@click.option(
    "--columns", type=click.IntRange(1), metavar="N", default=10, show_default=True, help="Samples of each class."
)
@click.option(
    "--frames", type=click.IntRange(1), metavar="N", default=48, show_default=True, help="Pictures of the latent walk."
)
@click.option(
    "--recipe", metavar="FILE:NAME", help="file.py:function, if the run was fitted with a recipe of your own."
)
@click.option(
    "--truncation",
    type=click.FloatRange(0, min_open=True),
    metavar="T",
    help="Draw latents within T only: more typical, less varied images. Little effect where a recipe norms the latent.",
)
@click.option("--data", help="Images to start from, for a run that translates images.")
@click.option(
    "--pairs", type=click.Path(), metavar="FOLDER", help="Paired images (masks), of the same names as DATA's."
)
@common
def preview(run, out, columns, frames, recipe, truncation, data, pairs, seed, as_json, quiet):
    """Draw samples: a grid with one row a class, and a walk through latent space (PNG and GIF).

    \b
    ganaug preview runs/leaves
    ganaug preview runs/cells --data photos --pairs masks
    """
    from ganaug.cli.load import load_run
    from ganaug.samples.pictures import preview as draw

    fitted = load_run(run, recipe)
    folder = Path(out) if out else Path(run) / "preview"
    files = draw(
        fitted, folder, columns=columns, frames=frames, seed=seed, truncation=truncation, data=data, pairs=pairs
    )
    show(as_json, {"files": [str(f) for f in files]}, [str(f) for f in files])
