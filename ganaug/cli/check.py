"""`ganaug check`: what is in a data set, before anything is trained."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import rich_click as click

from ganaug.cli.group import DataCommand, common, show
from ganaug.errors import DataError, OptionError
from ganaug.reporting import plain


@click.command(cls=DataCommand)
@click.argument("data")
@click.option("--test", metavar="DATA", help="Also look for images that are in both.")
@click.option("--root", type=click.Path(), help="Folder of a torchvision or timm data set given by name.")
@click.option("--split", metavar="NAME", default="train", show_default=True, help="Part of a .npz file or named set.")
@click.option("--limit", type=click.IntRange(2), metavar="N", help="At most N images a class.")
@click.option("--target", metavar="COL", help="Column of classes of a table.")
@click.option("--drop", multiple=True, metavar="COL", help="Column of a table to leave out; repeatable.")
@click.option("--quarantine", type=click.Path(), metavar="DIR", help="Move unreadable files of the folder there.")
@click.option("--no-timing", is_flag=True, help="Skip the timed estimate of how long a fit takes.")
@common
def check(data, test, root, split, limit, target, drop, quarantine, no_timing, seed, as_json, quiet):
    """Count, look and advise: classes, sizes, unreadable files, duplicates, and how long a fit takes; of a table, what
    its columns hold.

    \b
    ganaug check data/train
    ganaug check data/train --test data/test
    ganaug check mnist.npz --limit 100 --json
    ganaug check data/train --quarantine data/unreadable
    ganaug check table.csv --target diagnosis
    """
    from ganaug.cli.console import terminal
    from ganaug.data.check import check as look
    from ganaug.data.quarantine import quarantine as isolate
    from ganaug.data.rows.cells import is_table
    from ganaug.data.rows.check import check_table
    from ganaug.files.integrity import writing
    from ganaug.fitting.estimate import fit_seconds

    if is_table(data):
        if test is not None or root is not None or limit is not None:
            raise OptionError("--test, --root and --limit are for images.", "Leave them out for a table.")
        _show(check_table(data, target, drop=drop), as_json)
        return
    if target is not None or drop:
        raise OptionError("--target and --drop are for tables.", "Leave them out, or give a .csv file.")
    if quarantine is not None and test is not None:
        raise OptionError("--quarantine is for one folder.", "Leave out --test, and check that folder by itself.")
    timing = None if no_timing else fit_seconds
    with terminal(quiet) as report:
        found = look(data, other=test, root=root, split=split, limit=limit, seed=seed, seconds=timing, report=report)
    if quarantine is not None:
        with writing(Path(quarantine)):
            moved = isolate(data, found.unreadable, quarantine)
        for place in moved:
            click.echo(f"moved: {plain(str(place))}", err=True)
    _show(found, as_json)


def _show(found: Any, as_json: bool) -> None:
    """Print what was found; problems are the exit code of bad data."""
    show(as_json, found.to_json(), found.lines())
    if found.problems:
        raise SystemExit(DataError.exit_code)
