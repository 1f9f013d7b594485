"""`ganaug check`: what is in a data set, before anything is trained."""

from __future__ import annotations

from pathlib import Path

import rich_click as click

from ganaug.cli.group import DataCommand, Told, common
from ganaug.cli.options import LIMIT, reading_options
from ganaug.errors import DataError, OptionError
from ganaug.options import DATA_KINDS, IMAGES, SERIES, TABLE
from ganaug.reporting import plain


@click.command(cls=DataCommand)
@click.argument("data")
@click.option("--test", metavar="DATA", help="Also look for images that are in both.")
@click.option("--unlabelled", metavar="DATA", help="Also look at images without labels to learn from.")
@LIMIT
@click.option("--drop", multiple=True, metavar="COL", help="Column of a table to leave out; repeatable.")
@click.option(
    "--kind", type=click.Choice(["auto", *DATA_KINDS]), default="auto", show_default=True,
    help="What DATA holds; only series (N, C, T) need it.",
)  # fmt: skip
@click.option("--quarantine", type=click.Path(), metavar="DIR", help="Move unreadable files of the folder there.")
@click.option("--write-groups", type=click.Path(), metavar="FILE", help="Groups of what is alike, for --groups.")
@click.option("--no-timing", is_flag=True, help="Skip the timed estimate of how long a fit takes.")
@reading_options
@common
def check(data, test, unlabelled, limit, drop, kind, quarantine, write_groups, no_timing, reading, seed, report):
    """Count, look and advise: classes, sizes, unreadable files, duplicates, and how long a fit takes; of a table, what
    its columns hold; of series, their channels.

    \b
    ganaug check data/train
    ganaug check data/train --test data/test
    ganaug check data/train --test data/test --unlabelled data/more
    ganaug check mnist.npz --limit 100 --json
    ganaug check data/train --quarantine data/unreadable
    ganaug check data/train --write-groups groups.csv
    ganaug check table.csv --target diagnosis
    ganaug check waves.npz
    ganaug check photos --labels photos.csv
    """
    from ganaug.data.check import check as look
    from ganaug.data.quarantine import quarantine as isolate
    from ganaug.data.rows.check import check_series, check_table
    from ganaug.data.rows.which import kind_of_data
    from ganaug.data.subjects import groups_csv, require_no_file
    from ganaug.files.integrity import write_atomically, writing
    from ganaug.fitting.estimate import needs_of
    from ganaug.fitting.settings import DEFAULT_BUDGET

    holds = kind_of_data(data, kind, drop, reading.image)
    if holds != IMAGES:
        others = set(reading.said()) - {"target" if holds == TABLE else "split"}
        if any(one is not None for one in (test, unlabelled, limit, write_groups)) or others:
            raise OptionError(
                "--test, --unlabelled, --limit, --write-groups and options of how images are read are not for tables "
                "and series.",
                "Leave them out.",
            )
        if quarantine is not None:
            raise OptionError("--quarantine is for a folder of images.", "Leave it out for a table or series.")
        if holds == SERIES and drop:
            raise OptionError("--drop is for tables.", "Leave it out.")
        return _told(
            check_table(data, reading.target, drop=drop) if holds == TABLE else check_series(data, kind, reading.split)
        )
    if drop:
        raise OptionError("--drop is for tables.", "Leave it out, or give a .csv file.")
    if quarantine is not None and test is not None:
        raise OptionError("--quarantine is for one folder.", "Leave out --test, and check that folder by itself.")
    timing = None if no_timing else needs_of
    if write_groups is not None:
        require_no_file(write_groups)
    found = look(
        data, reading, other=test, unlabelled=unlabelled, limit=limit, seed=seed, needs=timing, budget=DEFAULT_BUDGET,
        report=report,
    )  # fmt: skip
    if write_groups is not None:
        write_atomically(Path(write_groups), groups_csv(found.grouping).encode())
        click.echo(f"written: {plain(write_groups)}, {len(set(found.grouping.values()))} groups", err=True)
    if quarantine is not None:
        with writing(Path(quarantine)):
            moved = isolate(data, found.unreadable, quarantine)
        for place in moved:
            click.echo(f"moved: {plain(str(place))}", err=True)
    return _told(found)


def _told(found):
    """Problems are the exit code of bad data."""
    return Told(found.to_json(), found.lines(), DataError.exit_code if found.problems else 0)
