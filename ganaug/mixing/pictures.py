"""Are the pictures that a data set serves those that the generator learned?

Files are read by ganaug and by the data set's own loader; where the two differ, the generator learned other pictures
than the real ones beside which its own are served. Some items are compared: of a file that the fit saw, with what
ganaug reads from it; of a data set without files, with the fingerprints and likenesses of the fit. Items of which the
fit saw nothing are no fault: nothing is said of them.
"""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from torch.utils.data import Subset

from ganaug.data.duplicates.fingerprint import fingerprint_pixels, in_colour
from ganaug.data.duplicates.likeness import likeness, read_likenesses
from ganaug.data.duplicates.seen import Known
from ganaug.data.labels.unwrap import innermost, without_transforms
from ganaug.data.pictures.depth import in_words
from ganaug.data.pictures.files import read_file
from ganaug.data.pictures.images import head_of
from ganaug.data.pictures.paths import PathOf, paths_of
from ganaug.data.sources.source import ImageSource, open_source
from ganaug.data.sources.steady import Unsteady, by_turns, read_twice
from ganaug.data.spec import ImageCodec
from ganaug.errors import GanaugError, OtherPicturesWarning
from ganaug.generator.folder import Fitted
from ganaug.generator.known import known_to
from ganaug.mixing.native import span_of
from ganaug.mixing.readings import OTHERWISE, changed, other_reading
from ganaug.reporting import Report

ITEMS = 24  # are compared
MOST_ITEMS = 160  # where those are read otherwise, and none of them was learned
FEWEST_ITEMS = 4  # however large they are
PIXELS = 36_000_000  # values of pixels, of which no more is read
HEADS = 200  # of files, that are looked into for those that are often read otherwise
OF_A_KIND = 4  # of these are compared
_FEW = 3  # items of one kind that are no chance
NEAR = 6.0  # grey levels between the likeness of an item and a learned one that is the same picture


@dataclass
class _Compared:
    """learned: items that the fit saw, alike or not. unknown: files that are read otherwise, and that it did not see.
    found: how many are another picture, and in which way."""

    total: int = 0
    learned: int = 0
    unknown: int = 0
    found: Counter[str] = field(default_factory=Counter)


def warn_of_other_pictures(
    dataset: Any, labels: np.ndarray, names: Sequence[str], fitted: Fitted, transform: Any, report: Report
) -> None:
    """Compare some items of a data set, before its transforms, with what the generator learned; OtherPicturesWarning
    names the difference and the fix. transform: that the synthetic images get in place of the data set's own."""
    base, index_map = innermost(dataset)
    path_of, order = paths_of(base), by_turns(labels, "pictures")
    rows = _with_special(order, index_map, path_of)[:MOST_ITEMS]
    items = some_items(dataset, rows, labels, names, fitted.codec, report)
    if items is None:
        return
    known = known_to(fitted)
    compared, unsteady = _compare(items, [int(index_map[row]) for row in rows], path_of, known, fitted.card.codec)
    if unsteady is not None:
        if transform is None:
            warnings.warn(
                f"{unsteady.cause} Synthetic ones do not go through that, and nobody can tell whether the rest are "
                f"those that the generator learned. {unsteady.fix}; or give transform=, for the synthetic images.",
                OtherPicturesWarning,
                stacklevel=3,
            )
        return
    report("pictures", 0, 0, f"{compared.learned} of {compared.total} items that were compared were learned")
    for kind, n in compared.found.items():
        words, fix = OTHERWISE[kind]
        warnings.warn(
            f"The generator learned other pictures than the data set serves ({n} of {compared.learned} items of "
            f"the fit that were compared): {words}. {fix or _fix(base, path_of is not None, fitted.card.codec)}",
            OtherPicturesWarning,
            stacklevel=3,
        )


def some_items(
    dataset: Any, rows: Sequence[int], labels: np.ndarray, names: Sequence[str], codec: ImageCodec, report: Report
) -> ImageSource | None:
    """These items of a data set before its transforms; None for what `fit` could not read, and nothing compares."""
    base, index_map = innermost(dataset)
    try:
        span = span_of(without_transforms(base, codec.range)[int(index_map[0])][0], codec)
        return open_source(Subset(dataset, rows), targets=labels[rows].tolist(), classes=list(names), range=span)
    except Exception:  # somebody else's items
        report("pictures", 0, 0, "the items cannot be compared with the synthetic images")
        return None


def _compare(
    items: ImageSource, indices: Sequence[int], path_of: PathOf | None, known: Known, codec: ImageCodec
) -> tuple[_Compared, Unsteady | None]:
    result, pictures, values = _Compared(), [], 0
    for row, index in enumerate(indices):
        pixels, unsteady = read_twice(items, row, row)
        if unsteady is not None:
            return result, unsteady
        if pixels is None:
            continue
        result.total += 1
        values += pixels.size
        mark = _mark(pixels)
        if mark in known.fingerprints:
            result.learned += 1
        elif path_of is not None:
            _compare_file(path_of(index), pixels, known, codec, result)
        else:
            pictures.append(pixels)
        enough = result.total >= ITEMS and (result.learned or not result.unknown)
        if enough or (values > PIXELS and result.total >= FEWEST_ITEMS):
            break
    if pictures:
        _compare_with_seen(pictures, known, result)
    return result, None


def _compare_file(path: str, served: np.ndarray, known: Known, codec: ImageCodec, result: _Compared) -> None:
    try:
        own = np.asarray(read_file(path, codec.range))
    except (GanaugError, OSError):
        return
    kinds = other_reading(path, own, served)
    if _mark(own) not in known.fingerprints:
        result.unknown += bool(kinds)
        return
    result.learned += 1
    result.found.update(kinds)


def _compare_with_seen(pictures: Sequence[np.ndarray], known: Known, result: _Compared) -> None:
    """Items without files: changed in some way, most of them must be among the images of the fit."""
    exact: Counter[str] = Counter()
    nearly: Counter[str] = Counter()
    texts = sorted(known.likenesses)
    seen = read_likenesses(texts) if texts else None
    learned = None if seen is None else _vectors(seen.cells, seen.chroma)
    for pixels in pictures:
        ways = [("", pixels), *changed(pixels)]
        kind = next((kind for kind, other in ways if _mark(other) in known.fingerprints), None)
        if kind is not None:
            exact[kind] += 1
        elif learned is not None:
            kind = _nearest(ways, learned)
            nearly.update([] if kind is None else [kind])
        result.learned += kind is not None
    unchanged = result.learned - sum(exact.values()) - sum(nearly.values()) + nearly[""]
    for kind in (exact | nearly).keys() - {""}:
        n = exact[kind] + nearly[kind]
        sure = exact[kind] >= _FEW or 2 * n >= max(2 * _FEW, result.total)
        if sure and 10 * unchanged <= n:  # else they may be copies that a data set holds beside the originals
            result.found[kind] += n


def _nearest(ways: Sequence[tuple[str, np.ndarray]], learned: np.ndarray) -> str | None:
    """The way to change an item so that it is near to a learned one, "" for none; None where no way leads there."""
    likenesses = read_likenesses([likeness(pixels) for _, pixels in ways])
    vectors = _vectors(likenesses.cells, likenesses.chroma)
    squares = (vectors**2).sum(1)[:, None] + (learned**2).sum(1) - 2 * vectors @ learned.T
    distances = np.sqrt(squares.min(1).clip(0) / vectors.shape[1])
    best = int(distances.argmin())
    if distances[best] > NEAR or (best and distances[best] > distances[0] / 2):
        return None
    return ways[best][0]


def _vectors(cells: np.ndarray, chroma: np.ndarray) -> np.ndarray:
    """Likenesses as rows whose distance counts brightness and colour alike."""
    colours = np.repeat(chroma.reshape(len(chroma), -1), 4, axis=1)
    return np.concatenate([cells.reshape(len(cells), -1), colours], axis=1).astype(np.float32)


def _with_special(order: np.ndarray, index_map: np.ndarray, path_of: PathOf | None) -> list[int]:
    """The same rows, those first whose files are often read otherwise."""
    special: list[int] = []
    kinds: Counter[str] = Counter()
    for row in order[:HEADS].tolist() if path_of is not None else []:
        assert path_of is not None
        try:
            kind = ",".join(sorted(head_of(path_of(int(index_map[row])))))
        except GanaugError:
            continue
        if kind and kinds[kind] < OF_A_KIND:
            kinds[kind] += 1
            special.append(row)
    return [*special, *(row for row in order[:MOST_ITEMS].tolist() if row not in special)]


def _fix(base: Any, files: bool, codec: ImageCodec) -> str:
    if not files:
        return "Serve them as the run saw them, or fit on the data set itself: ganaug.fit(dataset, out)."
    reader = "ganaug.read_image"
    if codec.range is not None:
        reader = f"functools.partial(ganaug.read_image, range=({in_words(codec.range).replace(' to ', ', ')}))"
    name = type(base).__name__
    how = f"{name}(root, loader={reader})" if hasattr(base, "loader") else f"{reader}(path) in place of its own reader"
    return f"Read files as the run did, {how}; or fit on the data set itself: ganaug.fit(dataset, out)."


def _mark(pixels: np.ndarray) -> str:
    return fingerprint_pixels(pixels, in_colour(pixels))
