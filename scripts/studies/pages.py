"""Writes the pages of docs/ that studies make, from the results that are kept.

    python -m scripts.studies.pages            # all of them
    python -m scripts.studies.pages --check    # names those that differ from what the results give, and exits with 1

A page whose results are not kept stays as it is.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence

import scripts.studies.help.page
import scripts.studies.recipes.page
from ganaug.files.integrity import write_atomically
from scripts.studies import calibration, doctor, one_dimension, reference
from scripts.studies.help.cells import CELLS
from scripts.studies.help.kept import HELP
from scripts.studies.help.summary import keep_bootstraps, results
from scripts.studies.lib.command import options
from scripts.studies.lib.results import DOCS

PAGES: dict[str, Callable[[], str | None]] = {
    "calibration.md": calibration.render,
    "doctor.md": doctor.render,
    "one_dimension.md": one_dimension.render,
    "recipes.md": scripts.studies.recipes.page.render,
    "reference.md": reference.render,
    "study.md": scripts.studies.help.page.render,
}  # each gives its text, None where nothing is kept


def stale() -> list[str]:
    """The pages that differ from what the results give."""
    return [name for name, text in rendered().items() if (DOCS / name).read_text() != text]


def rendered() -> dict[str, str]:
    """The text of every page whose results are kept."""
    return {name: text for name, render in PAGES.items() if (text := render()) is not None}


def main(arguments: Sequence[str] | None = None) -> int:
    parser = options(__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing")
    if parser.parse_args(arguments).check:
        found = stale()
        for name in found:
            print(f"docs/{name} is stale. Run `python -m scripts.studies.pages`.")
        return int(bool(found))
    keep_bootstraps(results(CELLS, HELP), HELP)
    for name, text in rendered().items():
        write_atomically(DOCS / name, text.encode())
        print(f"docs/{name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
