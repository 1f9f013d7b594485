import multiprocessing

import numpy as np
import pytest
import timm.data
import torch
from torch.utils.data import (
    BatchSampler,
    DataLoader,
    DistributedSampler,
    IterableDataset,
    RandomSampler,
    Sampler,
    SequentialSampler,
    Subset,
    SubsetRandomSampler,
    WeightedRandomSampler,
)
from torchvision.datasets import ImageFolder
from torchvision.transforms import v2

from ganaug.data.sources.source import open_source
from ganaug.errors import DataError, IncompatibleLoaderError
from ganaug.mixing.build import mix
from ganaug.mixing.loader import augment_loader
from tests.mixing import loader_matrix
from tests.toys import mixing as toy

multiprocessing.set_forkserver_preload(["torch", "tests.mixing.loader_matrix"])
TO_TENSOR = v2.Compose([v2.ToImage(), v2.ToDtype(torch.float32, scale=True)])


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
@pytest.mark.parametrize("cell", loader_matrix.covering(), ids=lambda cell: "-".join(map(str, cell)))
def test_loader_matrix(run, cell):
    loader_matrix.check(cell, run)


@pytest.mark.soak
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
@pytest.mark.parametrize("cell", loader_matrix.all_cells(), ids=lambda cell: "-".join(map(str, cell)))
def test_every_cell_of_the_loader_matrix(run, cell):
    loader_matrix.check(cell, run)


def test_the_covering_meets_all_pairs():
    import itertools

    def pairs(cells):
        return {pair for cell in cells for pair in itertools.combinations(enumerate(cell), 2)}

    assert pairs(loader_matrix.covering()) == pairs(loader_matrix.all_cells())
    assert len(loader_matrix.covering()) < len(loader_matrix.all_cells()) / 3


def pictures(n=60):
    return toy.Pictures(n, transform=TO_TENSOR)


def epoch_of(loader):
    """Images, labels and which are synthetic, of one pass."""
    x, y = (torch.cat(part) for part in zip(*loader, strict=True))
    return x, y, np.array([toy.is_synthetic(image) for image in x])


def collate(batch):
    return torch.stack([x for x, _ in batch]), torch.tensor([y for _, y in batch])


def quiet(worker):
    pass


def test_settings_are_carried_over():
    settings = dict(
        batch_size=7, drop_last=True, num_workers=2, collate_fn=collate, timeout=3.0, worker_init_fn=quiet,
        multiprocessing_context="spawn", generator=torch.Generator(), prefetch_factor=5, persistent_workers=True,
        in_order=False,
    )  # fmt: skip
    from ganaug.mixing.loader import _settings

    plain = DataLoader(pictures(), shuffle=True, **settings)
    again = DataLoader(plain.dataset, batch_size=7, drop_last=True, **_settings(plain))
    for name in settings:
        assert getattr(again, name) == getattr(plain, name), name
    DataLoader(plain.dataset, **_settings(DataLoader(plain.dataset)))


def test_the_result_is_a_data_loader_of_the_same_length(run):
    plain = DataLoader(pictures(), batch_size=8, shuffle=True)
    loader = augment_loader(plain, run, ratio=0.25)
    assert type(loader) is DataLoader
    assert len(loader) == len(plain)
    assert loader.batch_size == 8
    assert sorted(epoch_of(loader)[1].tolist()) == sorted(toy.labels(60))


def test_each_iteration_is_the_next_epoch_and_set_epoch_chooses_it(run):
    def new():
        return augment_loader(DataLoader(pictures(), batch_size=8, shuffle=True), run, ratio=0.5)

    loader = new()
    epochs = [epoch_of(loader)[0] for _ in range(3)]
    assert not torch.equal(epochs[0], epochs[1])
    for choose in (lambda x: x.sampler.set_epoch, lambda x: x.dataset.set_epoch):
        resumed = new()
        choose(resumed)(1)
        assert torch.equal(epoch_of(resumed)[0], epochs[1])
        assert torch.equal(epoch_of(resumed)[0], epochs[2])
    abandoned = new()
    next(iter(abandoned))
    assert torch.equal(epoch_of(abandoned)[0], epochs[1])


@pytest.mark.parametrize("own", [False, True])
def test_set_epoch_on_the_users_own_sampler_goes_on_working(run, own):
    """As in `for epoch in range(...): sampler.set_epoch(epoch); for batch in loader: ...`"""
    data = pictures()

    def new():
        sampler = Backwards() if own else DistributedSampler(data, num_replicas=2, rank=1)
        return sampler, augment_loader(DataLoader(data, batch_size=8, sampler=sampler), run, ratio=0.5)

    sampler, loader = new()
    epochs = []
    for epoch in range(3):
        sampler.set_epoch(epoch)
        epochs.append(epoch_of(loader)[0])
        assert loader.dataset.epoch == epoch
    sampler, loader = new()
    sampler.set_epoch(2)
    assert torch.equal(epoch_of(loader)[0], epochs[2])
    _, untold = new()
    assert all(torch.equal(epoch_of(untold)[0], epoch) for epoch in epochs)


def test_two_iterations_side_by_side_keep_their_epochs(run):
    loader = augment_loader(DataLoader(pictures(), batch_size=8, shuffle=True), run, ratio=0.5)
    epochs = [epoch_of(loader)[0] for _ in range(2)]
    loader.dataset.set_epoch(0)
    pairs = list(zip(loader, loader, strict=True))
    assert torch.equal(torch.cat([a[0] for a, _ in pairs]), epochs[0])
    assert torch.equal(torch.cat([b[0] for _, b in pairs]), epochs[1])


@pytest.mark.parametrize("persistent", [False, True])
def test_an_iteration_left_early_does_not_disturb_the_next(run, persistent):
    plain = DataLoader(pictures(), batch_size=4, shuffle=True, num_workers=2, persistent_workers=persistent)
    loader, alone = augment_loader(plain, run), augment_loader(DataLoader(pictures(), batch_size=4, shuffle=True), run)
    for _ in range(3):
        next(iter(loader)), next(iter(alone))
    assert torch.equal(epoch_of(loader)[0], epoch_of(alone)[0])


class Backwards(Sampler):
    """A sampler that ganaug has never heard of."""

    def __init__(self):
        self.epoch = 0

    def __iter__(self):
        return iter(range(59, -1, -1))

    def __len__(self):
        return 60

    def set_epoch(self, epoch):
        self.epoch = epoch


class Halves(Sampler):
    def __iter__(self):
        return iter([list(range(30)), list(range(30, 60))])

    def __len__(self):
        return 2


def test_unknown_samplers_are_followed_where_indices_stay_valid(run):
    sampler = Backwards()
    plain = DataLoader(pictures(), batch_size=60, sampler=sampler)
    loader = augment_loader(plain, run, ratio=0.5)
    for _ in range(2):
        _, y, synthetic = epoch_of(loader)
        assert y.tolist() == toy.labels(60)[::-1]
        assert synthetic.sum() == 30
    assert sampler.epoch == 0  # left to its owner
    loader.sampler.set_epoch(7)
    assert sampler.epoch == loader.dataset.epoch == 7
    batches = DataLoader(pictures(), batch_sampler=Halves())
    assert [len(y) for _, y in augment_loader(batches, run)] == [30, 30]
    for other in (plain, batches):
        with pytest.raises(IncompatibleLoaderError, match="mode='replace'"):
            augment_loader(other, run, mode="append")


@pytest.mark.filterwarnings("ignore:This loader does not shuffle")
@pytest.mark.parametrize("mode", ["append", "balance"])
def test_known_samplers_are_rebuilt_over_added_items(run, mode):
    data, total = pictures(), {"append": 80, "balance": 90}[mode]
    subset = list(range(0, 60, 2))
    weights = np.where(np.array(data.targets) == 2, 5.0, 1.0)
    samplers = {
        "random": RandomSampler(data),
        "draws": RandomSampler(data, replacement=True),
        "sequential": SequentialSampler(data),
        "subset": SubsetRandomSampler(subset),
        "weighted": WeightedRandomSampler(weights, 60),
        "more": RandomSampler(data, num_samples=200),
    }
    for name, sampler in samplers.items():
        batches = BatchSampler(sampler, 8, False)
        for plain in (DataLoader(data, 8, sampler=sampler), DataLoader(data, batch_sampler=batches)):
            _, y, synthetic = epoch_of(augment_loader(plain, run, mode=mode))
            if name in ("random", "sequential"):
                assert len(y) == total
                assert synthetic.sum() == total - 60
            elif name == "subset":
                labels = np.bincount(np.array(data.targets)[subset])
                extra = round(30 / 3) if mode == "append" else (labels.max() - labels).sum()
                assert synthetic.sum() == extra
                assert len(y) == 30 + extra
            else:
                assert len(y) == {"draws": total, "weighted": total, "more": 200}[name]
                assert synthetic.any()
    ranks = [DistributedSampler(data, num_replicas=2, rank=rank) for rank in range(2)]
    parts = [epoch_of(augment_loader(DataLoader(data, 8, sampler=rank), run, mode=mode)) for rank in ranks]
    assert sum(part[2].sum() for part in parts) == total - 60


@pytest.mark.parametrize("mode", ["replace", "append", "balance"])
def test_each_class_keeps_the_total_weight_that_it_had(run, mode):
    data = pictures()
    counts = np.bincount(data.targets)
    wanted = {
        "one class": np.array([0, 0, 5.0]) * counts,
        "equal classes": np.ones(3),
        "as they are": counts,
        "rare classes first": np.array([1, 3, 9]),
    }
    for totals in wanted.values():
        weights = (totals / counts)[data.targets] * (1 + np.arange(60) % 2)  # unequal within a class too
        total = np.bincount(data.targets, weights)
        loader = augment_loader(DataLoader(data, 8, sampler=WeightedRandomSampler(weights, 60)), run, mode=mode)
        chances, labels = loader.sampler.order.weights, np.array(loader.dataset.targets)
        assert np.allclose(np.bincount(labels, chances), total / total.sum())
        real = chances[:60] / np.maximum(1e-9, weights)
        for c in np.flatnonzero(total):
            assert np.ptp(real[labels[:60] == c]) < 1e-9  # real items keep their weights among each other
            added = chances[60:][labels[60:] == c].sum() / chances[labels == c].sum()
            assert np.isclose(
                added, (labels[60:] == c).mean() * (len(labels) - 60) / (labels == c).sum() if mode != "replace" else 0
            )
    drawn = np.concatenate([epoch_of(loader)[1].numpy() for _ in range(20)])
    assert np.allclose(np.bincount(drawn) / len(drawn), total / total.sum(), atol=0.06)


class ByClass(Sampler):
    """Batches of 3 items of each of 2 classes, drawn anew in every pass."""

    def __init__(self, labels):
        self.labels, self.rng = np.array(labels), np.random.default_rng(0)

    def __iter__(self):
        for _ in range(8):
            classes = self.rng.choice(3, 2, replace=False)
            yield [int(i) for c in classes for i in self.rng.choice(np.flatnonzero(self.labels == c), 3)]

    def __len__(self):
        return 8


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
@pytest.mark.parametrize("persistent", [False, True])
def test_batches_by_class_are_the_same_for_any_number_of_workers(run, persistent):
    data = pictures()
    here = augment_loader(DataLoader(data, batch_sampler=ByClass(data.targets)), run, ratio=0.5)
    workers = {"num_workers": 2, "persistent_workers": persistent}
    there = augment_loader(DataLoader(data, batch_sampler=ByClass(data.targets), **workers), run, ratio=0.5)
    for epoch in range(3):
        (x, y, synthetic), (x_there, y_there, _) = epoch_of(here), epoch_of(there)
        assert torch.equal(x, x_there)
        assert torch.equal(y, y_there)
        assert 0 < synthetic.sum() < len(y)
        assert {tuple(sorted(np.bincount(batch, minlength=3))) for batch in y.numpy().reshape(8, 6)} == {(0, 3, 3)}
        assert here.dataset.epoch == there.dataset.epoch == epoch


@pytest.mark.filterwarnings("ignore:This loader does not shuffle")
@pytest.mark.parametrize(
    "sampler",
    [RandomSampler(range(20)), SequentialSampler(range(20)), DistributedSampler(range(20), num_replicas=1, rank=0)],
    ids=["random", "sequential", "distributed"],
)
def test_a_sampler_over_some_of_the_items_keeps_to_them(run, sampler):
    loader = DataLoader(toy.Pictures(60, toy.as_tensor), batch_size=5, sampler=sampler)
    found = [int(index) for index in augment_loader(loader, run, ratio=0.5).batch_sampler.sampler]
    assert sorted(found) == list(range(20))
    with pytest.raises(IncompatibleLoaderError, match="mode='replace'"):
        augment_loader(loader, run, mode="append", ratio=0.5)


def test_what_is_mixed_is_not_mixed_again_or_learned(run, tmp_path):
    mixed = mix(toy.Pictures(60, toy.as_tensor), run, ratio=0.5)
    for again in (mixed, Subset(mixed, range(30))):
        with pytest.raises(IncompatibleLoaderError, match="mixed with synthetic"):
            augment_loader(DataLoader(again, batch_size=5, shuffle=True), run)
        with pytest.raises(DataError, match=r"mixed\.dataset"):
            open_source(again)


def test_a_subset_sampler_gets_the_exact_share_of_its_subset(run):
    loader = augment_loader(DataLoader(pictures(), 8, sampler=SubsetRandomSampler(range(20))), run, ratio=0.5)
    for _ in range(3):
        assert epoch_of(loader)[2].sum() == 10


def test_without_automatic_batching(run):
    plain = DataLoader(pictures(), batch_size=None, shuffle=True)
    items = list(augment_loader(plain, run, ratio=0.5))
    assert len(items) == 60
    assert sum(toy.is_synthetic(x) for x, _ in items) == 30


def test_it_warns_when_the_loader_does_not_shuffle(run):
    data = pictures()
    for plain in (
        DataLoader(data),
        DataLoader(data, batch_sampler=BatchSampler(SequentialSampler(data), 4, False)),
        DataLoader(data, sampler=DistributedSampler(data, num_replicas=2, rank=0, shuffle=False)),
    ):
        with pytest.warns(UserWarning, match="does not shuffle"):
            augment_loader(plain, run)


class Stream(IterableDataset):
    def __iter__(self):
        return iter(pictures())


class MyLoader(DataLoader):
    pass


def test_loaders_that_cannot_be_rebuilt_are_refused_with_the_fix(run):
    data = pictures()
    prefetch = timm.data.create_loader(
        toy.Pictures(mode="RGB"), (3, 8, 8), 4, is_training=True, device=torch.device("cpu"), num_workers=0
    )
    for loader, fix in (
        (prefetch, "create_loader\\(ganaug.mix"),
        (MyLoader(data, shuffle=True), "ganaug.mix\\(dataset"),
        ([1, 2], "ganaug.mix\\(dataset"),
        (DataLoader(Stream()), "map-style"),
        (DataLoader(mix(data, run), shuffle=True), "real data set"),
    ):
        with pytest.raises(IncompatibleLoaderError, match=fix):
            augment_loader(loader, run)


def test_a_sampler_that_yields_no_indices_is_named(run):
    loader = augment_loader(DataLoader(pictures(), sampler=["a", "b"]), run)
    with pytest.raises(IncompatibleLoaderError, match="'a'"):
        next(iter(loader))


def test_ratio_zero_serves_the_real_items_only(run):
    loader = augment_loader(DataLoader(pictures(), batch_size=8, shuffle=True), run, ratio=0)
    assert not epoch_of(loader)[2].any()
    assert type(next(iter(loader.sampler))) is int


@pytest.mark.filterwarnings("ignore:.*unclosed file.*png:ResourceWarning")  # timm's reader leaves closing to Pillow
@pytest.mark.parametrize("use_prefetcher", [False, True])
def test_timm_create_loader(run, tmp_path, use_prefetcher):
    from PIL import Image

    for i, label in enumerate(toy.labels(60)):
        (tmp_path / toy.CLASSES[label]).mkdir(exist_ok=True)
        Image.fromarray(toy.real_pixels(i, label)).save(tmp_path / toy.CLASSES[label] / f"{i}.png")
    for real in (timm.data.create_dataset("", root=tmp_path), ImageFolder(tmp_path)):
        dataset = mix(real, run, ratio=0.5)
        loader = timm.data.create_loader(
            dataset, (3, 8, 8), 60, is_training=False, use_prefetcher=use_prefetcher, num_workers=1,
            device=torch.device("cpu"), mean=(0, 0, 0), std=(1, 1, 1), crop_pct=1.0, persistent_workers=False,
        )  # fmt: skip
        ((x, y),) = list(loader)
        assert x.shape == (60, 3, 8, 8)
        assert x.dtype == torch.float32
        assert sum(toy.is_synthetic(image[0]) for image in x) == 30
        for image, label in zip(x, y, strict=True):
            assert abs(image[0].flatten()[2:].mean() * 255 - toy.LEVELS[toy.CLASSES[label]]) < 9
