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
import torch

from ganaug.data.load import LabelledImages, load_images
from ganaug.data.split import hold_out
from ganaug.errors import DataError, LabelMismatchError, LeakError, TooFewImagesError
from ganaug.generator.card import Card
from ganaug.keys import permutation
from ganaug.reporting import Report, silent

MOST_REFERENCE = 10_000
MOST_JUDGE = 20_000
UNLABELLED = ("all",)  # the classes of a generator that knows none


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

    def unlabelled(self) -> Sides:
        """The same images with the one class "all"."""
        return Sides(
            self.seen.unlabelled(), self.unseen.unlabelled(), self.reference.unlabelled(), self.judge.unlabelled(),
            self.fitted, self.notes,
        )  # fmt: skip


def sides(
    card: Card, data: Any, test: Any = None, *, source: Any = None, root: Any = None, seed: int = 0,
    report: Report = silent,
) -> Sides:  # fmt: skip
    """Load and divide. Where the generator knows no classes, those of the data count. source: the paired images of the
    data. Raises LabelMismatchError for other classes, TooFewImagesError if nothing unseen is left to compare with,
    LeakError if all test images are among the data."""
    real = _load(card, data, "train", report, source, root=root)
    if card.classes == UNLABELLED:
        card = replace(card, classes=real.classes)
    if set(real.classes) != set(card.classes):
        raise LabelMismatchError(
            f"The generator knows the classes {', '.join(card.classes)}; the data have {', '.join(real.classes)}.",
            "Measure a run on the kind of data that it was fitted on.",
        )
    real = _in_order(real, card.classes, "The data")
    notes: list[str] = []
    inside = np.isin(real.fingerprints, card.fingerprints)
    fitted = bool(inside.any())
    if fitted:
        seen, unseen = real.take(np.flatnonzero(inside)), real.take(np.flatnonzero(~inside))
    else:
        seen, unseen = hold_out(real, seed=seed)
        notes.append("None of these images were part of the fit: copies cannot be looked for.")
    if test is not None:
        reference, more = _test(card, test, real, report, root)
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


def fit_parts(
    card: Card, data: Any, *, groups: Any = None, root: Any = None, report: Report = silent
) -> tuple[LabelledImages, LabelledImages]:
    """The images that the gradients of the fit saw, and those that it held out, in the order of the card's classes.

    Raises TooFewImagesError if none of the former are in the data, DataError if some of either are not,
    LabelMismatchError for a class of another name, other labels, and a generator that knows no classes.
    """
    if card.classes == UNLABELLED:
        raise LabelMismatchError(
            "The generator knows no classes, so there is no label to judge its samples by.", "Fit one that knows them."
        )
    real = _in_order(_load(card, data, "train", report, groups=groups, root=root), card.classes, "The data")
    inside = np.isin(real.fingerprints, card.fingerprints)
    if not inside.any():
        raise TooFewImagesError("None of these images were part of the fit.", "Give the data that it was fitted on.")
    held_out = np.isin(real.fingerprints, card.held_out) & ~inside
    fit = {*card.fingerprints, *card.held_out}
    gone = len(fit - set(real.fingerprints))
    if gone:
        raise DataError(
            f"{gone} of {len(fit)} images of the fit are not in the data.", "Give all that it was fitted on."
        )
    counts = real.take(np.flatnonzero(inside | held_out)).counts()
    other = [name for name, n in card.counts.items() if counts[name] < n]
    if other:
        raise LabelMismatchError(
            f"Of {other[0]!r} the fit had {card.counts[other[0]]} images, and {counts[other[0]]} of these are.",
            "Give them with the labels that they had.",
        )
    return real.take(np.flatnonzero(inside)), real.take(np.flatnonzero(held_out))


def _load(
    card: Card, data: Any, split: str, report: Report, source: Any = None, groups: Any = None, root: Any = None
) -> LabelledImages:
    channels, _, side = card.shape
    return load_images(
        data, size=side, channels=channels, split=split, at_least=0, pairs=source, groups=groups, root=root,
        report=report,
    )  # fmt: skip


def _test(card: Card, test: Any, real: LabelledImages, report: Report, root: Any) -> tuple[LabelledImages, list[str]]:
    """The test images that are not among the data or the images of the fit, and notes."""
    images = _in_order(_load(card, test, "test", report, root=root), card.classes, "The test set")
    known = [*real.fingerprints, *card.fingerprints, *card.held_out]
    fresh = np.flatnonzero(~np.isin(images.fingerprints, known))
    if not len(fresh):
        raise LeakError("All test images are among the data.", "Give images of which the fit saw none.")
    dropped = len(images) - len(fresh)
    notes = [f"{dropped} test images are among the data and were left out."] if dropped else []
    return images.take(fresh), notes


def _in_order(images: LabelledImages, classes: tuple[str, ...], what: str) -> LabelledImages:
    """The same images with labels in this order of classes, matched by name."""
    foreign = [name for name, n in images.counts().items() if name not in classes and n]
    if foreign:
        raise LabelMismatchError(
            f"{what} has the class {', '.join(map(repr, foreign))}, the generator does not.",
            f"Classes are matched by name; the generator has {', '.join(map(repr, classes))}.",
        )
    place = torch.tensor([classes.index(name) if name in classes else -1 for name in images.classes])
    return replace(images, labels=place[images.labels], classes=classes)


def _some(images: LabelledImages, most: int, seed: int) -> LabelledImages:
    """At most so many, chosen by seed."""
    if len(images) <= most:
        return images
    return images.take(np.sort(permutation(len(images), seed, "metrics", "some")[:most]))
