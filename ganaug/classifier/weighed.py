"""What a classifier that sees everything at once is given: shares, uses of synthetic items and balancing are weights.

Such a classifier has no batches to draw: of each row it is told how much each class weighs in it. A seed decides which
of the synthetic items are seen.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from ganaug.classifier.refusals import require_labels, require_share
from ganaug.classifier.soft import require_soft
from ganaug.classifier.use import use_named
from ganaug.errors import DataError, TooFewImagesError
from ganaug.keys import permutation


class Weighing(Protocol):
    """How a classifier is trained, as far as weights say it. ratio: share of synthetic items in the weight of each
    class. use: of them, see `ganaug.classifier.use`. class_weights: every class weighs the same."""

    @property
    def ratio(self) -> float: ...
    @property
    def use(self) -> str: ...
    @property
    def class_weights(self) -> bool: ...


@dataclass(frozen=True, eq=False)
class Given:
    """What there is to learn from. features: of the real items, float (N, D). labels: int64 (N,). synthetic:
    features (M, D) and labels (M,). soft, made_soft: probabilities (N, K) and (M, K) in place of labels. views: other
    features of the same real items, (V, N, D), which weigh as much as one item together with it.
    """

    features: np.ndarray
    labels: np.ndarray
    n_classes: int
    synthetic: tuple[np.ndarray, np.ndarray] | None = None
    soft: np.ndarray | None = None
    made_soft: np.ndarray | None = None
    views: np.ndarray | None = None

    @property
    def targets(self) -> np.ndarray:
        """The weight of each class in each real item, (N, K)."""
        return np.eye(self.n_classes)[self.labels] if self.soft is None else self.soft


def weighed(given: Given, how: Weighing, seed: int, *, least: float = 0.5) -> tuple[np.ndarray, np.ndarray]:
    """Rows (R, D), and the weight of each class in each of them, (R, K). All weigh as much as the real items.

    least: the share of the synthetic items of a class that are seen at least, each then weighing less: the more are
    seen, the less it matters which.
    """
    labels, use, total = given.labels, use_named(how.use), len(given.labels)
    counts = np.bincount(labels, minlength=given.n_classes)
    made = {} if given.synthetic is None or not how.ratio else _of_each(given.synthetic[1], use.pool)
    share = np.array([how.ratio if label in made else 0.0 for label in range(given.n_classes)])
    share = share * (1 - counts / counts.max()) if use.rare else share
    even = total / ((counts > 0).sum() * np.where(counts > 0, counts, 1))
    by_class = even if how.class_weights else np.ones(given.n_classes)

    rows, targets = [given.features], [((1 - share) * by_class)[labels, None] * given.targets]
    if given.views is not None:
        rows += list(given.views)
        targets = [targets[0] / len(rows)] * len(rows)
    for label, own in made.items():
        if given.synthetic is None or not share[label] * counts[label]:
            continue
        some = _wanted(counts[label], share[label], len(own), least)
        own = own[permutation(len(own), seed, "probe", "synthetic", label)][:some]
        each = share[label] * counts[label] * by_class[label] * use.weight / len(own)
        rows.append(given.synthetic[0][own])
        shown = np.eye(given.n_classes)[given.synthetic[1][own]] if given.made_soft is None else given.made_soft[own]
        targets.append(each * ((1 - use.smoothing) * shown + use.smoothing / given.n_classes))
    weights = np.concatenate(targets)
    return np.concatenate(rows), weights * (total / weights.sum())


def _of_each(labels: np.ndarray, most: int) -> dict[int, np.ndarray]:
    """Label -> rows that have it, the first `most`; 0 for all."""
    return {int(label): np.flatnonzero(labels == label)[: most or None] for label in np.unique(labels)}


def _wanted(count: int, share: float, there: int, least: float) -> int:
    """How many synthetic items a class takes for this share: as many as weigh like real ones, but at least so many of
    those that are there; the others are seen with other seeds."""
    return there if share >= 1 else max(1, round(count * share / (1 - share)), int(there * least))


def require_given(given: Given, ratio: float) -> None:
    """Raises DataError for features that do not fit, TooFewImagesError where there is nothing to learn from,
    LabelMismatchError for labels out of range and for soft labels that are no probabilities."""
    features, labels, extra = given.features, given.labels, None if given.synthetic is None else given.synthetic[1]
    sides = {"real": (features, labels)} | ({} if given.synthetic is None else {"synthetic": given.synthetic})
    if not len(labels):
        raise TooFewImagesError("There is nothing to learn from.", "Give at least one item of each class.")
    for what, (rows, own) in sides.items():
        if rows.ndim != 2 or len(rows) != len(own) or rows.shape[1] != features.shape[1]:
            raise DataError(f"Features {rows.shape} do not fit {len(own)} {what} items.", "Give a row for each.")
        require_labels(own, given.n_classes)
    require_soft(given.soft, labels, given.n_classes)
    require_soft(given.made_soft, extra, given.n_classes)
    require_share(ratio, extra, "items")
