"""Who may see what: the training, validation and test images of a bench, and the synthetic ones. (Of rows and series:
`ganaug.evaluation.bench.row_sets`.)

Classes are matched by name, the training images' order counts. Test images that the training images, the generator or
the synthetic folder contain, exactly or nearly (flipped, shifted, recompressed, brighter, resized), or whose group is
also among the training images', are dropped and listed up to 5 % of the test set; beyond, the bench refuses to start.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ganaug.data.beside import both_readings, found_beside, to_split
from ganaug.data.duplicates.seen import Known, without
from ganaug.data.load import LabelledImages, load_images
from ganaug.data.required import require_counts
from ganaug.data.rows.vectors import LabelledVectors
from ganaug.data.sources.source import brings_test_part
from ganaug.data.split import groups_in_words
from ganaug.data.unlabelled import MOST as UNLABELLED
from ganaug.data.unlabelled import links_as, load_unlabelled
from ganaug.errors import DataError, LabelMismatchError, OptionError, TooFewImagesError
from ganaug.evaluation.bench.dividing import divide
from ganaug.evaluation.bench.settings import BenchSettings
from ganaug.evaluation.bench.unseen import keep_unseen, refuse_tested, resembling, straddling, unknown_groups
from ganaug.generator.card import Card
from ganaug.generator.folder import Fitted
from ganaug.generator.known import known_to
from ganaug.generator.parts import UNLABELLED as WITHOUT_LABELS
from ganaug.generator.parts import reading_like
from ganaug.options import Reading, as_text
from ganaug.reporting import Report, listed, silent
from ganaug.samples.plan import Plan
from ganaug.samples.pool import Pool
from ganaug.samples.run import Loadable, as_fitted, withheld
from ganaug.samples.variant_pool import VariantPool

QUICKLY_UNLABELLED = 1000  # that are looked at, at most
MOST = 1000  # synthetic images a class that are rendered at most
FEW_TO_CHOOSE = 30  # validation images, below which the reader is told
VARIANTS = 8  # of each training image, at most
TRAINING = "the training set"
Items = LabelledImages | LabelledVectors


@dataclass(frozen=True)
class Sets:
    """train, validation, test: one size (or one way into model space), one order of classes. dropped: names of test
    images that were seen before.

    made: synthetic images that do not come from a run, by the name of what made them. unlabelled: images without
    labels, none of which is among the others. reading, test_reading: how data
    and test set are read. notes: plain sentences for the report; doubts:
    likewise, why a verdict would not be honest. of_the_fit: the generator, if any, was fitted on these training images.
    """

    train: Items
    validation: Items
    test: Items
    made: Mapping[str, Items]
    unlabelled: LabelledImages | None
    dropped: tuple[str, ...]
    reading: Reading
    test_reading: Reading
    notes: tuple[str, ...] = field(default=())
    doubts: tuple[str, ...] = field(default=())
    of_the_fit: bool = True


def gather(
    data: Any,
    asked: BenchSettings,
    *,
    fitted: Fitted | None = None,
    synthetic: Mapping[str, Any] | None = None,
    report: Report = silent,
) -> Sets:
    """Load everything, split as the run did (or hold 20 % out), match the classes, keep seen images out of the test.

    With a run, the images that its gradients saw are the training part and those that its fit held out the validation
    part. Raises LeakError if more than 5 % of the test images were seen, LabelMismatchError for foreign classes,
    OptionError without a test set, and whatever loading raises. exact_only: near-duplicates are told of, and kept.
    """
    test = asked.test
    if test is None and not brings_test_part(data):
        raise OptionError("There is no test set.", _how_to_test(data, asked))
    card = None if fitted is None else fitted.card
    if fitted is not None:
        fitted.refuse_idle(pairs=asked.pairs)
    elif asked.pairs is not None:
        raise OptionError("A bench of a folder looks at no paired images.", "Leave out --pairs (pairs=).")
    size: Any = "auto" if card is None else card.shape[1]
    channels: Any = "auto" if card is None else card.shape[0]
    here, there = both_readings(asked, data, data if test is None else test, asked.test_groups)
    here = here if card is None else reading_like(card, data, here)
    proportion = None if card is None else card.codec.size
    real = load_images(
        data, here, size=size, channels=channels, proportion=proportion, limit=None if card else asked.limit,
        seed=asked.seed, pairs=asked.pairs, at_least=0 if card is not None and card.skipped else 2, report=report,
    )  # fmt: skip
    skipped = (*real.skipped, *(() if card is None else card.skipped))
    real = real.without(skipped)
    require_counts(real.classes, real.counts(), 2)
    train, validation, notes, doubts = divide(real, card, asked.limit, asked.seed)
    if train.groups is not None:
        report("groups", 0, 0, groups_in_words(train, validation))
    channels, size = train.spec.shape[:2]
    if not isinstance(test, LabelledImages):
        there = replace(there, range=here.range or real.codec.range)
    with _told_of("The test set", real):
        held = load_images(
            data if test is None else test, there, size=size, channels=channels, proportion=real.codec.size, at_least=0,
            report=report,
        )  # fmt: skip
    tested, held = len(held), held.without(skipped)
    if len(held) < tested:
        notes.append(f"{tested - len(held)} test images of classes that were left out as too small are not used.")
    held = held.in_order(real.classes, "The test set", TRAINING)
    made = {}
    for name, source in (synthetic or {}).items():
        how = Reading(range=None if isinstance(source, LabelledImages) else here.range or real.codec.range)
        made[name], told = _made(source, how, real, validation, asked.exact_only, report)
        notes += [f"{name}: {note}" if len(synthetic or ()) > 1 else note for note in told]
    unlabelled, at_hand = None, set(real.fingerprints)
    if asked.unlabelled is not None:
        unlabelled, told = _unlabelled(asked, real, held, card, at_hand, report)
        notes += told
    named = [train, validation, *made.values()]
    seen = Known.of(*named)
    if fitted is not None:
        card = fitted.card
        if card.classes == WITHOUT_LABELS:
            raise LabelMismatchError(
                f"The recipe {card.recipe} plays without labels: its samples have none, and teach no classifier.",
                f"See what it makes: ganaug preview {as_text(fitted)}. Bench a run of a recipe with labels, or no run.",
            )
        real.require_classes(card.classes, "Bench a run on the data set that it was fitted on.")
        if withheld(fitted):
            notes.append(f"The choice withholds {', '.join(withheld(fitted))}: real images stay in their place.")
        seen |= known_to(fitted)
        if more := len({*card.unlabelled} - at_hand):
            quick = " A bench that is not quick looks at more of them." if asked.quick and unlabelled else ""
            doubts.append(f"The generator learned from {more} unlabelled images that the classifier is not given: a "
                          f"gain could be theirs. Give them: --unlabelled FOLDER.{quick}")  # fmt: skip
        if not seen.nearly:
            notes.append("The generator came without its run folder: of other images that it saw, test images that are "
                         "exact copies were looked for, not near-duplicates.")  # fmt: skip
    if asked.exact_only:
        notes += resembling(held, seen, named, report)
        seen = replace(seen, likenesses=frozenset())
    subjects = {*(train.groups or ()), *(validation.groups or ())}
    kept = keep_unseen(held, seen, named, subjects, report)
    held, dropped = kept.images, kept.dropped
    if kept.unjudged:
        (doubts if kept.many else notes).append(kept.unjudged)
    if dropped and real.groups is None:
        notes.append("Some test images were near-duplicates of seen ones. If several images show one subject, name "
                     "the subjects (--groups), so that whole subjects are held out.")  # fmt: skip
    copies = len(held) - len(set(held.fingerprints))
    if copies and held.groups is None:
        notes.append(f"{copies} test images are copies of other test images: where chance is reckoned, each picture "
                     "counts once.")  # fmt: skip
    unseen = [name for name, n in validation.counts().items() if not n]
    if unseen:
        notes.append(f"No validation image shows {listed(unseen)}: every selection was made without.")
    if len(validation) < FEW_TO_CHOOSE:
        notes.append(
            f"Every selection was made on {len(validation)} validation images, which is little more than chance."
        )
    doubts += [*straddling(train, validation, asked.exact_only, report), *unknown_groups(real, held)]
    own = card is None or not set(card.fingerprints).isdisjoint(train.fingerprints)
    return Sets(train, validation, held, made, unlabelled, dropped, here, there, tuple(notes), tuple(doubts), own)


@contextlib.contextmanager
def _told_of(which: str, real: LabelledImages) -> Iterator[None]:
    """An error of data says of which set it is; and where real images have 8 bits, that a range is not what is left."""
    try:
        yield
    except DataError as error:
        if type(error) is not DataError:
            raise
        deep = "range=" in error.fix and real.codec.range is None
        fix = "The training images have 8 bits: bring these to 8 bits in the same way." if deep else error.fix
        raise DataError(f"{which}: {error.cause}", fix) from error


def _made(
    source: Any, how: Reading, real: LabelledImages, validation: LabelledImages, exact_only: bool, report: Report
) -> tuple[LabelledImages, list[str]]:
    """Synthetic images of a folder, without copies of validation images, and notes on them."""
    channels, size = real.spec.shape[:2]
    with _told_of("The synthetic images", real):
        images = load_images(
            source, how, size=size, channels=channels, proportion=real.codec.size, at_least=0, report=report
        )
    images = images.in_order(real.classes, "The synthetic folder", TRAINING)
    images, copies = without(images, validation, exact_only=exact_only, report=report)
    notes = []
    if copies:
        notes.append(f"{copies} synthetic images are copies of validation images, or nearly, and were left out.")
    absent = [name for name, n in images.counts().items() if n == 0]
    if absent:
        notes.append(f"There is no synthetic image of {', '.join(absent)}: real ones stay in their place.")
    return images, notes


def _unlabelled(
    asked: BenchSettings, real: LabelledImages, test: LabelledImages, card: Card | None, at_hand: set[str],
    report: Report,
) -> tuple[LabelledImages, list[str]]:  # fmt: skip
    """Unlabelled images without those that have a label, and notes; of many the same as the fit took, if it took some.
    at_hand: gets the fingerprints of all that were read. Raises LeakError for those of the test set."""
    most = QUICKLY_UNLABELLED if asked.quick else UNLABELLED
    seed = card.seed if card is not None and card.unlabelled else asked.seed
    how = links_as(asked.unlabelled, asked)
    images = load_unlabelled(asked.unlabelled, real, limit=most, seed=seed, report=report, reading=how)
    count = len(images)
    at_hand |= {*images.fingerprints}
    images = refuse_tested(images, test, asked.exact_only, report)
    tested = count - len(images)
    images, copies = without(images, real, exact_only=asked.exact_only, report=report)
    notes = []
    if count == most:
        notes.append(f"At most {most} of the unlabelled images are looked at, chosen by the seed.")
    if tested:
        notes.append(f"{tested} unlabelled images look like test images, and were left out.")
    if copies:
        notes.append(f"{copies} unlabelled images are copies of labelled images, or nearly, and were left out.")
    if not len(images):
        raise TooFewImagesError(
            f"All {count} unlabelled images are among the labelled ones.", "Give others, or leave --unlabelled out."
        )
    return images, notes


def _how_to_test(data: Any, asked: BenchSettings) -> str:
    beside = found_beside(data)
    if beside is not None:
        return f"Give the one beside the data, --test {as_text(beside)} (or test=...); it is touched once."
    give = "Give one with --test FOLDER (or test=...); it is touched once."
    return f"{give} To make one, before the fit: {to_split(data, asked)}"


def rendered(
    run: Loadable,
    train: LabelledImages,
    draws: int,
    seed: int,
    even: bool = False,
    device: str | torch.device = "cpu",
    report: Report = silent,
) -> tuple[Tensor, Tensor]:
    """Synthetic images of every class from a run, in proportion to the training images (at most 1000 a class).

    draws: synthetic images that one training takes in all. even: the smaller classes as many as the mean, for trainings
    that draw every class equally often. A generator that translates makes variants of the training images alone, the
    same number of each, with the other label where they change class. Gives pixels uint8 (N, C, H, W) and labels int64
    (N,).
    """
    if as_fitted(run).starts_from is not None:
        k = max(1, min(VARIANTS, round(draws / len(train))))
        variants = VariantPool.open(run, train, k=k, seed=seed, device=device, report=report)
        return torch.from_numpy(np.array(variants.images)), torch.from_numpy(variants.row_labels)
    counts = train.counts()
    plan: Plan = {
        name: int(min(MOST, max(32, np.ceil(draws * n / sum(counts.values())), even * np.ceil(draws / len(counts)))))
        for name, n in counts.items()
    }
    pool = Pool.open(run, plan, seed=seed, device=device, report=report)
    place = torch.tensor([train.place(name) for name in pool.classes])
    return torch.from_numpy(np.array(pool.images)), place[torch.from_numpy(pool.labels)]


def distinct_rows(images: Items) -> np.ndarray:
    """The first row of every picture: int64, ascending."""
    return np.sort(np.unique(images.fingerprints, return_index=True)[1])


def group_numbers(images: Items) -> np.ndarray | None:
    """Group of every image as a number, int64 (N,), or None. Where no groups are known, copies are one group."""
    marks = images.fingerprints if images.groups is None else images.groups
    if images.groups is None and len(set(marks)) == len(marks):
        return None
    return np.unique(marks, return_inverse=True)[1]
