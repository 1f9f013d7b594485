"""`ganaug split`: a test part, before anything is trained."""

from __future__ import annotations

import rich_click as click

from ganaug.cli.group import DataCommand, Told, common
from ganaug.cli.options import reading_options
from ganaug.errors import OptionError


class _OfImages(DataCommand):
    tables = False


@click.command(cls=_OfImages)
@click.argument("data")
@click.option(
    "--test",
    type=click.FloatRange(0, 1, min_open=True, max_open=True),
    default=0.25,
    show_default=True,
    metavar="SHARE",
    help="Share of each class to test on.",
)
@click.option("--out", type=click.Path(), help="Folder to write both parts into.  [default: beside DATA, DATA-split]")
@reading_options
@common
def split(data, test, out, reading, seed, report):
    """Divide DATA, which have no test part, into one to train on and one to test on: two lists, train.csv and test.csv;
    no image is copied.

    Every class is divided alike. Groups, copies and nearly identical pictures stay on one side.

    \b
    ganaug split data/photos
    ganaug split data/photos --test 0.25 --groups groups.csv --out parts
    ganaug split photos --labels photos.csv --seed 1
    ganaug split scans.npz
    """
    from ganaug.data.rows.cells import holds_rows
    from ganaug.data.split_files import folder_beside
    from ganaug.data.splitting import split as divide

    if holds_rows(data, (), reading.image):
        raise OptionError(f"{data} is a table: images are divided here.", "Divide its rows, for instance with pandas.")
    found = divide(data, folder_beside(data) if out is None else out, reading, test=test, seed=seed, report=report)
    return Told(found.to_json(), found.lines())
