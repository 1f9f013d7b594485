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
from ganaug.mixing.build import POOL_EPOCHS, mix, refuse_mixed
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
    """Give a `DataLoader` like this one, with synthetic images in it.

    Known samplers are rebuilt over the mixed data set (sequential, random, subset-random, weighted, distributed);
    others are kept in mode "replace", where every index stays valid. In the modes that add items, a
    `WeightedRandomSampler` gives each the mean weight of its class. A `StatefulDataLoader` of torchdata gives another
    one, which resumes in the middle of an epoch.

    Parameters
    ----------
    loader : torch.utils.data.DataLoader
        The training loader, over a map-style data set.
    run : str, path, Run, Fitted or any source
        A run, or images that were made elsewhere, as in `ganaug.mix`.
    mode : {"replace", "append", "balance"}, default "replace"
        As in `ganaug.mix`.
    ratio : float or "auto", optional
        The synthetic share of what is served, 0 to 1; by default 0.25. "auto" is what `ganaug.bench` found.
    seed : int, default 0
        Of all random numbers. Where `loader` shuffles, the order of items depends on (seed, epoch).
    transform : callable, optional
        For the synthetic images (PIL image in); by default the data set's own.
    classes : sequence of str, optional
        `classes[i]` names label i, where the data set has no names, or not the generator's.
    targets : sequence of int, optional
        The labels, where they cannot be found in the data set.
    pool_epochs : int, default 4
        The synthetic images are rendered once, for so many epochs.
    fresh : bool, default False
        Render new ones for every epoch.
    evaluation : iterable of data sets or loaders, optional
        Evaluation sets, as in `ganaug.mix`.
    force : bool, default False
        Serve images of a run whose verdict is "harms".
    report : callable, optional
        Called as `report(phase, done, total, text)` while images are rendered.

    Returns
    -------
    torch.utils.data.DataLoader
        A new loader with the settings of `loader`. Each iteration is the next epoch, beginning with 0; after a resume,
        call `loader.dataset.set_epoch(n)`.

    Raises
    ------
    IncompatibleLoaderError
        The loader cannot be rebuilt.
    LabelMismatchError, NoVerdictError, HarmfulError, OptionError, LeakError
        As `ganaug.mix`.

    Warns
    -----
    UserWarning
        The loader does not shuffle, as loaders for evaluation do.

    Examples
    --------
    >>> import ganaug, torch
    >>> from torch.utils.data import DataLoader, TensorDataset
    >>> train = TensorDataset(torch.rand(40, 1, 8, 8), torch.arange(40) % 10)
    >>> from torchvision.transforms.functional import to_tensor
    >>> loader = DataLoader(train, batch_size=8, shuffle=True)
    >>> loader = ganaug.augment_loader(loader, "runs/digits", ratio=0.5, transform=to_tensor)
    >>> images, labels = next(iter(loader))
    >>> images.shape, labels.shape
    (torch.Size([8, 1, 8, 8]), torch.Size([8]))
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
    refuse_mixed(loader.dataset)


def _kind(sampler: Any) -> type:
    """Its type, and of what a StatefulDataLoader puts in the place of torch's samplers, theirs."""
    kind = type(sampler)
    theirs = {"RandomSampler": RandomSampler, "StatefulDistributedSampler": DistributedSampler}
    return theirs.get(kind.__name__, kind) if kind.__module__.split(".")[0] == "torchdata" else kind


def _order(sampler: Any, mixed: MixedDataset, mode: str, seed: int) -> DrawnOrder | FollowedOrder:
    """The order of a known sampler over the mixed data set; an unknown one is followed where its indices stay valid."""
    n, real, kind = len(mixed), len(mixed.dataset), _kind(sampler)
    over = getattr(sampler, "dataset" if kind is DistributedSampler else "data_source", mixed.dataset)
    if len(over) != real:  # over some of the items, to which it keeps
        _require_replace(sampler, mode)
        return FollowedOrder(sampler)
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
