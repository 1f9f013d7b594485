"""`ganaug describe`: a generator of classes of which there was no image."""

from __future__ import annotations

import shlex

import rich_click as click

from ganaug.cli.group import Told, common
from ganaug.cli.options import OWN_RECIPE
from ganaug.errors import OptionError


@click.command()
@click.argument("run", type=click.Path())
@click.argument("texts", nargs=-1, metavar="TEXT...")
@click.option("--words", type=click.Path(), metavar="FILE", help="CSV of class and words of it, in place of TEXT.")
@click.option("--out", type=click.Path(), required=True, help="Folder of the generator.")
@OWN_RECIPE
@common
def describe(run, texts, words, out, recipe, report):
    """Write a generator of classes of which there was no image, described by words that RUN learned.

    RUN is of a recipe that draws from words (stackgan). Each TEXT is a class; the order of its words plays no part. OUT
    has the weights of RUN and can be named wherever a run can.

    \b
    ganaug fit parts --recipe stackgan --words words.csv --out runs/parts
    ganaug describe runs/parts "brass M4" "steel M6" --out runs/unseen
    ganaug augment runs/unseen --per-class 50 --out synthetic
    """
    from ganaug.cli.load import load_run
    from ganaug.samples.describe import describe as written

    if bool(texts) == bool(words):
        raise OptionError("Classes are described by TEXT, or by a file.", "Give one of them: TEXT..., or --words FILE.")
    names = list(load_run(str(written(load_run(run, recipe), words or texts, out)), recipe).classes)
    own = f" --recipe {shlex.quote(recipe)}" if recipe else ""
    lines = [f"{out}: a generator of {', '.join(names)}.", "Whether its samples are that, only you can see.",
             f"Next: ganaug preview {shlex.quote(str(out))}{own}"]  # fmt: skip
    return Told({"out": str(out), "classes": names}, lines)
