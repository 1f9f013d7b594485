"""Does a data set give the same picture twice? Random augmentation under any other name than `.transform` would be
learned, and would hide copies from whoever compares pictures."""

from __future__ import annotations

import contextlib
import copy
import random
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch.utils.data import Dataset, Subset

from ganaug.data.labels.unwrap import innermost, unchanged
from ganaug.data.sources.datasets import DatasetSource
from ganaug.data.sources.small import base_of, rows_in_base
from ganaug.errors import DataError, LabelMismatchError
from ganaug.keys import permutation

ITEMS = 64  # are read twice, or as many times those that there are
PIXELS = 36_000_000  # values of pixels, of which no more is read for it
_TRIALS = 12  # readings that must agree where an attribute was taken away


@dataclass(frozen=True)
class Unsteady:
    """name: of an item that was read twice and differs. attribute: of the data set, without which it does not; "" where
    none was found. label: it is its label that differs."""

    name: str
    attribute: str
    label: bool = False

    @property
    def cause(self) -> str:
        by = f" by its `{self.attribute}`" if self.attribute else ""
        other = "has another label" if self.label else "is another picture"
        return f"The data set changes its items at random{by}: {self.name} {other} at a second reading."

    @property
    def fix(self) -> str:
        if self.label:
            return "Read it by ganaug.open_source(dataset, targets=[...]), the label of each item"
        name = f" (a copy of it, with {self.attribute} = None)" if self.attribute else ""
        return f"Give the data set without its augmentation{name}, or keep that in an attribute called `transform`"


def unsteady(source: Any) -> Unsteady | None:
    """The first of a few items of a data set that differs when it is read again, under another state of the global
    random streams, which are put back; None where there is none. Sources that are no data set are always the same."""
    if not isinstance(base_of(source), DatasetSource):
        return None
    pixels = 0
    order = by_turns(source.labels, "steady").tolist()
    for turn in range(ITEMS if order else 0):
        first, found = read_twice(source, order[turn % len(order)], turn)
        if found is not None:
            return found
        pixels += 0 if first is None else 2 * first.size
        if pixels > PIXELS:
            break
    return None


def read_twice(source: Any, index: int, turn: int) -> tuple[np.ndarray | None, Unsteady | None]:
    """The pixels of an item, None where it cannot be read; and what there is to say if it differs when it is read
    again. turn: keys the two states of the random streams."""
    base = base_of(source)
    first = _read(source, index, 2 * turn)
    if first is None or not isinstance(base, DatasetSource):
        return first, None
    second = _read(source, index, 2 * turn + 1)
    pixels = first if first.size else None
    if _same(first, second):
        return pixels, None
    if second is not None and not (first.size and second.size):
        return pixels, Unsteady(source.names[index], "", label=True)
    return first, Unsteady(source.names[index], _culprit(base, int(rows_in_base(source, np.array([index]))[0]), turn))


def by_turns(labels: np.ndarray, *parts: int | str) -> np.ndarray:
    """Rows in an order by key, in which the classes take turns: int64 (N,)."""
    mixed = permutation(len(labels), *parts)
    by_class = np.argsort(labels[mixed], kind="stable")
    counts = np.unique(labels, return_counts=True)[1].tolist()
    turns = np.concatenate([np.arange(n) for n in counts] or [np.empty(0, np.int64)])
    return mixed[by_class][np.argsort(turns, kind="stable")]


@contextlib.contextmanager
def global_streams(seed: int) -> Iterator[None]:
    """The global random streams of Python, numpy and torch, seeded, and afterwards as they were."""
    own, numpys, torchs = random.getstate(), np.random.get_state(), torch.get_rng_state()  # noqa: NPY002
    random.seed(seed)
    np.random.seed(seed)  # noqa: NPY002
    torch.default_generator.manual_seed(seed)
    try:
        yield
    finally:
        random.setstate(own)
        np.random.set_state(numpys)  # noqa: NPY002
        torch.set_rng_state(torchs)


def _read(source: Any, index: int, seed: int) -> np.ndarray | None:
    """The pixels of an item, none of them where it carries another label than the list of labels says; None where it
    cannot be read. Whoever reads it in earnest will hear of both."""
    with global_streams(seed):
        try:
            return np.asarray(source.read(index))
        except LabelMismatchError:
            return np.empty(0, np.uint8)
        except DataError:
            return None


def _same(one: np.ndarray | None, other: np.ndarray | None) -> bool:
    return (one is None and other is None) or (one is not None and other is not None and np.array_equal(one, other))


def _culprit(source: DatasetSource, index: int, turn: int) -> str:
    """The attribute of the data set, a function of the user's, that makes the difference; tried on shallow copies."""
    base, rows = innermost(source.dataset)
    for name, value in getattr(base, "__dict__", {}).items():
        if not callable(value) or isinstance(value, (type, Dataset)):
            continue
        for stand_in in (None, unchanged):
            view = copy.copy(base)
            try:
                setattr(view, name, stand_in)
            except Exception:  # somebody else's __setattr__
                continue
            trial = replace(source, dataset=Subset(view, rows.tolist()))
            reads = [_read(trial, index, 2 * turn + more) for more in range(_TRIALS)]
            if reads[0] is not None and all(_same(reads[0], other) for other in reads):
                return name
    return ""
