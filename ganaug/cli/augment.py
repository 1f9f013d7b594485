"""`ganaug augment`: samples as files."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, cast

import rich_click as click

from ganaug.cli.group import Told, common, number
from ganaug.cli.options import OWN_RECIPE, PAIRS, START, TRUNCATION, LazyOption, reading_options
from ganaug.errors import OptionError


def _formats() -> str:
    from ganaug.samples.exports.formats import formats_in_words

    return f"What to make: {formats_in_words()}."


def _names() -> str:
    from ganaug.samples.exports import FORMATS

    return f"{', '.join(sorted(FORMATS))}; by default what the name of OUT asks for."


def _shard_of(shards: int | None, shard: int | None) -> int | None:
    """The number of a shard: that of a task of Slurm, where nothing else is said."""
    task = os.environ.get("SLURM_ARRAY_TASK_ID", "")
    if shards is None or shard is not None or not task:
        return shard
    if not task.isdecimal():
        raise click.UsageError(f"SLURM_ARRAY_TASK_ID is {task!r}, not the number of a shard. Give --shard I.")
    return int(task)


@click.command()
@click.argument("run", type=click.Path())
@click.option("--out", type=click.Path(), required=True, cls=LazyOption, help=cast(Any, _formats))
@click.option("--per-class", type=click.IntRange(1), metavar="N", help="N images of each class.")
@click.option("--balance", is_flag=True, help="Fill every class up to the largest.")
@click.option(
    "--ratio", metavar="R", help="Synthetic share of real and synthetic together, in [0, 1), or auto (from the bench)."
)
@OWN_RECIPE
@TRUNCATION
@START
@PAIRS
@click.option(
    "--with-real", metavar="DATA", help="Write the real images DATA beside them: a training set in one folder."
)
@click.option("--format", metavar="NAME", cls=LazyOption, help=cast(Any, _names))
@click.option(
    "--shards", type=click.IntRange(1), metavar="N", help="Write N shards into the folder OUT; keep whole ones."
)
@click.option(
    "--shard", type=int, metavar="I", help="Make shard I alone, 0 or more; by default SLURM_ARRAY_TASK_ID, else all."
)
@reading_options
@click.option("--force", is_flag=True, help="Serve images of a run whose verdict is `harms` all the same.")
@common
def augment(
    run, out, per_class, balance, ratio, recipe, truncation, data, pairs, with_real, format, shards, shard, reading,
    force, seed, report,
):  # fmt: skip
    """Write synthetic labelled images as a folder that torchvision, timm and Hugging Face read.

    Of a table, rows as a CSV file with the same columns; of series, an .npz file. --ratio auto takes the share that the
    bench found to help, or none. A run whose verdict is `harms` is served with --force only.

    With --shards N, the folder OUT gets N files (PNG files of all shards lie in the same class folders). A shard has
    the same bytes whoever makes it; whole ones are kept, missing and damaged ones are made again. As an array of Slurm:
    sbatch --array=0-63 --wrap "ganaug augment ... --shards 64".

    \b
    ganaug augment runs/leaves --balance       --out data/train_synth
    ganaug augment runs/leaves --per-class 500 --out data/train_synth
    ganaug augment runs/leaves --ratio 0.25    --out data/train_synth
    ganaug augment runs/leaves --balance       --out data/filled --with-real data/train
    ganaug augment runs/table  --balance       --out synthetic.csv
    ganaug augment runs/leaves --per-class 100000 --format tar --shards 64 --out data/shards
    ganaug augment runs/cells  --data photos --pairs masks --per-class 100 --out data/train_synth
    """
    if sum([per_class is not None, balance, ratio is not None]) != 1:
        raise click.UsageError("Give one of --per-class, --balance and --ratio.")
    from ganaug.cli.load import load_run
    from ganaug.data.pictures.depth import in_words
    from ganaug.data.spec import KINDS
    from ganaug.mixing.ratio import resolve
    from ganaug.reporting import printable
    from ganaug.samples.augment import augment as write
    from ganaug.samples.augment import complete
    from ganaug.samples.exports import format_for
    from ganaug.samples.plan import balance as filled
    from ganaug.samples.plan import fraction
    from ganaug.samples.plan import per_class as each
    from ganaug.samples.pool import served

    fitted = load_run(run, recipe)
    counts, most = fitted.card.counts, None
    if with_real and per_class is None and len(fitted.card.shape) == 3:  # fill up those, not what the fit saw
        counts, most = _counts_of(fitted, with_real, reading, report)
    elif fitted.card.described and per_class is None:
        raise OptionError(
            "The classes of this generator are described: there are no real images of them to count.",
            "Give --per-class N, or --with-real DATA, whose classes are filled up.",
        )
    if balance:
        plan = filled(counts, most)
    elif ratio is not None:  # a folder has no mode; the share is what the bench measured
        share = resolve(fitted, "replace", ratio if ratio == "auto" else number("ratio", ratio), force)
        share = share.at_size(fitted, depth=1)
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
        return Told({"out": None, "plan": plan}, [f"{why}: there is nothing to add."])
    needed, plan = plan, plan if with_real else complete(fitted, plan, format_for(fitted, Path(out), format))
    shard = _shard_of(shards, shard)
    write(
        fitted, plan, out, seed=seed, truncation=truncation, data=data, pairs=pairs, with_real=with_real, format=format,
        shards=shards, shard=shard, reading=reading, force=force, report=report,
    )  # fmt: skip
    total, one = sum(plan.values()), "  (needs none; one keeps the numbers of the other classes right)"
    lines = [f"{printable(name)}: {n}{one * (n > needed[name])}" for name, n in plan.items()]
    part = "" if shards is None else f", in {shards} shards"
    part += "" if shard is None else f", of which number {shard} is there"
    lines += [f"{total} {KINDS[len(fitted.card.shape)]} in {out}{', beside the real ones' * bool(with_real)}{part}"]
    lines += [f"Withheld by the choice: {', '.join(map(printable, withheld))}"] if withheld else []
    if len(fitted.card.shape) == 3 and fitted.card.codec.range is not None:
        lines.append(f"Written with 8 bits: 0 to 255 stand for {in_words(fitted.card.codec.range)}.")
    said = share.caveats("A folder" if len(fitted.card.shape) == 3 else "A file") if ratio is not None else []
    if ratio == "auto" and len(fitted.card.shape) == 3:
        said.append("The bench put synthetic images in the place of real ones in every batch, at this share; a folder "
                    "that is added to the real images comes to the same share of a shuffled loader.")  # fmt: skip
    shown = {} if shards is None else {"shards": shards, "shard": shard}
    return Told({"out": str(out), "plan": plan, **shown, "notes": said}, lines + said)


def _counts_of(fitted, data, reading, report):
    """How many of these real images there are of each class of the generator, and the most of any class."""
    from ganaug.data.labelled import label_counts
    from ganaug.data.sources.source import open_source

    real = open_source(data, reading, report=report)
    there = label_counts(real.labels, [fitted.spelled(name) for name in real.classes])
    return {name: there.get(name, 0) for name in fitted.card.classes}, max(there.values(), default=0)
