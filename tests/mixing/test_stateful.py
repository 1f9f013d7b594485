"""Loaders that are resumed in the middle of an epoch serve what was left of it, the synthetic images too."""

from __future__ import annotations

import json

import pytest
import torch
from torch.utils.data import BatchSampler, DataLoader, RandomSampler, SubsetRandomSampler, WeightedRandomSampler
from torch.utils.data.distributed import DistributedSampler
from torchvision.transforms import v2

from ganaug.errors import IncompatibleLoaderError
from ganaug.mixing.loader import augment_loader
from tests.toys import mixing as toy
from tests.toys import stateful

TO_TENSOR = v2.Compose([v2.ToImage(), v2.ToDtype(torch.float32, scale=True)])
ORDERS = {
    "shuffled": lambda data: {"batch_size": 7, "shuffle": True},
    "weighted": lambda data: {"batch_size": 7, "sampler": WeightedRandomSampler(torch.ones(len(data)), len(data))},
    "distributed": lambda data: {"batch_size": 7, "sampler": DistributedSampler(data, 2, 1)},
    "subset": lambda data: {"batch_size": 7, "sampler": SubsetRandomSampler(range(30))},
    "in batches": lambda data: {"batch_sampler": BatchSampler(RandomSampler(data), 7, drop_last=True)},
}


def kind(whose):
    """torchdata's own loader, where it is installed, or the stand-in."""
    return (
        stateful if whose == "stand-in" else pytest.importorskip("torchdata.stateful_dataloader")
    ).StatefulDataLoader


def loader(run, whose, workers, order, **options):
    data = toy.Pictures(60, TO_TENSOR)
    given = kind(whose)(data, num_workers=workers, **ORDERS[order](data), snapshot_every_n_steps=2)
    return augment_loader(given, run, ratio=0.5, **options)


def rows(passed):
    return [images.numpy().tobytes() for images, _ in passed]


@pytest.mark.filterwarnings("ignore:'set_vital' is deprecated:UserWarning")  # torchdata's use of torch
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize(("whose", "workers"), [("stand-in", 0), ("torchdata", 0), ("torchdata", 2)])
def test_a_resumed_pass_is_what_was_left_of_it_and_the_next_one_is_the_next_epoch(run, whose, workers, order):
    plain = loader(run, whose, workers, order)
    assert type(plain) is kind(whose)
    assert plain.snapshot_every_n_steps == 2
    whole = [rows(plain) for _ in range(4)]
    assert len(set(map(tuple, whole))) == 4
    for batches in (0, 1, 3, len(whole[0])):
        first = loader(run, whose, workers, order)
        assert [rows(first), rows(first)] == whole[:2]
        state, served = first.state_dict(), []
        if batches:
            going = iter(first)
            served = [next(going)[0].numpy().tobytes() for _ in range(batches)]
            state = first.state_dict()
        again = loader(run, whose, workers, order)
        again.load_state_dict(state)
        assert served + rows(again) == whole[2]
        assert rows(again) == whole[3]


def test_the_state_is_numbers_and_one_before_the_first_pass_begins_there(run):
    first = loader(run, "stand-in", 0, "shuffled")
    first.sampler.set_epoch(5)
    state = first.state_dict()
    assert json.loads(json.dumps(state)) == {"pass": {"epoch": 5, "position": 0}, "ended": False}
    again, other = loader(run, "stand-in", 0, "shuffled"), loader(run, "stand-in", 0, "shuffled")
    again.load_state_dict(state)
    other.sampler.set_epoch(5)
    assert rows(again) == rows(other)


def test_added_items_and_a_plain_loader_around_the_same_sampler(run):
    plain = loader(run, "stand-in", 0, "shuffled", mode="append")
    whole = [rows(plain) for _ in range(2)]
    going = iter(plain.sampler)
    for _ in range(21):
        next(going)
    again = loader(run, "stand-in", 0, "shuffled", mode="append")
    again.load_state_dict({"pass": {"epoch": 1, "position": 21}, "ended": False})
    assert rows(again) == whole[1][3:]
    assert going.state_dict() == {"epoch": 2, "position": 21}
    around = DataLoader(again.dataset, batch_size=7, sampler=again.sampler)
    assert len(rows(around)) == len(whole[0])


def test_other_loaders_of_ones_own_are_refused_as_before(run):
    class Mine(DataLoader):
        pass

    with pytest.raises(IncompatibleLoaderError, match="Mine is not a plain"):
        augment_loader(Mine(toy.Pictures(60, TO_TENSOR)), run, ratio=0.5)
