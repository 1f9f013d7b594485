"""Which items of an epoch are synthetic, and which row of the pool each one is: a pure function of (seed, epoch)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ganaug.keys import numpy_stream, permutation

REAL = -1  # stands in a table for an item that is served as it is


@dataclass(frozen=True)
class Replace:
    """Of `n` items, exactly `total` are served synthetic, others in every epoch; len() stays as it was.

    labels: int64 (n,), class of each item. Each class gives its exact share rounded down or up, by systematic sampling,
    so that over the epochs small classes get what is due to them as well.
    """

    labels: np.ndarray
    total: int

    def largest(self, n_classes: int) -> np.ndarray:
        """The most synthetic images of each class that an epoch may need: int64 (n_classes,)."""
        counts = np.bincount(self.labels, minlength=n_classes)
        return -(-counts * self.total // max(1, len(self.labels)))

    def places(self, seed: int, epoch: int, n_classes: int) -> list[np.ndarray]:
        """For each class, the indices that are served synthetic in this epoch."""
        order = permutation(len(self.labels), seed, "mix", "items", epoch)
        order = order[np.argsort(self.labels[order], kind="stable")]  # by class, within a class in keyed order
        counts = np.bincount(self.labels, minlength=n_classes)
        taken = self._shares(counts, numpy_stream(seed, "mix", "shares", epoch))
        starts = np.concatenate([[0], np.cumsum(counts)])
        return [order[starts[c] : starts[c] + taken[c]] for c in range(n_classes)]

    def _shares(self, counts: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Split `total` over the classes in exact integer arithmetic: one keyed offset, classes in keyed order."""
        n = len(self.labels)
        order = rng.permutation(len(counts))
        marks = (np.concatenate([[0], np.cumsum(counts[order])]) * self.total + rng.integers(n)) // n
        shares = np.empty_like(counts)
        shares[order] = np.diff(marks)
        return shares


@dataclass(frozen=True)
class Append:
    """All real items, followed by `added[c]` synthetic ones of each class c. labels: int64 (n,), added: int64
    (classes,).
    """

    labels: np.ndarray
    added: np.ndarray

    def largest(self, n_classes: int) -> np.ndarray:
        return self.added

    def places(self, seed: int, epoch: int, n_classes: int) -> list[np.ndarray]:
        ends = len(self.labels) + np.concatenate([[0], np.cumsum(self.added)])
        return [np.arange(ends[c], ends[c + 1]) for c in range(n_classes)]


@dataclass(frozen=True)
class Schedule:
    """Tables of an epoch: for every index, the pool row to serve, or REAL.

    length: number of items. classes: names, for the key. starts, sizes: int64 (classes,), where each class lies in the
    pool; items of a class without rows stay real. Within an epoch no row is served twice while the pool lasts; from
    epoch to epoch, all rows of a class are served before one comes again.
    """

    who: Replace | Append
    length: int
    classes: tuple[str, ...]
    starts: np.ndarray
    sizes: np.ndarray
    seed: int

    def table(self, epoch: int) -> np.ndarray:
        """int64 (length,)"""
        table = np.full(self.length, REAL, dtype=np.int64)
        largest = self.who.largest(len(self.classes))
        for c, places in enumerate(self.who.places(self.seed, epoch, len(self.classes))):
            if len(places) and self.sizes[c]:
                table[places] = self.starts[c] + self._rows(c, int(largest[c]), len(places), epoch)
        return table

    def _rows(self, c: int, per_epoch: int, count: int, epoch: int) -> np.ndarray:
        key, size = (self.seed, "mix", "rows", self.classes[c]), int(self.sizes[c])
        if per_epoch <= size:
            cycle, turn = divmod(epoch, size // per_epoch)
            return permutation(size, *key, cycle)[turn * per_epoch :][:count]
        rounds = range(-(-count // size))
        return np.concatenate([permutation(size, *key, epoch, again) for again in rounds])[:count]


@dataclass(frozen=True)
class Turns:
    """Tables where some items are served as one of their own variants: of `length` items those at `varied` (in rising
    order) have `each` rows in the pool, one item after the other; the others stay real.

    In each epoch an item is varied with probability `p`, and its variants take turns from epoch to epoch.
    """

    length: int
    each: int
    p: float
    seed: int
    varied: np.ndarray

    def table(self, epoch: int) -> np.ndarray:
        """int64 (length,)"""
        table = np.full(self.length, REAL, dtype=np.int64)
        chosen = numpy_stream(self.seed, "variants", "items", epoch).random(self.length) < self.p
        first = numpy_stream(self.seed, "variants", "first").integers(self.each, size=self.length)
        rows = np.arange(len(self.varied), dtype=np.int64) * self.each
        rows += (first[self.varied] + epoch) % self.each
        table[self.varied] = np.where(chosen[self.varied], rows, REAL)
        return table
