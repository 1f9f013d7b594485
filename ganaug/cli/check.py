"""`ganaug check`: what is in a data set, before anything is trained."""

from __future__ import annotations

from pathlib import Path

import rich_click as click

from ganaug.cli.group import DataCommand, Told, common
from ganaug.cli.options import LIMIT, reading_options
from ganaug.errors import DataError, OptionError
from ganaug.reporting import plain


@click.command(cls=DataCommand)
@click.argument("data")
@click.option("--test", metavar="DATA", help="Also look for images that are in both.")
@LIMIT
@click.option("--drop", multiple=True, metavar="COL", help="Column of a table to leave out; repeatable.")
@click.option("--quarantine", type=click.Path(), metavar="DIR", help="Move unreadable files of the folder there.")
@click.option("--no-timing", is_flag=True, help="Skip the timed estimate of how long a fit takes.")
@reading_options
@common
def check(data, test, limit, drop, quarantine, no_timing, reading, seed, report):
    """Count, look and advise: classes, sizes, unreadable files, duplicates, and how long a fit takes; of a table, what
    its columns hold.

    \b
    ganaug check data/train
    ganaug check data/train --test data/test
    ganaug check mnist.npz --limit 100 --json
    ganaug check data/train --quarantine data/unreadable
    ganaug check table.csv --target diagnosis
    ganaug check photos --labels photos.csv
    """
    from ganaug.data.check import check as look
    from ganaug.data.quarantine import quarantine as isolate
    from ganaug.data.rows.cells import holds_rows
    from ganaug.data.rows.check import check_table
    from ganaug.files.integrity import writing
    from ganaug.fitting.estimate import fit_seconds

    if holds_rows(data, drop, reading.image):
        if test is not None or limit is not None or set(reading.said()) - {"target"}:
            raise OptionError(
                "--test, --limit and options of how images are read are not for tables.", "Leave them out."
            )
        if quarantine is not None:
            raise OptionError("--quarantine is for a folder of images.", "Leave it out for a table.")
        return _told(check_table(data, reading.target, drop=drop))
    if drop:
        raise OptionError("--drop is for tables.", "Leave it out, or give a .csv file.")
    if quarantine is not None and test is not None:
        raise OptionError("--quarantine is for one folder.", "Leave out --test, and check that folder by itself.")
    timing = None if no_timing else fit_seconds
    found = look(data, reading, other=test, limit=limit, seed=seed, seconds=timing, report=report)
    if quarantine is not None:
        with writing(Path(quarantine)):
            moved = isolate(data, found.unreadable, quarantine)
        for place in moved:
            click.echo(f"moved: {plain(str(place))}", err=True)
    return _told(found)


def _told(found):
    """Problems are the exit code of bad data."""
    return Told(found.to_json(), found.lines(), DataError.exit_code if found.problems else 0)
