"""What every recipe does, measured: runs the studies of scripts/studies and writes docs/recipes.md.

    python scripts/recipes_table.py                   # all recipes, seed 0
    python scripts/recipes_table.py cgan wgan --seeds 3
    python scripts/recipes_table.py --only-page       # write the page from the cells that there are
    python scripts/recipes_table.py --expectations    # what the docstrings of the recipes must say of their figures

A study is a function of (folder, seed, quick) that trains through the public functions, draws pictures into the folder
(a scratch folder, --out), and returns figures. Each recipe and seed is one cell, docs/recipes/RECIPE/seed-N.json, with
the pictures of seed 0 in docs/images/recipes: a cell that is there is not played again; delete it and its scratch
folder to play it anew. Figures are published whether an aim is reached or not. GANAUG_DATA names the folder of image
sets; a study whose data are absent is left out, and said to be.
"""

from __future__ import annotations

import importlib
import inspect
import json
import os
import shlex
import time
from pathlib import Path
from typing import Any

import click
import numpy as np
from PIL import Image

from ganaug.device import environment, resolve_device
from ganaug.recipes import RECIPES, make

HERE = Path(__file__).resolve().parent
DOCS = HERE.parents[2] / "docs"
PICTURES = DOCS / "images" / "recipes"
WIDEST = 900  # px of a picture in docs/

INTRODUCTION = """# The recipes

Every recipe is played by one loop (`ganaug/train.py`) and is one function in `ganaug/recipes/`. This page is
written by `scripts/recipes_table.py` from its own measurements; run it again, whole or for one recipe. Figures are the
mean over the seeds, with the smallest and the largest in brackets where there are several; **bold** ones miss their
aim.

"""


def studies() -> dict[str, dict[str, Any]]:
    """All studies, in the order of RECIPES; one is named by its recipe, a further one "RECIPE on DATA"."""
    found: dict[str, dict[str, Any]] = {}
    for file in sorted(HERE.glob("*.py")):
        found |= vars(importlib.import_module(f"scripts.studies.recipes.{file.stem}")).get("STUDIES", {})
    return {key: found[key] for name in RECIPES for key in sorted(found) if key.split()[0] == name}


def cell_file(name: str, seed: int, out: Path, quick: bool) -> Path:
    """Where the figures of a cell lie; those of a quick one in the scratch folder."""
    return (out / "quick" if quick else DOCS / "recipes") / name / f"seed-{seed}.json"


def play(name: str, study: dict[str, Any], seed: int, out: Path, quick: bool) -> dict[str, Any]:
    """The figures of one cell, from its file or by running the study."""
    cell = cell_file(name, seed, out, quick)
    if cell.exists():
        return json.loads(cell.read_text())
    folder = out / name / (f"quick-{seed}" if quick else f"seed-{seed}")
    folder.mkdir(parents=True, exist_ok=True)
    began = time.process_time()
    figures = study["run"](folder, seed, quick)
    values = {
        "recipe": name,
        "seed": seed,
        "quick": quick,
        "seconds": round(time.process_time() - began, 1),  # of the processor, whatever else it does
        "figures": figures,
        "environment": environment(resolve_device("cpu")),
        "date": time.strftime("%Y-%m-%d"),
    }
    if seed == 0 and not quick:
        keep_pictures(folder, name)
    cell.parent.mkdir(parents=True, exist_ok=True)
    cell.write_text(json.dumps(values, indent=1))
    return values


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


def stem(name: str) -> str:
    """What the names of the pictures of a study begin with."""
    return f"{name.replace(' ', '_')}-"


def keep_pictures(folder: Path, name: str) -> None:
    """Copy the pictures of a cell into docs/, not wider than WIDEST."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    for old in PICTURES.glob(f"{stem(name)}*.png"):
        old.unlink()
    for file in folder.glob("*.png"):
        picture = Image.open(file).convert("RGB")
        if picture.width > WIDEST:
            picture = picture.resize((WIDEST, round(picture.height * WIDEST / picture.width)), Image.Resampling.LANCZOS)
        picture.quantize(128).save(PICTURES / f"{stem(name)}{file.name}", optimize=True)


def cells_of(name: str) -> list[dict[str, Any]]:
    """The cells that there are of a study, by seed."""
    return [json.loads(file.read_text()) for file in sorted((DOCS / "recipes" / name).glob("seed-*.json"))]


def expectation(study: dict[str, Any], cells: list[dict[str, Any]]) -> str:
    """The sentence of a recipe's docstring that says what to expect: figures, data, minutes, number of seeds."""
    figures = []
    for key in study.get("expect", tuple(study["aims"])):
        figures.append(f"{key} {in_words([cell['figures'][key] for cell in cells], None)}")
    minutes = np.mean([cell["seconds"] for cell in cells]) / 60
    seeds = f"{len(cells)} seeds" if len(cells) > 1 else "1 seed"
    return f"Expect: {'; '.join(figures)} ({study['data']}; {seeds}, {minutes:.1f} minutes of a processor each)."


def pictures_of(name: str) -> list[Path]:
    """Paths from docs/, the grid first."""
    kept = PICTURES.glob(f"{stem(name)}*.png")
    return [file.relative_to(DOCS) for file in sorted(kept, key=lambda f: (not f.stem.endswith("-grid"), f.name))]


def section(name: str, study: dict[str, Any], cells: list[dict[str, Any]]) -> str:
    """The part of the page about one recipe."""
    lines = [f"## {name}", ""]
    if name in RECIPES:
        lines += [inspect.cleandoc(RECIPES[name].__doc__ or ""), "", "```", str(make(name, {})), "```", ""]
    lines += [study["what"], ""]
    aims = study.get("aims", {})
    lines += ["| figure | measured | aim |", "|---|---|---|"]
    for key in cells[0]["figures"]:
        aim = aims.get(key)
        values = [cell["figures"][key] for cell in cells if key in cell["figures"]]
        lines.append(f"| {key} | {in_words(values, aim)} | {'' if aim is None else f'{aim[0]} {aim[1]:g}'} |")
    minutes = np.mean([cell["seconds"] for cell in cells]) / 60
    threads = cells[0]["environment"].get("threads", "?")
    seeds = ", ".join(str(cell["seed"]) for cell in cells)
    lines += ["", f"{study['data']}; seeds {seeds}; {minutes:.1f} minutes of a processor a seed, {threads} thread(s); "
              f"{cells[0]['date']}; `python scripts/recipes_table.py {shlex.quote(name)}`.", ""]  # fmt: skip
    lines += [f"![{name}: {file.stem}]({file.as_posix()})\n" for file in pictures_of(name)]
    return "\n".join(lines)


def write_page(found: dict[str, dict[str, Any]]) -> None:
    parts, missing = [INTRODUCTION], [name for name in RECIPES if name not in found]
    for name, study in found.items():
        cells = cells_of(name)
        if cells:
            parts.append(section(name, study, cells))
        else:
            missing.append(name)
    if missing:
        parts.append(f"Not on this page: {', '.join(missing)} (`small` has docs/quality.md).\n")
    (DOCS / "recipes.md").write_text("\n".join(parts))


@click.command()
@click.argument("names", nargs=-1)
@click.option("--seeds", default=1, show_default=True)
@click.option("--quick", is_flag=True, help="A few seconds each: shows that the studies run, not what recipes can do.")
@click.option("--only-page", is_flag=True, help="Write docs/recipes.md from the cells that there are.")
@click.option("--expectations", is_flag=True, help="Print what docstrings must say, from the cells that there are.")
@click.option(
    "--out", type=click.Path(path_type=Path), default=Path("runs/recipes"), show_default=True, help="Scratch."
)
def main(names: tuple[str, ...], seeds: int, quick: bool, only_page: bool, expectations: bool, out: Path) -> None:
    found = studies()
    if expectations:
        for name, study in found.items():
            print(f"{name}: {expectation(study, cells) if (cells := cells_of(name)) else 'no cell yet'}")
        return
    unknown = [name for name in names if name not in found]
    if unknown:
        raise click.UsageError(f"There is no study of {', '.join(unknown)}; there are: {', '.join(found)}.")
    for name in [] if only_page else names or found:
        for seed in range(seeds):
            if not os.environ.get("GANAUG_DATA"):
                raise click.UsageError("Set GANAUG_DATA to the folder of mnist.npz and the others.")
            try:
                values = play(name, found[name], seed, out, quick)
            except FileNotFoundError as error:
                print(f"{name}: left out, {error}")
                continue
            aims = found[name].get("aims", {})
            figures = "  ".join(f"{k} {in_words([v], aims.get(k))}" for k, v in values["figures"].items())
            print(f"{name} seed {seed}: {values['seconds']:.0f} s  {figures}", flush=True)
    if not quick:
        write_page(found)


if __name__ == "__main__":
    main()
