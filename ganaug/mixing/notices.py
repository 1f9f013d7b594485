"""What a mixed data set notices of the samplers that pass over it, which it is not told."""

from __future__ import annotations

import warnings
from collections.abc import Sequence

from ganaug.errors import EpochWarning, UnservedWarning
from ganaug.mixing.epochs import EpochClock

_FEWEST = 8  # indices of a first batch, which are the same again by no chance


def notice_added(clock: EpochClock, indices: Sequence[int], real: int, total: int) -> None:
    """Warn where a sampler that was made for the real items alone passes over the added ones.

    indices: of a batch. real, total: numbers of items.
    """
    added = total - real
    if not added or clock.added_was_asked_for:
        return
    if max(indices) >= real:
        clock.note_added()
        return
    enough = max(real, 10 * total / added)  # 10: by chance, fewer than one time in 10,000
    if clock.ever >= enough and indices[-1] != real - 1 and clock.first_time():
        warnings.warn(
            f"{clock.ever} items were drawn, and not one of the {added} synthetic images behind the {real} "
            "real ones. The sampler was made for the real data set: make it from the mixed one, for instance its "
            "weights from `mixed.targets`, or give the loader of the real data set to ganaug.augment_loader.",
            UnservedWarning,
            stacklevel=2,
        )


class OneOrder:
    """Warns, once, where a shuffled order comes again in another epoch: nobody told the sampler the epoch."""

    def __init__(self) -> None:
        self._epoch: int | None = None
        self._first: list[int] = []
        self._said = False

    def notice(self, epoch: int, indices: Sequence[int]) -> None:
        """Told of each batch that a loader asks for, in the process that fetches it."""
        if epoch == self._epoch or self._said:
            return
        first = [int(index) for index in indices]
        again = self._epoch is not None and first == self._first
        self._epoch, self._first = epoch, first
        if again and len(first) >= _FEWEST and first != sorted(first):
            self._said = True
            warnings.warn(
                "The sampler draws the same order in every epoch: nobody has told it the epoch. Call "
                "sampler.set_epoch(epoch) beside that of the data set (timm's own train.py tells the data set alone).",
                EpochWarning,
                stacklevel=2,
            )
