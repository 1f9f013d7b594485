"""`ganaug recipes`: the games that can be played."""

from __future__ import annotations

import inspect
import textwrap
from typing import Any

import rich_click as click

from ganaug.cli.group import Told, common

EXPECT = "Expect: "


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
        lines += [f"{n}: {values['summary']}"] if not name else [n, *_expectation(maker_of(n))]
        lines += ["  " + line for line in str(recipe).splitlines()]
        if name:
            lines += ["", values["description"], "", f"Learns from {values['learns_from']}.", "", "settings:"]
            lines += [f"  {k} = {v!r}" for k, v in values["settings"].items()]
    return Told(known, lines)


def _paragraphs(maker: Any) -> list[str]:
    """Of its docstring, but what is for our tests alone."""
    told = inspect.cleandoc(maker.__doc__ or "").split("\n\n")
    return [one for one in told if not one.startswith("The toy of the laws")]


def _expectation(maker: Any) -> list[str]:
    found = [one for one in _paragraphs(maker) if one.startswith(EXPECT)]
    return [line for one in found for line in ("", f"What to expect: {one.removeprefix(EXPECT)}", "")]


def _described(maker: Any, recipe: Any) -> dict[str, Any]:
    """What `--json` prints of a recipe."""
    from ganaug.game.recipe import AXES

    told = [one for one in _paragraphs(maker) if not one.startswith(EXPECT)]
    start = "an image: " + recipe.source.value if recipe.wiring.from_source else "noise"
    return {
        "summary": textwrap.shorten((told or [""])[0], 110, placeholder=" ..."),
        "description": "\n\n".join(told),
        "expectation": "\n".join(_expectation(maker)).strip(),
        "players": {p.name: {"moves": p.moves, "owns": list(p.owns), "loss": str(p.loss)} for p in recipe.players},
        "learns_from": " or ".join(AXES[n] for n in recipe.axes) + (" with labels" if recipe.labelled else ""),
        "starts_from": start,
        "settings": {p.name: p.default for p in inspect.signature(maker).parameters.values()},
    }
