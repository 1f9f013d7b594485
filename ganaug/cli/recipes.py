"""`ganaug recipes`: the games that can be played."""

from __future__ import annotations

import inspect
import textwrap
from typing import Any

import rich_click as click

from ganaug.cli.group import Told, common


@click.command()
@click.argument("name", required=False)
@common
def recipes(name, report):
    """List the recipes with their equations, or describe the one called NAME (or file.py:function, your own).

    \b
    ganaug recipes
    ganaug recipes small
    ganaug recipes mygan.py:lsgan
    """
    from ganaug.recipes import RECIPES
    from ganaug.recipes.named import maker_of, recipe_named

    known = {n: _described(maker_of(n), recipe_named(n, {})) for n in ([name] if name else RECIPES)}
    lines: list[str] = []
    for n, values in known.items():
        recipe = recipe_named(n, {})
        lines += [f"{n}: {values['summary']}"] if not name else [n]
        lines += ["  " + line for line in str(recipe).splitlines()]
        if name:
            lines += ["", values["description"], "", f"Learns from {values['learns_from']}.", "", "settings:"]
            lines += [f"  {k} = {v!r}" for k, v in values["settings"].items()]
    return Told(known, lines)


def _described(maker: Any, recipe: Any) -> dict[str, Any]:
    """What `--json` prints of a recipe."""
    from ganaug.game.recipe import AXES

    description = inspect.cleandoc(maker.__doc__ or "")
    start = "an image: " + recipe.source.value if recipe.wiring.from_source else "noise"
    return {
        "summary": textwrap.shorten(description.split("\n\n")[0], 110, placeholder=" ..."),
        "description": description,
        "players": {p.name: {"moves": p.moves, "owns": list(p.owns), "loss": str(p.loss)} for p in recipe.players},
        "learns_from": " or ".join(AXES[n] for n in recipe.axes) + (" with labels" if recipe.labelled else ""),
        "starts_from": start,
        "settings": {p.name: p.default for p in inspect.signature(maker).parameters.values()},
    }
