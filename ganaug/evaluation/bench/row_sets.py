"""Who may see what, of rows and series: the training, validation and test part of a bench, and what was made.

Classes and columns are matched by name. Test rows that were seen are dropped and listed up to 5 % of the test set;
beyond, the bench refuses to start. Rows are the same where all their cells are, however a number is written. Where rows
of the table repeat each other more often than that, being alike says nothing: such test rows are counted, and kept.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from ganaug.data.duplicates.seen import LEAK
from ganaug.data.rows.series import load_series
from ganaug.data.rows.table import load_table, unknown_cells
from ganaug.data.rows.table_codec import TableCodec
from ganaug.data.rows.vectors import LabelledVectors
from ganaug.data.rows.which import kind_of_data, refuse_foreign
from ganaug.data.sources.kinds import is_text
from ganaug.data.sources.source import brings_test_part
from ganaug.data.spec import KINDS
from ganaug.errors import DataError, LeakError, OptionError
from ganaug.evaluation.bench.dividing import divide
from ganaug.evaluation.bench.sets import FEW_TO_CHOOSE, Sets
from ganaug.evaluation.bench.settings import BenchSettings
from ganaug.generator.card import Card
from ganaug.generator.folder import Fitted
from ganaug.generator.parts import NoFit, vectors_like
from ganaug.options import IMAGES, SERIES, TABLE

SHOWN = 3  # names in a message
_OF_IMAGES = frozenset({
    "augmentations", "allow", "weights", "tune", "train", "deploy", "unlabelled", "steps", "test_groups", "pairs",
    "cache", "exact_only",
})  # fmt: skip


def of_kind(data: Any, asked: BenchSettings, fitted: Fitted | None) -> BenchSettings:
    """The settings with the kind of the data, which is that of the run where there is one. Raises OptionError for
    settings that would change nothing."""
    if fitted is None:
        kind = kind_of_data(data, asked.kind, asked.drop, asked.image)
    else:
        kind = {1: TABLE, 2: SERIES, 3: IMAGES}[len(fitted.card.shape)]
        if asked.kind not in ("auto", kind):
            raise OptionError(f"The kind {asked.kind!r} is asked for, and the run is of {kind}.", "Leave it out.")
        if asked.kind == "auto" and is_text(data) and kind != IMAGES:
            _refuse_images(str(data), asked, kind)
    refuse_foreign(data, asked, kind, _OF_IMAGES)
    if kind == IMAGES:
        return replace(asked, kind=kind)
    if isinstance(data, LabelledVectors):
        raise DataError("What was read before is not read like a test set.", "Give the file, the table or the arrays.")
    if fitted is not None and asked.drop:
        raise OptionError("drop would change nothing: the run knows its columns.", "Leave out --drop.")
    own = None if fitted is None or kind == SERIES else fitted.card.codec.target
    if own is not None and asked.target not in (None, own):
        raise OptionError(f"The target {asked.target!r} is not that of the run, {own!r}.", "Leave out --target.")
    return replace(asked, kind=kind)


def _refuse_images(data: str, asked: BenchSettings, kind: str) -> None:
    """Raises DataError for images beside a run that makes none. Arrays of a file may be either."""
    if kind_of_data(data, "auto", asked.drop, asked.image) != IMAGES or (kind == SERIES and data.endswith(".npz")):
        return
    made, file = ("rows of a table", "OUT.csv") if kind == TABLE else ("series", "OUT.npz")
    raise DataError(
        f"The run makes {made}, and {data} holds images.",
        f"Give data of the kind that it was fitted on. See what it makes: ganaug augment RUN --balance --out {file}.",
    )


def gather_rows(
    data: Any, asked: BenchSettings, *, fitted: Fitted | None = None, synthetic: Mapping[str, Any] | None = None
) -> Sets:
    """As `gather` of images: load everything, split as the run did (or hold 20 % out), match the classes, keep seen
    rows out of the test. settings: of a definite kind.

    Raises LeakError if more than 5 % of the test rows were seen, LabelMismatchError for foreign classes, OptionError
    without a test set, and whatever loading raises.
    """
    brings = asked.kind == SERIES and is_text(data) and brings_test_part(data)
    if asked.test is None and not brings:
        fix = "Give one with --test FILE (or test=...); it is touched once. To make one, before the fit, divide the "
        raise OptionError("There is no test set.", f"{fix}{'rows' if asked.kind == TABLE else 'series'} yourself.")
    card = None if fitted is None else fitted.card
    like: Card | NoFit
    if card is None:
        real = _read(data, asked)
        like = NoFit(real.classes, real.spec.shape, real.codec)
    else:
        real, like = vectors_like(card, data, asked.split), card
        real.require_classes(card.classes, "Bench a run on the data that it was fitted on.")
    what = KINDS[len(like.shape)]
    train, validation, notes, doubts = divide(real, card, asked.limit, asked.seed)
    test = data if asked.test is None else asked.test
    held = vectors_like(like, test, "test", strict=False, what="The test set")
    notes += _strangers(test, like, "test")
    made = {}
    for name, source in (synthetic or {}).items():
        rows = vectors_like(like, source, strict=False, what="The synthetic set")
        notes += _strangers(source, like, "synthetic")
        copies = _are_in(rows, _prints(validation))
        if copies.any():
            notes.append(f"{copies.sum()} synthetic {what} are copies of validation {what}, and were left out.")
        made[name] = rows.take(np.flatnonzero(~copies))
    seen = _prints(train, validation, *made.values())
    seen |= {*(() if card is None else (*card.fingerprints, *card.held_out))}
    repeated = 1 - len({*train.fingerprints}) / len(train)
    held, dropped, told = _unseen(held, seen, repeated, what)
    notes += told
    alike = len(held) - len({*held.fingerprints})
    if alike:
        notes.append(f"{alike} test {what} are copies of other test {what}: where chance is reckoned, they count once.")
    if len(validation) < FEW_TO_CHOOSE and (made or fitted is not None):
        notes.append(
            f"The share and the use of synthetic {what} were selected on {len(validation)} validation {what}, which is "
            "little more than chance."
        )
    own = card is None or not {*card.fingerprints}.isdisjoint(train.fingerprints)
    return Sets(
        train, validation, held, made, None, dropped, asked.reading, asked.reading, tuple(notes), tuple(doubts), own
    )


def _read(data: Any, asked: BenchSettings) -> LabelledVectors:
    if asked.kind == TABLE:
        return load_table(data, asked.target, drop=asked.drop, limit=asked.limit, seed=asked.seed)
    return load_series(data, split=asked.split, limit=asked.limit, seed=asked.seed)


def _strangers(data: Any, like: Card | NoFit, which: str) -> list[str]:
    """A note on cells that no row which was learned from holds."""
    found = unknown_cells(data, like.codec) if isinstance(like.codec, TableCodec) else {}
    if not found:
        return []
    listed = ", ".join(f"{name!r}: {n}" for name, n in list(found.items())[:SHOWN])
    return [
        f"{sum(found.values())} {which} cells hold what no row that was learned from does ({listed}): a new category "
        "is read as none of the known ones, and a missing number as the middle one."
    ]


def _prints(*parts: LabelledVectors) -> set[str | bytes]:
    """By what their rows are known again: their cells, and their values."""
    found: set[str | bytes] = set()
    for part in parts:
        found |= {*part.fingerprints, *_values(part)}
    return found


def _values(part: LabelledVectors) -> Iterable[bytes]:
    return (row.tobytes() for row in part.items.numpy())


def _are_in(rows: LabelledVectors, prints: set[str | bytes]) -> np.ndarray:
    marks = zip(rows.fingerprints, _values(rows), strict=True)
    return np.array([one in prints or other in prints for one, other in marks], dtype=bool)


def _unseen(
    test: LabelledVectors, prints: set[str | bytes], repeated: float, what: str
) -> tuple[LabelledVectors, tuple[str, ...], list[str]]:
    """The test rows that nobody saw, names of the others, and notes. repeated: share of the training rows that repeat
    another one."""
    seen = _are_in(test, prints)
    names = [name for name, there in zip(test.names, seen, strict=True) if there]
    if not names:
        return test, (), []
    shown = ", ".join(names[:SHOWN]) + (f" and {len(names) - SHOWN} more" if len(names) > SHOWN else "")
    if repeated > LEAK:
        note = (
            f"{len(names)} of {len(test)} test {what} are like {what} that were seen ({shown}). They are kept: "
            f"{repeated:.0%} of the training {what} repeat another one, so that this may be chance."
        )
        return test, (), [note]
    if len(names) > LEAK * len(test):
        raise LeakError(
            f"{len(names)} of {len(test)} test {what} are among the training, validation or synthetic {what}: {shown}.",
            "Give a test set that neither the classifier nor the generator has seen.",
        )
    return test.take(np.flatnonzero(~seen)), tuple(names), []
