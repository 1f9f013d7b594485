"""Keyed randomness: no two draws share a key by accident, whoever draws."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from ganaug.keys import key, numpy_stream, torch_stream
from ganaug.mixing import batch
from ganaug.mixing.schedule import REAL, Append, Schedule

RANKS, WORKERS, EPOCHS, CALLS = 8, 8, 50, 320


@pytest.mark.long
def test_a_million_calls_over_workers_ranks_and_epochs_have_a_million_keys(monkeypatch):
    """The keys of the batch transforms. Worker seeds are the same in every rank and epoch, the worst that can be."""
    place = SimpleNamespace(rank=0, worker=None)
    monkeypatch.setattr(batch, "get_worker_info", lambda: place.worker)
    monkeypatch.setattr(torch.distributed, "is_initialized", lambda: True)
    monkeypatch.setattr(torch.distributed, "get_rank", lambda: place.rank)
    found = np.empty(RANKS * WORKERS * EPOCHS * CALLS, dtype=np.int64)
    n = 0
    for place.rank in range(RANKS):
        for worker in range(WORKERS):
            place.worker = SimpleNamespace(seed=1234 + worker)
            for epoch in range(EPOCHS):
                first = batch.call_key(0, "synthmix", epoch, 0)
                for call in range(CALLS):
                    found[n] = key(*first[:-1], call)
                    n += 1
                assert first[:-1] == batch.call_key(0, "synthmix", epoch, 5)[:-1]
    assert n >= 10**6
    assert len(np.unique(found)) == n
    assert found.min() >= 0


def test_a_million_synthetic_items_of_a_loader_come_from_a_million_rows():
    """What workers and ranks serve are parts of one table an epoch; all rows are served before one returns."""
    n, epochs = 100_000, 10
    schedule = Schedule(
        Append(np.zeros(8, dtype=np.int64), np.array([n])), 8 + n, ("a",), np.array([0]), np.array([n * epochs]), seed=3
    )
    tables = [schedule.table(epoch) for epoch in range(epochs)]
    rows = np.concatenate([table[table != REAL] for table in tables])
    assert len(rows) == n * epochs == 10**6
    assert len(np.unique(rows)) == len(rows)
    shares = [tables[3][rank::RANKS][worker::WORKERS] for rank in range(RANKS) for worker in range(WORKERS)]
    served = np.concatenate([share[share != REAL] for share in shares])
    assert len(np.unique(served)) == n


def test_parts_of_a_key_cannot_run_into_each_other():
    keys = [
        key(1, 2),
        key(12),
        key("1", 2),
        key("1", "2"),
        key(1, "2"),
        key("1\x1fint:2"),
        key("a", "b"),
        key("ab"),
        key(),
    ]
    assert len(set(keys)) == len(keys)


def test_equal_keys_give_equal_draws_and_others_do_not():
    assert np.array_equal(numpy_stream(1, "a").random(9), numpy_stream(1, "a").random(9))
    assert torch.equal(torch.rand(9, generator=torch_stream(1, "a")), torch.rand(9, generator=torch_stream(1, "a")))
    firsts = [numpy_stream(seed, "a").random() for seed in range(2000)]
    assert len(set(firsts)) == 2000
