"""`ganaug fit`: train a generator."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import rich_click as click

from ganaug.cli.group import DataCommand, Told, common
from ganaug.cli.options import options_of, settings_from
from ganaug.errors import OptionError
from ganaug.files.functions import names_a_file
from ganaug.fitting.settings import FitSettings
from ganaug.options import as_text, typed
from ganaug.reporting import Report, counted

if TYPE_CHECKING:
    from ganaug.generator.folder import Fitted  # with torch


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
    from ganaug.generator.parts import UNLABELLED

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
    own = settings.recipe if names_a_file(settings.recipe) else None
    fitted = load_run(str(path), own)
    card, labelled = fitted.card, fitted.card.classes != UNLABELLED
    values = {"run": str(path), "steps": card.steps, "classes": list(card.classes), "shape": list(card.shape)}
    values["finished_before"] = before
    done = "finished already, " if before else ""
    of = counted(len(card.classes), "class") if labelled else "no labels"
    lines = [f"{path}: {done}{counted(card.steps, 'step')}, {of}, {in_words(card.shape)}."]
    lines.append(_to_look(fitted, data, path, settings, own))
    if labelled:
        return Told(values, lines + _whether_it_helps(fitted, data, path, settings, own))
    lines.append("It learned without labels, so there is no bench of it: what it draws has none.")
    if {"encoder", "reader"} & set(fitted.networks):
        asked = _typed("features", path, data, *typed(settings.reading)[0], recipe=own, out=path / "features.npz")
        lines.append(f"What it knows about images: {asked}")
    return Told(values, lines)


def _typed(command: str, first: Any, *words: Any, recipe: str | None = None, **options: Any) -> str:
    """A command as one types it. options: by name, None for those that are not needed."""
    given = [
        f"--{name} {as_text(value)}" for name, value in ({"recipe": recipe} | options).items() if value is not None
    ]
    return " ".join(["ganaug", command, as_text(first), *map(str, words), *given])


def _to_look(fitted: Fitted, data: str, run: Path, settings: FitSettings, own: str | None) -> str:
    """How to see samples."""
    from ganaug.generator.parts import UNLABELLED

    card = fitted.card
    if len(card.shape) < 3:
        file = f"OUT.{'csv' if len(card.shape) == 1 else 'npz'}"
        return f"Draw samples: {_typed('augment', run, '--balance', recipe=own, out=file)}"
    beside = card.classes != UNLABELLED and not settings.reading.said()
    shown = {"data": data if beside else None, "pairs": settings.pairs}
    return f"Look at it: {_typed('preview', run, recipe=own, **shown)}"


def _whether_it_helps(fitted: Fitted, data: str, run: Path, settings: FitSettings, own: str | None) -> list[str]:
    """How to find out; of images without a test set, how to come by one."""
    from ganaug.data.beside import found_beside, lacks_test, to_bench, to_split

    shape = fitted.card.shape
    given: dict[str, Any] = {"run": run, "recipe": own}
    if len(shape) == 3:
        if lacks_test(data):
            return [f"Without a test set nobody knows whether it helps: before a fit, {to_split(data, settings)}"]
        given = {"pairs": settings.pairs, "unlabelled": settings.unlabelled, **given}
        bench = to_bench(data, settings, run / "bench", **given)
    elif len(shape) == 2 and not lacks_test(data):
        bench = to_bench(data, settings, run / "bench", **given)
    else:
        bench = to_bench(data, settings, run / "bench", found_beside(data) or "TEST", **given)
    return [] if bench is None else [f"Find out whether it helps: {bench}"]
