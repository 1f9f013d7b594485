"""`ganaug fit`: train a generator."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import rich_click as click

from ganaug.cli.group import DataCommand, Told, common
from ganaug.cli.options import options_of, settings_from
from ganaug.errors import OptionError
from ganaug.fitting.settings import FitSettings
from ganaug.reporting import Report


@click.command(cls=DataCommand)
@click.argument("data", required=False)
@click.option("--out", type=click.Path(), help="Run folder to make.")
@options_of(FitSettings)
@click.option("--resume", is_flag=True, help="Go on with an interrupted fit, with the same settings and data.")
@click.option(
    "--fork",
    type=click.Path(exists=True, file_okay=False),
    metavar="RUN",
    help="Begin where RUN is, with other settings (--set, --steps, --budget) and the same data.",
)
@click.option("--dry-run", is_flag=True, help="Read the images, say what would be done, write nothing.")
@common
@click.pass_context
def fit(ctx: click.Context, resume: bool, dry_run: bool, report: Report, **given: Any) -> Told | None:
    """Train a class-conditional generator on the labelled images, table or series DATA.

    \b
    ganaug fit data/train --out runs/leaves --budget 10m
    ganaug fit mnist.npz --limit 100 --out runs/mnist --steps 3000
    ganaug fit data/train --out runs/leaves --resume
    ganaug fit data/train --out runs/longer --fork runs/leaves --budget 20m
    ganaug fit table.csv --target diagnosis --out runs/table
    ganaug fit waves.npz --out runs/waves
    ganaug fit data/train --unlabelled data/more --out runs/leaves
    ganaug fit photos --pairs masks --recipe pix2pix --out runs/cells
    ganaug fit data/train --out runs/mine --recipe mygan.py:lsgan --set lr=0.0003
    torchrun --nproc-per-node 2 -m ganaug fit data/train --out runs/leaves --slices 2
    """
    settings, others = settings_from(ctx, FitSettings, given, ("data", "out", "fork"))
    data, out, fork = others.values()
    for name, value in (("DATA", data), ("--out", out)):
        if value is None:
            raise click.UsageError(f"Missing {name}.", ctx)
    from ganaug.cli.load import load_run
    from ganaug.fitting.estimate import dry_run as plan
    from ganaug.fitting.estimate import in_words
    from ganaug.fitting.fit import fit as train
    from ganaug.fitting.place import is_finished
    from ganaug.game.ranks import started

    rank, world = started()
    if world > 1 and settings.slices == 1:
        fix = f"Give --slices {world}, or a multiple of it; or start one process."
        raise OptionError(f"{world} processes were started for a fit of one slice, which only one can play.", fix)
    if dry_run:
        if resume or fork is not None:
            raise click.UsageError("--dry-run is of a fit from its beginning: leave out --resume and --fork.", ctx)
        estimate = plan(data, out, settings, report=report)
        return None if estimate is None else Told(estimate.to_json(), estimate.lines())
    before = is_finished(Path(out))
    path = train(data, out, settings, resume=resume, fork=fork, report=report).path
    if rank > 0:
        return None
    card = load_run(str(path), settings.recipe if ":" in settings.recipe else None).card
    values = {"run": str(path), "steps": card.steps, "classes": list(card.classes), "shape": list(card.shape)}
    values["finished_before"] = before
    then = f"Draw samples: ganaug augment {path} --balance --out OUT.{'csv' if len(card.shape) == 1 else 'npz'}"
    if len(card.shape) == 3:
        from ganaug.options import as_text

        beside = "" if settings.reading.said() else f" --data {as_text(data)}"
        beside += f" --pairs {as_text(settings.pairs)}" if settings.pairs else ""
        then = f"Look at it: ganaug preview {as_text(path)}{beside}"
    done = "finished already, " if before else ""
    lines = [f"{path}: {done}{card.steps} steps, {len(card.classes)} classes, {in_words(card.shape)}.", then]
    images = len(card.shape) == 3
    return Told(values, lines + (_whether_it_helps if images else _whether_rows_help)(data, path, settings))


def _whether_it_helps(data: str, run: Path, settings: FitSettings) -> list[str]:
    """How to find out; without a test set, how to come by one."""
    from ganaug.data.beside import lacks_test, to_bench, to_split

    if lacks_test(data):
        return [f"Without a test set nobody knows whether it helps: before a fit, {to_split(data, settings)}"]
    given = {"pairs": settings.pairs, "unlabelled": settings.unlabelled, "run": run}
    typed = to_bench(data, settings, run / "bench", **given)
    return [] if typed is None else [f"Find out whether it helps: {typed}"]


def _whether_rows_help(data: str, run: Path, settings: FitSettings) -> list[str]:
    """How to find out, of rows and series."""
    from ganaug.options import as_text

    target = "" if settings.target is None else f" --target {as_text(settings.target)}"
    typed = f"ganaug bench {as_text(data)}{target} --test TEST --run {as_text(run)} --out {as_text(run / 'bench')}"
    return [f"Find out whether it helps: {typed}"]
