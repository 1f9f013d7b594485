"""Pixels of images: rows of stores that many parts of a data set share, so that to take some copies none."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import torch
from torch import Tensor

_BLOCK = 1 << 10  # images that are gathered at a time


@dataclass(frozen=True, eq=False)
class Pixels:
    """Images of one size, on the CPU.

    stores: uint8 (M, C, H, W) each, in memory or memory maps, one after the other. rows: int64 (N,), which of all their
    images these are; None for all. mapped: whether the stores are files, and hold more than memory should.
    """

    stores: tuple[Tensor, ...]
    rows: Tensor | None = None
    mapped: bool = False

    @staticmethod
    def of(images: Tensor) -> Pixels:
        """All images of one tensor."""
        return Pixels((images,))

    def __len__(self) -> int:
        return sum(map(len, self.stores)) if self.rows is None else len(self.rows)

    @property
    def shape(self) -> tuple[int, ...]:
        """(N, C, H, W)."""
        return (len(self), *self.stores[0].shape[1:])

    def __getitem__(self, rows: Tensor | slice) -> Tensor:
        """Some of the images, by numbers, by bool (N,) or as a slice; no others are read."""
        if self.rows is None and len(self.stores) == 1:
            return self.stores[0][rows]
        rows = self.numbers()[rows]
        if len(self.stores) == 1:
            return self.stores[0][rows]
        found = torch.empty((len(rows), *self.shape[1:]), dtype=torch.uint8, device="cpu")
        start = 0
        for store in self.stores:
            own = ((rows >= start) & (rows < start + len(store))).nonzero()[:, 0]
            found[own] = store[rows[own] - start]
            start += len(store)
        return found

    def take(self, rows: Tensor) -> Pixels:
        """These images alone, int64 (N,), in this order; none is copied."""
        if torch.equal(rows, torch.arange(len(self), device="cpu")):
            return self
        return Pixels(self.stores, self.numbers()[rows], self.mapped)

    def followed_by(self, other: Pixels) -> Pixels:
        """These images, and then others of the same size; none is copied."""
        start, stores = sum(map(len, self.stores)), (*self.stores, *other.stores)
        return Pixels(stores, torch.cat([self.numbers(), start + other.numbers()]), self.mapped or other.mapped)

    def numbers(self) -> Tensor:
        """Of these images among all of the stores: int64 (N,)."""
        return torch.arange(len(self), device="cpu") if self.rows is None else self.rows

    def whole(self) -> Tensor:
        """All of them in one tensor: the store itself, where they are all of one; else a copy."""
        return self.stores[0] if self.rows is None and len(self.stores) == 1 else self[:]

    def digest(self, before: bytes = b"") -> str:
        """SHA-256 of these bytes, and then of all values."""
        hashed = hashlib.sha256(before)
        for start in range(0, len(self), _BLOCK):
            hashed.update(self[start : start + _BLOCK].numpy().data)
        return hashed.hexdigest()
