"""Evaluation images must not be among those that the generator was made from."""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from torch.utils.data import DataLoader, Subset

from ganaug.data.duplicates.fingerprint import fingerprint
from ganaug.data.duplicates.seen import LEAK, Known
from ganaug.data.passed_over import none_of, warn_of_passed_over
from ganaug.data.sources.source import ImageSource, open_source
from ganaug.data.sources.steady import unsteady
from ganaug.data.survey import SeenItems, seen_items
from ganaug.errors import LeakError, SeenImagesWarning
from ganaug.generator.folder import Fitted
from ganaug.generator.known import known_to
from ganaug.mixing.given import require_map_style
from ganaug.reporting import Report, silent
from ganaug.samples.elsewhere import Elsewhere, samples_of
from ganaug.samples.run import Samples, as_fitted

SHOWN = 20  # names in a warning
MOST_COMPARED = 200  # images that are compared by likeness, one by one


def unseen(dataset: Any, run: Samples, *, report: Report = silent) -> Subset:
    """Leave out of an evaluation set what the generator saw.

    Near-duplicates count: flipped, shifted by up to 2 px, recompressed, brighter or darker, or resized images. The
    content is compared, before transforms. What is only as much like an image of the fit as different images of the fit
    are like each other stays.

    Parameters
    ----------
    dataset : map-style data set
        The evaluation set.
    run : str, path, Run, Fitted or any source
        A run; or images that were made elsewhere, which are then left out themselves.
    report : callable, optional
        Called as `report(phase, done, total, text)`.

    Returns
    -------
    torch.utils.data.Subset
        The items that were not seen.

    Raises
    ------
    DataError
        None of the images can be read.
    IncompatibleLoaderError
        It is no map-style data set.

    Warns
    -----
    UnreadableWarning
        Some images were not compared, since they cannot be read or lie behind links that are not followed.
    SeenImagesWarning
        Near-duplicates cannot be found: the generator came without its run folder, or the set changes its items at
        random.

    Examples
    --------
    >>> import ganaug
    >>> digits = ganaug.open_source("digits", split="test")
    >>> test = [(digits.read(i), int(label)) for i, label in enumerate(digits.labels[:50])]
    >>> len(ganaug.unseen(test, "runs/digits"))
    50
    """
    if not isinstance(dataset, ImageSource):
        require_map_style(dataset)
    samples = samples_of(run, report, as_fitted)
    source = open_source(dataset, range=samples.codec.range)
    known = _known(samples)
    _warn_of_unsteady(source, "The set")
    dropped = set(_compared(source, known, "the set", report).sure)
    return Subset(dataset, [index for index in range(len(dataset)) if index not in dropped])


def refuse_overlap(samples: Fitted | Elsewhere, evaluation: Iterable[Any], report: Report) -> None:
    """Look for evaluation images that the fit saw, be it by gradients or by its validation part; or that are among the
    images that were made elsewhere. Near-duplicates count.

    evaluation: DataLoaders, or anything that `ganaug.fit` reads (data sets, folders, npz files, (X, y)), or one of
    these, (X, y) in a list only. Items are compared by content, before transforms. Up to 5 % of a set:
    SeenImagesWarning, which lists them, since a loader that is already made cannot be changed here. Beyond: LeakError.
    """
    known = _known(samples)
    were, alike, fix = "used to fit the generator", "images that the generator was fitted on", "Fit on images that"
    if isinstance(samples, Elsewhere):
        were, alike, fix = "found among the synthetic ones", "synthetic images", "Give synthetic images that"
    indexed = hasattr(evaluation, "__getitem__") and not isinstance(evaluation, (list, tuple))
    if indexed or isinstance(evaluation, (Path, DataLoader)):
        evaluation = [evaluation]  # one set
    for number, part in enumerate(evaluation):
        source = open_source(part.dataset if isinstance(part, DataLoader) else part, range=samples.codec.range)
        _warn_of_unsteady(source, f"Evaluation set {number}")
        sure, unsure, _ = _compared(source, known, f"evaluation set {number}", report)
        if unsure:
            first = source.names[unsure[0]]
            warnings.warn(
                f"{len(unsure)} of {len(source)} images of evaluation set {number} are as much like {alike} as "
                f"different ones of these are like each other, the first is {first!r}: whether they show the same "
                "subjects could not be judged. Keep whole subjects apart: fit with groups=.",
                SeenImagesWarning,
                stacklevel=4,
            )
        overlap = [source.names[index] for index in sure]
        if not overlap:
            continue
        cause = f"{len(overlap)} of {len(source)} images of evaluation set {number} were {were}"
        if len(overlap) > LEAK * len(source):
            raise LeakError(
                f"{cause}, the first is {overlap[0]!r} (flipped, shifted or recompressed copies count).",
                f"{fix} are not used for evaluation.",
            )
        more = f" and {len(overlap) - SHOWN} more" if len(overlap) > SHOWN else ""
        warnings.warn(
            f"{cause}: {', '.join(map(repr, overlap[:SHOWN]))}{more}. Scores on them partly measure memory: evaluate "
            "on ganaug.unseen(dataset, run), which leaves them out.",
            SeenImagesWarning,
            stacklevel=4,
        )


def warn_of_copies(samples: Elsewhere, items: ImageSource | None, report: Report) -> None:
    """A SeenImagesWarning where some training items, as far as they are looked at, are among the synthetic images."""
    sure = [] if items is None else seen_items(items, samples.known, report).sure
    if items is not None and sure:
        warnings.warn(
            f"{len(sure)} of {len(items)} items of the data set that were compared are among the synthetic images, "
            f"exactly or nearly, the first is {items.names[sure[0]]!r}: copies of training images add nothing.",
            SeenImagesWarning,
            stacklevel=3,
        )


def _compared(source: ImageSource, known: Known, which: str, report: Report) -> SeenItems:
    """An UnreadableWarning names images that could not be looked at. Raises DataError where there is no other."""
    found = seen_items(source, known, report)
    if len(found.unreadable) == len(source):
        raise none_of(source, which, found.unreadable)
    warn_of_passed_over(source, which, "compared with what the generator saw", 5, found.unreadable)
    return found


def _warn_of_unsteady(source: ImageSource, which: str) -> None:
    """Pictures that are other ones at each reading cannot be recognised."""
    found = unsteady(source)
    if found is not None:
        warnings.warn(
            f"{which} cannot be judged: whether it holds images that the generator saw is hidden by random changes. "
            f"{found.cause} {found.fix}.",
            SeenImagesWarning,
            stacklevel=5,
        )


def warn_of_more_seen(fitted: Fitted, images: np.ndarray) -> None:
    """A SeenImagesWarning where the fit saw these images and others, as when these are a fold of what it saw: if the
    others are a validation fold, a score on them measures memory.

    images: uint8 (N, H, W) or (N, H, W, C). Where the fit saw none of them as they are, some are compared by likeness.
    """
    seen = {*fitted.card.fingerprints, *fitted.card.held_out}
    beside = seen - {fingerprint(image) for image in images}
    if not beside:
        return
    if len(beside) < len(seen):
        cause = f"The generator saw {len(beside)} images that are not in X"
    else:
        some = images[np.linspace(0, len(images) - 1, min(len(images), MOST_COMPARED)).astype(int)]
        found = seen_items(open_source((some, np.zeros(len(some), dtype=int))), known_to(fitted))
        if not found.sure and not found.unsure:
            return
        cause = f"The generator saw images of X in another form, and {len(seen)} images in all"
    warnings.warn(
        f"{cause}. If validation or test images are among them, as in cross_val_score with one generator for all "
        "folds, the score partly measures memory: fit one generator for each fold, on its training images.",
        SeenImagesWarning,
        stacklevel=3,
    )


def _known(fitted: Fitted | Elsewhere) -> Known:
    """What the fit saw, or the images that were made; warns where near-duplicates of it cannot be found."""
    if isinstance(fitted, Elsewhere):
        return fitted.known
    known = known_to(fitted)
    if not known.nearly:
        warnings.warn(
            f"The generator folder {fitted.path} came without its run folder: evaluation images that the fit saw are "
            "found if they are exact copies, not if they are flipped, shifted or recompressed.",
            SeenImagesWarning,
            stacklevel=5,
        )
    return known
