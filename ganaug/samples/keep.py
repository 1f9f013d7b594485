"""A choice among images that were made elsewhere: a list of the files that pass."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np

from ganaug.data.load import load_images
from ganaug.data.outputs import require_outside
from ganaug.data.sources.folder import file_of
from ganaug.data.sources.source import ImageSource
from ganaug.errors import DataError, OptionError, OutputInUseError
from ganaug.files.integrity import csv_text, write_atomically
from ganaug.options import Reading
from ganaug.reporting import Report
from ganaug.samples.choosing.choice import Choice
from ganaug.samples.choosing.chosen import Chosen
from ganaug.samples.choosing.judges import Judges
from ganaug.samples.choosing.rules import Rules


def kept_of(
    made: ImageSource, data: Any, rules: Rules, reading: Reading, *, out: Path, seed: int, report: Report
) -> Chosen:
    """Judge every image, and write the list of those that pass. See `choose`."""
    if rules.realism or rules.spread != 1:
        raise OptionError("Images that were made elsewhere come without a discriminator and without latents.",
                          "Leave out --realism and --spread.")  # fmt: skip
    found = [file_of(made, index) for index in range(len(made))]
    files = {name: file for name, file in zip(made.names, found, strict=True) if file is not None}
    if len(files) < len(made) or out.suffix.lower() != ".csv":
        raise DataError("What is kept is a list of image files, and these are none, or the list is no .csv file.",
                        "Give a folder of images, or a list of them, and --out KEPT.csv (out=).")  # fmt: skip
    require_outside(out, made, data)
    if out.exists():
        raise OutputInUseError(f"{out} exists.", "Choose a new name.")
    real = load_images(data, reading, report=report)
    channels, side, _ = real.spec.shape
    images = load_images(made, size=side, channels=channels, proportion=real.codec.size, at_least=0, report=report)
    images = images.in_order(real.classes, "The samples", "the data")

    judges = Judges(real, real.take([]), seed, report)
    scorers, limits = judges.limits(rules, judges.known())
    choice = Choice(rules, real.classes, scorers, limits)
    base, rows, accepted, refused = out.parent.resolve(), [["image", "class"]], {}, {}
    for label, name in enumerate(real.classes):
        own = np.flatnonzero(images.labels.numpy() == label)
        kept, refused[name] = choice.judged(images.take(own).pixels.numpy(), label)
        accepted[name] = float(kept.mean()) if len(own) else 0.0
        if accepted[name] >= rules.gate:
            rows += [[os.path.relpath(files[images.names[row]], base), name] for row in own[kept].tolist()]
    write_atomically(out, csv_text(rows).encode())
    withheld = tuple(name for name, share in accepted.items() if share < rules.gate)
    notes = (f"{len(images.unreadable)} of {len(made)} images cannot be read.",) if images.unreadable else ()
    return Chosen(out, rules, accepted, refused, withheld, notes)
