"""One pass over a source: what each image is, and what is wrong with some. `load` and `check` share it."""

from __future__ import annotations

import contextlib
import warnings
from collections import Counter, deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from PIL import Image

from ganaug.data.duplicates.fingerprint import fingerprint_pixels, in_colour
from ganaug.data.duplicates.likeness import likeness
from ganaug.data.duplicates.seen import Known, seen_as
from ganaug.data.duplicates.views import Reduced, reduced
from ganaug.data.labelled import limit_order
from ganaug.data.pictures.depth import Deep, Range, Stored, in_words, stored_in, unfit
from ganaug.data.pictures.images import TRAITS
from ganaug.data.records import RECORD, Log, Records, Seen
from ganaug.data.sources.source import ImageSource
from ganaug.data.spec import Size
from ganaug.errors import DataError, UnreadableImageError
from ganaug.reporting import Report, silent

_EVERY = 64  # images between two reports
SCALES = {  # what values of more than 8 bits were taken for, without a range
    "16 bits": "divided by 257",
    "upper byte": "the upper byte of each colour",
    "0 to 1": "0 to 1 is black to white",
    "0 to 255": "0 to 255 is black to white",
}


@dataclass
class Survey:
    """images: in the order of the source; unreadable: (name, reason)."""

    images: Records = field(default_factory=lambda: Records(np.empty(0, RECORD)))
    unreadable: list[tuple[str, str]] = field(default_factory=list)
    of_array: Deep | None = None  # values of more than 8 bits, of images that lie in one array

    @property
    def rows(self) -> np.ndarray:
        """Of the images in the source: int64 (N,)."""
        return self.images.column("index").copy()

    def common_size(self) -> tuple[int, int] | None:
        """(height, width) if every image has it."""
        sides = [np.unique(self.images.column(side)).tolist() for side in ("height", "width")]
        return (sides[0][0], sides[1][0]) if [len(found) for found in sides] == [1, 1] else None

    def sizes(self) -> np.ndarray:
        """(height, width) of each image: int64 (N, 2)."""
        return np.stack([self.images.column(side) for side in ("height", "width")], 1).astype(np.int64)

    def usual_size(self, proportion: Size | None = None) -> Size:
        """(height, width) of the images, or, where they have several sizes, the medians, of this proportion."""
        height, width = np.sort(self.sizes(), 0)[(len(self.images) - 1) // 2].tolist()
        if proportion is not None and self.common_size() is None:
            width = max(1, round(height * proportion[1] / proportion[0]))
        return height, width

    def mode(self) -> str:
        """The mode that holds all of them: "L" if every image is grey by its mode, else "RGB"."""
        return "RGB" if self.images.column("rgb").any() else "L"

    def in_colour(self) -> bool:
        """Whether any image has colour, whatever its mode."""
        return bool(self.images.column("colour").any())

    def deep(self, source: ImageSource) -> dict[str, Deep]:
        """Values of more than 8 bits, by name of the image, or of the array."""
        odd = self.images.odd()
        found = {source.names[one.index]: one.stored.deep for one in odd if one.stored.deep is not None}
        return found if self.of_array is None else {"X": self.of_array}

    def read_as(self, span: Range | None) -> dict[str, int]:
        """What the reader did, in words -> number of images. span: the declared range."""
        odd = [one.stored for one in self.images.odd()]
        counts = Counter(trait for one in odd for trait in one.traits)
        done = {words: counts[trait] for trait, words in TRAITS.items() if counts[trait]}
        deep = [one.deep for one in odd if one.deep is not None]
        if self.of_array is not None:
            deep += [self.of_array] * len(self.images)
        scales = Counter(one.scale for one in deep if one.scale != "8 bits")
        done |= {f"of more than 8 bits: {SCALES[scale]}": n for scale, n in scales.items() if scale in SCALES}
        if span is not None and scales["range"]:
            outside = float(np.mean([one.outside for one in deep]))
            clipped = f", {outside:.2%} of their values are outside and clipped" if outside else ""
            done[f"of more than 8 bits: {in_words(span)} is black to white{clipped}"] = scales["range"]
        return done


def survey(
    source: ImageSource,
    *,
    visit: Callable[[Seen, np.ndarray], None] | None = None,
    limit: int | None = None,
    seed: int = 0,
    strict: bool = False,
    log: Log | None = None,
    report: Report = silent,
) -> Survey:
    """Read every image once and pass its pixels, uint8 (H, W) or (H, W, 3), to `visit`.

    log: where what is seen is written, and what it holds already is not read again; in memory by default. limit: at
    most so many readable images a class, chosen by a permutation keyed by (seed, class name). strict: raise
    UnreadableImageError, naming the item, instead of listing it.
    """
    log = Log(number_within(source, limit)) if log is None else log
    queue, reserve = _within_limit(source, limit, seed, log)
    result, total = Survey(of_array=getattr(source, "deep", None)), number_within(source, limit)
    with contextlib.closing(_ahead(source, queue)) as items:
        for index, found in items:
            if isinstance(found, UnreadableImageError):
                name = source.names[index]
                if strict:
                    cause = f"{name} cannot be read: {found.cause}"
                    raise UnreadableImageError(cause, "Repair or remove it, or go on without --strict.") from found
                result.unreadable.append((name, found.cause))
                spare = reserve.get(int(source.labels[index]))
                if spare:
                    queue.spares.append(spare.popleft())
                continue
            seen, pixels = found
            if log.count % _EVERY == 0:
                report("reading images", log.count, total, "")
            if visit is not None:
                visit(seen, pixels)
            log.add(seen)
    report("reading images", log.count, log.count, "")
    result.images = Records(log.written()).in_order()
    return result


class _Queue:
    """The items to read, one after the other, without those that a log holds; then those that replace others, which
    may come at any time."""

    def __init__(self, first: Iterable[int], log: Log):
        self.first, self.log, self.spares = iter(first), log, deque[int]()

    def pop(self) -> int | None:
        """The next one; None where there is none now."""
        index = next((index for index in self.first if not self.log.holds(index)), None)
        while index is None and self.spares:
            spare = self.spares.popleft()
            index = None if self.log.holds(spare) else spare
        return index


_Found = tuple[Seen, np.ndarray] | UnreadableImageError


def _ahead(source: ImageSource, queue: _Queue) -> Generator[tuple[int, _Found], None, None]:
    """Items in the order of the queue. Of a source that says how many `threads` may read it at once, the next ones are
    read meanwhile: decoders let other threads work."""
    threads = getattr(source, "threads", 1)
    if threads < 2:
        while (index := queue.pop()) is not None:
            yield index, _read(source, index)
        return
    waiting: deque[tuple[int, Future[_Found]]] = deque()
    with warnings.catch_warnings(), ThreadPoolExecutor(threads) as pool:
        warnings.simplefilter("ignore")  # as each reading does by itself, which two at a time cannot undo in order
        try:
            while True:
                while len(waiting) < 2 * threads and (index := queue.pop()) is not None:
                    waiting.append((index, pool.submit(_read, source, index)))
                if not waiting:
                    return
                index, future = waiting.popleft()
                yield index, future.result()
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def _read(source: ImageSource, index: int) -> _Found:
    try:
        image = source.array[index] if source.array is not None else source.read(index)
    except UnreadableImageError as error:
        return error
    pixels = np.asarray(image)
    colour = in_colour(pixels)
    mode = "L" if pixels.ndim == 2 else "RGB"
    mark = fingerprint_pixels(pixels, colour)
    stored = stored_in(image) if isinstance(image, Image.Image) else Stored()
    return Seen(index, mode, pixels.shape[:2], colour, mark, likeness(pixels), stored), pixels


def _within_limit(source: ImageSource, limit: int | None, seed: int, log: Log) -> tuple[_Queue, dict[int, deque[int]]]:
    """The items to read, in the order of the source, and for each class those that may replace unreadable ones."""
    if limit is None:
        return _Queue(range(len(source)), log), {}
    orders = limit_order(source.labels, source.classes, limit, seed)
    reserve = {label: deque(own[limit:].tolist()) for label, own in enumerate(orders)}
    return _Queue(sorted(index for own in orders for index in own[:limit].tolist()), log), reserve


def number_within(source: ImageSource, limit: int | None) -> int:
    """Items of a source of which at most so many a class are read."""
    counts = np.bincount(source.labels, minlength=1)
    return int(counts.sum() if limit is None else np.minimum(counts, limit).sum())


class SeenItems(NamedTuple):
    """Items of a source that are among known images, exactly or nearly; those that are as much like them as different
    ones of them are like each other; (name, reason) of those that cannot be read, which were not compared."""

    sure: list[int]
    unsure: list[int]
    unreadable: list[tuple[str, str]]


def seen_items(source: ImageSource, known: Known, report: Report = silent) -> SeenItems:
    """Look for known images among the items of a source."""
    images: list[np.ndarray | Reduced] = []
    found = survey(source, visit=lambda _, pixels: images.append(reduced(pixels)), report=report)
    span = getattr(source, "span", None)
    doubt = None if span is None else unfit(found.deep(source), span)
    if doubt:
        raise DataError(*doubt)
    marks = seen_as(found.images.fingerprints, found.images.likenesses, images, known, report)
    rows = found.rows.tolist()
    sure, unsure = ([i for i, mark in zip(rows, part, strict=True) if mark] for part in (marks.sure, marks.unsure))
    return SeenItems(sure, unsure, found.unreadable)
