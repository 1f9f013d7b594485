"""The processes that play one game together, each called a rank.

What a move needs is a sum over the slices of its batch. Ranks decide only where a slice is computed: the sum is taken
in the order of one tree, which depends on the number of slices alone, so that any number of ranks gives the same bytes.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import pairwise
from typing import Any

import numpy as np
import torch
import torch.distributed as dist
from torch import Tensor

from ganaug.errors import OptionError, RankError

Node = tuple[int, int]  # the slices from the first number up to, but without, the second


class Ranks:
    """rank: number of this process, from 0 on. world: how many there are. group: the way between them, over the memory
    of processors (gloo); None where there is one process only. All of them must ask for the same things in the same
    order; every method raises RankError where another process has ended."""

    def __init__(self, rank: int = 0, world: int = 1, group: Any = None):
        self.rank, self.world, self.group = rank, world, group

    @property
    def leads(self) -> bool:
        """Whether this process is the one that decides, logs, draws and saves."""
        return self.rank == 0

    def total(self, count: int, part: Callable[[int], Tensor]) -> Tensor:
        """part(0) + ... + part(count - 1), each a vector (N,); every rank computes its share of them, one after the
        other in ascending order, and all have the sum. `count` is a multiple of the number of ranks."""

        def computed(lo: int, hi: int) -> Tensor | None:
            return part(lo) if hi - lo == 1 else None

        if self.world == 1:
            return _summed(0, count, computed)
        shares = pairwise(count * rank // self.world for rank in range(self.world + 1))
        nodes = [list(_within(0, count, *share)) for share in shares]
        own = [_summed(*node, computed) for node in nodes[self.rank]]
        rows = torch.zeros(max(map(len, nodes)), len(own[0]), dtype=own[0].dtype)
        for row, node in zip(rows, own, strict=False):
            row.copy_(node)
        everyone = self._gathered(rows)
        known = {node: everyone[rank, i] for rank, mine in enumerate(nodes) for i, node in enumerate(mine)}
        return _summed(0, count, lambda lo, hi: known.get((lo, hi))).to(own[0].device)

    def share(self, tensors: Sequence[Tensor]) -> None:
        """Fill the tensors, of the same shapes on every rank, with those of the first one, bit by bit."""
        if self.world == 1 or not tensors:
            return
        flat = torch.cat([t.detach().cpu().contiguous().view(-1).view(torch.uint8) for t in tensors])
        with _heard():
            dist.broadcast(flat, 0, self.group)
        pieces = flat.split([t.numel() * t.element_size() for t in tensors])
        for t, piece in zip(tensors, pieces, strict=True):
            t.detach().copy_(piece.clone().view(t.dtype).view(t.shape))

    def first(self, data: bytes = b"") -> bytes:
        """What the first rank gives here."""
        if self.world == 1:
            return data
        size = torch.tensor([len(data)])
        self.share([size])
        if not self.leads:
            data = bytes(int(size))
        flat = _as_tensor(data)
        self.share([flat])
        return flat.numpy().tobytes()

    def most(self, value: int) -> int:
        """The largest number that a rank gives here."""
        return value if self.world == 1 else int(self._gathered(torch.tensor([value])).max())

    def agree(self, values: Mapping[str, Any]) -> None:
        """Raise RankError, on every rank, where two of them give other values (numbers, text, lists, ...)."""
        if self.world == 1:
            return
        own = json.dumps(values, sort_keys=True).encode()
        text = _as_tensor(own.ljust(self.most(len(own))))
        first, *others = (json.loads(row.numpy().tobytes()) for row in self._gathered(text))
        for rank, other in enumerate(others, 1):
            names = sorted(name for name in first.keys() | other.keys() if first.get(name) != other.get(name))
            if names:
                told = "; ".join(
                    f"{name} is {other.get(name)} there and {first.get(name)} in process 0" for name in names
                )
                raise RankError(
                    f"Process {rank} of the fit differs from process 0: {told}.",
                    "Start all with the same settings, data, versions and threads, on processors of one kind.",
                )

    def _gathered(self, rows: Tensor) -> Tensor:
        """The tensors of all ranks, of equal shapes, one after the other: (world, ...)."""
        everyone = rows.new_empty(self.world, *rows.shape)
        with _heard():
            dist.all_gather(list(everyone), rows, self.group)
        return everyone


ALONE = Ranks()


def started() -> tuple[int, int]:
    """Number of this process, and how many were started together, by torchrun for instance: those of a group that
    exists, else what RANK and WORLD_SIZE say. Raises OptionError where these are no such numbers."""
    if dist.is_available() and dist.is_initialized():
        return dist.get_rank(), dist.get_world_size()
    said = {name: os.environ.get(name) or usual for name, usual in (("RANK", "0"), ("WORLD_SIZE", "1"))}
    try:
        rank, world = map(int, said.values())
    except ValueError:
        rank, world = -1, 1
    if rank < 0 or world < 1 or (world > 1 and rank >= world):
        cause = f"RANK is {said['RANK']!r} and WORLD_SIZE {said['WORLD_SIZE']!r}, which number no process of several."
        raise OptionError(cause, "Start them by torchrun, which sets both; or unset both, for one process.")
    return (rank, world) if world > 1 else (0, 1)


@contextmanager
def ranks_of(slices: int) -> Iterator[Ranks]:
    """The processes that were started together, as ranks of a game of so many slices; `ALONE` for one slice, which only
    one process can compute. Where one of them leaves this with an error, the others get a RankError.

    Raises OptionError where they cannot share the slices alike, RankError where they do not find each other.
    """
    _, world = started()
    if slices == 1 or world == 1:
        yield ALONE
        return
    if slices % world:
        raise OptionError(
            f"{world} processes cannot share {slices} slices alike.",
            f"Give a multiple of {world}: --slices {-(-slices // world) * world}; or start another number of them.",
        )
    try:
        if not dist.is_initialized():
            dist.init_process_group("gloo")
        group = dist.new_group(backend="gloo")
    except (RuntimeError, ValueError) as error:
        raise RankError(
            f"{world} processes are to share a fit, and they do not find each other: {_line(error)}.",
            "Start them with torchrun, or give each RANK, WORLD_SIZE, MASTER_ADDR and MASTER_PORT.",
        ) from error
    try:
        yield Ranks(*started(), group)
    finally:
        dist.destroy_process_group(group)


def _summed(lo: int, hi: int, known: Callable[[int, int], Tensor | None]) -> Tensor:
    """The sum over slices `lo` to `hi`: what is known of them, else that of the first 2^k of them plus the rest's."""
    value = known(lo, hi)
    if value is not None:
        return value
    middle = _middle(lo, hi)
    return _summed(lo, middle, known) + _summed(middle, hi, known)


def _middle(lo: int, hi: int) -> int:
    """Where a node of the tree divides: after the largest power of two that is less than its slices."""
    return lo + (1 << (hi - lo - 1).bit_length() - 1)


def _within(lo: int, hi: int, first: int, last: int) -> Iterator[Node]:
    """The largest nodes of the tree over `lo` to `hi` that lie in `first` to `last`."""
    if first <= lo and hi <= last:
        yield lo, hi
    elif lo < last and first < hi:
        middle = _middle(lo, hi)
        yield from _within(lo, middle, first, last)
        yield from _within(middle, hi, first, last)


def _as_tensor(data: bytes) -> Tensor:
    return torch.from_numpy(np.frombuffer(data, np.uint8).copy())


@contextmanager
def _heard() -> Iterator[None]:
    try:
        yield
    except RuntimeError as error:
        raise RankError(
            f"Another process of the fit has ended, or cannot be reached: {_line(error)}.",
            "Its own message says why. What was saved is kept: start all of them again, with --resume.",
        ) from error


def _line(error: Exception) -> str:
    """The first sentence of a message, without the line of another program's source where it begins."""
    return re.sub(r"^\[[^]]*\] ", "", " ".join(str(error).split())).split(". ")[0][:200]
