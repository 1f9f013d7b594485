"""No test image may have been seen: by the classifier, the generator, or in the selection of arms."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from ganaug.data.duplicates.seen import LEAK, Known, marks_of
from ganaug.data.load import LabelledImages
from ganaug.errors import LeakError
from ganaug.reporting import Report

BY_CHANCE = 4  # validation images that may look like training images without a doubt, however few there are
SHOWN = 3  # pairs in a message


@dataclass(frozen=True)
class Kept:
    """images: those that nobody saw. dropped: names of the others. unjudged: a sentence of those that are kept though
    they may show subjects that were seen, or nothing; many: whether they are too many for a verdict."""

    images: LabelledImages
    dropped: tuple[str, ...]
    unjudged: str = ""
    many: bool = False


def refuse_tested(
    images: LabelledImages, test: LabelledImages, exact_only: bool, report: Report
) -> LabelledImages:  # fmt: skip
    """The unlabelled images that are none of the test images, nor nearly. Raises LeakError where one is a test image,
    and where more than 5 % of the test images are nearly among them."""
    known = Known.of(test)
    marks = marks_of(images, replace(known, likenesses=frozenset()) if exact_only else known, report).sure
    exact = {mark for mark in marks if mark in known.fingerprints}
    if exact or len({*marks} - {""}) > LEAK * len(test):
        found = [mark if mark in exact or not exact else "" for mark in marks]
        raise LeakError(
            f"{len({*found} - {''})} of {len(test)} test images are among the unlabelled images"
            f"{'' if exact else ', or nearly so'}: {_pairs(images, found, [test])}.",
            "Take them out: a classifier that learned from them, even without their labels, cannot be tested on them."
            + ("" if exact else " If these are different images that only look alike: --exact-only."),
        )
    return images.take([row for row, mark in enumerate(marks) if not mark])


def keep_unseen(
    test: LabelledImages, seen: Known, known: Sequence[LabelledImages], groups: set[str], report: Report
) -> Kept:
    """The test images that nobody saw. known: images whose names may be told. groups: the subjects of the training
    images; where those of the test images are known too, what only looks alike is no matter."""
    found = marks_of(test, seen, report)
    marks = found.sure
    overlap = np.array([bool(mark) for mark in marks], dtype=bool)
    familiar = np.array([group in groups for group in test.groups or [""] * len(test)], dtype=bool)
    nearly = overlap.sum() > LEAK * len(test) >= sum(mark in seen.fingerprints for mark in marks)
    if overlap.sum() > LEAK * len(test):
        raise LeakError(
            f"{overlap.sum()} of {len(test)} test images are among the training, validation or synthetic images, or "
            f"nearly so: {_pairs(test, marks, known)}.",
            "Give a test set that neither the classifier nor the generator has seen."
            + (" If these are different images that only look alike: --exact-only." if nearly else ""),
        )
    both = np.flatnonzero(overlap | familiar)
    if len(both) > LEAK * len(test):
        raise LeakError(
            f"{len(both)} of {len(test)} test images show subjects (groups) of the training images, for instance "
            f"{test.names[both[0]]}.",
            "Give a test set of subjects that neither the classifier nor the generator has seen.",
        )
    names = tuple(name for name, there in zip(test.names, overlap | familiar, strict=True) if there)
    kept = test.take(np.flatnonzero(~(overlap | familiar)))
    unsure = [mark if not there else "" for mark, there in zip(found.unsure, overlap | familiar, strict=True)]
    count = sum(map(bool, unsure))
    if not count or (groups and test.groups is not None):
        return Kept(kept, names)
    return Kept(
        kept, names, _not_judged(f"{count} of {len(test)} test images", test, unsure, known), count > LEAK * len(test)
    )


def _not_judged(which: str, images: LabelledImages, marks: Sequence[str], known: Sequence[LabelledImages]) -> str:
    return (
        f"{which} are as much like images that were seen as different images of this set may be like each other: "
        f"{_pairs(images, marks, known)}. Whether they show the same subjects could not be judged, since no groups are "
        "given. Name the subjects (--groups, --test-groups); or, if these are different images that only look alike, "
        "--exact-only."
    )


def _pairs(test: LabelledImages, marks: Sequence[str], known: Sequence[LabelledImages]) -> str:
    """The first test images that were seen, and as what, in words."""
    names: dict[str, str] = {}
    for images in known:
        names |= dict(zip(images.likenesses, images.names, strict=False))  # which images from elsewhere may lack
        names |= dict(zip(images.fingerprints, images.names, strict=True))
    there = [row for row, mark in enumerate(marks) if mark]
    pairs = [f"{test.names[row]} is like {names.get(marks[row], 'one that is not here')}" for row in there[:SHOWN]]
    return "; ".join(pairs) + (f"; and {len(there) - SHOWN} more" if len(there) > SHOWN else "")


def resembling(test: LabelledImages, seen: Known, known: Sequence[LabelledImages], report: Report) -> list[str]:
    """A note of the near-duplicates that are kept."""
    marks = ["" if mark in seen.fingerprints else mark for mark in marks_of(test, seen, report)]
    if not any(marks):
        return []
    return [
        f"Only exact copies were left out of the test set (--exact-only). {sum(map(bool, marks))} other test images "
        f"look like near-duplicates of images that were seen: {_pairs(test, marks, known)}."
    ]


def straddling(train: LabelledImages, validation: LabelledImages, exact_only: bool, report: Report) -> tuple[str, ...]:
    """A doubt where subjects lie on both sides of the split, or, where no groups are known, near-duplicates do."""
    if not len(validation):
        return ()
    if train.groups is not None:
        shared = set(train.groups) & set(validation.groups or ())
        if not shared:
            return ()
        return (
            f"{len(shared)} subjects (groups) lie in the training and in the validation part: the fit, which divided "
            "the images, was not told of them. Fit again with --groups.",
        )
    if exact_only:
        return ()
    marks = marks_of(validation, Known.of(train), report)
    near = [row for row, mark in enumerate(marks.sure) if mark]
    most = max(BY_CHANCE, LEAK * len(validation))
    if len(near) <= most:
        unsure = sum(map(bool, marks.unsure))
        which = f"{unsure} of {len(validation)} validation images"
        return (_not_judged(which, validation, marks.unsure, [train]),) if len(near) + unsure > most else ()
    first = validation.names[near[0]]
    return (
        f"{len(near)} of {len(validation)} validation images are near-duplicates of training images (for "
        f"instance {first}), and no groups are given: what belongs together lies on both sides of the split. Name the "
        "subjects (--groups), or remove the duplicates (--exact-only, if these are different images that look alike).",
    )


def unknown_groups(real: LabelledImages, test: LabelledImages) -> tuple[str, ...]:
    """A doubt where the subjects of the training images are known, and those of the test images are not."""
    if real.groups is None or test.groups is not None:
        return ()
    return (
        "The training images show known subjects (groups), and nobody said which the test images show: whether they "
        "are others, and how many, decides what the verdict is worth. Name them (--test-groups).",
    )
