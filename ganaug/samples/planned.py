"""The items of a plan, block by block: all of them, or those of one shard of several."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch

from ganaug.files.integrity import sha256
from ganaug.generator.folder import Fitted
from ganaug.keys import permutation
from ganaug.reporting import Report, silent
from ganaug.samples.blocks import BLOCK, Renderer
from ganaug.samples.exports.formats import Items
from ganaug.samples.plan import Plan
from ganaug.samples.variants import Variants, images_for, translator

TURNS = 16  # blocks whose items come by turns, where they are mixed: so much is held in memory


class Planned:
    """Items of the classes of a plan, from noise or as variants of `data`, as `augment` takes them.

    plan: of classes as the card spells them, each of one item at least. blocks: how many there are, of all classes.
    """

    def __init__(
        self,
        fitted: Fitted,
        plan: Plan,
        seed: int = 0,
        *,
        device: str | torch.device = "cpu",
        truncation: float | None = None,
        data: Any = None,
        pairs: Any = None,
        report: Report = silent,
    ):
        self.fitted, self.seed, self.truncation = fitted, seed, truncation
        self.plan = {name: plan[name] for name in fitted.card.classes if name in plan}
        self.made_from: dict[str, list[str]] = {}
        self.identity: dict[str, Any] = {"generator": fitted.hash, "seed": seed, "plan": self.plan, "block": BLOCK}
        if truncation is not None:
            self.identity["truncation"] = truncation
        if torch.device(device).type != "cpu":
            self.identity["device"] = torch.device(device).type  # its images differ in their last bits
        self._block: Callable[[str, int], np.ndarray]
        if data is None:
            renderer = Renderer(fitted, seed, device=device, truncation=truncation)
            self._block = lambda name, number: renderer.block(fitted.card.classes.index(name), number)
        else:
            variants = Variants(translator(fitted), images_for(fitted, data, pairs, report), seed, device=device)
            chosen = {name: variants.making(name, n) for name, n in self.plan.items()}
            self.made_from = {name: [variants.images.names[row] for row in rows] for name, (rows, _) in chosen.items()}
            self.identity["data"] = sha256("\n".join([variants.start, *variants.images.names]).encode())
            self._block = lambda name, number: variants.block(
                *(each[number * BLOCK : (number + 1) * BLOCK] for each in chosen[name])
            )
        self._ends = np.cumsum([-(-n // BLOCK) for n in self.plan.values()])
        self.blocks = int(self._ends[-1])

    def items(self, *, mixed: bool = False, shard: int = 0, shards: int = 1) -> Iterator[Items]:
        """Those of one shard: of all blocks, class after class, every so many-th. mixed: in an order in which classes
        come by turns, a pure function of seed, shard and number of shards; else class after class."""
        mine = range(shard, self.blocks, shards)
        if not mixed:
            yield from map(self._of, mine)
            return
        key = (self.seed, "shard", shard, shards)
        order = permutation(len(mine), *key)
        for start in range(0, len(mine), TURNS):
            turns = [self._of(mine[place]) for place in order[start : start + TURNS]]
            each = [(name, row + i, items[i : i + 1]) for name, row, items in turns for i in range(len(items))]
            for i in permutation(len(each), *key, start):
                yield each[i]

    def count(self, shard: int, shards: int) -> int:
        """How many items a shard has."""
        last = (self._ends - 1) % shards == shard  # of each class, whether its last block is there, which may be short
        short = [-n % BLOCK for n in self.plan.values()]
        return len(range(shard, self.blocks, shards)) * BLOCK - int(np.dot(last, short))

    def _of(self, block: int) -> Items:
        at = int(np.searchsorted(self._ends, block, side="right"))
        name = list(self.plan)[at]
        number = block - (int(self._ends[at - 1]) if at else 0)
        return name, number * BLOCK, self._block(name, number)[: self.plan[name] - number * BLOCK]
