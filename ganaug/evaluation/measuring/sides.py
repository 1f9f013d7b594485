"""Which real images play which part when samples are measured.

seen       the generator's gradients saw them; classifiers are trained on them, copies are looked for among them
unseen     all other images of the data: held out by the fit, or not part of it
reference  what samples are compared with: the test images if given, else unseen ones
for the judge: what is left, so that it never saw what it judges
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ganaug.data.beside import both_readings
from ganaug.data.load import LabelledImages
from ganaug.data.split import hold_out
from ganaug.errors import LabelMismatchError, LeakError, TooFewImagesError
from ganaug.generator.card import Card
from ganaug.generator.parts import UNLABELLED, FitParts, images_like
from ganaug.keys import permutation
from ganaug.options import Reading
from ganaug.reporting import Report, silent

MOST_REFERENCE = 10_000
MOST_JUDGE = 20_000


@dataclass(frozen=True)
class Sides:
    """All in the order of the card's classes and of the generator's size. notes: plain sentences.

    fitted: whether `seen` are really the images of the fit; if none of them are in the data, 80 % stand in for them.
    """

    seen: LabelledImages
    unseen: LabelledImages
    reference: LabelledImages
    judge: LabelledImages
    fitted: bool
    notes: tuple[str, ...]


def sides(
    card: Card,
    data: Any,
    reading: Reading,
    *,
    test: Any = None,
    pairs: Any = None,
    seed: int = 0,
    report: Report = silent,
) -> Sides:
    """Load and divide. Where the generator knows no classes, those of the data count. pairs: the paired images of the
    data. Raises LabelMismatchError for other classes, TooFewImagesError if nothing unseen is left to compare with,
    LeakError if all test images are among the data."""
    reading, there = both_readings(reading, data, test)
    real = images_like(card, data, reading, pairs=pairs, report=report)
    if card.classes == UNLABELLED:
        card = replace(card, classes=real.classes)
    if not real.has_the_classes(card.classes):
        raise LabelMismatchError(
            f"The generator knows the classes {', '.join(card.classes)}; the data have {', '.join(real.classes)}.",
            "Measure a run on the kind of data that it was fitted on.",
        )
    real = real.in_order(card.classes, "The data")
    notes: list[str] = []
    parts = FitParts(real, card)
    fitted = bool(parts.inside.any())
    if fitted:
        seen, unseen = parts.seen, parts.unseen
    else:
        seen, unseen = hold_out(real, seed=seed)
        notes.append("None of these images were part of the fit: copies cannot be looked for.")
    if test is not None:
        reference, more = _test(card, test, there, real, report)
        judge, notes = _some(real, MOST_JUDGE, seed), notes + more
    else:
        if not len(unseen):
            raise TooFewImagesError(
                "The generator saw all of these images, so there is nothing to compare its samples with.",
                "Give images that it has not seen: --test FOLDER.",
            )
        reference = _some(unseen, MOST_REFERENCE, seed)
        rest = ~np.isin(real.fingerprints, reference.fingerprints)
        judge = _some(real.take(np.flatnonzero(rest)), MOST_JUDGE, seed)
    empty = [name for name, n in reference.counts().items() if n == 0]
    if empty:
        notes.append(f"There is no reference image of {', '.join(empty)}: figures leave it out.")
    return Sides(seen, unseen, reference, judge, fitted, tuple(notes))


def _test(
    card: Card, test: Any, reading: Reading, real: LabelledImages, report: Report
) -> tuple[LabelledImages, list[str]]:
    """The test images that are not among the data or the images of the fit, and notes."""
    images = images_like(card, test, reading, report=report).in_order(card.classes, "The test set")
    known = [*real.fingerprints, *card.fingerprints, *card.held_out]
    fresh = np.flatnonzero(~np.isin(images.fingerprints, known))
    if not len(fresh):
        raise LeakError("All test images are among the data.", "Give images of which the fit saw none.")
    dropped = len(images) - len(fresh)
    notes = [f"{dropped} test images are among the data and were left out."] if dropped else []
    return images.take(fresh), notes


def _some(images: LabelledImages, most: int, seed: int) -> LabelledImages:
    """At most so many, chosen by seed."""
    if len(images) <= most:
        return images
    return images.take(np.sort(permutation(len(images), seed, "metrics", "some")[:most]))
