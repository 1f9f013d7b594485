"""`ganaug augment`: samples as files."""

from __future__ import annotations

from typing import Any, cast

import rich_click as click

from ganaug.cli.group import common, number, show
from ganaug.cli.options import LazyOption


def _formats() -> str:
    from ganaug.samples.exports.formats import formats_in_words

    return f"What to make: {formats_in_words()}."


@click.command()
@click.argument("run", type=click.Path())
@click.option(
    "--out",
    type=click.Path(),
    required=True,
    cls=LazyOption,
    help=cast(Any, _formats),
)
@click.option("--per-class", type=click.IntRange(1), metavar="N", help="So many of each class.")
@click.option("--balance", is_flag=True, help="As many as fill every class up to the largest one.")
@click.option(
    "--ratio", metavar="R", help="Synthetic share of real and synthetic together, in [0, 1), or auto (from the bench)."
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
@click.option("--force", is_flag=True, help="Serve images of a run whose verdict is `harms` all the same.")
@common
def augment(run, out, per_class, balance, ratio, recipe, truncation, data, pairs, force, seed, as_json, quiet):
    """Write synthetic labelled images as a folder that torchvision, timm and Hugging Face read.

    Of a table, rows as a CSV file with the same columns; of series, an .npz file. --ratio auto takes the share that the
    bench found to help, or none. A run whose verdict is `harms` is served with --force only.

    \b
    ganaug augment runs/leaves --balance       --out data/train_synth
    ganaug augment runs/leaves --per-class 500 --out data/train_synth
    ganaug augment runs/leaves --ratio 0.25    --out data/train_synth
    ganaug augment runs/table  --balance       --out synthetic.csv
    ganaug augment runs/cells  --data photos --pairs masks --per-class 100 --out data/train_synth
    """
    if sum([per_class is not None, balance, ratio is not None]) != 1:
        raise click.UsageError("Give one of --per-class, --balance and --ratio.")
    from ganaug.cli.console import terminal
    from ganaug.cli.load import load_run
    from ganaug.data.spec import KINDS
    from ganaug.mixing.ratio import resolve
    from ganaug.reporting import printable
    from ganaug.samples.augment import augment as write
    from ganaug.samples.plan import balance as filled
    from ganaug.samples.plan import fraction
    from ganaug.samples.plan import per_class as each
    from ganaug.samples.pool import served

    fitted = load_run(run, recipe)
    counts = fitted.card.counts
    if balance:
        plan = filled(counts)
    elif ratio is not None:  # a folder has no mode; the share is what the bench measured
        share = resolve(fitted, "replace", ratio if ratio == "auto" else number("ratio", ratio), force)
        plan = fraction(counts, share.ratio)
    else:
        plan = each(counts, per_class)
    withheld = [name for name, n in plan.items() if n and not served(fitted, plan)[name]]
    plan = served(fitted, plan)
    if not any(plan.values()):
        why = (
            "The choice withholds every class"
            if withheld
            else "Every class is as large as the largest"
            if balance
            else f"The synthetic share is 0 (--ratio {ratio})"
        )
        show(as_json, {"out": None, "plan": plan}, [f"{why}: there is nothing to add."])
        return
    with terminal(quiet) as report:
        write(
            fitted, plan, out, seed=seed, truncation=truncation, data=data, pairs=pairs, force=force,
            report=report,
        )  # fmt: skip
    total = sum(plan.values())
    lines = [f"{printable(name)}: {n}" for name, n in plan.items()] + [
        f"{total} {KINDS[len(fitted.card.shape)]} in {out}"
    ]
    lines += [f"Withheld by the choice: {', '.join(map(printable, withheld))}"] if withheld else []
    said = share.caveats("A folder") if ratio is not None else []
    if ratio == "auto":
        said.append("The bench put synthetic images in the place of real ones in every batch, at this share; a folder "
                    "that is added to the real images comes to the same share of a shuffled loader.")  # fmt: skip
    lines += said
    show(as_json, {"out": str(out), "plan": plan, "notes": said}, lines)
