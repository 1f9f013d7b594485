"""What a fit says of its data and recipe before the first round; lists go into the run folder."""

from __future__ import annotations

from pathlib import Path

from ganaug.data.load import LabelledImages
from ganaug.data.quarantine import LIST, as_list
from ganaug.data.rows.vectors import LabelledVectors
from ganaug.files.integrity import csv_text, write_atomically
from ganaug.fitting.prepare import Prepared
from ganaug.game.slices import slicewise
from ganaug.reporting import Report, counted, printable

SKIPPED = "skipped_classes.csv"


def list_unreadable(folder: Path, training: LabelledImages | LabelledVectors, report: Report) -> None:
    """Tells which images were passed over, and keeps their names and the reasons."""
    passed_over = training.unreadable if isinstance(training, LabelledImages) else ()
    if passed_over:
        write_atomically(folder / LIST, as_list(passed_over))
        (name, reason), n = passed_over[0], len(passed_over)
        many = "1 image is" if n == 1 else f"{n} images are"
        where = folder / LIST
        report("unreadable", 0, 0, f"{many} passed over, the first is {name}: {reason} All are in {where}.")


def skipped(training: LabelledImages | LabelledVectors) -> tuple[str, ...]:
    """Classes that were left out as too small."""
    return training.skipped if isinstance(training, LabelledImages) else ()


def list_skipped(folder: Path, training: LabelledImages | LabelledVectors, report: Report) -> None:
    """Tells which these are, and keeps their names."""
    names = skipped(training)
    if names:
        where = folder / SKIPPED
        write_atomically(where, csv_text([("class",), *((name,) for name in names)]).encode())
        more = f" and {len(names) - 5} more" if len(names) > 5 else ""
        listed = ", ".join(map(printable, names[:5]))
        count = counted(len(names), "small class")
        report("skipped", 0, 0, f"{count}: {listed}{more}. All are in {where}.")


def find_slicewise(prepared: Prepared, report: Report) -> tuple[str, ...]:
    """The players to whom the slices of a batch are batches of their own, of whom it tells."""
    slices, recipe = prepared.settings.slices, prepared.recipe
    if slices == 1:
        return ()
    names = slicewise(recipe, prepared.batches, slices, prepared.settings.seed, prepared.device)
    if names:
        size = recipe.batch // slices
        report("slices", 0, 0, f"{' and '.join(names)}: batch statistics are those of slices of {size} items")
    return names
