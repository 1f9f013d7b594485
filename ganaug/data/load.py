"""Sources -> one uint8 tensor at the generator's size, with everything that later parts must know about the images."""

from __future__ import annotations

from collections.abc import Container, Sequence
from dataclasses import dataclass, replace
from numbers import Integral
from typing import Any

import numpy as np
import torch

from ganaug.data.gathered import Form, Gathered, likely_side
from ganaug.data.labelled import Labelled, label_counts, places_in
from ganaug.data.pairs import open_pairs, read_pairs
from ganaug.data.passed_over import none_of
from ganaug.data.pixels import Pixels
from ganaug.data.proportion import cut_in_words, usual_proportion
from ganaug.data.required import refuse_depth, refuse_unsteady, require_counts
from ganaug.data.sources.folder import nesting
from ganaug.data.sources.small import skipped_in
from ganaug.data.sources.source import ImageSource, open_source, refuse_idle
from ganaug.data.spec import MODES, DataSpec, ImageCodec, Size
from ganaug.data.store import shelf_for
from ganaug.data.survey import survey
from ganaug.data.words import Words
from ganaug.defaults import usual_defaults
from ganaug.errors import DataError, OptionError, TooFewImagesError, UnreadableImageError
from ganaug.options import Reading, merged
from ganaug.reporting import Report, silent


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class LabelledImages(Labelled):
    """Labelled images in memory, all of one size.

    Attributes
    ----------
    pixels : Tensor
        uint8 (N, C, H, W), on the CPU.
    labels : Tensor
        int64 (N,); label i means `classes[i]`.
    classes : tuple of str
        The names of the classes.
    codec : ImageCodec
        Mode and size of the user's own images.
    fingerprints, likenesses : sequence of str
        Of each item before resizing: what exact and near copies are found by.
    names : tuple of str
        Of each item, in the source's words.
    stored : Pixels
        The same as rows of stores that parts of one set share: `stored[rows]` reads these alone.
    places : Tensor or None
        int64 (N, 2): of each item its place among those of its class in the source, and how many these are.
    groups : tuple of str or None
        The subject of each item.
    unreadable : tuple of (str, str)
        Name and reason of each image that was skipped.
    skipped : tuple of str
        Classes that were left out as too small.
    pairs : Tensor or None
        The paired image of each item, uint8 (N, c, H, W).
    stored_pairs : Pixels or None
        The same, as rows of stores.
    allow : tuple of str or None
        Changes of an image that keep its label, where somebody said so.
    words : Words or None
        Of the classes, for a recipe that draws from words.
    """

    stored: Pixels
    codec: ImageCodec
    stored_pairs: Pixels | None = None
    skipped: tuple[str, ...] = ()
    likenesses: Sequence[str] = ()
    allow: tuple[str, ...] | None = None
    words: Words | None = None

    @property
    def spec(self) -> DataSpec:
        """What a generator for these images must produce."""
        paired = () if self.stored_pairs is None else self.stored_pairs.shape[1:]
        return DataSpec(self.stored.shape[1:], self.classes, paired, allow=self.allow, words=self.words)

    @property
    def pixels(self) -> torch.Tensor:
        """uint8 (N, C, H, W) on the CPU: all of them, a copy where these are some of a larger set."""
        return self.stored.whole()

    @property
    def pairs(self) -> torch.Tensor | None:
        """uint8 (N, c, H, W), likewise."""
        return None if self.stored_pairs is None else self.stored_pairs.whole()


@usual_defaults()
def load_images(
    source: Any,
    reading: Reading | None = None,
    *,
    size: int | str = "auto",
    channels: int | str = "auto",
    proportion: Size | None = None,
    limit: int | None = None,
    seed: int = 0,
    device: str = "cpu",
    strict: bool = False,
    at_least: int = 2,
    pairs: Any = None,
    report: Report = silent,
    **given: Any,
) -> LabelledImages:
    """Read labelled images into memory, at the size at which a generator learns them.

    Resizing is bicubic with antialiasing, to a square, from which the proportion of the sides is restored when images
    are served. Images of another proportion than the usual one are cut at their margins before.

    Parameters
    ----------
    source : any source
        Whatever `ganaug.open_source` takes or gives. Images in memory that were read by this function are given back.
    reading : Reading, optional
        How the images are read.
    size : int or "auto", default "auto"
        Side of the square images in px, 4 to 1024. "auto" keeps the images' own size where all share one of at most 32
        px (the longer side, if they are not square); else it is 32, or 64 for a GPU.
    channels : 1, 3 or "auto", default "auto"
        "auto" is 3 where any image has real colour, else 1, also for grey pictures that are stored as RGB.
    proportion : (int, int), optional
        (height, width), in any unit, of what is kept of each image. By default the medians over images of the source.
    limit : int, optional
        At most so many images of each class, chosen by `seed`.
    seed : int, default 0
        Chooses among the images where there is a limit.
    device : str, default "cpu"
        Where a fit would run, for the size "auto".
    strict : bool, default False
        Raise an error for the first unreadable image, instead of skipping and listing it.
    at_least : int, default 2
        Images that each class needs. 0 allows empty classes and a single class, for sets that are only tested on.
    pairs : path or array, optional
        The paired image of each item, for recipes that learn from pairs: a folder with files of the same names, or
        (N, H, W[, C]). A .npz file brings its own.
    report : callable, optional
        Called as `report(phase, done, total, text)`.
    **given
        Fields of `Reading` by name.

    Returns
    -------
    LabelledImages
        Pixels, labels and names.

    Raises
    ------
    TooFewImagesError
        A class has fewer images than `at_least`.
    UnreadableImageError
        With `strict`, an image cannot be read.
    DataError
        There is one class only; values of more than 8 bits are on an unknown scale; or a data set changes its items at
        random (see `as_served` of `Reading`).

    Examples
    --------
    >>> import ganaug
    >>> images = ganaug.load_images("digits", limit=10)
    >>> images.pixels.shape, images.classes[:3]
    (torch.Size([100, 1, 8, 8]), ('0', '1', '2'))
    """
    chosen_side = _chosen("size", size, range(4, 1025), "a side of 4 to 1024 px")
    chosen_depth = _chosen("channels", channels, MODES, "1, 3")
    if proportion is not None and not (len(proportion) == 2 and min(proportion) > 0):
        raise OptionError(f"proportion cannot be {proportion!r}.", "Give (height, width), both above 0.")
    reading = merged(Reading, reading, given)
    if limit is not None and 0 < limit < at_least:
        raise TooFewImagesError(f"limit={limit} leaves too few images of each class.", f"Give at least {at_least}.")
    if isinstance(source, LabelledImages):
        refuse_idle(reading, (), "images that have been read")
        if pairs is not None:
            raise DataError("Images in memory have been read: pairs come too late.", "Give them to load_images.")
        if strict and source.unreadable:
            name, reason = source.unreadable[0]
            raise UnreadableImageError(f"{name} could not be read: {reason}", "Repair or remove it, and load again.")
        chosen = _read_before(source, chosen_side, chosen_depth, limit, seed)
        if at_least:
            require_counts(chosen.classes, chosen.counts(), at_least)
        return chosen
    opened = open_source(source, reading, report=report)
    if at_least:
        require_counts(opened.classes, label_counts(opened.labels, opened.classes), at_least, opened.ignored)
    return read_opened(
        opened, reading, side=chosen_side, depth=chosen_depth, proportion=proportion, limit=limit, seed=seed,
        device=device, strict=strict, at_least=at_least, pairs=pairs, report=report,
    )  # fmt: skip


def read_opened(
    opened: ImageSource, reading: Reading, *, side: int | None, depth: int | None, proportion: Size | None = None,
    limit: int | None = None, seed: int = 0, device: str = "cpu", strict: bool = False, at_least: int = 0,
    pairs: Any = None, report: Report = silent,
) -> LabelledImages:  # fmt: skip
    """The images of an open source, see `load_images`. reading: how it was opened. side, depth: None for "auto"."""
    refuse_unsteady(opened, reading.as_served, needed=at_least > 0)
    for reason, names in opened.ignored.items():
        if names:
            more = f", {names[1]}" + ", ..." * (len(names) > 2) if len(names) > 1 else ""
            report("passed over", 0, 0, f"{len(names)} x {reason}: {names[0]}{more}")
    if nested := nesting(opened):
        report("folders", 0, 0, nested)
    paired = open_pairs(opened, pairs, reading.follow_links)
    shape = proportion or usual_proportion(opened)
    form = Form(side, depth, likely_side(device), shape)
    with shelf_for(opened, form, reading.range, limit, seed, report) as shelf:
        gathered = Gathered(shelf, form)
        found = survey(
            opened, visit=lambda seen, pixels: gathered.add(pixels, seen.colour), limit=limit, seed=seed, strict=strict,
            log=shelf.log, report=report,
        )  # fmt: skip
        labels = opened.labels[found.rows]
        if at_least:
            counts = label_counts(labels, opened.classes)
            require_counts(opened.classes, counts, at_least, opened.ignored, found.unreadable)
        if not len(labels):
            raise none_of(opened, "these", found.unreadable)
        store = torch.from_numpy(gathered.finish().view(np.ndarray))
        order = np.argsort(shelf.log.written()["index"])
        pixels = replace(Pixels.of(store), mapped=shelf.mapped).take(torch.from_numpy(order))
    rows, sizes = found.rows, found.sizes()
    names = tuple(opened.names[row] for row in rows)
    refuse_depth(opened, found, reading.range, needed=at_least > 0)
    for words, n in found.read_as(reading.range).items():
        report("reading", 0, 0, f"{n} of {len(rows)} images are {words}")
    if told := cut_in_words(sizes, shape):
        report("reading", 0, 0, told)
    places = places_in(opened.labels)
    return LabelledImages(
        stored=pixels,
        labels=torch.from_numpy(labels.copy()),
        classes=opened.classes,
        codec=ImageCodec(found.mode(), found.usual_size(shape), reading.range if found.deep(opened) else None),
        fingerprints=found.images.fingerprints,
        names=names,
        groups=None if opened.groups is None else tuple(opened.groups[row] for row in rows),
        unreadable=tuple(found.unreadable),
        stored_pairs=None
        if paired is None
        else Pixels.of(read_pairs(paired, rows, pixels.shape[-1], sizes, shape, names)),
        skipped=skipped_in(opened),
        likenesses=found.images.likenesses,
        places=places[torch.from_numpy(rows)],
    )


def _read_before(
    images: LabelledImages, side: int | None, depth: int | None, limit: int | None, seed: int
) -> LabelledImages:
    """The same, or at most `limit` of each class. Raises DataError where another size or depth is asked for."""
    has_depth, has_side, _ = images.spec.shape
    if side not in (None, has_side) or depth not in (None, has_depth):
        raise DataError(
            f"These images are in memory at {has_side} px with {has_depth} channels; "
            f"{side or has_side} px with {depth or has_depth} are needed.",
            "Load them at that size: load_images(..., size=, channels=).",
        )
    return images.limited(limit, seed)


def _chosen(option: str, value: int | str, allowed: Container[int], words: str) -> int | None:
    """The number that was asked for; None for "auto"."""
    if value == "auto":
        return None
    if isinstance(value, Integral) and value in allowed:
        return int(value)
    raise OptionError(f"{option} cannot be {value!r}.", f'Choose {words} or "auto".')
