"""The order of items, and the epoch they belong to.

A synthetic draw depends on (seed, epoch, index), so whoever fetches an item must know its epoch. Workers may fetch
ahead, stay alive between epochs, or have been started by any method: so every index that these samplers yield carries
its epoch with it. The epoch of other indices (of `dataset[i]`, of a sampler of someone else) is known to `EpochClock`.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
from torch.utils.data import Sampler

from ganaug.errors import IncompatibleLoaderError
from ganaug.keys import numpy_stream, permutation


class EpochIndex(int):
    """An index that knows the epoch it was drawn for; equal to the plain integer in every other respect."""

    epoch: int

    def __new__(cls, index: int, epoch: int) -> EpochIndex:
        self = int.__new__(cls, index)
        self.epoch = epoch
        return self

    def __reduce__(self) -> tuple:
        return EpochIndex, (int(self), self.epoch)


class DrawnOrder:
    """`count` keyed draws, with or without replacement, uniform or by weight (`shuffle=True`, `RandomSampler`,
    `WeightedRandomSampler`).

    weights: float64 (n,), not necessarily normalised, or None for uniform. Without replacement and weights, whole
    permutations follow one another until `count` is reached.
    """

    def __init__(self, n: int, count: int, seed: int, *, replacement: bool = False, weights: np.ndarray | None = None):
        self.n, self.count, self.seed = n, count, seed
        self.replacement, self.weights = replacement, None if weights is None else weights / weights.sum()

    def __call__(self, epoch: int) -> Iterable[int]:
        if self.replacement or self.weights is not None:
            rng = numpy_stream(self.seed, "order", epoch)
            return rng.choice(self.n, self.count, replace=self.replacement, p=self.weights).tolist()
        if self.count == self.n:
            return permutation(self.n, self.seed, "order", epoch).tolist()
        rounds = range(-(-self.count // self.n))
        orders = [permutation(self.n, self.seed, "order", epoch, again) for again in rounds]
        return np.concatenate(orders)[: self.count].tolist()

    def __len__(self) -> int:
        return self.count


class FollowedOrder:
    """The order of another sampler, of indices or of batches of them.

    owned: the sampler is ours, a rebuilt `DistributedSampler`, which is told every epoch; someone else's is left to
    them. watched: whose `.epoch`, if someone sets it as the habit with `DistributedSampler` is, is the epoch to serve;
    by default the sampler's own.
    """

    def __init__(self, sampler: Any, *, owned: bool = False, watched: Any = None):
        self.sampler, self.owned = sampler, owned
        watched = sampler if watched is None else watched
        self.watched = watched if isinstance(getattr(watched, "epoch", None), int) else None
        self._seen = 0

    def __call__(self, epoch: int) -> Iterable[Any]:
        if self.owned:
            self.sampler.set_epoch(epoch)
        return self.sampler

    def __len__(self) -> int:
        return len(self.sampler)

    def chosen(self) -> int | None:
        """The epoch, if someone has set it on the watched sampler since the last time."""
        if self.watched is None or self.watched.epoch == self._seen:
            return None
        self._seen = self.watched.epoch
        return self._seen

    def set_epoch(self, epoch: int) -> None:
        if hasattr(self.sampler, "set_epoch"):
            self.sampler.set_epoch(epoch)


class EpochSampler(Sampler[Any]):
    """Yields the indices of an order (a function from the epoch to indices), each with its epoch.

    dataset: a `MixedDataset`, whose epoch advances with every iteration, unless `set_epoch` was called. batches: the
    order is that of someone else's batch sampler.
    """

    def __init__(self, order: DrawnOrder | FollowedOrder, dataset: Any, *, batches: bool = False):
        self.order, self.dataset, self.batches = order, dataset, batches

    def __len__(self) -> int:
        return len(self.order)

    def __iter__(self) -> Iterator[Any]:
        return _Pass(self)

    def set_epoch(self, epoch: int) -> None:
        self.dataset.set_epoch(epoch)
        if isinstance(self.order, FollowedOrder):
            self.order.set_epoch(self.dataset.next_epoch)


class _Pass(Iterator[Any]):
    """One pass. The epoch advances with the first index: loaders call `iter` several times for one pass.

    It tells where it stands, and goes on from there in another process, in the protocol by which torchdata's
    StatefulDataLoader resumes in the middle of an epoch.
    """

    def __init__(self, sampler: EpochSampler):
        self.sampler, self.epoch, self.position = sampler, -1, 0
        self._order: Iterator[Any] | None = None

    def __next__(self) -> Any:
        if self._order is None:
            self._order = self._begin()
        found = next(self._order)
        self.position += 1
        if self.sampler.batches:
            return [_index(index, self.epoch) for index in found]
        return _index(found, self.epoch) if self.sampler.dataset.any_synthetic else found

    def _begin(self) -> Iterator[Any]:
        order, dataset = self.sampler.order, self.sampler.dataset
        chosen = order.chosen() if isinstance(order, FollowedOrder) else None
        if self.epoch < 0:
            if chosen is not None:
                dataset.set_epoch(chosen)
            self.epoch = dataset.advance()
        return itertools.islice(order(self.epoch), self.position, None)

    def state_dict(self) -> dict[str, int]:
        """epoch: of this pass, or the one that it would begin. position: indices, or batches of them, given so far."""
        epoch = self.sampler.dataset.next_epoch if self.epoch < 0 else self.epoch
        return {"epoch": epoch, "position": self.position}

    def load_state_dict(self, state: dict[str, int]) -> None:
        epoch, self.position = state["epoch"], state["position"]
        self.sampler.set_epoch(epoch)
        if self.position:  # this pass goes on, also where nothing is left of it
            self.epoch = self.sampler.dataset.advance()


def _index(index: Any, epoch: int) -> EpochIndex:
    try:
        return EpochIndex(index, epoch)
    except (TypeError, ValueError) as error:
        raise IncompatibleLoaderError(
            f"The loader's sampler yields {index!r}, which is not an index.", "Use a sampler that yields integers."
        ) from error
