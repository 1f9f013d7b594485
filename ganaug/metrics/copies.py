"""Are samples copies of training images? Each sample's nearest training image, judged by unseen real images."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from torch import Tensor

from ganaug.errors import DataError, TooFewImagesError
from ganaug.metrics.matrices import Matrix, Vector, as_array, labels_for, matrix
from ganaug.metrics.neighbours import nearest


@dataclass(frozen=True)
class Pair:
    """A sample and the training image of its class that is nearest to it.

    Attributes
    ----------
    sample, training : int
        Rows of the two sets.
    label : int
        Their class.
    distance : float
        Between the two.
    ratio : float
        The distance over the limit of the class; below 1 the sample counts as a copy.

    Examples
    --------
    >>> from ganaug.metrics import Pair
    >>> Pair(sample=3, training=17, label=0, distance=1.5, ratio=0.5).ratio < 1
    True
    """

    sample: int
    training: int
    label: int
    distance: float
    ratio: float


@dataclass(frozen=True)
class CopyReport:
    """How many samples are copies of training images.

    Attributes
    ----------
    share : float
        Share of samples that are nearer to a training image of their class than the limit.
    expected : float
        What the share would be of further unseen real images: `percentile` / 100 with many unseen images to set the
        limit by, more with few.
    percentile : float
        Of the distances from unseen real images to their nearest training image; it is the limit.
    limits : ndarray
        (K,): the limit of each class; NaN for a class that could not be judged.
    nearest : ndarray
        int64 (N,): the training image of each sample; -1 where it was not judged.
    distances : ndarray
        (N,): how far that is.
    judged, copies : int
        Samples that were judged, and those below the limit.
    pairs : tuple of Pair
        The samples nearest to a copy, the nearest first.

    Examples
    --------
    >>> import numpy as np
    >>> from ganaug.metrics import copy_report
    >>> x, y = np.random.default_rng(0).random((90, 8)), np.zeros(30, dtype=int)
    >>> copy_report(x[:30], y, x[:30], y, x[60:], y).copies  # samples that are the training images
    30
    """

    share: float
    expected: float
    percentile: float
    limits: np.ndarray
    nearest: np.ndarray
    distances: np.ndarray
    judged: int
    copies: int
    pairs: tuple[Pair, ...]

    def __repr__(self) -> str:
        return f"CopyReport({self.copies} of {self.judged} samples are copies, {self.expected:.1%} expected)"


def copy_report(
    samples: Tensor | np.ndarray,
    labels: Vector,
    training: Tensor | np.ndarray,
    training_labels: Vector,
    held_out: Tensor | np.ndarray,
    held_out_labels: Vector,
    *,
    percentile: float = 1.0,
    show: int = 24,
) -> CopyReport:
    """Find samples that are copies of training images.

    A real image that the generator never saw is as near to the training images as chance brings it. A sample that is
    nearer than nearly all of those is more like one training image than the class is like itself. Distances are
    Euclidean, within classes. A class without training or held-out images is not judged.

    Parameters
    ----------
    samples : Tensor or ndarray
        Pixels (N, C, H, W), or features (N, D).
    labels : array_like, (N,)
        Their classes.
    training : Tensor or ndarray
        What the generator saw, of the same kind.
    training_labels : array_like, (M,)
        Their classes.
    held_out : Tensor or ndarray
        Real images that it did not see.
    held_out_labels : array_like, (L,)
        Their classes.
    percentile : float, default 1.0
        The limit: this percentile of the distances from unseen images to their nearest training image.
    show : int, default 24
        Pairs that are returned.

    Returns
    -------
    CopyReport
        The share of copies, what it would be of real images, and the nearest pairs.

    Raises
    ------
    TooFewImagesError
        No sample can be judged.
    DataError, LabelMismatchError
        Values are not finite or of several widths; there is not one label, 0 or more, for each.

    Examples
    --------
    >>> import numpy as np
    >>> from ganaug.metrics import copy_report
    >>> x, y = np.random.default_rng(0).random((90, 8)), np.zeros(30, dtype=int)
    >>> copy_report(x[:30], y, x[30:60], y, x[60:], y).share < 0.2
    True
    """
    made, seen, fresh = (_rows(images) for images in (samples, training, held_out))
    if len(widths := {images.shape[1] for images in (made, seen, fresh)}) > 1:
        cause = f"Samples, training and unseen images have {' and '.join(map(str, sorted(widths)))} values each."
        raise DataError(cause, "Give images of one size, or features of one extractor.")
    y, t, h = (np.asarray(as_array(one)) for one in (labels, training_labels, held_out_labels))
    classes = int(max(part.max(initial=-1) for part in (y, t, h))) + 1
    y, t, h = (labels_for(len(x), own, classes) for x, own in ((made, y), (seen, t), (fresh, h)))
    limits = np.full(classes, np.nan)
    honest = np.full(classes, np.nan)
    place, distances = np.full(len(made), -1, dtype=np.int64), np.full(len(made), np.nan)
    for label in np.unique(y):
        mine, known = np.flatnonzero(y == label), np.flatnonzero(t == label)
        unseen = fresh[h == label]
        if not len(known) or not len(unseen):
            continue
        limits[label] = np.quantile(nearest(unseen, seen[known])[0], percentile / 100)
        # The quantile lies between two of n ordered distances; a further one is below the k-th with chance k / (n + 1).
        honest[label] = (1 + percentile / 100 * (len(unseen) - 1)) / (len(unseen) + 1)
        distances[mine], found = nearest(made[mine], seen[known])
        place[mine] = known[found]
    judged = np.flatnonzero(place >= 0)
    if not len(judged):
        raise TooFewImagesError("No class has both training and unseen real images.", "Give both.")
    ratios = _ratios(distances[judged], limits[y[judged]])
    copies = int((distances[judged] < limits[y[judged]]).sum())
    first = np.argsort(ratios, kind="stable")[:show]
    pairs = tuple(
        Pair(int(i), int(place[i]), int(y[i]), float(distances[i]), float(ratio))
        for i, ratio in zip(judged[first], ratios[first], strict=True)
    )
    expected = float(honest[y[judged]].mean())
    return CopyReport(copies / len(judged), expected, percentile, limits, place, distances, len(judged), copies, pairs)


def _ratios(distances: np.ndarray, limits: np.ndarray) -> np.ndarray:
    """distance / limit, where 0 / 0 is 1: unseen images are copies too, so a copy says nothing."""
    return np.divide(distances, limits, out=np.where(distances > 0, np.inf, 1.0), where=limits > 0)


def _rows(images: Matrix) -> np.ndarray:
    array = as_array(images)
    flat = matrix(array.reshape(len(array), math.prod(array.shape[1:])), "images")
    return np.ascontiguousarray(flat, dtype=np.float32)
