"""A linear probe: softmax regression on the features of a frozen network, for few images.

It is trained in less than a second, so that many seeds and many ways to train can be compared. Unlike a network that
sees batches, it sees everything at once: shares, uses of synthetic images and balancing are weights of images here
(`ganaug.classifier.weighed`). A seed decides which of the augmented views, and which of the synthetic images, a
training sees.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.optimize import minimize
from scipy.special import log_softmax

from ganaug.classifier.augmentation import augmentation_named
from ganaug.classifier.refusals import refuse_fields
from ganaug.classifier.use import use_named
from ganaug.classifier.weighed import Given, require_given, weighed
from ganaug.errors import OptionError
from ganaug.keys import numpy_stream

VERSION = 2  # changes whenever the same call would give another probe
FLOOR = 1e-6  # probability of a class without images; and spread of a feature, as a share of the usual one
SOLVER = {"maxiter": 500, "gtol": 1e-6, "ftol": 1e-11}  # of the mean loss: probabilities are exact to about 1e-4


@dataclass(frozen=True)
class ProbeTraining:
    """How a probe is trained.

    c: inverse strength of the regularisation, as in scikit-learn. augmentation: a name of `augmentation.AUGMENTATIONS`;
    views: with one, so many augmented views of each real image are seen beside the image itself, which weigh as much as
    one image together. ratio: share of synthetic images in the weight of each class, in [0, 1]. use: how they are used,
    see `ganaug.classifier.use`. balance: "none"; "weights", every class weighs the same; or "shift", see `logit_shift`.
    """

    c: float = 0.01
    augmentation: str = "none"
    views: int = 2
    class_weights: bool = False
    ratio: float = 0.0
    use: str = "plain"

    def __post_init__(self):
        refuse_fields("A probe", self, c=(self.c > 0, "a number above 0"), views=(self.views >= 1, "1 or more"))
        if not 0 <= self.ratio <= 1:
            raise OptionError(f"The synthetic share is {self.ratio}.", "Give a ratio between 0 and 1.")
        augmentation_named(self.augmentation)
        if use_named(self.use).finish:
            raise OptionError(f"A probe has no last steps, which {self.use!r} is about.", "Choose another use.")


@dataclass(frozen=True, eq=False)
class Probe:
    """A trained one. mean, spread: of the features (D,); slopes (D, K) and offsets (K,) of the logits of scaled
    features."""

    mean: np.ndarray
    spread: np.ndarray
    slopes: np.ndarray
    offsets: np.ndarray

    def predict(self, features: np.ndarray) -> np.ndarray:
        """Log-probabilities of features (N, D), float64 (N, K); each row's probabilities sum to 1."""
        logits = ((features - self.mean) / self.spread) @ self.slopes + self.offsets
        return with_floor(log_softmax(logits, axis=1))


def train_probe(
    features: np.ndarray,
    labels: np.ndarray,
    n_classes: int,
    *,
    training: ProbeTraining,
    seed: int,
    views: np.ndarray | None = None,
    synthetic: tuple[np.ndarray, np.ndarray] | None = None,
    soft: np.ndarray | None = None,
    made_soft: np.ndarray | None = None,
) -> Probe:
    """Train a linear classifier on features.

    Parameters
    ----------
    features
        Of the real images, float (N, D).
    labels
        int64 (N,), in [0, n_classes). A class may have no image: its probability is then tiny.
    n_classes
        Number of classes.
    training
        How.
    seed
        Decides which views and which synthetic images are seen. Without any, all seeds give the same probe.
    views
        Features of the augmented views of the same images, (V, N, D), of which each training sees `training.views`.
    synthetic
        Features (M, D) and labels (M,) of synthetic images, from which the share `training.ratio` is taken.
    soft
        Probabilities of the classes of each real image, float (N, K), that are learned in place of its label. The label
        still says which class it counts for in shares and weights of classes.
    made_soft
        Likewise of each synthetic image, (M, K).

    Returns
    -------
    Probe
        The same for the same arguments, on one machine.

    Raises
    ------
    LabelMismatchError
        For labels out of range, and for soft labels that are no probabilities.
    TooFewImagesError
        Without images, or for a synthetic share without synthetic images.
    OptionError
        For more views than there are.
    """
    features, labels = np.asarray(features), np.asarray(labels, dtype=np.int64)
    views = None if views is None else np.asarray(views)
    soft = None if soft is None else np.asarray(soft, dtype=np.float64)
    given = Given(features, labels, n_classes, synthetic, soft, made_soft)
    require_given(given, training.ratio)
    if training.augmentation != "none":
        _require_views(views, features, training)
        if views is not None:
            given = replace(given, views=_seen(views, training.views, seed))
    mean, spread = _scale(features)
    rows, targets = weighed(given, training, seed)
    return Probe(mean, spread, *softmax_regression((rows - mean) / spread, targets, training.c))


def softmax_regression(rows: np.ndarray, targets: np.ndarray, c: float) -> tuple[np.ndarray, np.ndarray]:
    """Slopes (D, K) and offsets (K,) that minimise the cross-entropy plus |slopes|² / 2c.

    rows: (N, D). targets: the weight of each class in each row, (N, K): the weight of the row at the place of its
    class, or shared out where the label is soft. With hard labels it is what scikit-learn's `LogisticRegression(C=c)`
    finds. A class without weight gets the offset -inf.
    """
    present = np.flatnonzero(targets.sum(0) > 0)
    x, y = np.ascontiguousarray(rows, dtype=np.float32), np.asarray(targets[:, present], dtype=np.float64)
    width, k = x.shape[1], len(present)  # single precision for the two large products alone, which take all the time
    weight, total = y.sum(1, keepdims=True), float(y.sum())

    def loss(values: np.ndarray) -> tuple[float, np.ndarray]:
        slopes, offsets = values[: width * k].reshape(width, k), values[width * k :]
        logs = log_softmax(x @ slopes.astype(np.float32) + offsets, axis=1)
        rest = np.exp(logs) * weight - y
        value = np.vdot(slopes, slopes) / (2 * c) - np.vdot(y, logs)
        gradient = np.concatenate([(x.T @ rest.astype(np.float32) + slopes / c).ravel(), rest.sum(0)])
        return float(value) / total, gradient / total

    start = np.zeros((width + 1) * k)
    start[width * k :] = np.log(y.sum(0) / total)
    found = minimize(loss, start, jac=True, method="L-BFGS-B", options=SOLVER).x
    slopes, offsets = np.zeros((width, targets.shape[1])), np.full(targets.shape[1], -np.inf)
    slopes[:, present], offsets[present] = found[: width * k].reshape(width, k), found[width * k :]
    return slopes, offsets


def with_floor(logs: np.ndarray) -> np.ndarray:
    """Log-probabilities of which none is that of an impossible class."""
    least = np.log(FLOOR)
    kept = np.maximum(logs, least)
    return kept - np.log(np.exp(kept).sum(1, keepdims=True))


def _scale(features: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and spread of each feature, over the real images, so that they are the same for every way to train."""
    spread = features.std(0, dtype=np.float64)
    least = 0.01 * float(np.sqrt(np.square(spread).mean())) or 1.0
    return features.mean(0, dtype=np.float64), np.maximum(spread, least)


def _seen(views: np.ndarray, count: int, seed: int) -> np.ndarray:
    """Of each image so many of its views (V, N, D), chosen by the seed: (count, N, D)."""
    turns = numpy_stream(seed, "probe", "views").random((views.shape[1], len(views))).argsort(1)
    return np.stack([views[turns[:, i], np.arange(views.shape[1])] for i in range(count)])


def _require_views(views: np.ndarray | None, features: np.ndarray, training: ProbeTraining) -> None:
    there = 0 if views is None or views.shape[1:] != features.shape else len(views)
    if there < training.views:
        raise OptionError(
            f"{training.views} views of each image were asked for, and there are {there} of these images.",
            "Compute the features of more views, or ask for fewer.",
        )
