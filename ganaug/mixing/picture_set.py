"""The data set that a user's own training is given: pictures as the user has them, with synthetic ones among them."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Protocol

import numpy as np
from PIL import Image
from torch.utils.data import Dataset

from ganaug.data.duplicates.fingerprint import fingerprint
from ganaug.errors import TooFewImagesError
from ganaug.mixing.epochs import EpochClock
from ganaug.mixing.schedule import REAL, Replace, Schedule

SAMPLED = 16  # pictures of which `sample` speaks


class Readable(Protocol):
    """Pictures that are read one by one."""

    def read(self, index: int) -> Image.Image: ...


class PictureSet(Dataset):
    """Items (PIL image, int), for any DataLoader, with any number of workers, however they are started.

    source: the real pictures, read as the user has them. targets, classes: the label of each of them, and the names of
    the classes. synthetic: pictures and their labels. Of N items, exactly round(ratio * N) are synthetic, each with the
    label of the item in whose place it stands, and others in each pass of a torch DataLoader; who asks for items
    otherwise sees the same ones until `set_epoch`. Items of a class without synthetic pictures stay real. seed: of the
    choice.

    Raises TooFewImagesError for a ratio above 0 without synthetic pictures.
    """

    def __init__(
        self,
        source: Readable,
        targets: Sequence[int] | np.ndarray,
        classes: Sequence[str],
        *,
        synthetic: tuple[Readable, Sequence[int] | np.ndarray] | None = None,
        ratio: float = 0.0,
        seed: int = 0,
    ):
        self.classes: list[str] = list(classes)
        self.targets: list[int] = np.asarray(targets, dtype=np.int64).tolist()
        self._source = source
        self._schedule: Schedule | None = None
        if ratio:
            if synthetic is None or not len(synthetic[1]):
                raise TooFewImagesError(f"A synthetic share of {ratio} needs synthetic images.", "Give `synthetic`.")
            self._synthetic, labels = synthetic[0], np.asarray(synthetic[1], dtype=np.int64)
            self._order = np.argsort(labels, kind="stable")  # class after class
            sizes = np.bincount(labels, minlength=len(classes))
            who = Replace(np.array(self.targets, dtype=np.int64), round(ratio * len(self.targets)))
            self._schedule = Schedule(who, len(who.labels), tuple(classes), np.cumsum(sizes) - sizes, sizes, seed)
            self._clock, self._table = EpochClock(), (-1, np.empty(0, dtype=np.int64))

    def __len__(self) -> int:
        return len(self.targets)

    def __repr__(self) -> str:
        made = 0 if self._schedule is None else int((self._schedule.table(0) != REAL).sum())
        return f"PictureSet({len(self)} pictures of {len(self.classes)} classes, {made} of them synthetic)"

    def set_epoch(self, epoch: int) -> None:
        """The next pass is this epoch; for loops that ask for items without a torch DataLoader."""
        if self._schedule is not None:
            self._clock.set(epoch)

    def __getitem__(self, index: int) -> tuple[Image.Image, int]:
        return self.__getitems__([index])[0]

    def __getitems__(self, indices: Sequence[int]) -> list[tuple[Image.Image, int]]:
        places = [range(len(self))[index] for index in indices]
        table = self._of_epoch(len(places))
        return [(self._read(place, REAL if table is None else table[place]), self.targets[place]) for place in places]

    def sample(self) -> str:
        """SHA-256 of a few of the real pictures and their places, whatever epoch it is."""
        places = np.linspace(0, len(self) - 1, min(SAMPLED, len(self))).astype(int).tolist()
        seen = [(place, fingerprint(self._read(place, REAL))) for place in places]
        return hashlib.sha256(repr(seen).encode()).hexdigest()

    def _of_epoch(self, count: int) -> np.ndarray | None:
        """The table of the epoch in which `count` items are asked for."""
        if self._schedule is None:
            return None
        epoch = self._clock.fetch(count, len(self))
        epoch = self._clock.epoch if epoch is None else epoch
        if self._table[0] != epoch:
            self._table = epoch, self._schedule.table(epoch)
        return self._table[1]

    def _read(self, place: int, row: int) -> Image.Image:
        """A copy, since pictures in memory are the user's own, and PIL has methods that change them."""
        if row != REAL:
            return self._synthetic.read(int(self._order[row]))
        return self._source.read(place).copy()
