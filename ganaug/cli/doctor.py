"""`ganaug doctor`: what is wrong with a run, and the knob to turn."""

from __future__ import annotations

import rich_click as click

from ganaug.cli.group import common, show


class _Listing(click.RichCommand):
    """A command whose help ends with what is looked for."""

    def get_help(self, ctx: click.Context) -> str:
        from ganaug.fitting.doctor.findings import AILMENTS

        self.epilog = f"Looked for: {', '.join(AILMENTS)}."
        return super().get_help(ctx)


@click.command(cls=_Listing)
@click.argument("run", type=click.Path())
@click.argument("data", required=False)
@click.option("--pairs", type=click.Path(), metavar="FOLDER", help="Paired images, of the same names as DATA's.")
@click.option("--root", type=click.Path(), help="Folder of a torchvision or timm data set given by name.")
@click.option("--device", metavar="NAME", default="auto", show_default=True, help="auto, cpu, cuda, cuda:1, ...")
@click.option(
    "--recipe", metavar="FILE:NAME", help="file.py:function, if the run was fitted with a recipe of your own."
)
@common
def doctor(
    run: str, data: str | None, pairs: str | None, root: str | None, device: str, recipe: str | None, seed: int,
    as_json: bool, quiet: bool,
) -> None:  # fmt: skip
    """Name what is wrong with a run: collapse, copies, labels that leak, a discriminator that overfits, and others.

    A fit makes ten check-ups on its way, which are read here. With DATA, what the run was fitted on, the generator is
    looked at once more: for a generator folder alone, or a very short fit. Exits 0 whatever is found.

    \b
    ganaug doctor runs/leaves
    ganaug doctor runs/leaves/generator data/train --json
    """
    from ganaug.cli.console import terminal
    from ganaug.cli.load import load_run, own_recipe
    from ganaug.fitting.doctor.doctor import doctor as examine

    with terminal(quiet) as report:
        found = examine(
            load_run(run, recipe), data, pairs=pairs, root=root, recipe=own_recipe(recipe),
            device=device, report=report,
        )  # fmt: skip
    show(as_json, found.to_json(), found.lines())
