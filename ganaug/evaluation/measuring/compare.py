"""Figures of features and scores, with intervals, and the same figures of real images in the samples' place."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import InitVar, dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ganaug.data.load import LabelledImages
from ganaug.data.rows.vectors import LabelledVectors
from ganaug.evaluation.measuring.extractors import OWN, Extractor
from ganaug.evaluation.measuring.figures import ClassFigures, Figure, copy_figure
from ganaug.evaluation.measuring.measurement import Measurement
from ganaug.generator.parts import UNLABELLED
from ganaug.metrics import Interval, am_score, bootstrap, copy_report, inception_score, share_interval
from ganaug.metrics.intervals import subsampled_together
from ganaug.metrics.suite import METRICS, Suite, level, of_class
from ganaug.reporting import Report

NO_CLASSES = "The generator knows no classes: nothing is said of labels."
Items = tuple[Tensor, Tensor]  # what the extractor takes, such as uint8 (N, C, H, W), and labels int64 (N,)


@dataclass(eq=False)
class Looked:
    """Samples and real items, and the logits that the own classifier gives them.

    seen, unseen: among which copies are looked for, and which set the limit. classes: those of the samples; where they
    are `UNLABELLED`, real items come with the labels that the classifier knows, and are compared without. predict:
    items -> logits float32 (N, K).
    """

    samples: Items
    reference: Items
    seen: Items
    unseen: Items
    classes: tuple[str, ...]
    predict: InitVar[Callable[[Tensor], Tensor]]

    def __post_init__(self, predict: Callable[[Tensor], Tensor]):
        self.scores, self.real_scores = (predict(items).numpy() for items, _ in (self.samples, self.reference))
        self.labels, self.true = self.samples[1].numpy(), self.reference[1].numpy()
        self.real_hits = int((self.real_scores.argmax(1) == self.true).sum())
        self.labelled = self.classes != UNLABELLED
        if not self.labelled:
            real = self.reference, self.seen, self.unseen
            self.reference, self.seen, self.unseen = ((items, torch.zeros_like(labels)) for items, labels in real)
        self.real_labels = self.reference[1].numpy()
        self.right = self.scores.argmax(1) == self.labels if self.labelled else np.ones(len(self.labels), dtype=bool)

    def measurement(
        self, extractor: Extractor, cas: Callable[[], tuple[Interval, ...]], seen: LabelledImages | LabelledVectors,
        judge: dict[str, Any], notes: tuple[str, ...], *, copies_of: str, seed: int, report: Report,
    ) -> Measurement:  # fmt: skip
        """All figures.

        cas: classification accuracy of synthetic to real items, of real to synthetic, and the ceiling. seen: by name.
        judge: how the own classifier was trained. copies_of: what is compared to find copies; "" for not looking.
        """
        figures, per_class = compare(self, extractor, seed, report)
        n, m = len(self.labels), len(self.real_labels)
        if self.labelled:
            train, test, ceiling = cas()
            figures += [
                Figure("CAS, synthetic to real", "1", train, "accuracy", n, m, ceiling.value),
                Figure("CAS, real to synthetic", "1", test, "accuracy", n, len(seen), ceiling.value),
            ]
        copies = None
        if copies_of:
            copies = copy_report(*self.samples, *self.seen, *self.unseen)
            figures.append(copy_figure(copies, self.samples[1], len(self.unseen[1]), per_class, copies_of))
        hits = share_interval(self.real_hits, m)
        about = {"augmentation": judge["augmentation"], "accuracy": hits.value, "low": hits.low, "high": hits.high}
        seen = seen if self.labelled else seen.unlabelled()
        return Measurement(tuple(figures), per_class, copies, self.samples, seen, self.classes, about | judge, notes)


def compare(
    looked: Looked, extractor: Extractor, seed: int, report: Report
) -> tuple[list[Figure], dict[str, ClassFigures]]:
    """Everything that features and scores say: figures in order, and those of each class by its name."""
    y, t, classes = looked.real_labels, looked.labels, looked.classes
    chosen, even = level(y, t, len(classes), seed)
    report("features", 0, 2, extractor.name)
    real = extractor.features(looked.reference[0]).numpy()
    report("features", 1, 2, extractor.name)
    features = extractor.features(looked.samples[0]).numpy()
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
    return figures, _per_class(looked, classwise)


def _of_scores(looked: Looked, extractor: Extractor, whole: np.ndarray, seed: int) -> list[Figure]:
    n, m = len(looked.labels), len(looked.real_labels)
    scores, real_scores = looked.scores, looked.real_scores
    if extractor.name != OWN:
        scores = extractor.scores(looked.samples[0]).numpy()
        real_scores = extractor.scores(looked.reference[0]).numpy()

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
