"""Does an augmented loader give the same bytes, however its workers are run?

Every cell of {fork, spawn, forkserver} x {0, 1, 2 workers} x {persistent or not} x {shuffle, sampler, batch_sampler,
DistributedSampler on 2 ranks} must serve, in each of two epochs, exactly what the data set gives for those indices in
this process, with the exact number of synthetic items, and other draws in the second epoch. The suite tries a covering
of all pairs of settings, a soak all cells. Real images and transforms are deterministic here: what is under test is the
randomness of ganaug.
"""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch.utils.data import BatchSampler, DataLoader, Dataset, DistributedSampler, RandomSampler, SubsetRandomSampler

from ganaug.mixing.loader import augment_loader

METHODS = ("fork", "spawn", "forkserver")
ORDERS = ("shuffle", "sampler", "batch_sampler", "distributed")
N, RATIO, EPOCHS = 24, 0.5, 2


class Cell(NamedTuple):
    method: str | None  # None: no workers
    workers: int
    persistent: bool
    order: str


class Flat(Dataset):
    """Arrays (8, 8, 1): every pixel is the index, so that a real item is known by being flat."""

    classes = ("ant", "bee", "cow")
    targets = [i % 3 for i in range(N)]

    def __len__(self) -> int:
        return N

    def __getitem__(self, index: int) -> tuple[np.ndarray, int]:
        return np.full((8, 8, 1), index, dtype=np.uint8), index % 3


def all_cells() -> list[Cell]:
    alone = [Cell(None, 0, False, order) for order in ORDERS]
    return alone + [Cell(*cell) for cell in itertools.product(METHODS, (1, 2), (False, True), ORDERS)]


def covering() -> list[Cell]:
    """Cells in which every two settings that can meet do meet, found greedily; starting processes afresh is dear, so
    few workers are preferred."""
    cells = sorted(all_cells(), key=lambda cell: (cell.workers, not cell.persistent))
    missing = {pair for cell in cells for pair in itertools.combinations(enumerate(cell), 2)}
    chosen = []
    while missing:
        best = max(cells, key=lambda cell: len(missing & set(itertools.combinations(enumerate(cell), 2))))
        missing -= set(itertools.combinations(enumerate(best), 2))
        chosen.append(best)
    return chosen


def plain_loaders(cell: Cell) -> list[DataLoader]:
    """The user's own loaders, one for each rank."""
    data = Flat()
    workers = {"num_workers": cell.workers}
    if cell.workers:
        workers |= {"multiprocessing_context": cell.method, "persistent_workers": cell.persistent}
    if cell.order == "shuffle":
        return [DataLoader(data, batch_size=5, shuffle=True, **workers)]
    if cell.order == "sampler":
        return [DataLoader(data, batch_size=5, sampler=SubsetRandomSampler(range(N)), **workers)]
    if cell.order == "batch_sampler":
        return [DataLoader(data, batch_sampler=BatchSampler(RandomSampler(data), 5, False), **workers)]
    ranks = [DistributedSampler(data, num_replicas=2, rank=rank) for rank in range(2)]
    return [DataLoader(data, batch_size=5, sampler=sampler, **workers) for sampler in ranks]


def check(cell: Cell, run: str | Path) -> None:
    """Raises AssertionError if a cell serves anything but what it should."""
    served: list[list[tuple[torch.Tensor, torch.Tensor]]] = [[] for _ in range(EPOCHS)]
    wanted: list[list[tuple[torch.Tensor, torch.Tensor]]] = [[] for _ in range(EPOCHS)]
    for plain in plain_loaders(cell):
        loader = augment_loader(plain, run, ratio=RATIO, seed=1)
        here = augment_loader(plain, run, ratio=RATIO, seed=1)
        assert type(loader) is DataLoader
        assert len(loader) == len(plain)
        for epoch in range(EPOCHS):
            served[epoch] += list(loader)
            wanted[epoch] += [plain.collate_fn([here.dataset[i] for i in batch]) for batch in here.batch_sampler]
    for got, want in zip(served, wanted, strict=True):
        assert len(got) == len(want)
        for (x, y), (x_want, y_want) in zip(got, want, strict=True):
            assert torch.equal(x, x_want), "other images"
            assert torch.equal(y, y_want), "other labels"
        images = torch.cat([x for x, _ in got]).reshape(N, -1)
        synthetic = images.amin(1) != images.amax(1)
        assert synthetic.sum() == round(RATIO * N), f"{synthetic.sum()} synthetic items"
        assert torch.cat([y for _, y in got]).bincount().tolist() == [N // 3] * 3, "other class counts"
    first, second = (torch.cat([x for x, _ in epoch]) for epoch in served)
    assert not torch.equal(first, second), "the epochs are the same"
