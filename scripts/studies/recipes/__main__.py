"""What every recipe does, measured: runs the studies of this package, and keeps their figures.

    python -m scripts.studies.recipes                   # all recipes, seed 0
    python -m scripts.studies.recipes cgan wgan --seeds 3
    python -m scripts.studies.recipes --expectations    # what the docstrings of the recipes must say of their figures

A study is a function of (folder, seed, quick) that trains through the public functions, draws pictures into the folder
(a scratch folder, --out), and returns figures. They are a line a seed in results/recipes/RECIPE.jsonl, with the
pictures of seed 0 in docs/images/recipes: a line that is there is not played again; delete it and its scratch folder to
play it anew. Figures are published whether an aim is reached or not. GANAUG_DATA names the folder of image sets; a
study whose data are absent is left out, and said to be.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from pathlib import Path

from PIL import Image

from scripts.studies.lib.command import count, options
from scripts.studies.lib.facts import AbsentError, machine, today
from scripts.studies.lib.results import Line, find, put
from scripts.studies.lib.words import PAGES
from scripts.studies.recipes.judged import Study
from scripts.studies.recipes.page import PICTURES, cell_file, cells_of, expectation, in_words, stem, studies

WIDEST = 900  # px of a picture in docs/


def play(name: str, study: Study, seed: int, out: Path, quick: bool) -> Line:
    """The figures of one seed, from where they are kept or by running the study."""
    file = cell_file(name, out / "quick") if quick else cell_file(name)
    if line := find(file, seed=seed):
        return line
    folder = out / name / (f"quick-{seed}" if quick else f"seed-{seed}")
    folder.mkdir(parents=True, exist_ok=True)
    began = time.process_time()
    figures = study.run(folder, seed, quick)
    line = {
        "recipe": name,
        "seed": seed,
        "quick": quick,
        "seconds": round(time.process_time() - began, 1),  # of the processor, whatever else it does
        "figures": figures,
        "environment": machine(),
        "date": today(),
    }
    if seed == 0 and not quick:
        keep_pictures(folder, name)
    put(file, line, "seed")
    return line


def keep_pictures(folder: Path, name: str) -> None:
    """Copy the pictures of a cell into docs/, not wider than WIDEST."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    for old in PICTURES.glob(f"{stem(name)}-*.png"):
        old.unlink()
    for file in folder.glob("*.png"):
        picture = Image.open(file).convert("RGB")
        if picture.width > WIDEST:
            picture = picture.resize((WIDEST, round(picture.height * WIDEST / picture.width)), Image.Resampling.LANCZOS)
        picture.quantize(128).save(PICTURES / f"{stem(name)}-{file.name}", optimize=True)


def main(arguments: Sequence[str] | None = None) -> int:
    found = studies()
    parser = options(__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="studies (default: all)")
    parser.add_argument("--seeds", type=count, default=1)
    parser.add_argument("--quick", action="store_true", help="a few seconds each: do the studies run?")
    parser.add_argument("--expectations", action="store_true", help="print what docstrings must say")
    parser.add_argument("--out", type=Path, default=Path("runs/recipes"), help="scratch folder (default: runs/recipes)")
    asked = parser.parse_args(arguments)
    if asked.expectations:
        for name, study in found.items():
            print(f"{name}: {expectation(study, cells) if (cells := cells_of(name)) else 'no line yet'}")
        return 0
    unknown = [name for name in asked.names if name not in found]
    if unknown:
        parser.error(f"There is no study of {', '.join(unknown)}; there are: {', '.join(found)}.")
    for name in asked.names or found:
        for seed in range(asked.seeds):
            try:
                line = play(name, found[name], seed, asked.out, asked.quick)
            except AbsentError as error:
                print(f"{name}: left out, {error}")
                break
            aims = found[name].aims
            figures = "  ".join(f"{key} {in_words([value], aims.get(key))}" for key, value in line["figures"].items())
            print(f"{name} seed {seed}: {line['seconds']:.0f} s  {figures}", flush=True)
    print(f"`{PAGES}` writes docs/recipes.md.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
