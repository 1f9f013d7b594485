"""Every pass of someone else's DataLoader over a mixed data set is the next epoch, exactly, without `set_epoch`."""

from __future__ import annotations

import copy
import functools
import multiprocessing
import os
import pickle

import numpy as np
import pytest
import torch
from torch.utils.data import (
    ConcatDataset,
    DataLoader,
    Dataset,
    DistributedSampler,
    RandomSampler,
    Subset,
    SubsetRandomSampler,
    WeightedRandomSampler,
    random_split,
)
from torch.utils.data import dataloader as torchs
from torchvision.transforms import v2

from ganaug.errors import EpochWarning, IncompatibleLoaderError, UnservedWarning
from ganaug.mixing.build import mix
from ganaug.mixing.dataset import MixedDataset
from tests.toys import mixing as toy

TO_TENSOR = v2.Compose([v2.ToImage(), v2.ToDtype(torch.float32, scale=True)])
N, HALF = 60, 30
pytestmark = pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")


class Telling(Dataset):
    """Items that tell their index: (8, 8, 1), flat."""

    classes = toy.CLASSES

    def __init__(self, n=N):
        self.targets = toy.labels(n)

    def __len__(self):
        return len(self.targets)

    def __getitem__(self, index):
        return np.full((8, 8, 1), index, dtype=np.uint8), self.targets[index]


def mixed(run, **options) -> MixedDataset:
    return mix(Telling(), run, **{"ratio": 0.5, "seed": 3} | options)


def key(image) -> bytes:
    return np.asarray(image).tobytes()


def passes(loader, count=4) -> list[list[bytes]]:
    return [[key(image) for batch, _ in loader for image in batch] for _ in range(count)]


@functools.cache
def wanted(run, epoch, **options) -> list[bytes]:
    """Items of one epoch, by the function that says what they are."""
    dataset = mixed(run, **options)
    dataset.set_epoch(epoch)
    return [key(dataset[i][0]) for i in range(len(dataset))]


def is_synthetic(image: bytes) -> bool:
    return len(set(image)) > 1


WORKERS = {
    "alone": {},
    "fork": {"num_workers": 2, "multiprocessing_context": "fork"},
    "fork, kept": {"num_workers": 2, "multiprocessing_context": "fork", "persistent_workers": True},
    "spawn": {"num_workers": 1, "multiprocessing_context": "spawn"},
    "spawn, kept": {"num_workers": 2, "multiprocessing_context": "spawn", "persistent_workers": True},
    "forkserver, kept": {"num_workers": 2, "multiprocessing_context": "forkserver", "persistent_workers": True},
}
QUICK = ("alone", "fork", "fork, kept")
ONE = {"num_workers": 1, "multiprocessing_context": "fork"}  # torch waits 5 s for each worker that raised


@pytest.mark.parametrize("how", WORKERS)
def test_pass_k_serves_epoch_k(run, how):
    loader = DataLoader(mixed(run), batch_size=10, shuffle=True, **WORKERS[how])
    count = 2 if how == "spawn" else 4
    shown = passes(loader, count)
    for epoch in range(count):
        assert sorted(shown[epoch]) == sorted(wanted(run, epoch))
        assert sum(map(is_synthetic, shown[epoch])) == HALF
    synthetic = [image for one in shown for image in one if is_synthetic(image)]
    assert len(set(synthetic)) == len(synthetic) == count * HALF
    assert loader.dataset.epoch == count - 1


@pytest.mark.parametrize("how", QUICK)
@pytest.mark.parametrize("mode", ["append", "balance"])
def test_added_items_are_others_in_every_pass(run, how, mode):
    options = {"mode": mode, "ratio": 0.5 if mode == "append" else None}
    loader = DataLoader(mixed(run, **options), batch_size=7, shuffle=True, **WORKERS[how])
    for epoch, one in enumerate(passes(loader, 3)):
        assert sorted(one) == sorted(wanted(run, epoch, **options))


@pytest.mark.parametrize("how", [how for how in WORKERS if how != "spawn"])
def test_passes_that_are_short_or_left_early_count_as_passes(run, how):
    dataset = mixed(run)
    loader = DataLoader(dataset, batch_size=8, drop_last=True, **WORKERS[how])  # 56 of 60 items
    next(iter(loader))  # a look at one batch, as notebooks and Keras take one
    for number, _ in enumerate(loader):
        if number == 2:
            break
    for epoch in (2, 3):
        (one,) = passes(loader, 1)
        assert one == wanted(run, epoch)[:56]
    assert dataset.epoch == 3


@pytest.mark.parametrize("how", QUICK)
def test_draws_with_replacement_are_all_of_their_pass(run, how):
    dataset = mixed(run)
    sampler = WeightedRandomSampler(np.arange(N) % 5, N, generator=torch.Generator().manual_seed(0))
    again = WeightedRandomSampler(np.arange(N) % 5, N, generator=torch.Generator().manual_seed(0))
    loader = DataLoader(dataset, batch_size=7, sampler=sampler, **WORKERS[how])
    for epoch, one in enumerate(passes(loader, 3)):
        assert one == [wanted(run, epoch)[i] for i in again]


@pytest.mark.parametrize("how", QUICK)
def test_two_iterations_side_by_side_are_two_epochs(run, how):
    loader = DataLoader(mixed(run), batch_size=7, **WORKERS[how] | {"persistent_workers": False})
    pairs = [(a, b) for (a, _), (b, _) in zip(loader, loader, strict=True)]
    for which in (0, 1):
        assert [key(image) for pair in pairs for image in pair[which]] == wanted(run, which)


def test_two_loaders_with_workers_that_stay_take_turns(run):
    dataset = mixed(run)
    loaders = [DataLoader(dataset, batch_size=7, **WORKERS["fork, kept"]) for _ in range(2)]
    for epoch in range(5):
        assert passes(loaders[epoch % 2], 1)[0] == wanted(run, epoch)


@pytest.mark.parametrize("how", QUICK)
def test_a_stream_that_is_seeded_alike_for_every_pass_does_not_hide_them(run, how):
    loader = DataLoader(mixed(run), batch_size=7, shuffle=True, **WORKERS[how])
    for epoch in range(3):
        torch.manual_seed(5)
        assert sorted(passes(loader, 1)[0]) == sorted(wanted(run, epoch))


@pytest.mark.parametrize("how", QUICK)
def test_an_epoch_that_is_set_is_served_and_passes_go_on_from_there(run, how):
    dataset = mixed(run)
    loader = DataLoader(dataset, batch_size=7, **WORKERS[how])
    for epoch in (4, 4, 1):
        dataset.set_epoch(epoch)
        next(iter(loader))
        dataset.set_epoch(epoch)
        assert passes(loader, 1)[0] == wanted(run, epoch)
    assert passes(loader, 2) == [wanted(run, 2), wanted(run, 3)]
    for _ in range(3):
        dataset.set_epoch(0)
        assert passes(loader, 1)[0] == wanted(run, 0)


class Endless:
    """A sampler that goes round and round, as loaders have it that keep one iteration for all epochs."""

    def __init__(self, n):
        self.n = n

    def __iter__(self):
        while True:
            yield from range(self.n)


def test_a_pass_without_end_is_an_epoch_for_every_time_round(run):
    dataset = mixed(run)
    batches = iter(DataLoader(dataset, batch_size=6, sampler=Endless(N)))
    for epoch in range(3):
        shown = [key(image) for _ in range(10) for image in next(batches)[0]]
        assert shown == wanted(run, epoch)
    dataset.set_epoch(9)
    assert [key(image) for _ in range(10) for image in next(batches)[0]] == wanted(run, 9)
    batches = iter(DataLoader(mixed(run), batch_size=6, sampler=Endless(N), **WORKERS["fork"]))
    shown = {key(image) for _ in range(40) for image in next(batches)[0]}
    assert sum(map(is_synthetic, shown)) > 3 * HALF  # four rounds; with workers, they change within a few batches


class Wrapped(Dataset):
    """What people write around a data set: items one by one."""

    def __init__(self, inner):
        self.inner = inner

    def __len__(self):
        return len(self.inner)

    def __getitem__(self, index):
        return self.inner[index]


@pytest.mark.parametrize("how", QUICK)
def test_data_sets_around_a_mixed_one_pass_on_its_epochs(run, how):
    for wrap in (Wrapped, lambda x: ConcatDataset([x]), lambda x: Subset(x, range(N)), lambda x: DataLoader(x).dataset):
        loader = DataLoader(wrap(mixed(run)), batch_size=7, **WORKERS[how])
        assert passes(loader, 2) == [wanted(run, 0), wanted(run, 1)]
    part, _ = random_split(mixed(run), [45, 15], generator=torch.Generator().manual_seed(0))
    for epoch, one in enumerate(passes(DataLoader(part, batch_size=7, **WORKERS[how]), 3)):
        assert one == [wanted(run, epoch)[i] for i in part.indices]
    single = DataLoader(mixed(run), batch_size=None, **WORKERS[how])
    assert [[key(image) for image, _ in single] for _ in range(2)] == [wanted(run, 0), wanted(run, 1)]


def test_a_copy_has_epochs_of_its_own_and_its_workers_see_them(run):
    dataset = mixed(run)
    passes(DataLoader(dataset, batch_size=20), 2)
    for copied in (copy.deepcopy(dataset), pickle.loads(pickle.dumps(dataset))):
        loader = DataLoader(copied, batch_size=20, **WORKERS["fork"])
        assert passes(loader, 2) == [wanted(run, 2), wanted(run, 3)]
    assert dataset.epoch == 1


def rank_of_two(dataset, rank, results):
    sampler = DistributedSampler(dataset, num_replicas=2, rank=rank)
    loader = DataLoader(dataset, batch_size=5, sampler=sampler, num_workers=rank)
    for epoch in range(3):
        sampler.set_epoch(epoch)
        results.put((epoch, passes(loader, 1)[0]))
    results.put(None)


@pytest.mark.long
@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_ranks_that_are_given_one_data_set_count_by_themselves(run, method):
    context = multiprocessing.get_context(method)
    results, dataset = context.Queue(), mixed(run)
    ranks = [context.Process(target=rank_of_two, args=(dataset, rank, results)) for rank in range(2)]
    for process in ranks:
        process.start()
    epochs: list[list[bytes]] = [[], [], []]
    for epoch, images in (found for _ in range(8) if (found := results.get(timeout=60)) is not None):
        epochs[epoch] += images
    for process in ranks:
        process.join()
    for epoch, images in enumerate(epochs):
        assert sorted(images) == sorted(wanted(run, epoch))
    assert dataset.epoch == 0


def test_looking_at_items_by_hand_changes_nothing(run):
    dataset = mixed(run)
    assert [key(dataset[5][0]) for _ in range(3)] == [wanted(run, 0)[5]] * 3
    loader = DataLoader(dataset, batch_size=20)
    passes(loader, 2)
    assert key(dataset[5][0]) == wanted(run, 1)[5]
    assert passes(loader, 1)[0] == wanted(run, 2)


def by_hand(dataset, times):
    return [key(dataset[i][0]) for _ in range(times) for i in range(N)]


def test_a_loop_without_a_loader_is_told_once_what_to_do(run):
    dataset = mixed(run)
    assert by_hand(dataset, 2) == 2 * wanted(run, 0)
    with pytest.warns(EpochWarning, match="set_epoch") as told:
        assert by_hand(dataset, 3) == 3 * wanted(run, 0)
    assert len(told) == 1
    obeying = mixed(run)
    for epoch in range(4):
        obeying.set_epoch(epoch)
        assert by_hand(obeying, 1) == wanted(run, epoch)


def test_fresh_images_are_rendered_by_the_main_process_and_asked_of_no_worker(run, tmp_path):
    toy.save_generator(tmp_path / "generator")
    dataset = mix(Telling(), tmp_path, ratio=0.5, fresh=True)
    shown = passes(DataLoader(dataset, batch_size=20), 4)
    synthetic = [image for one in shown for image in one if is_synthetic(image)]
    assert len(set(synthetic)) == 4 * HALF
    for untold in (mix(Telling(), tmp_path, ratio=0.5, fresh=True), dataset):
        with pytest.raises(IncompatibleLoaderError, match="set_epoch"):
            passes(DataLoader(untold, batch_size=20, **ONE), 1)
    dataset.set_epoch(2)
    loader = DataLoader(dataset, batch_size=20, **ONE)
    assert passes(loader, 1)[0] == shown[2]
    with pytest.raises(IncompatibleLoaderError, match="augment_loader"):
        passes(loader, 1)


def test_torchs_fetchers_are_what_they_were():
    """What this rests on: one fetcher for a pass, that calls from a method `fetch`."""
    assert torchs._DatasetKind.create_fetcher(0, [1], True, list, False).fetch([0]) == [1]
    assert os.path.basename(torchs._utils.fetch.__file__) == "fetch.py"


# --- samplers that were made for the real items


def samplers_of_the_real_items(real):
    targets = np.array(real.targets)
    weights = (1 / np.bincount(targets))[targets]
    return {
        "weights": {"batch_size": 8, "sampler": WeightedRandomSampler(weights, N)},
        "subset": {"batch_size": 8, "sampler": SubsetRandomSampler(range(N))},
        "random": {"batch_size": 8, "sampler": RandomSampler(real)},
        "batches": {"batch_sampler": [[*range(5 * i, 5 * i + 3), 3] for i in range(10)]},
    }


@pytest.mark.parametrize("kind", ["weights", "subset", "random", "batches"])
@pytest.mark.parametrize("mode", ["append", "balance"])
def test_a_sampler_that_passes_over_the_added_items_is_named_once(run, kind, mode):
    dataset = mixed(run, mode=mode, ratio=0.5 if mode == "append" else None)
    loader = DataLoader(dataset, **samplers_of_the_real_items(Telling())[kind])
    with pytest.warns(UnservedWarning, match=r"mixed.targets.*augment_loader") as told:
        passes(loader, 4)
    assert len(told) == 1


def test_it_is_said_within_the_first_pass(run):
    dataset = mixed(run, mode="balance", ratio=None)
    loader = DataLoader(dataset, **samplers_of_the_real_items(Telling())["weights"])
    with pytest.warns(UnservedWarning):
        passes(loader, 1)


def test_workers_say_it_too(run):
    dataset = mixed(run, mode="balance", ratio=None)
    loader = DataLoader(dataset, **samplers_of_the_real_items(Telling())["weights"], **ONE)
    with pytest.raises(UnservedWarning):  # warnings are errors in tests, in workers as well
        passes(loader, 3)


@pytest.mark.parametrize("shuffle", [False, True])
def test_samplers_of_the_mixed_items_are_not_accused(run, shuffle):
    for mode, ratio in (("balance", None), ("append", 0.5), ("append", 0.02), ("replace", 0.5)):
        dataset = mixed(run, mode=mode, ratio=ratio)
        passes(DataLoader(dataset, batch_size=6, shuffle=shuffle), 3)
        weights = (1 / np.bincount(dataset.targets))[dataset.targets]
        passes(DataLoader(dataset, batch_size=6, sampler=WeightedRandomSampler(weights, N)), 3)
