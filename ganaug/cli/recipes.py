"""`ganaug recipes`: the games that can be played."""

from __future__ import annotations

import rich_click as click

from ganaug.cli.group import common, show


@click.command()
@click.argument("name", required=False)
@common
def recipes(name, seed, as_json, quiet):
    """List the recipes with their equations, or describe the one called NAME.

    \b
    ganaug recipes
    ganaug recipes small
    """
    import inspect

    from ganaug.recipes import RECIPES, make

    chosen = {name: make(name, {})} if name else {n: make(n, {}) for n in RECIPES}
    values = {
        n: {player.name: {"moves": player.moves, "loss": str(player.loss)} for player in r.players}
        for n, r in chosen.items()
    }
    lines = []
    for n, recipe in chosen.items():
        lines += [n, *("  " + line for line in str(recipe).splitlines())]
        if name:
            settings = inspect.signature(RECIPES[n]).parameters.values()
            lines += ["", inspect.cleandoc(RECIPES[n].__doc__ or ""), "", "settings:"]
            lines += [f"  {p.name} = {p.default!r}" for p in settings]
    show(as_json, values, lines)
