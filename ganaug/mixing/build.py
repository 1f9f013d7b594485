"""`mix`: from a data set, a run and a few words to a `MixedDataset`."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from torch.utils.data import IterableDataset

from ganaug.data.labels.classes import Classes
from ganaug.data.labels.unwrap import innermost
from ganaug.data.sources.dicts import as_pairs
from ganaug.errors import IncompatibleLoaderError, LabelMismatchError, WithheldWarning
from ganaug.generator.folder import Fitted
from ganaug.mixing.dataset import MixedDataset
from ganaug.mixing.labels import named_labels_of
from ganaug.mixing.leaks import refuse_overlap
from ganaug.mixing.native import size_of_items
from ganaug.mixing.pictures import warn_of_other_pictures
from ganaug.mixing.ratio import resolve
from ganaug.mixing.schedule import Append, Replace, Schedule
from ganaug.reporting import Report, silent
from ganaug.samples.blocks import BLOCK
from ganaug.samples.enlarged import warn_of_enlarged
from ganaug.samples.plan import Plan, balance, fraction
from ganaug.samples.pool import Pool, served
from ganaug.samples.run import Loadable, from_noise


def mix(
    dataset: Any,
    run: Loadable,
    *,
    mode: str = "replace",
    ratio: float | str | None = None,
    seed: int = 0,
    transform: Any = None,
    classes: Classes | None = None,
    targets: Any = None,
    pool_epochs: int = 4,
    fresh: bool = False,
    evaluation: Iterable[Any] = (),
    force: bool = False,
    report: Report = silent,
) -> MixedDataset:
    """`dataset` with synthetic images from `run` among the real ones.

    dataset: map-style, items (image, label) or dicts of an image and a label (of Hugging Face, with any format or
    transform), also a Subset of one. run: run folder, generator folder, Run or Fitted.

    mode: "replace" (default) serves exactly round(ratio * n) of the n items synthetic, others in each epoch, each with
    the label of the item in whose place it stands; len() does not change. "append" adds n ratio / (1 - ratio) items
    behind the real ones, "balance" as many as fill every class up to the largest.
    ratio: the synthetic share of what is served, 0 to 1 (default 0.25), or "auto": what `ganaug bench` found.
    (It warns where the bench also found a loss weight or label smoothing: items carry neither; `SynthMix` does.)
    transform: for the synthetic images (PIL image in); by default the data set's own. targets: labels, where they
    cannot be found. classes: `classes[i]` names label i, where the data set has no names or not the generator's.
    pool_epochs: the pool holds this many epochs' worth of synthetic images. fresh: render new ones for every epoch.
    evaluation: evaluation sets. Images that the generator saw, or near-duplicates of them, are listed in a warning up
    to 5 % of a set; beyond, LeakError is raised. `unseen(dataset, run)` leaves them out.
    force: serve images of a run whose verdict is `harms` all the same.
    An EnlargedWarning tells where the items are far larger than what the generator makes, unless a bench at such a size
    found that its images help; "auto" serves none there before such a bench.
    Of a class that a choice (`ganaug.choose`) withholds, or that the fit left out (`skip_small`), only real images are
    served.

    Draws depend on (seed, epoch, index) only. Each pass of a torch `DataLoader` over the data set, or over one around
    it, is the next epoch; `set_epoch` says which one is next (after a resume). What asks for items without a
    `DataLoader` calls it before each epoch; an EpochWarning says so. fresh: where loader workers fetch the items, use
    `augment_loader`, or call `set_epoch` before each pass. In the modes that add items, samplers are made from the
    mixed data set (`.targets`); an UnservedWarning names one that was made for the real items alone.

    Raises LabelMismatchError for a class that the generator does not know, IncompatibleLoaderError for items that
    synthetic ones cannot be made alike, NoVerdictError, HarmfulError, OptionError.
    """
    require_map_style(dataset)
    fitted = from_noise(run)
    share = resolve(fitted, mode, ratio, force)
    view = as_pairs(dataset, labelled=targets is not None)
    size = size_of_items(*innermost(view), fitted.card.codec) if share.ratio or mode == "balance" else None
    share = share.at_size(fitted, size, depth=2)
    share.warn("Items of a data set", depth=3)
    refuse_overlap(fitted, evaluation, report)
    known = named_labels_of(view, classes, targets, report)
    labels, names = known.labels, tuple(map(fitted.spelled, known.names))  # as the generator writes them
    who = _who(labels, names, mode, share.ratio, fitted)
    needed = dict(zip(names, (int(n) for n in who.largest(len(names))), strict=True))
    skipped = [name for name in names if name in fitted.card.skipped]
    if skipped and (share.ratio or mode == "balance"):
        warn_of_skipped(skipped)
    wanted = {name: n for name, n in needed.items() if n and name not in skipped}
    plan = {name: -(-n * (1 if fresh else pool_epochs) // BLOCK) * BLOCK for name, n in wanted.items()}
    added = who.added if isinstance(who, Append) else np.zeros(len(names), dtype=np.int64)
    labels = np.concatenate([labels, np.repeat(np.arange(len(names)), added)])
    pool = schedule = None
    if plan:
        _require_known(plan, fitted, known.given)
        warn_of_other_pictures(dataset, labels[: len(dataset)], names, fitted, transform, report)
        warn_of_enlarged(fitted, size, depth=2)
        pool = Pool.open(run, plan, seed=seed, epoch=0 if fresh else None, report=report)
        first = dict(zip(pool.classes, pool.offsets[:-1].tolist(), strict=True))
        starts, sizes = (np.array([of.get(name, 0) for name in names], dtype=np.int64) for of in (first, pool.counts))
        schedule = Schedule(who, len(labels), names, starts, sizes, seed)
    return MixedDataset(dataset, labels, known, schedule, pool, fitted, seed=seed, transform=transform, view=view)


def warn_of_skipped(names: Sequence[str]) -> None:
    """Tell which classes have real images only, since the fit left them out."""
    more = f" and {len(names) - 5} more" if len(names) > 5 else ""
    warnings.warn(
        f"The fit left out {len(names)} small classes ({', '.join(names[:5])}{more}): they are served as they are.",
        WithheldWarning,
        stacklevel=3,
    )


def require_map_style(dataset: Any) -> None:
    """Raises IncompatibleLoaderError for a data set whose items have no index, or a dict of several data sets."""
    if isinstance(dataset, Mapping):
        raise IncompatibleLoaderError(
            f"{type(dataset).__name__} holds several data sets.",
            f"Give one of them: {' or '.join(f'dataset[{name!r}]' for name in dataset)}.",
        )
    if isinstance(dataset, IterableDataset) or not hasattr(dataset, "__getitem__") or not hasattr(dataset, "__len__"):
        raise IncompatibleLoaderError(
            f"{type(dataset).__name__} is not a map-style data set: its items have no index.",
            "Give a data set with __len__ and __getitem__.",
        )


def _who(labels: np.ndarray, names: tuple[str, ...], mode: str, ratio: float, fitted: Fitted) -> Replace | Append:
    if mode == "replace":
        return Replace(labels, round(ratio * len(labels)))
    counts = {name: int(n) for name, n in zip(names, np.bincount(labels, minlength=len(names)), strict=True) if n}
    plan = served(fitted, balance(counts) if mode == "balance" else fraction(counts, ratio))
    return Append(labels, np.array([plan.get(name, 0) for name in names], dtype=np.int64))


def _require_known(needed: Plan, fitted: Fitted, named: bool) -> None:
    unknown = [name for name in needed if name not in fitted.card.classes]
    if unknown:
        raise LabelMismatchError(
            f"The generator has not learned the class {', '.join(map(repr, unknown))}"
            + ("." if named else " (the data set has no class names, so that labels stand for themselves)."),
            f"Its classes are {', '.join(map(repr, fitted.card.classes))}: give classes=[...], the name of each label.",
        )
