"""What `check` says of unlabelled images: how many there are, and which of them are labelled or test images, too."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from ganaug.data.duplicates.seen import LEAK, Known, seen_as
from ganaug.data.duplicates.views import Reduced, reduced
from ganaug.data.passed_over import passed_over
from ganaug.data.required import refuse_depth, refuse_unsteady
from ganaug.data.sources.source import ImageSource
from ganaug.data.survey import Survey, survey
from ganaug.data.unlabelled import MOST, links_as, open_unlabelled
from ganaug.errors import DataError
from ganaug.options import Reading
from ganaug.reporting import Report, silent

Pairs = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class UnlabelledFacts:
    """total: images there are; read: those that could be read, of at most `MOST`; unreadable: (name, reason). labelled,
    tested: (name of a labelled image, or of a test image, name of the unlabelled one that is it, exactly or nearly).
    problem: why neither a fit nor a bench takes them, or an empty text. passed_over: a sentence on images that are not
    looked at, or an empty text."""

    total: int
    read: int
    unreadable: tuple[tuple[str, str], ...]
    labelled: Pairs
    tested: Pairs
    problem: str = ""
    passed_over: str = ""


Surveyed = tuple[ImageSource, Survey]


def unlabelled_facts(
    images: Any, reading: Reading, labelled: Surveyed, test: Surveyed | None, seed: int = 0, report: Report = silent
) -> UnlabelledFacts:
    """images: whatever `load_unlabelled` reads; where there are many, those are looked at that a fit of this seed would
    take. reading: of the labelled ones, whose range counts here, too."""
    opened = open_unlabelled(images, replace(links_as(images, reading), range=reading.range), report=report)
    pictures: list[Reduced] = []
    found = survey(opened, visit=lambda _, p: pictures.append(reduced(p)), limit=MOST, seed=seed, report=report)
    names = [opened.names[image.index] for image in found.images]
    in_labelled = _copies(found, pictures, names, labelled, report)
    in_test = () if test is None else _copies(found, pictures, names, test, report)
    problem = _unfit(opened, found, reading, len(in_labelled))
    if test is not None and not problem:
        problem = _leak(found, test, in_test)
    lost, told = passed_over(opened)
    told = f"{lost} unlabelled images are not looked at: {told}" if lost else ""
    return UnlabelledFacts(len(opened), len(names), tuple(found.unreadable), in_labelled, in_test, problem, told)


def _copies(
    found: Survey, pictures: Sequence[Reduced], names: Sequence[str], others: Surveyed, report: Report
) -> Pairs:  # fmt: skip
    source, seen = others
    known: dict[str, str] = {}
    for image in reversed(seen.images):
        known |= dict.fromkeys((image.likeness, image.fingerprint), source.names[image.index])
    own = found.images
    marks = seen_as(own.fingerprints, own.likenesses, pictures, Known.of(seen.images), report).sure
    return tuple((known[mark], name) for mark, name in zip(marks, names, strict=True) if mark)


def _unfit(opened: ImageSource, found: Survey, reading: Reading, labelled: int) -> str:
    """Why they cannot be learned from."""
    try:
        refuse_depth(opened, found, reading.range, needed=False)
        refuse_unsteady(opened, False, needed=False)
    except DataError as error:
        return f"The unlabelled images: {error}"
    if not found.images:
        return "None of the unlabelled images can be read."
    all_labelled = labelled == len(found.images)
    return f"All {labelled} unlabelled images are among the labelled ones. Give others." if all_labelled else ""


def _leak(found: Survey, test: Surveyed, pairs: Pairs) -> str:
    """Why a bench refuses them: one is a test image, or more than 5 % of the test images are nearly among them."""
    _, seen = test
    exact = {*found.images.fingerprints} & {*seen.images.fingerprints}
    count = len({name for name, _ in pairs})
    if not exact and count <= LEAK * len(seen.images):
        return ""
    first, here = pairs[0]
    return (
        f"{count} of {len(seen.images)} test images are among the unlabelled images, or nearly so ({first} = {here}): "
        "a bench refuses them. Take them out: what learned from them, even without their labels, cannot be tested on "
        "them."
    )
