"""The same measures of rows of a table and of series, value by value."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ganaug.data.rows.table_codec import TableCodec
from ganaug.data.rows.vectors import LabelledVectors
from ganaug.data.texts import among
from ganaug.errors import LeakError, TooFewImagesError
from ganaug.evaluation.measuring.compare import NO_CLASSES, Looked
from ganaug.evaluation.measuring.extractors import Extractor
from ganaug.evaluation.measuring.measurement import Measurement
from ganaug.generator.card import Card
from ganaug.generator.folder import Fitted
from ganaug.generator.parts import FitParts, vectors_like
from ganaug.metrics import Interval, share_interval
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
        card.codec.served(torch.from_numpy(renderer.rows(c, range(count))), name) for c, name in enumerate(card.classes)
    ]
    samples = torch.cat(made), torch.arange(len(made)).repeat_interleave(count)
    report("render", 1, 1, "")
    scale = _Scale(seen.items)
    values, known, fresh = scale(samples[0]), scale(seen.items), scale(reference.items)
    judge = Trees(known, seen.labels, len(classes), seed)
    name = "columns" if isinstance(card.codec, TableCodec) else "values"
    others = (scale(unseen.items), unseen.labels) if len(unseen) else (fresh, reference.labels)
    looked = Looked(
        (values, samples[1]), (fresh, reference.labels), (known, seen.labels), others, card.classes, judge.predict
    )

    def accuracies() -> tuple[Interval, ...]:
        pupil = Trees(values, samples[1], len(classes), seed)
        right = int((pupil.predict(fresh).argmax(1) == reference.labels).sum())
        hits = (right, len(fresh)), (int(looked.right.sum()), len(values)), (looked.real_hits, len(fresh))
        return tuple(share_interval(*counts) for counts in hits)

    notes = ("The own classifier is extra-trees on the real items that the generator saw.", *more)
    return looked.measurement(
        Extractor(name, lambda x: x, judge.predict), accuracies, seen,
        {"augmentation": "no", "images": len(seen), "steps": TREES},
        notes if looked.labelled else (NO_CLASSES, *notes), copies_of=name, seed=seed, report=report,
    )  # fmt: skip


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
    known = among(items.fingerprints, [*real.fingerprints, *card.fingerprints, *card.held_out])
    if isinstance(card.codec, TableCodec) or not known.any():
        alike = f"{known.sum()} of {len(items)} test rows are like rows of the data in every column but the target."
        return items, (alike,) if known.any() else ()
    if known.all():
        raise LeakError("All test series are among the data.", "Give series of which the fit saw none.")
    return items.take(np.flatnonzero(~known)), (f"{known.sum()} test series are among the data and were left out.",)
