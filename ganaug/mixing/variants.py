"""`variants`: a data set whose items are now and then served as a variant of themselves."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ganaug.data.labels.classes import Classes
from ganaug.data.labels.unwrap import innermost
from ganaug.errors import DataError
from ganaug.mixing.dataset import MixedDataset
from ganaug.mixing.given import require_map_style
from ganaug.mixing.labels import absent_of, named_labels_of
from ganaug.mixing.leaks import refuse_overlap
from ganaug.mixing.native import size_of_items
from ganaug.mixing.schedule import Turns
from ganaug.options import at_least, share
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
    """Serve items of a training set, now and then, as a variant of themselves.

    This is for runs whose generator starts from an image. The variants are rendered here, once, so that loader workers
    run no network. They keep the label, except that CycleGAN's have the label of the other class (and there is one of
    each image).

    Parameters
    ----------
    dataset : map-style data set
        The training images: items (image, label) or dicts.
    run : str, path, Run or Fitted
        A run of a recipe that translates images.
    k : int, default 4
        Variants of each image.
    p : float, default 0.5
        Probability with which an item is served as one of them.
    seed : int, default 0
        Of all random numbers. What is served depends on (seed, epoch, index) only.
    pairs : path or array, optional
        The paired images, for recipes that learn from pairs: a folder with files of the same names, or an array in the
        order of the items.
    transform : callable, optional
        For the variants (PIL image in); by default the data set's own.
    classes : sequence of str or mapping, optional
        `classes[i]` names label i, where the data set has no names, or not the generator's.
    targets : sequence of int, optional
        The labels, where they cannot be found in the data set.
    folder : str or Path, optional
        Where the variants are kept; by default with the run.
    device : str or torch.device, default "cpu"
        Where they are rendered.
    evaluation : iterable of data sets or loaders, optional
        Evaluation sets, as in `ganaug.mix`.
    force : bool, default False
        Serve images of a run whose verdict is "harms".
    report : callable, optional
        Called as `report(phase, done, total, text)`.

    Returns
    -------
    MixedDataset
        The data set to train on, as of `ganaug.mix`.

    Raises
    ------
    TranslatorError
        The generator starts from noise.
    DataError
        An image cannot be read or has no pair.
    LabelMismatchError
        The generator does not know a class.
    OptionError
        `k` or `p` is out of range.

    Examples
    --------
    >>> import ganaug
    >>> digits = ganaug.open_source("digits")
    >>> train = [(digits.read(i), int(label)) for i, label in enumerate(digits.labels[:50])]
    >>> run = ganaug.fit("digits", "runs/variants", recipe="context_encoder", steps=2, limit=10)
    >>> mixed = ganaug.variants(train, run, k=2)
    >>> len(mixed)
    50
    """
    k, p = at_least("k", k, 1), share("p", p)
    require_map_style(dataset)
    fitted = translator(run)
    refuse_harmful(fitted, force)
    refuse_overlap(fitted, evaluation, report)
    warn_of_enlarged(fitted, size_of_items(*innermost(dataset), fitted.card.codec), depth=2)
    known = named_labels_of(dataset, classes, targets, report)
    images = images_for(fitted, dataset, pairs, report)
    absent = absent_of([known.names[label] for label in np.unique(known.labels)], known.names, fitted, known.given)
    varied = np.flatnonzero(~np.isin(known.labels, [known.names.index(name) for name in absent]))
    if len(images) != len(varied):
        name, why = images.unreadable[0]
        raise DataError(f"{name} cannot be read: {why}", "Remove it from the data set.")
    images = replace(images, labels=torch.from_numpy(known.labels[varied]), classes=known.names)
    pool = VariantPool.open(run, images, k=k, seed=seed, folder=folder, device=device, report=report)
    schedule = Turns(len(dataset), pool.each, p, seed, varied)
    return MixedDataset(dataset, known.labels, known, schedule, pool, fitted, seed=seed, transform=transform)
