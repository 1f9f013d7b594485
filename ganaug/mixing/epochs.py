"""The current epoch, and how a pass of someone else's DataLoader is told from the next one.

A data set is not told when a pass begins. But torch makes one fetcher for each pass, in the main process and in every
worker, persistent or not, and asks for all items from within its `fetch`. So a fetcher that was not seen before begins
the next epoch or, in a worker, joins the one that another worker has begun. That is exact for any sampler, and for
passes that are left early.
"""

from __future__ import annotations

import itertools
import os
import sys
from collections.abc import MutableMapping
from types import FrameType
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

import numpy as np
import torch
from torch.utils.data import DataLoader, get_worker_info
from torch.utils.data._utils.fetch import _BaseDatasetFetcher

SEATS = 256  # for the main process and its workers
PASSES = 16  # that are remembered
_NOW, _BEGUN, _DECLARED, _CALLS, _SERIAL, _ADDED, _SAID = range(7)  # the shared numbers
_JOINED, _ITEMS, _EVER = range(3)  # those of a seat: the pass it joined last, its items there, its items ever


class _Pass(NamedTuple):
    """A pass as all workers know it: torch's seed of the loader's workers, the how-manieth pass of these workers it is,
    its epoch, how often the epoch had been set by then, and its own number, from 1."""

    seed: int
    turn: int
    epoch: int
    calls: int
    serial: int


class EpochClock:
    """The current epoch, in memory that is shared with data loader workers however they were started. Processes that
    are not such workers (the ranks of a distributed training) have a clock each.

    Workers write without a lock: those that begin one pass at the same time write the same numbers, the serial last.
    """

    def __init__(self):
        sizes = (((7,), torch.int64), ((SEATS, 3), torch.int32), ((PASSES, 5), torch.int64))
        self._share(tuple(torch.zeros(size, dtype=dtype, device="cpu") for size, dtype in sizes), os.getpid())

    def _share(self, memory: tuple[torch.Tensor, ...], process: int) -> None:
        self._memory, self._process = tuple(numbers.share_memory_() for numbers in memory), process
        self._joined: MutableMapping[Any, _Pass] = WeakKeyDictionary()  # by fetcher
        self._last = _Pass(0, 0, 0, 0, 0)  # that this process joined
        self._own_seeds = itertools.count(1)

    def __getstate__(self) -> dict:
        return {"memory": self._memory, "process": self._process}

    def __setstate__(self, state: dict) -> None:
        self._share(**state)

    def own(self) -> None:
        """Memory of its own for a process that began with a copy of this clock, and is no loader worker."""
        if os.getpid() != self._process and get_worker_info() is None:
            self._share(tuple(numbers.clone() for numbers in self._memory), os.getpid())

    @property
    def _numbers(self) -> np.ndarray:
        return self._memory[0].numpy()

    @property
    def _seats(self) -> np.ndarray:
        return self._memory[1].numpy()

    # --- told, by the user or by samplers of ours

    @property
    def epoch(self) -> int:
        return int(self._numbers[_NOW])

    @property
    def upcoming(self) -> int:
        """The epoch that the next pass begins."""
        return int(self._numbers[_NOW] + self._numbers[_BEGUN])

    @property
    def declared(self) -> int | None:
        """The epoch that was set last."""
        return int(self._numbers[_DECLARED]) if self._numbers[_CALLS] else None

    def set(self, epoch: int) -> None:
        """The next pass is epoch `epoch`, and so is what is left of a pass that is going on."""
        self.own()
        self._seats[:, _ITEMS] = 0
        self._numbers[[_NOW, _BEGUN, _DECLARED]] = epoch, 0, epoch
        self._numbers[_CALLS] += 1

    def advance(self) -> int:
        """Begin an iteration: the epoch that was set, or, if that has begun before, the one after it."""
        self.own()
        self._numbers[[_NOW, _BEGUN]] = self.upcoming, 1
        return self.epoch

    # --- noticed

    def fetch(self, count: int, length: int) -> int | None:
        """The epoch of `count` items of a data set of `length`, of the pass that asks for them; None if no DataLoader
        does. A pass that goes on after `length` items is several; with workers, where one ends is known to within the
        batches that are fetched ahead."""
        fetcher, worker = _fetcher(), get_worker_info()
        if fetcher is None:
            return None
        self.own()
        seat = 0 if worker is None else 1 + worker.id % (SEATS - 1)
        joined = self._joined.get(fetcher)
        if joined is None or self._is_over(joined, length):
            seed = next(self._own_seeds) if worker is None else worker.seed - worker.id
            joined = self._join(seed, seat, self.epoch if joined is None else joined.epoch + 1)
        if joined.calls != self._numbers[_CALLS]:
            joined = joined._replace(epoch=self.epoch, calls=int(self._numbers[_CALLS]))
        self._joined[fetcher] = joined
        if self._seats[seat, _JOINED] == joined.serial:  # else a pass side by side has taken the seat
            self._seats[seat, _ITEMS] += count
        self._seats[seat, _EVER] += count
        return joined.epoch

    def _join(self, seed: int, seat: int, at_least: int) -> _Pass:
        """Begin a pass, unless it is one that another worker has begun."""
        serial = int(self._numbers[_SERIAL]) + 1
        now, begun, calls = (int(self._numbers[number]) for number in (_NOW, _BEGUN, _CALLS))
        turn = self._last.turn + 1 if self._last.seed == seed else 1
        newest = self._newest(seed)
        taken = newest is not None and self._seats[seat, _JOINED] == newest.serial
        if newest is None or newest.turn < turn or taken:
            newest = _Pass(seed, turn, max(now + begun, at_least), calls, serial)
            self._memory[2].numpy()[serial % PASSES] = newest
            self._numbers[[_NOW, _BEGUN]] = newest.epoch, 1
            self._numbers[_SERIAL] = serial
        self._seats[seat, :_EVER] = newest.serial, 0
        self._last = newest
        return newest

    def _is_over(self, joined: _Pass, length: int) -> bool:
        """Whether all items were asked for since the epoch began, or another worker has gone on."""
        newest = self._newest(joined.seed)
        items = self._seats[self._seats[:, _JOINED] == joined.serial, _ITEMS].sum()
        return bool(items >= length) or (newest is not None and newest.serial > joined.serial)

    def _newest(self, seed: int) -> _Pass | None:
        passes = self._memory[2].numpy()
        mine = passes[passes[:, 0] == seed]
        return _Pass(*mine[mine[:, -1].argmax()].tolist()) if len(mine) else None

    # --- remembered for all processes

    @property
    def ever(self) -> int:
        """Items that DataLoaders have asked for."""
        return int(self._seats[:, _EVER].sum())

    @property
    def added_was_asked_for(self) -> bool:
        return bool(self._numbers[_ADDED])

    def note_added(self) -> None:
        self._numbers[_ADDED] = 1

    def first_time(self) -> bool:
        """True once."""
        said = bool(self._numbers[_SAID])
        self._numbers[_SAID] = 1
        return not said


def passing_loader() -> DataLoader | None:
    """The DataLoader whose `__iter__` this call comes from, or None."""
    return _caller("__iter__", DataLoader)


def _fetcher() -> Any:
    """torch's fetcher that this call comes from, or None."""
    return _caller("fetch", _BaseDatasetFetcher)


def _caller(method: str, kind: type) -> Any:
    """The object of a kind whose method this call comes from, or None."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        if frame.f_code.co_name == method and isinstance(owner := frame.f_locals.get("self"), kind):
            return owner
        frame = frame.f_back
    return None
