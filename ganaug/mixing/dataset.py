"""A labelled data set with synthetic items among the real ones, alike in classes, transforms and types."""

from __future__ import annotations

import sys
import warnings
import weakref
from collections.abc import Sequence
from typing import Any

import numpy as np
from torch.utils.data import Dataset, get_worker_info

from ganaug.data.labels.unwrap import innermost, private, set_transform, standard_transforms
from ganaug.data.sources.dicts import dicts_of
from ganaug.errors import EpochWarning, IncompatibleLoaderError
from ganaug.generator.folder import Fitted
from ganaug.mixing.alike import compare_served
from ganaug.mixing.before import fetched, labels_seen
from ganaug.mixing.epochs import EpochClock, passing_loader
from ganaug.mixing.forms import Form, form_of
from ganaug.mixing.given import refuse_joint
from ganaug.mixing.labels import NamedLabels
from ganaug.mixing.native import look_at
from ganaug.mixing.notices import OneOrder, notice_added
from ganaug.mixing.sampler import EpochIndex
from ganaug.mixing.schedule import REAL, Schedule, Turns
from ganaug.mixing.vectorise import Presenter
from ganaug.samples.elsewhere import Elsewhere, Pictures
from ganaug.samples.pool import Pool
from ganaug.samples.run import fitted_again
from ganaug.samples.variant_pool import VariantPool


class MixedDataset(Dataset):
    """What `ganaug.mix` gives: a data set with the attributes that training code expects of labelled images.

    Attributes
    ----------
    classes, class_to_idx, targets : list of str, dict of str to int, list of int
        Names by label, labels by name, and the label of every item.
    transform, target_transform : callable or None
        Those of the data set inside; setting one sets it on a copy of that, so that real and synthetic items go the
        same way. (Where that has none, the one that is set here is applied to its items, unless it is the one that
        `mix(transform=...)` was given, which is then replaced.)
    """

    def __init__(
        self,
        dataset: Any,
        labels: np.ndarray,
        known: NamedLabels,
        schedule: Schedule | Turns | None,
        pool: Pool | VariantPool | Pictures | None,
        samples: Fitted | Elsewhere,
        *,
        seed: int,
        transform: Any = None,
        view: Any = None,
    ):
        self.dataset, self.classes, self.seed = dataset, list(known.names), seed
        self._labels, self._known = labels, known
        self._schedule, self._pool = schedule, pool
        self._run: Any = samples if isinstance(samples, Fitted) else None  # path and hash in other processes
        self._clock = EpochClock()
        self._order = OneOrder()
        self._passing: weakref.ref | None = None  # the loader that said the epoch last, as it began a pass
        self._by_hand = 0  # items that no DataLoader asked for, since the epoch was set
        self._tables: dict[int, np.ndarray] = {}
        self._rendered: list[int] = [0]
        self._view = dataset if view is None else view
        self._base, index_map = innermost(self._view)
        self._dicts = dicts_of(self._base, transform, serving=pool is not None)
        self._transform, self._shared = transform, None
        self._form: Form | None = None
        self._change = self.target_transform  # by which the form was found
        if pool is not None:
            own, codec = transform is not None, samples.codec
            native = look_at(self._base, index_map, codec, own_transform=own, pictures=isinstance(pool, Pictures))
            self._present = Presenter(native, codec)
            self._form = self._form_of_labels()
            compare_served(self, 0 if self._dicts is None else self._dicts.image)

    def __len__(self) -> int:
        self._clock.own()  # samplers ask this in the process whose passes are counted
        return len(self._labels)

    def __repr__(self) -> str:
        served = len(self.synthetic_indices())
        return f"MixedDataset({len(self)} items, {served} of them synthetic, {len(self.classes)} classes)"

    def __getstate__(self) -> dict:
        run = (self._run.path, self._run.hash) if isinstance(self._run, Fitted) else self._run
        return {**self.__dict__, "_tables": {}, "_run": run, "_passing": None}

    @property
    def epoch(self) -> int:
        return self._clock.epoch

    @property
    def next_epoch(self) -> int:
        """The epoch that the next pass begins."""
        return self._clock.upcoming

    def set_epoch(self, epoch: int) -> None:
        """Say which epoch the next pass is, after a resume or in loops that ask for items without a `DataLoader`."""
        loader = passing_loader()
        if loader is not None and self._passing is not None and self._passing() is loader:
            epoch = max(epoch, self.next_epoch)  # Accelerate's, which counts the passes that were not left early
        self._passing = None if loader is None else weakref.ref(loader)
        self._clock.set(epoch)
        self._by_hand = 0
        self._render(epoch)
        if callable(inner := getattr(self.dataset, "set_epoch", None)):
            inner(epoch)

    def advance(self) -> int:
        """Begin the next epoch, or the one that was set, and give its number: called by `augment_loader`'s samplers."""
        epoch = self._clock.advance()
        self._render(epoch)
        return epoch

    @property
    def any_synthetic(self) -> bool:
        return self._pool is not None

    def synthetic_indices(self, epoch: int | None = None) -> np.ndarray:
        """Indices of the items that are served synthetic in an epoch (default: the current one): int64, ascending."""
        if self._pool is None:
            return np.empty(0, dtype=np.int64)
        return np.flatnonzero(self._table(self.epoch if epoch is None else epoch) != REAL)

    # --- what training code expects

    @property
    def class_to_idx(self) -> dict[str, int]:
        return dict(zip(self.classes, self._named().numbers, strict=True))

    @property
    def targets(self) -> list[int]:
        return np.asarray(self._named().numbers, dtype=np.int64)[self._labels].tolist()

    def _named(self) -> NamedLabels:
        """The classes as items carry them now: `target_transform` may be another one than when they were found."""
        change = self.target_transform
        return self._known if change == self._change else self._known.under(change)

    @property
    def transform(self) -> Any:
        return getattr(self._base, "transform", self._shared) if self._transform is None else self._transform

    @transform.setter
    def transform(self, transform: Any) -> None:
        if hasattr(self._base, "transform"):
            self._set("transform", transform)
            self._transform = None
        elif self._transform is not None:
            self._transform = transform
        else:
            self._shared = transform

    transforms = property(fset=refuse_joint)

    @property
    def target_transform(self) -> Any:
        return getattr(self._base, "target_transform", None)

    @target_transform.setter
    def target_transform(self, transform: Any) -> None:
        if not hasattr(self._base, "target_transform"):
            raise IncompatibleLoaderError(
                f"{type(self._base).__name__} has no target_transform.", "Change its labels, and mix again."
            )
        self._set("target_transform", transform)

    def _set(self, name: str, transform: Any) -> None:
        """On a copy of the data set, so that nothing of the user's changes."""
        joint = not standard_transforms(self._base)
        if joint or (name == "transform" and self._pool is not None and self._present.native.call == "never"):
            what = "joint transforms of image and label" if joint else "a .transform that it does not call"
            raise IncompatibleLoaderError(
                f"{type(self._base).__name__} has {what}.", f"Make it with the {name} it shall have, and mix again."
            )
        kept = getattr(self._base, name)
        view = private(self.dataset)
        set_transform(innermost(view)[0], name, transform)
        if getattr(self._base, name) is transform is not kept:  # by a property that reached it all the same
            setattr(self._base, name, kept)
            raise IncompatibleLoaderError(
                f"The {name} of {type(self._base).__name__} cannot be set without changing your own data set.",
                "Set it there, before the data set is mixed.",
            )
        self.dataset, self._base = view, innermost(view)[0]

    def __getitem__(self, index: int) -> Any:
        if not -len(self) <= index < len(self):
            raise IndexError(f"index {index} is out of range for {len(self)} items")
        return self.__getitems__([index if index >= 0 else len(self) + index])[0]

    def __getitems__(self, indices: Sequence[int]) -> list[Any]:
        """The items of a batch, in the order given. Synthetic rows are read at once, and real ones by the data set's
        own `__getitems__` where it has one."""
        items = fetched(self.dataset, indices) if self._pool is None else self._mixed(indices)
        if self._shared is None:
            return items
        if self._dicts is not None:
            return [self._dicts.transformed(item, self._shared) for item in items]
        return [(self._shared(image), label) for image, label in items]

    def _mixed(self, indices: Sequence[int]) -> list[Any]:
        known = [index.epoch if isinstance(index, EpochIndex) else None for index in indices]
        now = self._epoch_of([i for i, epoch in zip(indices, known, strict=True) if epoch is None])
        epochs = [now if epoch is None else epoch for epoch in known]
        if len(set(epochs)) > 1:
            return [self.items(epoch, [index])[0] for epoch, index in zip(epochs, indices, strict=True)]
        return self.items(epochs[0], indices) if epochs else []

    def items(self, epoch: int, indices: Sequence[int]) -> list[Any]:
        """Items of an epoch, which no clock counts."""
        places = np.array(indices, dtype=np.int64)
        rows = self._table(epoch)[places]
        real = rows == REAL
        found = fetched(self.dataset, places[real].tolist())
        if real.all():
            return found
        found = [*found, *self._synthetic(epoch, places[~real], rows[~real])]
        by_position = dict(zip([*np.flatnonzero(real), *np.flatnonzero(~real)], found, strict=True))
        return [by_position[position] for position in range(len(places))]

    def _epoch_of(self, indices: Sequence[int]) -> int:
        """The epoch of items that are asked for without it."""
        epoch = self._clock.fetch(len(indices), len(self)) if indices else None
        if epoch is not None:
            notice_added(self._clock, indices, len(self.dataset), len(self))
            self._order.notice(epoch, indices)
            self._require_rendered(epoch)
            return epoch
        self._by_hand += len(indices)
        if self._by_hand > 2 * len(self):
            self._by_hand = -sys.maxsize  # said once
            warnings.warn(
                f"All {len(self)} items were asked for twice, and not by a torch DataLoader: where an epoch ends is "
                "not known, so each has the same synthetic images. Call set_epoch(epoch) before each.",
                EpochWarning,
                stacklevel=2,
            )
        return self.epoch

    def _require_rendered(self, epoch: int) -> None:
        """Where every epoch has images of its own, they are rendered now, but not in a worker."""
        if get_worker_info() is None:
            self._render(epoch)
        elif isinstance(self._pool, Pool) and self._pool.epoch is not None and epoch != self._clock.declared:
            raise IncompatibleLoaderError(
                "fresh=True renders images for every epoch, and loader workers run no network.",
                "Use ganaug.augment_loader, or call set_epoch(epoch) of the data set before each pass, the first too.",
            )

    def _synthetic(self, epoch: int, places: np.ndarray, rows: np.ndarray) -> list[Any]:
        images = self._present(self._pool_of(epoch).read(rows), self.transform)
        own = self._pool.row_labels[rows] if isinstance(self._pool, VariantPool) else self._labels[places]
        change = self.target_transform
        if self._form is None or change != self._change:
            self._form, self._known, self._change = self._form_of_labels(), self._named(), change
        put = self._present.native.item
        pairs = [put(image, self._form.label(kind, change)) for image, kind in zip(images, own.tolist(), strict=True)]
        return pairs if self._dicts is None else self._dicts.items(pairs, finished=self._transform is not None)

    def _form_of_labels(self) -> Form:
        """How items carry their class, by the labels of real ones."""
        base, index_map = innermost(self.dataset if self._dicts is None else self._view)
        real = self._labels[: len(index_map)]
        seen = labels_seen(base, index_map, real, np.unique(real).tolist())
        return form_of(seen, np.unique(self._labels).tolist(), self._named(), self.target_transform)

    # --- tables and pools of an epoch

    def _table(self, epoch: int) -> np.ndarray:
        assert self._schedule is not None
        if epoch not in self._tables:
            kept = list(self._tables.items())[-1:]  # two epochs, since two iterations may run side by side
            self._tables = dict(kept) | {epoch: self._schedule.table(epoch)}
        return self._tables[epoch]

    def _pool_of(self, epoch: int) -> Pool | VariantPool | Pictures:
        assert self._pool is not None
        if isinstance(self._pool, Pool) and self._pool.epoch not in (None, epoch):
            self._pool = self._pool.at(epoch)
        return self._pool

    def _render(self, epoch: int) -> None:
        """Where every epoch has images of its own: make sure, in the main process, that they are on disk."""
        pool = self._pool
        if not isinstance(pool, Pool) or pool.epoch is None or epoch in self._rendered:
            return
        self._run = self._run if isinstance(self._run, Fitted) else fitted_again(*self._run)
        self._pool = Pool.open(self._run, pool.counts, seed=self.seed, epoch=epoch, folder=pool.folder)
        self._rendered.append(epoch)
        while len(self._rendered) > 3:
            pool.at(self._rendered.pop(0)).remove()
