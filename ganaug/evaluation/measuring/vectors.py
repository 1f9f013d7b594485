"""The same measures of rows of a table and of series, value by value."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ganaug.data.rows.table_codec import TableCodec
from ganaug.data.rows.vectors import LabelledVectors
from ganaug.errors import LeakError, TooFewImagesError
from ganaug.evaluation.measuring.compare import Looked, compare
from ganaug.evaluation.measuring.extractors import Extractor
from ganaug.evaluation.measuring.figures import Figure, copy_figure
from ganaug.evaluation.measuring.measurement import Measurement
from ganaug.generator.card import Card
from ganaug.generator.folder import Fitted
from ganaug.generator.parts import UNLABELLED, FitParts, vectors_like
from ganaug.metrics import Interval, copy_report, share_interval
from ganaug.reporting import Report
from ganaug.samples.blocks import Renderer

TREES = 200


class Trees:
    """scikit-learn's extra-trees (Geurts et al. 2006) on standardised values, with the methods of a classifier."""

    def __init__(self, values: Tensor, labels: Tensor, classes: int, seed: int):
        from sklearn.ensemble import ExtraTreesClassifier  # images do without

        self.classes = classes
        self.model = ExtraTreesClassifier(TREES, min_samples_leaf=2, random_state=seed)
        self.model.fit(values.numpy(), labels.numpy())

    def predict(self, values: Tensor) -> Tensor:
        """Logits, float32 (N, K): logarithms of the trees' votes, of which none is quite 0."""
        votes = np.full((len(values), self.classes), 1e-3)
        votes[:, self.model.classes_] += self.model.predict_proba(values.numpy())
        return torch.from_numpy(np.log(votes / votes.sum(1, keepdims=True))).float()


def measure_vectors(fitted: Fitted, data: Any, test: Any, count: int, seed: int, report: Report) -> Measurement:
    """See `measure`. Values are those that are served (categories are one-hot again), standardised by the real ones."""
    card = fitted.card
    real = vectors_like(card, data)
    classes = real.classes
    parts = FitParts(real, card)
    seen, unseen = parts.seen, parts.unseen
    reference, more = (unseen, ()) if test is None else _test(test, replace(card, classes=classes), real)
    if not len(seen) or not len(reference):
        raise TooFewImagesError(
            "None of these items were part of the fit." if not len(seen) else "The generator saw all of these items.",
            "Give the data that it was fitted on, and, if it saw all of them, others (--test).",
        )
    renderer = Renderer(fitted, seed)
    made = [
        _served(torch.from_numpy(renderer.rows(c, range(count))), card.codec, name)
        for c, name in enumerate(card.classes)
    ]
    samples = torch.cat(made), torch.arange(len(made)).repeat_interleave(count)
    report("render", 1, 1, "")
    scale = _Scale(seen.items)
    values, known, fresh = scale(samples[0]), scale(seen.items), scale(reference.items)
    judge = Trees(known, seen.labels, len(classes), seed)
    name = "columns" if isinstance(card.codec, TableCodec) else "values"
    extractor = Extractor(name, lambda x: x, judge.predict)
    true, labelled = reference.labels, card.classes != UNLABELLED
    if not labelled:
        seen, reference, unseen = seen.unlabelled(), reference.unlabelled(), unseen.unlabelled()
    scores, real_scores = judge.predict(values), judge.predict(fresh)
    looked = Looked(
        (fresh, reference.labels), card.classes, (values, samples[1]), scores, real_scores, None if labelled else true
    )
    found = compare(looked, extractor, seed=seed, report=report)
    figures, per_class = list(found.figures), found.per_class
    n, m = len(values), len(fresh)
    if labelled:
        pupil = Trees(values, samples[1], len(classes), seed)
        ceiling = _accuracy(real_scores, reference.labels)
        figures += [
            Figure("CAS, synthetic to real", "1", _accuracy(pupil.predict(fresh), reference.labels), "accuracy", n, m,
                   ceiling.value),
            Figure("CAS, real to synthetic", "1", _accuracy(scores, samples[1]), "accuracy", n, len(seen),
                   ceiling.value),
        ]  # fmt: skip
    others = scale(unseen.items) if len(unseen) else fresh
    other_labels = unseen.labels if len(unseen) else reference.labels
    copies = copy_report(values, samples[1], known, seen.labels, others, other_labels)
    figures.append(copy_figure(copies, samples[1], len(others), per_class, name))
    accuracy = share_interval(looked.real_hits, m)
    about = {"augmentation": "no", "accuracy": accuracy.value, "low": accuracy.low, "high": accuracy.high,
             "images": len(seen), "steps": TREES}  # fmt: skip
    notes = ("The own classifier is extra-trees on the real items that the generator saw.", *more, *found.notes)
    if not labelled:
        notes = ("The generator knows no classes: nothing is said of labels.", *notes)
    return Measurement(tuple(figures), per_class, copies, (values, samples[1]), seen, card.classes, about, notes)


class _Scale:
    """Items (N, ...) -> standardised values float32 (N, F); what does not vary among the real ones stays 0."""

    def __init__(self, real: Tensor):
        flat = real.flatten(1).double()
        self.mean, spread = flat.mean(0), flat.std(0, correction=0)
        self.spread = torch.where(spread > 1e-9, spread, torch.inf)

    def __call__(self, items: Tensor) -> Tensor:
        return ((items.flatten(1).double() - self.mean) / self.spread).float()


def _test(test: Any, card: Card, real: LabelledVectors) -> tuple[LabelledVectors, tuple[str, ...]]:
    """The test items, and notes. Series that are among the data are left out; rows of a table, which may be alike by
    chance, are counted."""
    items = vectors_like(card, test, "test")
    known = np.isin(items.fingerprints, [*real.fingerprints, *card.fingerprints, *card.held_out])
    if isinstance(card.codec, TableCodec) or not known.any():
        alike = f"{known.sum()} of {len(items)} test rows are like rows of the data in every column but the target."
        return items, (alike,) if known.any() else ()
    if known.all():
        raise LeakError("All test series are among the data.", "Give series of which the fit saw none.")
    return items.take(np.flatnonzero(~known)), (f"{known.sum()} test series are among the data and were left out.",)


def _served(items: Tensor, codec: Any, name: str) -> Tensor:
    """What the user gets, in model space again."""
    if isinstance(codec, TableCodec):
        rows = codec.decode(items, name)
        columns = [tuple(row[i] for row in rows) for i in range(len(codec.header)) if i != codec.place]
        return codec.encode(columns)
    made = codec.decode(items)
    return codec.encode(made[:, None] if codec.flat else made)


def _accuracy(scores: Tensor, labels: Tensor) -> Interval:
    return share_interval(int((scores.argmax(1) == labels).sum()), len(labels))
