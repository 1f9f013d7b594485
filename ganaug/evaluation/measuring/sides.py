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
from ganaug.data.labelled import label_counts
from ganaug.data.labels.classes import alike
from ganaug.data.load import LabelledImages, load_images
from ganaug.data.passed_over import none_of
from ganaug.data.sources.source import ImageSource
from ganaug.data.split import hold_out
from ganaug.data.texts import among
from ganaug.errors import LabelMismatchError, LeakError, TooFewImagesError
from ganaug.generator.card import Card
from ganaug.generator.parts import UNLABELLED, FitParts, NoFit, images_like
from ganaug.keys import permutation
from ganaug.options import Reading
from ganaug.reporting import Report, silent

MOST_REFERENCE = 10_000
MOST_JUDGE = 20_000


@dataclass(frozen=True)
class Sides:
    """All in the order of the card's classes and of its size. notes: plain sentences.

    copied: whether copies of `seen` are looked for; if no image of the fit is in the data, 80 % stand in for them. What
    samples that were made elsewhere may be copies of are all data, or 80 % where the rest are what they are compared
    with. card: of the generator, or what stands in its place.
    """

    seen: LabelledImages
    unseen: LabelledImages
    reference: LabelledImages
    judge: LabelledImages
    copied: bool
    notes: tuple[str, ...]
    card: Card | NoFit


def sides(
    of: Card | ImageSource,
    data: Any,
    reading: Reading,
    *,
    test: Any = None,
    pairs: Any = None,
    seed: int = 0,
    report: Report = silent,
) -> Sides:
    """Load and divide. of: the card of the generator, or samples that were made elsewhere. Where the generator knows no
    classes, those of the data count. pairs: the paired images of the data. Raises LabelMismatchError for other classes,
    TooFewImagesError if nothing unseen is left to compare with, LeakError if all test images are among the data."""
    reading, there = both_readings(reading, data, test)
    card: Card | NoFit
    if isinstance(of, Card):
        card, real = of, images_like(of, data, reading, pairs=pairs, report=report)
    else:
        whole = load_images(data, reading, at_least=0, report=report)
        if not len(of):
            raise none_of(of, "the synthetic ones")
        card = _like(whole, of)
        real = whole.without(card.skipped)
    if card.classes == UNLABELLED:
        card = replace(card, classes=real.classes)
    real.require_classes(card.classes, "Measure a run on images of its own classes.")
    real = real.in_order(card.classes, "The data")
    notes: list[str] = []
    parts = FitParts(real, card)
    copied = isinstance(card, NoFit) or bool(parts.inside.any())
    if isinstance(card, NoFit):
        seen, unseen = hold_out(real, seed=seed) if test is None else (real, real.take([]))
        notes += _of_elsewhere(card, test)
    elif copied:
        seen, unseen = parts.seen, parts.unseen
    else:
        seen, unseen = hold_out(parts.unseen, seed=seed)
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
        rest = ~among(real.fingerprints, reference.fingerprints)
        judge = _some(real.take(np.flatnonzero(rest)), MOST_JUDGE, seed)
    empty = [name for name, n in reference.counts().items() if n == 0]
    if empty:
        notes.append(f"There is no reference image of {', '.join(empty)}: figures leave it out.")
    return Sides(seen, unseen, reference, judge, copied, tuple(notes), card)


def _like(real: LabelledImages, made: ImageSource) -> NoFit:
    """What samples are to be like, where there are two or more of a class. Raises LabelMismatchError for a class that
    the data do not have."""
    counts = label_counts(made.labels, made.classes)
    foreign = [name for name, n in counts.items() if n and real.place(name) < 0]
    if foreign:
        raise LabelMismatchError(
            f"The samples have the class {', '.join(map(repr, foreign))}, which the data lack.",
            f"Classes are matched by name; the data have {', '.join(map(repr, real.classes))}.",
        )
    there = {alike(name) for name, n in counts.items() if n > 1}
    skipped = tuple(name for name in real.classes if alike(name) not in there)
    return NoFit(tuple(name for name in real.classes if name not in skipped), real.spec.shape, real.codec, skipped)


def _of_elsewhere(card: NoFit, test: Any) -> list[str]:
    """Notes of samples that were made elsewhere."""
    notes = []
    if card.skipped:
        notes.append(f"There are no two samples of {', '.join(card.skipped)}: figures leave it out.")
    if test is None:
        notes.append(
            "Whether the maker of these samples saw the images that they are compared with is not known; with --test, "
            "give images that it cannot have seen."
        )
    return notes


def _test(
    card: Card | NoFit, test: Any, reading: Reading, real: LabelledImages, report: Report
) -> tuple[LabelledImages, list[str]]:
    """The test images that are not among the data or the images of the fit, and notes."""
    images = images_like(card, test, reading, report=report).in_order(card.classes, "The test set")
    known = [*real.fingerprints, *card.fingerprints, *card.unlabelled, *card.held_out]
    fresh = np.flatnonzero(~among(images.fingerprints, known))
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
