"""Figures of features and scores, with intervals, and the same figures of real images in the samples' place."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from torch import Tensor

from ganaug.evaluation.measuring.extractors import OWN, Extractor
from ganaug.evaluation.measuring.figures import ClassFigures, Figure
from ganaug.metrics import Interval, am_score, bootstrap, inception_score, share_interval
from ganaug.metrics.intervals import subsampled_together
from ganaug.metrics.suite import METRICS, Suite, level, of_class
from ganaug.reporting import Report, silent


class Looked:
    """Samples and reference items, and the logits that the own classifier gives them.

    reference: uint8 (N, C, H, W), or other items that the extractor takes, with labels int64 (N,) of `classes`.
    samples: likewise. true: the labels that logits are of, where the generator knows none and `classes` is ("all",).
    """

    def __init__(
        self,
        reference: tuple[Tensor, Tensor],
        classes: tuple[str, ...],
        samples: tuple[Tensor, Tensor],
        scores: Tensor,
        real_scores: Tensor,
        true: Tensor | None = None,
    ):
        self.real, self.items, self.classes = reference[0], samples[0], classes
        self.labels, self.real_labels = samples[1].numpy(), reference[1].numpy()
        self.scores, self.real_scores = scores.numpy(), real_scores.numpy()
        self.labelled = true is None
        self.true = self.real_labels if true is None else true.numpy()
        self.right = self.scores.argmax(1) == self.labels if self.labelled else np.ones(len(self.labels), dtype=bool)
        self.real_hits = int((self.real_scores.argmax(1) == self.true).sum())


@dataclass(frozen=True)
class Compared:
    """figures in order; per_class: class name -> its own ones; notes: plain sentences."""

    figures: tuple[Figure, ...]
    per_class: dict[str, ClassFigures]
    notes: tuple[str, ...]


def compare(looked: Looked, extractor: Extractor, *, seed: int = 0, report: Report = silent) -> Compared:
    """Everything that features and scores say."""
    y, t, classes = looked.real_labels, looked.labels, looked.classes
    chosen, even = level(y, t, len(classes), seed)
    report("features", 0, 2, extractor.name)
    real = extractor.features(looked.real).numpy()
    report("features", 1, 2, extractor.name)
    features = extractor.features(looked.items).numpy()
    report("features", 2, 2, extractor.name)
    suite = Suite(real, y, features, t, len(classes), looked.right, seed)
    found = subsampled_together(
        lambda rows, others: suite.as_a_whole(chosen[rows], even[others]), y[chosen], t[even],
        seed=seed, bounds=suite.bounds(), progress=lambda done, total: report("intervals", done, total, ""),
    )  # fmt: skip
    classwise = subsampled_together(suite.by_class, y, t, seed=seed, bounds=suite.bounds(), largest=len(y) + len(t))
    found |= {name: classwise[name] for name, one in METRICS.items() if one.column}
    real_figures, alike, stand_ins = in_their_place(suite, chosen, seed)
    figures = _of_scores(looked, extractor, even, seed)
    for name, interval in found.items():
        one = METRICS[name]  # those by class use all images, the others equally many of each side
        sizes = (len(t), len(y)) if one.column else (len(even), len(chosen))
        fewer = None if sizes == stand_ins else (alike[name], *stand_ins)
        figures.append(Figure(name, one.best, interval, extractor.name, *sizes, real_figures[name], fewer))
    return Compared(tuple(figures), _per_class(looked, classwise), ())


def _of_scores(looked: Looked, extractor: Extractor, whole: np.ndarray, seed: int) -> list[Figure]:
    n, m = len(looked.labels), len(looked.real_labels)
    scores, real_scores = looked.scores, looked.real_scores
    if extractor.name != OWN:
        scores = extractor.scores(looked.items).numpy()
        real_scores = extractor.scores(looked.real).numpy()

    def interval(statistic: Callable[[np.ndarray], float]):
        return bootstrap(lambda rows: statistic(whole[rows]), looked.labels[whole], seed=seed)

    agreement = share_interval(int(looked.right.sum()), n)
    inception = interval(lambda rows: inception_score(scores[rows]))
    am = interval(lambda rows: am_score(looked.scores[rows], looked.true))
    of_labels = [Figure("label agreement", "1", agreement, OWN, n, 0, looked.real_hits / m)] if looked.labelled else []
    return [
        *of_labels,
        Figure("Inception score", "high", inception, extractor.name, len(whole), 0, inception_score(real_scores)),
        Figure("AM score", "0", am, OWN, len(whole), m, am_score(looked.real_scores, looked.true)),
    ]


def in_their_place(
    suite: Suite, chosen: np.ndarray, seed: int
) -> tuple[dict[str, float], dict[str, float], tuple[int, int]]:
    """The figures of real images as if they were samples, those of as many samples, and how many against how many.

    Where there are as many further real images as were `chosen` (row numbers) to be compared with, those are the
    samples; else one half of all real images is, and the other half the reference.
    """
    features, labels, n_classes = suite.real, suite.real_labels, suite.n_classes
    counts, used = (np.bincount(part, minlength=n_classes) for part in (labels, labels[chosen]))
    if (counts >= 2 * used).all():
        first, second = chosen, np.setdiff1d(np.arange(len(labels)), chosen)
    else:
        members = [np.flatnonzero(labels == label) for label in np.unique(labels)]
        first, second = (np.concatenate([rows[start::2] for rows in members]) for start in (0, 1))
    first = first[level(labels[first], labels[second], n_classes, seed)[0]]
    rows, samples = level(labels[first], suite.labels, n_classes, seed)
    first = first[rows]
    second = second[level(labels[first], labels[second], n_classes, seed)[1]]
    by_real = _figures(suite, first, features[second], labels[second], np.ones(len(second), dtype=bool), seed)
    by_samples = _figures(suite, first, suite.synthetic[samples], suite.labels[samples], suite.right[samples], seed)
    return by_real, by_samples, (len(second), len(first))


def _figures(
    suite: Suite, rows: np.ndarray, others: np.ndarray, labels: np.ndarray, right: np.ndarray, seed: int
) -> dict[str, float]:
    """All figures of `others` (N, D) against these rows of the real images."""
    small = Suite(suite.real[rows], suite.real_labels[rows], others, labels, suite.n_classes, right, seed)
    every, each = np.arange(len(rows)), np.arange(len(others))
    return small.as_a_whole(every, each) | small.by_class(every, each)


def _per_class(looked: Looked, found: dict[str, Interval]) -> dict[str, ClassFigures]:
    """found: the figures of every class that look at features."""
    per_class: dict[str, ClassFigures] = {}
    for label, name in enumerate(looked.classes):
        own = looked.right[looked.labels == label]
        values = {one.column: found[of_class(one.name, label)] for one in METRICS.values() if one.column}
        for one in METRICS.values():
            if one.column and own.sum() < one.halves:
                values[one.column] = replace(values[one.column], low=float("nan"), high=float("nan"))
        per_class[name] = {
            "samples": len(own),
            "reference": int((looked.real_labels == label).sum()),
            "agreement": share_interval(int(own.sum()), len(own)) if looked.labelled else None,
            **values,
        }
    return per_class
