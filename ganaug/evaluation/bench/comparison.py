"""`compare`: two sets of predictions, from wherever they were trained, and the word on them that a bench would say."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from ganaug.data.labels.classes import alike
from ganaug.errors import LabelMismatchError, OptionError
from ganaug.evaluation.bench.design import UNEQUAL
from ganaug.evaluation.bench.results import points
from ganaug.evaluation.bench.verdict import WITHHELD, Interval, decide, paired_interval, reasons_to_withhold

METRICS = ("accuracy", "balanced accuracy")


@dataclass(frozen=True)
class Comparison:
    """What `compare` found.

    Attributes
    ----------
    verdict : str
        `helps`, `no evidence`, `harms` or `withheld`.
    metric : str
        `accuracy` or `balanced accuracy`, the mean of the shares of right predictions of the classes.
    interval : Interval
        Of the change of the metric, as a share: 0.01 is one point.
    images : int
        Number of test images.
    reasons : tuple of str
        Why the verdict is withheld; empty if it is not.
    """

    verdict: str
    metric: str
    interval: Interval
    images: int
    reasons: tuple[str, ...] = ()

    def __str__(self) -> str:
        change, trainings = self.interval, len(self.interval.per_seed)
        said = (
            f"{self.verdict}: {self.metric} changed by {points(change.mean)} points ({change.level:.0%} interval "
            f"{points(change.low)} to {points(change.high)}) on {self.images} test images, over {trainings} paired "
            f"training{'s' * (trainings != 1)}."
        )
        if self.verdict == WITHHELD:
            return f"{said} {' '.join(self.reasons)}"
        found = change.detectable
        if not found:
            return said
        return f"{said} A true change of {100 * found:.2f} points would be found in four of five such comparisons."

    def to_json(self) -> dict[str, Any]:
        """Give all of it as plain data.

        Returns
        -------
        dict
            The attributes, the smallest change that would have been found, and the sentence.
        """
        return asdict(self) | {"detectable": self.interval.detectable, "sentence": str(self)}


def compare(
    without: Any,
    with_: Any,
    labels: Any,
    *,
    classes: Any = None,
    groups: Any = None,
    metric: str = "auto",
    seed: int = 0,
) -> Comparison:
    """Say whether a change of the training made a classifier better, with the rigour of `bench`.

    Parameters
    ----------
    without, with_ : array_like, (K, N) or (K, N, C)
        What K trainings say of the same N test images, before and after the change: labels, or probabilities of C
        classes. Training k of both sides belongs together: the same seed, the same order of images, where there is one.
    labels : array_like, (N,)
        The true labels: integers or class names.
    classes : sequence of str, optional
        `classes[i]` is the name of label i and of column i of probabilities, where labels are names.
    groups : array_like, (N,), optional
        The subject of each image; images of one subject count as one observation.
    metric : {"auto", "accuracy", "balanced accuracy"}, default "auto"
        "auto" is balanced accuracy where the largest class of the test images has over 1.5 times the images of the
        smallest.
    seed : int, default 0
        Of the bootstrap.

    Returns
    -------
    Comparison
        The verdict, and the interval that it rests on. It prints as a sentence.

    Raises
    ------
    LabelMismatchError
        Shapes do not fit, or predictions are no labels of the test images or no probabilities.
    OptionError
        There is no such metric.

    References
    ----------
    The interval is that of `ganaug.evaluation.bench.verdict.paired_interval`: a bootstrap over images and trainings
    (Owen 2007, "The pigeonhole bootstrap"), widened for few of them.

    Examples
    --------
    >>> import ganaug, numpy as np
    >>> labels = np.arange(200) % 4
    >>> without = np.stack([np.where(np.arange(200) % (3 + k) == 0, 0, labels) for k in range(5)])
    >>> found = ganaug.compare(without, np.tile(labels, (5, 1)), labels)
    >>> found.verdict
    'helps'
    """
    if metric not in ("auto", *METRICS):
        raise OptionError(f"There is no metric {metric!r}.", f"Choose one of: auto, {', '.join(METRICS)}.")
    truth, names = _truth(labels, classes)
    before, after = (_predicted(said, truth, names, which) for said, which in ((without, "without"), (with_, "with_")))
    if len(before) != len(after):
        raise LabelMismatchError(
            f"There are {len(before)} trainings without the change and {len(after)} with it.",
            "Give as many of each: they are compared in pairs.",
        )
    kin = None if groups is None else np.unique(np.asarray(groups).astype(str), return_inverse=True)[1]
    if kin is not None and kin.shape != truth.shape:
        raise LabelMismatchError(f"{len(truth)} images but {kin.size} groups.", "Give one group for each image.")
    counts = np.bincount(truth)
    unequal = bool(counts.max() > UNEQUAL * max(1, counts.min()))
    balanced = metric == METRICS[1] or (metric == "auto" and unequal)
    gain = (after == truth).astype(float) - (before == truth)
    interval = paired_interval(gain, truth, balanced=balanced, groups=kin, seed=seed)
    reasons = reasons_to_withhold(truth, names, len(gain), kin, truth, balanced=balanced)
    return Comparison(decide(interval, reasons), METRICS[balanced], interval, len(truth), tuple(reasons))


def _truth(labels: Any, classes: Any) -> tuple[np.ndarray, tuple[str, ...]]:
    """Labels as int64 (N,) from 0 on, and the names of the classes."""
    values = np.asarray(labels)
    if values.ndim != 1 or not values.size or values.dtype.kind not in "iubUSO":
        raise LabelMismatchError(
            f"The labels are {values.dtype} {values.shape}, not one label for each test image.",
            "Give integers or class names, (N,).",
        )
    if values.dtype.kind in "iub":
        if values.min() < 0:
            raise LabelMismatchError("A label is negative.", "Leave out images without a label.")
        names = [str(label) for label in range(int(values.max()) + 1)] if classes is None else list(map(str, classes))
        if values.max() >= len(names):
            raise LabelMismatchError(f"Label {values.max()} has no name among {len(names)} classes.", "Name all.")
        return values.astype(np.int64), tuple(names)
    names = sorted(set(values.astype(str))) if classes is None else list(map(str, classes))
    return _numbers(values, names, "The labels"), tuple(names)


def _numbers(values: np.ndarray, names: list[str] | tuple[str, ...], what: str) -> np.ndarray:
    """Names as places among `names`."""
    place = {alike(name): i for i, name in enumerate(names)}
    said = [str(value) for value in values.ravel()]
    unknown = sorted(name for name in set(said) if alike(name) not in place)
    if unknown:
        raise LabelMismatchError(f"{what} name {unknown[0]!r}, which is no class.", f"Classes are {', '.join(names)}.")
    return np.array([place[alike(name)] for name in said], dtype=np.int64).reshape(values.shape)


def _predicted(said: Any, truth: np.ndarray, names: tuple[str, ...], which: str) -> np.ndarray:
    """What one side says, as labels (K, N)."""
    values = np.asarray(said)
    if values.ndim not in (2, 3) or values.shape[1:2] != truth.shape or not len(values):
        raise LabelMismatchError(
            f"{which} is {values.shape}, for {len(truth)} labels.",
            "Give labels (K, N) or probabilities (K, N, C) of K trainings.",
        )
    if values.ndim == 3:
        if values.shape[2] != len(names):
            raise LabelMismatchError(
                f"{which} has {values.shape[2]} columns of probabilities for {len(names)} classes.",
                "Give a column for each class, and classes= where the test images lack some.",
            )
        sums = values.sum(2)
        if not ((values >= 0).all() and np.allclose(sums, 1, atol=1e-3)):
            raise LabelMismatchError(f"{which} holds no probabilities.", "They are not negative and sum to 1.")
        return values.argmax(2)
    if values.dtype.kind in "iub":
        return values.astype(np.int64)
    if values.dtype.kind in "USO":
        return _numbers(values, names, which)
    raise LabelMismatchError(f"{which} is {values.dtype}, not labels.", "Give integers, class names or probabilities.")
