"""What the fit of a generator saw: the one place where that is asked."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Generic

import numpy as np

from ganaug.data.labelled import Items
from ganaug.data.labels.classes import place_of
from ganaug.data.load import LabelledImages, load_images
from ganaug.data.pictures.depth import WHOLE, in_words
from ganaug.data.rows.series import load_series
from ganaug.data.rows.series_codec import SeriesCodec
from ganaug.data.rows.table import load_table, rows_like
from ganaug.data.rows.table_codec import TableCodec
from ganaug.data.rows.vectors import LabelledVectors
from ganaug.data.spec import KINDS
from ganaug.data.texts import among
from ganaug.errors import DataError, LabelMismatchError, OptionError, TooFewImagesError
from ganaug.generator.card import Card
from ganaug.options import Reading

UNLABELLED = ("all",)  # the classes of a generator that knows none


@dataclass(frozen=True)
class NoFit:
    """In the place of a card, where there is no fit of ours: what items are to be like. What others saw is not known.
    skipped: classes of the data of which there is no sample."""

    classes: tuple[str, ...]
    shape: tuple[int, ...]
    codec: Any
    skipped: tuple[str, ...] = ()
    allow: tuple[str, ...] | None = None
    fingerprints: tuple[str, ...] = ()
    unlabelled: tuple[str, ...] = ()
    held_out: tuple[str, ...] = ()


class FitParts(Generic[Items]):
    """Some items, divided by what the fit did with them.

    inside: bool (N,), those that its gradients saw with their labels; unlabelled: those that these saw without;
    beside: those that it held out.
    """

    def __init__(self, items: Items, card: Card | NoFit):
        self.items = items
        self.inside = among(items.fingerprints, card.fingerprints)
        self.beside = among(items.fingerprints, card.held_out) & ~self.inside
        self.unlabelled = among(items.fingerprints, card.unlabelled) & ~self.inside

    @property
    def seen(self) -> Items:
        """Those that gradients of the fit saw."""
        return self.items.take(np.flatnonzero(self.inside))

    @property
    def held_out(self) -> Items:
        """Those that the fit held out."""
        return self.items.take(np.flatnonzero(self.beside))

    @property
    def unseen(self) -> Items:
        """All that gradients did not see: held out, or no part of the fit."""
        return self.items.take(np.flatnonzero(~self.inside & ~self.unlabelled))


def images_like(card: Card | NoFit, data: Any, reading: Reading | None = None, **options: Any) -> LabelledImages:
    """Images at the size, with the channels and over the range of a card, with classes as they come, but for those that
    the fit left out. options: of `load_images`. Raises OptionError for another range."""
    channels, _, side = card.shape
    how = reading_like(card, data, reading)
    images = load_images(
        data, how, size=side, channels=channels, proportion=card.codec.size, at_least=0, **options
    ).without(card.skipped)
    return replace(images, allow=card.allow)


def require_pairs(card: Card, items: LabelledImages | LabelledVectors) -> None:
    """Raises DataError for images without those that the generator starts from."""
    if card.pair and tuple(items.spec.pair) != tuple(card.pair):
        found = f"of shape {items.spec.pair}" if items.spec.pair else "none"
        raise DataError(
            f"The generator starts from paired images of shape {card.pair}, and here are {found}.",
            "Give the paired images of this set: --pairs FOLDER (pairs=... in Python).",
        )


def reading_like(card: Card | NoFit, data: Any, reading: Reading | None) -> Reading:
    """How data are read for a generator: over the range that it learned. Raises OptionError for another range."""
    reading, learned = reading or Reading(), card.codec.range
    given = data.codec.range if isinstance(data, LabelledImages) else reading.range
    if given is not None and (given != learned and (given, learned) != (WHOLE, None)):
        raise OptionError(
            f"The range {in_words(given)} is not that of the run, {in_words(learned or WHOLE)}.",
            "Leave it out: the run knows how its images were read.",
        )
    return reading if isinstance(data, LabelledImages) or reading.range else replace(reading, range=learned)


def vectors_like(
    card: Card | NoFit, data: Any, split: str = "train", *, strict: bool = True, what: str = ""
) -> LabelledVectors:
    """Rows or series in the model space and the order of classes of a card; of an unlabelled one, with the classes of
    the data. strict: see `rows_like`; else they are tested on alone. what: the subject of a refusal. Raises
    LabelMismatchError for others."""
    what = what or f"The {'table' if isinstance(card.codec, TableCodec) else 'set'}"
    if isinstance(card.codec, TableCodec):
        classes = card.classes
        if classes == UNLABELLED:
            classes = load_table(data, card.codec.target).classes
        return rows_like(data, card.codec, classes, strict=strict, what=what)
    series = load_series(data, split=split, tested=not strict)
    classes = series.classes if card.classes == UNLABELLED else card.classes
    if min(place_of(name, classes) for name in series.classes) < 0 or series.items.shape[1:] != card.shape:
        here, there = ("x".join(map(str, shape)) for shape in (series.items.shape[1:], card.shape))
        raise LabelMismatchError(
            f"{what} holds series of {', '.join(series.classes)}, as {here}; what was learned from is "
            f"{', '.join(classes)}, as {there}.",
            "Give series of the same classes and shape.",
        )
    assert isinstance(series.codec, SeriesCodec)
    values = series.codec.decode(series.items)
    items = card.codec.encode(values[:, None] if series.codec.flat else values)
    return replace(series.in_order(classes, what, "what was learned from"), items=items, codec=card.codec)


def refuse_known(card: Card, reading: Reading) -> None:
    """Raises OptionError for a way to read rows or series which is not that of the card. A target that is may be
    given."""
    known = card.codec.target if isinstance(card.codec, TableCodec) else None
    if known is not None and reading.target not in (None, known):
        raise OptionError(f"The target {reading.target!r} is not that of the run, {known!r}.", "Leave out --target.")
    for name in reading.said():
        if name != "target" or known is None:
            option = f"--{name.replace('_', '-')}"
            cause = f"The run knows how its {KINDS[len(card.shape)]} are read, so that {option} would change nothing."
            raise OptionError(cause, f"Leave out {option}.")


def all_parts(card: Card, images: LabelledImages) -> FitParts[LabelledImages]:
    """The images of the fit, of which none may be missing, in the order of the card's classes.

    Raises TooFewImagesError if gradients saw none of them, DataError if some of the fit are missing, LabelMismatchError
    for a class of another name, other labels, and a generator that knows no classes.
    """
    if card.classes == UNLABELLED:
        raise LabelMismatchError(
            "The generator knows no classes, so there is no label to judge its samples by.", "Fit one that knows them."
        )
    parts = FitParts(images.in_order(card.classes, "The data"), card)
    if not parts.inside.any():
        raise TooFewImagesError("None of these images were part of the fit.", "Give the data that it was fitted on.")
    fit = {*card.fingerprints, *card.held_out}
    gone = len(fit - set(images.fingerprints))
    if gone:
        raise DataError(
            f"{gone} of {len(fit)} images of the fit are not in the data.", "Give all that it was fitted on."
        )
    counts = parts.items.take(np.flatnonzero(parts.inside | parts.beside)).counts()
    other = [name for name, n in card.counts.items() if counts[name] < n]
    if other:
        raise LabelMismatchError(
            f"The fit saw {card.counts[other[0]]} images of {other[0]!r}; only {counts[other[0]]} in this data have "
            "that label.",
            "Give them with the labels that they had.",
        )
    return parts
