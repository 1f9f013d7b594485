"""A DataLoader like the one given, with synthetic images in it."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from torch import Tensor
from torch.utils.data import (
    BatchSampler,
    DataLoader,
    DistributedSampler,
    IterableDataset,
    RandomSampler,
    SequentialSampler,
    Subset,
    SubsetRandomSampler,
    WeightedRandomSampler,
)

from ganaug.errors import IncompatibleLoaderError
from ganaug.mixing.build import POOL_EPOCHS, mix
from ganaug.mixing.dataset import MixedDataset
from ganaug.mixing.sampler import DrawnOrder, EpochSampler, FollowedOrder
from ganaug.reporting import Report, silent
from ganaug.samples.run import Samples

SETTINGS = (
    "num_workers", "collate_fn", "pin_memory", "pin_memory_device", "timeout", "worker_init_fn", "generator",
    "in_order", "multiprocessing_context", "prefetch_factor", "persistent_workers",
)  # fmt: skip
STATEFUL = "StatefulDataLoader"  # of torchdata, which need not be installed
_MIX = "loader = DataLoader(ganaug.mix(dataset, run), ...)"


def augment_loader(
    loader: DataLoader,
    run: Samples,
    *,
    mode: str = "replace",
    ratio: float | str | None = None,
    seed: int = 0,
    transform: Any = None,
    classes: Sequence[str] | None = None,
    targets: Any = None,
    pool_epochs: int = POOL_EPOCHS,
    fresh: bool = False,
    evaluation: Iterable[Any] = (),
    force: bool = False,
    report: Report = silent,
) -> DataLoader:
    """A new `torch.utils.data.DataLoader` with the settings of `loader`, over its data set mixed with synthetic images.

    Arguments as in `mix`: `run` may be images that were made elsewhere. The order of items is keyed by (seed, epoch)
    where `loader` shuffles. Each iteration is the next epoch, starting at 0; after a resume, call
    `loader.sampler.set_epoch(n)` (or `loader.dataset.set_epoch(n)`; with a `DistributedSampler`, calling it on yours
    goes on working). A `StatefulDataLoader` of torchdata gives another one, whose state holds epoch and position: it
    resumes in the middle of an epoch. Known samplers are rebuilt over the mixed data set (sequential, random,
    subset-random, weighted, distributed); others are kept in mode "replace", where every index stays valid. In the
    modes that add items, a `WeightedRandomSampler` gives each the mean weight of its class.

    Warns if `loader` does not shuffle. Raises IncompatibleLoaderError, with the fix, for a loader that cannot be
    rebuilt, and what `mix` raises.
    """
    _require_rebuildable(loader)
    stateful = type(loader).__name__ == STATEFUL
    outer = loader.batch_sampler if loader.batch_size is None else None  # a batch sampler of the user's own
    inner: Any = outer.sampler if type(outer) is BatchSampler else loader.sampler
    dataset = loader.dataset
    if type(inner) is SubsetRandomSampler:
        dataset = Subset(dataset, [int(index) for index in inner.indices])
        targets = None if targets is None else np.asarray(targets)[dataset.indices]
    mixed = mix(
        dataset, run, mode=mode, ratio=ratio, seed=seed, transform=transform, classes=classes, targets=targets,
        pool_epochs=pool_epochs, fresh=fresh, evaluation=evaluation, force=force, report=report,
    )  # fmt: skip
    order: dict[str, Any]
    if outer is not None and type(outer) is not BatchSampler:
        _require_replace(outer, mode)
        order = {"batch_sampler": EpochSampler(FollowedOrder(outer), mixed, batches=True)}
    else:
        sampler = EpochSampler(_order(inner, mixed, mode, seed), mixed)
        if outer is None or stateful:  # whose own batches know their place
            outer = loader if outer is None else outer
            order = {"batch_size": outer.batch_size, "sampler": sampler, "drop_last": outer.drop_last}
        else:
            order = {"batch_sampler": BatchSampler(sampler, outer.batch_size, outer.drop_last)}
        if _kind(inner) is SequentialSampler or (_kind(inner) is DistributedSampler and not inner.shuffle):
            warnings.warn(
                "This loader does not shuffle. Is it for evaluation? Synthetic images belong in training loaders only.",
                UserWarning,
                stacklevel=2,
            )
    return type(loader)(mixed, **order, **_settings(loader))


def _require_rebuildable(loader: Any) -> None:
    if type(loader).__name__ == "PrefetchLoader":
        raise IncompatibleLoaderError(
            "timm's PrefetchLoader is not a DataLoader and cannot be rebuilt.",
            "Mix before the loader is made: timm.data.create_loader(ganaug.mix(dataset, run), ...).",
        )
    if type(loader) is not DataLoader and type(loader).__name__ != STATEFUL:
        raise IncompatibleLoaderError(
            f"{type(loader).__name__} is not a plain torch.utils.data.DataLoader and cannot be rebuilt.",
            f"Mix into its data set: {_MIX}",
        )
    if isinstance(loader.dataset, IterableDataset):
        raise IncompatibleLoaderError(
            "The loader's data set is an IterableDataset: its items have no index to key synthetic images by.",
            "Use a map-style data set, or ganaug.SynthMix on the batches.",
        )
    if isinstance(loader.dataset, MixedDataset):
        raise IncompatibleLoaderError(
            "The loader's data set is mixed with synthetic images already.", "Give the loader of the real data set."
        )


def _kind(sampler: Any) -> type:
    """Its type, and of what a StatefulDataLoader puts in the place of torch's samplers, theirs."""
    kind = type(sampler)
    theirs = {"RandomSampler": RandomSampler, "StatefulDistributedSampler": DistributedSampler}
    return theirs.get(kind.__name__, kind) if kind.__module__.split(".")[0] == "torchdata" else kind


def _order(sampler: Any, mixed: MixedDataset, mode: str, seed: int) -> DrawnOrder | FollowedOrder:
    """The order of a known sampler over the mixed data set; an unknown one is followed where its indices stay valid."""
    n, real, kind = len(mixed), len(mixed.dataset), _kind(sampler)
    if kind is SequentialSampler:
        return FollowedOrder(SequentialSampler(mixed))
    if kind is SubsetRandomSampler:  # `mixed` is over its subset
        return DrawnOrder(n, n, seed)
    weighted = kind is WeightedRandomSampler and len(sampler.weights) == real
    if kind is RandomSampler or weighted:
        count = n if sampler.num_samples == real else sampler.num_samples
        weights = _weights_with_added(sampler.weights, np.asarray(mixed.targets)) if weighted else None
        return DrawnOrder(n, count, seed, replacement=sampler.replacement, weights=weights)
    if kind is DistributedSampler:
        settings = {name: getattr(sampler, name) for name in ("num_replicas", "rank", "shuffle", "seed", "drop_last")}
        return FollowedOrder(DistributedSampler(mixed, **settings), owned=True, watched=sampler)
    _require_replace(sampler, mode)
    return FollowedOrder(sampler)


def _weights_with_added(given: Tensor, labels: np.ndarray) -> np.ndarray:
    """Weights of the real items and of the added ones, float64 (len(labels),): each class keeps its total, of which
    its added items get the share that they have in its number."""
    real, classes = len(given), int(labels.max(initial=-1)) + 1
    weights = given.numpy().astype(np.float64)
    before, after = np.bincount(labels[:real], minlength=classes), np.bincount(labels, minlength=classes)
    each = np.bincount(labels[:real], weights, minlength=classes) / np.maximum(1, after)
    return np.concatenate([weights * (before / np.maximum(1, after))[labels[:real]], each[labels[real:]]])


def _require_replace(sampler: Any, mode: str) -> None:
    if mode != "replace":
        raise IncompatibleLoaderError(
            f"{type(sampler).__name__} cannot be rebuilt over a data set with added items.",
            "Use mode='replace', where the length stays the same, or make it anew for the mixed data set: "
            f"dataset = ganaug.mix(dataset, run, mode={mode!r}), whose labels are dataset.targets.",
        )
    if not hasattr(sampler, "__iter__"):
        raise IncompatibleLoaderError(f"{type(sampler).__name__} cannot be iterated.", "Use a torch Sampler.")


def _settings(loader: DataLoader) -> dict[str, Any]:
    """Everything that a DataLoader is told besides its data set and its order."""
    own = ("snapshot_every_n_steps",) if type(loader).__name__ == STATEFUL else ()
    return {name: getattr(loader, name) for name in SETTINGS + own}
