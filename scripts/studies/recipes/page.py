"""docs/recipes.md: a section a study, from the figures that it keeps and the pictures that it left in docs/."""

from __future__ import annotations

import inspect
import shlex
from pathlib import Path
from typing import Any

import numpy as np

from ganaug.recipes import RECIPES, make
from scripts.studies.lib.results import DOCS, RESULTS, Line, read
from scripts.studies.lib.words import table, written_by
from scripts.studies.recipes import (
    classic,
    described,
    frontal,
    inference,
    modern,
    series,
    tables,
    translation,
    wasserstein,
)
from scripts.studies.recipes.judged import Study

MODULE = "python -m scripts.studies.recipes"
PICTURES = DOCS / "images" / "recipes"
INTRODUCTION = f"""# The recipes

{written_by(MODULE)}

Every recipe is played by one loop (`ganaug/game/train.py`) and is one function in `ganaug/recipes/`. Figures are the
mean over the seeds, with the smallest and the largest in brackets where there are several; **bold** ones miss their
aim.

"""


def studies() -> dict[str, Study]:
    """All studies, in the order of RECIPES; one is named by its recipe, a further one "RECIPE on DATA"."""
    found: dict[str, Study] = {}
    for module in (classic, described, frontal, inference, modern, series, tables, translation, wasserstein):
        found |= module.STUDIES
    return {key: found[key] for name in RECIPES for key in sorted(found) if key.split()[0] == name}


def stem(name: str) -> str:
    """Of the files of a study."""
    return name.replace(" ", "_")


def cell_file(name: str, folder: Path = RESULTS / "recipes") -> Path:
    """Where the figures of a study lie, a line a seed."""
    return folder / f"{stem(name)}.jsonl"


def cells_of(name: str) -> list[Line]:
    """What there is of a study, by seed."""
    return read(cell_file(name))


def reached(values: list[float], aim: tuple[str, float]) -> bool:
    """Whether the mean over the seeds is on the right side. aim: one of >=, <=, >, < or "within X of"; the number."""
    sign, limit = aim
    mean = float(np.mean(values))
    if sign.startswith("within"):
        return abs(mean - limit) <= float(sign.split()[1])
    return {">=": mean >= limit, "<=": mean <= limit, ">": mean > limit, "<": mean < limit}[sign]


def shown(value: float) -> str:
    """Three digits; what is left of rounding is 0."""
    return f"{0.0 if abs(value) < 1e-9 else value:.3g}"


def in_words(values: list[Any], aim: tuple[str, float] | None) -> str:
    """ "0.93 (0.91 to 0.95)", bold where the aim is missed."""
    if not all(isinstance(v, (int, float)) for v in values):
        return str(values[0])
    text = shown(float(np.mean(values)))
    if len(values) > 1:
        text += f" ({shown(min(values))} to {shown(max(values))})"
    return text if aim is None or reached(values, aim) else f"**{text}**"


def expectation(study: Study, cells: list[Line]) -> str:
    """The sentence of a recipe's docstring that says what to expect: figures, data, minutes, number of seeds."""
    figures = []
    for key in study.expect or tuple(study.aims):
        figures.append(f"{key} {in_words([cell['figures'][key] for cell in cells], None)}")
    minutes = np.mean([cell["seconds"] for cell in cells]) / 60
    seeds = f"{len(cells)} seeds" if len(cells) > 1 else "1 seed"
    return f"Expect: {'; '.join(figures)} ({study.data}; {seeds}, {minutes:.1f} minutes of a processor each)."


def pictures_of(name: str) -> list[Path]:
    """Paths from docs/, the grid first."""
    kept = PICTURES.glob(f"{stem(name)}-*.png")
    return [file.relative_to(DOCS) for file in sorted(kept, key=lambda f: (not f.stem.endswith("-grid"), f.name))]


def _described(name: str) -> str:
    """The docstring of a recipe without the equations, which the page prints from the recipe itself, and without what
    the tests of the laws read."""
    paragraphs = inspect.cleandoc(RECIPES[name].__doc__ or "").split("\n\n")
    return "\n\n".join(one for one in paragraphs if not one.startswith(("    ", "The toy of the laws"))) + "\n"


def section(name: str, study: Study, cells: list[Line]) -> str:
    """The part of the page about one study."""
    lines = [f"## {name}\n"]
    if name in RECIPES:
        lines += [_described(name), f"```\n{make(name, {})}\n```\n"]
    rows = []
    for key in cells[0]["figures"]:
        aim = study.aims.get(key)
        values = [cell["figures"][key] for cell in cells if key in cell["figures"]]
        rows.append((key, in_words(values, aim), "" if aim is None else f"{aim[0]} {aim[1]:g}"))
    lines += [f"{study.what}\n", table(("figure", "measured", "aim"), rows)]
    minutes = np.mean([cell["seconds"] for cell in cells]) / 60
    threads = cells[0]["environment"].get("threads", "?")
    seeds = ", ".join(str(cell["seed"]) for cell in cells)
    lines.append(f"{study.data}; seeds {seeds}; {minutes:.1f} minutes of a processor a seed, {threads} thread(s); "
                 f"{cells[0]['date']}; `{MODULE} {shlex.quote(name)}`.\n")  # fmt: skip
    lines += [f"![{name}: {file.stem}]({file.as_posix()})\n" for file in pictures_of(name)]
    return "\n".join(lines)


def render() -> str:
    """The whole page."""
    found = studies()
    cells = {name: cells_of(name) for name in found}
    parts = [section(name, study, cells[name]) for name, study in found.items() if cells[name]]
    missing = [*(name for name in RECIPES if name not in found), *(name for name in found if not cells[name])]
    if missing:
        parts.append(f"Not on this page: {', '.join(missing)} (`small` has docs/quality.md).\n")
    return "\n".join([INTRODUCTION, *parts])
