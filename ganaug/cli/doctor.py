"""`ganaug doctor`: what is wrong with a run, and the knob to turn."""

from __future__ import annotations

from pathlib import Path

import rich_click as click

from ganaug.cli.group import Told, common
from ganaug.cli.options import DEVICE, OWN_RECIPE, PAIRS, reading_options
from ganaug.options import as_text


class _Listing(click.RichCommand):
    """A command whose help ends with what is looked for."""

    def get_help(self, ctx: click.Context) -> str:
        from ganaug.fitting.doctor.findings import AILMENTS

        self.epilog = f"Looked for: {', '.join(AILMENTS)}."
        return super().get_help(ctx)


@click.command(cls=_Listing)
@click.argument("run", type=click.Path())
@click.argument("data", required=False)
@PAIRS
@reading_options
@DEVICE
@OWN_RECIPE
@common
def doctor(run, data, pairs, reading, device, recipe, report):
    """Name what is wrong with a run: collapse, copies, labels that leak, a discriminator that overfits, and others.

    A fit makes ten check-ups on its way, which are read here. With DATA, what the run was fitted on, the generator is
    looked at once more: for a generator folder alone, or a very short fit. Exits 0 whatever is found.

    \b
    ganaug doctor runs/leaves
    ganaug doctor runs/leaves/generator data/train --json
    """
    from ganaug.cli.load import load_run, own_recipe
    from ganaug.data.beside import to_bench
    from ganaug.data.spec import KINDS
    from ganaug.fitting.doctor.doctor import doctor as examine
    from ganaug.generator.parts import UNLABELLED

    fitted, own = load_run(run, recipe), own_recipe(recipe)
    found = examine(fitted, data, reading, pairs=pairs, recipe=own, device=device, report=report)
    if fitted.card.classes == UNLABELLED:
        return Told(found.to_json(), found.lines())
    bench = to_bench(data, reading, Path(run) / "bench", run=run, recipe=recipe) if data else None
    shown = "" if recipe is None else f" --recipe {as_text(recipe)}"
    bench = bench or f"ganaug bench DATA --run {as_text(run)}{shown} --out OUT"
    what = KINDS[len(fitted.card.shape)]
    return Told(found.to_json(), [*found.lines(), "", f"Whether its {what} help a classifier: {bench}"])
