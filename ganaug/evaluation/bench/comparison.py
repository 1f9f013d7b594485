"""`compare`: two sets of predictions, from wherever they were trained, and the word on them that a bench would say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from ganaug.classifier.answers import NUMBERS, as_array
from ganaug.data.labels.classes import alike, check_names
from ganaug.data.labels.groups import require_all
from ganaug.errors import DataError, LabelMismatchError, OptionError
from ganaug.evaluation.bench.design import UNEQUAL
from ganaug.evaluation.bench.results import points
from ganaug.evaluation.bench.verdict import WITHHELD, Interval, decide, few, paired_interval, reasons_to_withhold
from ganaug.options import whole

METRICS = ("accuracy", "balanced accuracy")
INTEGERS, TEXTS = "iu", "US"  # kinds of dtypes
ROUNDED = 1e-2  # by which probabilities, also of 16 bits, may miss 1: only the largest counts


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
        `classes[i]` is the name of label i and of column i of probabilities. Needed where labels are names and
        predictions are not, or where the test images lack a class that is predicted. By default the classes are the
        columns of probabilities, or else the distinct labels.
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
    number = whole("seed", seed)
    if number is None:
        raise OptionError("seed is None.", "Give a whole number.")
    given = _labels(labels)
    sides = {which: _side(said, which, len(given)) for which, said in (("without", without), ("with_", with_))}
    known = _known(given, sides, classes)
    truth = known.places(given, "The labels")
    before, after = (_predicted(side, known, which) for which, side in sides.items())
    if len(before) != len(after):
        raise LabelMismatchError(
            f"There are {len(before)} trainings without the change and {len(after)} with it.",
            "Give as many of each: they are compared in pairs.",
        )
    kin = _kin(groups, len(truth))
    counts = np.bincount(truth)  # of classes in the test set
    unequal = bool(counts.max() > UNEQUAL * counts[counts > 0].min())
    balanced = metric == METRICS[1] or (metric == "auto" and unequal)
    gain = (after == truth).astype(float) - (before == truth)
    interval = paired_interval(gain, truth, balanced=balanced, groups=kin, seed=number)
    nothing_chosen = np.arange(2)  # on a validation part
    reasons = reasons_to_withhold(truth, known.names, len(gain), kin, nothing_chosen, balanced=balanced)
    if len(known.names) < 2:
        reasons.append("There is one class, and nothing to tell apart.")
    return Comparison(decide(interval, reasons), METRICS[balanced], interval, len(truth), tuple(reasons))


@dataclass(frozen=True)
class _Known:
    """Classes of a comparison. numbers: what each is called by in integers, in ascending order."""

    names: tuple[str, ...]
    numbers: np.ndarray

    def places(self, values: np.ndarray, what: str) -> np.ndarray:
        """Numbers or names as places among the classes."""
        if values.dtype.kind not in INTEGERS:
            return self._of_names(values, what)
        unknown = np.setdiff1d(values, self.numbers)
        if unknown.size:
            listed = few([str(number) for number in self.numbers.tolist()])
            raise LabelMismatchError(
                f"{what} have {unknown[0]}, which is no class: these are {listed}.",
                "Number the classes alike on all sides; with classes=, if the test images lack one.",
            )
        return np.searchsorted(self.numbers, values).astype(np.int64)

    def _of_names(self, values: np.ndarray, what: str) -> np.ndarray:
        place = {alike(name): i for i, name in enumerate(self.names)}
        found, inverse = np.unique(values.astype(str), return_inverse=True)
        unknown = [name for name in found.tolist() if alike(name) not in place]
        if unknown:
            raise LabelMismatchError(
                f"{what} name {unknown[0]!r}, which is no class.",
                f"Classes are {few(self.names)}; name all by classes=, if the test images lack one.",
            )
        return np.array([place[alike(name)] for name in found.tolist()], np.int64)[inverse].reshape(values.shape)


def _known(labels: np.ndarray, sides: Mapping[str, np.ndarray], classes: Any) -> _Known:
    """The classes: those of `classes`, of the columns of probabilities, or else the distinct labels."""
    if classes is not None:
        names = _named(classes)
        return _Known(names, np.arange(len(names)))
    columns = [side.shape[2] for side in sides.values() if side.ndim == 3]
    if labels.dtype.kind not in INTEGERS:
        for which, side in sides.items():
            if side.ndim == 3 or side.dtype.kind in INTEGERS:
                said = "columns of probabilities" if side.ndim == 3 else "numbers"
                raise LabelMismatchError(
                    f"The labels are names and {which} has {said}: which means which class is not known.",
                    "Give classes=, the names in the order of the numbers or columns.",
                )
        return _Known(tuple(np.unique(labels.astype(str)).tolist()), np.arange(0))
    numbers = np.arange(columns[0]) if columns else np.unique(labels)
    return _Known(tuple(map(str, numbers.tolist())), numbers)


def _named(classes: Any) -> tuple[str, ...]:
    names = _plain(classes)
    if names is None or names.ndim != 1:
        raise LabelMismatchError(
            "classes= is no list of names.", "Give classes=[name of label 0, name of label 1, ...]."
        )
    try:
        return check_names(names.tolist())
    except DataError as error:
        raise LabelMismatchError(error.cause, error.fix) from None


def _plain(given: Any) -> np.ndarray | None:
    """As an array of numbers or text, where it can be; truth values are numbers. None for what has no one shape."""
    found = as_array(given)
    if found is not None and found.dtype.kind == "O":
        found = as_array(found.tolist())
    return found.astype(np.int64) if found is not None and found.dtype.kind == "b" else found


def _labels(labels: Any) -> np.ndarray:
    """One for each image: (N,)."""
    values = _plain(labels)
    if values is None or values.ndim != 1 or not values.size or values.dtype.kind not in INTEGERS + TEXTS:
        raise LabelMismatchError(
            f"The labels are {_shown(values)}, not one label for each test image.",
            "Give integers or class names, (N,).",
        )
    if values.dtype.kind in INTEGERS and values.min() < 0:
        raise LabelMismatchError("A label is negative.", "Leave out images without a label.")
    return values


def _side(said: Any, which: str, images: int) -> np.ndarray:
    """What one side says: labels (K, N) or probabilities (K, N, C)."""
    values = _plain(said)
    if values is None or values.ndim not in (2, 3) or values.shape[1] != images or not len(values):
        raise LabelMismatchError(
            f"{which} is {_shown(values)}, for {images} labels.",
            "Give labels (K, N) or probabilities (K, N, C) of K trainings.",
        )
    if values.ndim == 2 and values.dtype.kind not in INTEGERS + TEXTS:
        cause = f"{which} is {values.dtype}, not labels."
        raise LabelMismatchError(cause, "Give integers, class names or probabilities.")
    if values.ndim == 3 and values.dtype.kind not in NUMBERS:
        raise LabelMismatchError(f"{which} holds no probabilities, but {values.dtype}.", "Give real numbers.")
    return values


def _shown(values: np.ndarray | None) -> str:
    return "no array of one shape" if values is None else f"{values.dtype} {values.shape}"


def _predicted(values: np.ndarray, known: _Known, which: str) -> np.ndarray:
    """As places among the classes (K, N)."""
    if values.ndim == 2:
        return known.places(values, f"Predictions of {which}")
    if values.shape[2] != len(known.names):
        raise LabelMismatchError(
            f"{which} has {values.shape[2]} columns of probabilities for {len(known.names)} classes.",
            "Give a column for each class, and classes= where the test images lack some.",
        )
    if np.isnan(values).any():
        cause = f"{which} holds NaN for {int(np.isnan(values).any((0, 2)).sum())} of {values.shape[1]} images."
        raise LabelMismatchError(
            cause, "Training diverged, or a prediction is missing: compare without these trainings."
        )
    if not ((values >= 0).all() and (np.abs(values.sum(2, dtype=np.float64) - 1) <= ROUNDED).all()):
        raise LabelMismatchError(f"{which} holds no probabilities.", "They are not negative and sum to 1.")
    return values.argmax(2)


def _kin(groups: Any, images: int) -> np.ndarray | None:
    """The group of each image, by number."""
    if groups is None:
        return None
    values = _plain(groups)
    if values is None or values.shape != (images,):
        raise LabelMismatchError(f"The groups are {_shown(values)}, for {images} images.", "Give one for each image.")
    return np.unique(require_all(values.tolist(), "groups="), return_inverse=True)[1]
