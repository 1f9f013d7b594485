"""The protocol of torchdata's StatefulDataLoader, as far as it is met here without workers."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

from torch.utils.data import DataLoader


class StatefulDataLoader(DataLoader):
    """Its state is that of the pass of its sampler, where that has one, and whether the pass has ended."""

    def __init__(self, *arguments: Any, snapshot_every_n_steps: int = 1, **options: Any):
        super().__init__(*arguments, **options)
        self.snapshot_every_n_steps = snapshot_every_n_steps
        self._pass, self._ended, self._saved = None, False, None

    def __iter__(self) -> Iterator[Any]:
        iter(self.sampler)  # it opens more than it uses
        self._pass = iter(self.sampler)
        if self._saved is not None:
            self._pass.load_state_dict(self._saved["pass"])
            if self._saved["ended"]:
                self._pass = iter(self.sampler)
        self._saved, self._ended = None, False
        return self._batches()

    def _batches(self) -> Iterator[Any]:
        while indices := list(itertools.islice(self._pass, self.batch_size)):
            yield self.collate_fn(self.dataset.__getitems__(indices))
        self._ended = True

    def state_dict(self) -> dict[str, Any]:
        here = iter(self.sampler) if self._pass is None else self._pass
        return {"pass": here.state_dict(), "ended": self._ended}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self._saved = state
