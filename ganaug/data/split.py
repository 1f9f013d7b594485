"""Dividing labelled images into what gradients use and what only judges them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np

import ganaug.keys as keys
from ganaug.data.labelled import Items, Labelled
from ganaug.errors import DataError, OptionError


def hold_out(images: Items, *, fraction: float = 0.2, seed: int = 0) -> tuple[Items, Items]:
    """-> (train, validation): disjoint, together all images (or rows, or series), stratified by class.

    fraction: validation's share of each class. Whole groups stay together where groups are known, and copies of one
    picture always do. Each class keeps at least one image in train; it has one in validation if it can (two images of
    different groups). With large groups the shares are as near to `fraction` as whole groups allow. The same seed
    gives the same parts. Raises DataError if nothing can be held out.
    """
    held = held_out_rows(images, fraction=fraction, seed=seed)
    return images.take(np.flatnonzero(~held)), images.take(np.flatnonzero(held))


def held_out_rows(images: Labelled, *, fraction: float = 0.2, seed: int = 0) -> np.ndarray:
    """Which items `hold_out` puts into validation: bool (N,)."""
    if not 0 < fraction < 1:
        raise OptionError(f"The validation share cannot be {fraction:g}.", "Choose a number between 0 and 1.")
    block = _blocks(images.fingerprints, images.groups)
    held = _pick(_contents(block, images.labels.numpy()), len(images.classes), fraction, seed)[block]
    if not held.any():
        cause = "Nothing can be held out: each class has one item, or one group, or copies of one item only."
        raise DataError(cause, "Add items, or groups, to the classes.")
    return held


def groups_in_words(training: Labelled, validation: Labelled) -> str:
    """ "22 groups, 5 held out"; an empty text where no groups are known."""
    if training.groups is None:
        return ""
    inside, beside = set(training.groups), set(validation.groups or ())
    return f"{len(inside | beside)} groups, {len(beside)} held out"


def joined(count: int, pairs: Iterable[tuple[int, int]]) -> list[int]:
    """For each of so many items one that stands for all that the pairs join with it, directly or by a chain."""
    parent = list(range(count))

    def root(item: int) -> int:
        while parent[item] != item:
            parent[item] = parent[parent[item]]
            item = parent[item]
        return item

    for one, other in pairs:
        parent[root(one)] = root(other)
    return [root(item) for item in range(count)]


def with_first(marks: Sequence[str]) -> Iterator[tuple[int, int]]:
    """Each item, and the first one that has its mark."""
    first: dict[str, int] = {}
    return ((item, first.setdefault(mark, item)) for item, mark in enumerate(marks))


def _blocks(fingerprints: Sequence[str], groups: Sequence[str] | None) -> np.ndarray:
    """Number of the block of each item, (N,): items that share a group or a picture, directly or by a chain."""
    pairs = (*with_first(fingerprints), *with_first(groups or ()))
    return np.unique(joined(len(fingerprints), pairs), return_inverse=True)[1]


def _contents(block: np.ndarray, labels: np.ndarray) -> list[dict[int, int]]:
    """For each block: label -> number of its images."""
    contents: list[dict[int, int]] = [{} for _ in range(int(block.max()) + 1)]
    for number, label in zip(block.tolist(), labels.tolist(), strict=True):
        contents[number][label] = contents[number].get(label, 0) + 1
    return contents


def _pick(contents: list[dict[int, int]], classes: int, fraction: float, seed: int) -> np.ndarray:
    """Which blocks are held out, bool (blocks,): in keyed order, whatever fits; then one for each class left out."""
    total = np.zeros(classes, dtype=np.int64)
    blocks_with: list[list[int]] = [[] for _ in range(classes)]
    for block, inside in enumerate(contents):
        for label, n in inside.items():
            total[label] += n
            blocks_with[label].append(block)
    wanted = np.minimum(np.maximum(np.rint(fraction * total), 1), np.maximum(total - 1, 0)).astype(np.int64)
    room, held = wanted.tolist(), np.zeros(len(contents), dtype=bool)
    for block in keys.permutation(len(contents), seed, "hold out").tolist():
        inside = contents[block]
        if all(n <= room[label] for label, n in inside.items()):
            held[block] = True
            for label, n in inside.items():
                room[label] -= n
    out = wanted - np.asarray(room, dtype=np.int64)
    for label in sorted(range(classes), key=lambda label: len(blocks_with[label])):
        _fill(label, blocks_with[label], contents, wanted, total, out, held)
    return held


def _fill(
    label: int,
    blocks: list[int],
    contents: list[dict[int, int]],
    wanted: np.ndarray,
    total: np.ndarray,
    out: np.ndarray,
    held: np.ndarray,
) -> None:
    """Hold out further blocks of this class while that brings the shares nearer to what is wanted, or it has none."""
    scale = np.maximum(wanted, 1)
    while out[label] < wanted[label]:
        free = [block for block in blocks if not held[block]]
        free = [block for block in free if all(out[c] + n < total[c] for c, n in contents[block].items())]
        if not free:
            return
        costs = [_change(contents[block], out, wanted, scale) for block in free]
        best = int(np.argmin(costs))
        if out[label] > 0 and costs[best] >= 0:
            return
        held[free[best]] = True
        for c, n in contents[free[best]].items():
            out[c] += n


def _change(inside: dict[int, int], out: np.ndarray, wanted: np.ndarray, scale: np.ndarray) -> float:
    """How much farther from the wanted shares holding out this block would bring us."""
    return sum((abs(out[c] + n - wanted[c]) - abs(out[c] - wanted[c])) / scale[c] for c, n in inside.items())
