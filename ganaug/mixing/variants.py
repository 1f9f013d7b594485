"""`variants`: a data set whose items are now and then served as a variant of themselves."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from ganaug.data.labels.classes import Classes
from ganaug.data.labels.unwrap import innermost
from ganaug.errors import DataError, OptionError
from ganaug.mixing.build import require_map_style
from ganaug.mixing.dataset import MixedDataset
from ganaug.mixing.labels import named_labels_of
from ganaug.mixing.leaks import refuse_overlap
from ganaug.mixing.native import size_of_items
from ganaug.mixing.schedule import Turns
from ganaug.reporting import Report, silent
from ganaug.samples.enlarged import warn_of_enlarged
from ganaug.samples.run import Loadable
from ganaug.samples.variant_pool import VariantPool
from ganaug.samples.variants import images_for, translator
from ganaug.samples.verdict import refuse_harmful


def variants(
    dataset: Any,
    run: Loadable,
    *,
    k: int = 4,
    p: float = 0.5,
    seed: int = 0,
    pairs: Any = None,
    transform: Any = None,
    classes: Classes | None = None,
    targets: Any = None,
    folder: str | Path | None = None,
    device: str | torch.device = "cpu",
    evaluation: Iterable[Any] = (),
    force: bool = False,
    report: Report = silent,
) -> MixedDataset:
    """`dataset` (the training images) with items served, each with probability `p`, as one of their `k` variants.

    For runs whose generator starts from an image. The variants are rendered here, once, to a memory map, so that
    loader workers run no network. They keep the label, except that CycleGAN's have the label of the other class (and
    there is one of each image).

    pairs: the paired images, for recipes that learn from pairs: a folder with files of the same names, or an array in
    the order of the items. transform, classes, targets, evaluation, force: as in `mix`; so is how an epoch is told:
    `set_epoch`. folder: where the variants are kept, by default with the run.

    Draws depend on (seed, epoch, index) only. Raises TranslatorError for a generator from noise, DataError where an
    image cannot be read or has no pair, LabelMismatchError, OptionError.
    """
    if k < 1:
        raise OptionError(f"k={k} variants leave nothing to serve.", "Give at least 1.")
    if not 0 <= p <= 1:
        raise OptionError(f"p={p} is not a probability.", "Give a number from 0 to 1.")
    require_map_style(dataset)
    fitted = translator(run)
    refuse_harmful(fitted, force)
    refuse_overlap(fitted, evaluation, report)
    warn_of_enlarged(fitted, size_of_items(*innermost(dataset), fitted.card.codec), depth=2)
    known = named_labels_of(dataset, classes, targets, report)
    images = images_for(fitted, dataset, pairs, report)
    if len(images) != len(dataset):
        name, why = images.unreadable[0]
        raise DataError(f"{name} cannot be read: {why}", "Remove it from the data set.")
    images = replace(images, labels=torch.from_numpy(known.labels), classes=known.names)
    pool = VariantPool.open(run, images, k=k, seed=seed, folder=folder, device=device, report=report)
    schedule = Turns(len(dataset), pool.each, p, seed)
    return MixedDataset(dataset, known.labels, known, schedule, pool, fitted, seed=seed, transform=transform)
