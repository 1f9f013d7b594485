"""Judges of samples, and the limits that real images set which a judge does not know."""

from __future__ import annotations

from functools import cached_property

import numpy as np
import torch
from torch import nn

from ganaug.classifier.judge import FOLDS, crosswise, folds
from ganaug.classifier.small import Classifier
from ganaug.data.load import LabelledImages
from ganaug.reporting import Report
from ganaug.samples.choosing.files import Known, scorers_of
from ganaug.samples.choosing.rules import Rules
from ganaug.samples.choosing.scorers import Scorer


class Judges:
    """Classifiers that were trained crosswise on `seen`. unseen: further real images, on which none was trained."""

    def __init__(self, seen: LabelledImages, unseen: LabelledImages, seed: int, report: Report):
        self.seen, self.unseen, self.seed, self.report = seen, unseen, seed, report
        self.fold = folds(seen, seed)

    @cached_property
    def judges(self) -> list[Classifier]:
        """Trained when they are first asked for: the rules may be refused before."""
        return crosswise(self.seen, self.fold, self.seed, self.report)

    def known(self, discriminator: nn.Module | None = None) -> Known:
        """What scorers are made from."""
        seen, mine = self.seen, self.fold != 0  # what the first judge was trained on
        return Known(
            tuple(self.judges), discriminator,
            self.judges[0].features(seen.pixels[mine]), seen.labels[mine], seen.pixels, seen.labels,
        )  # fmt: skip

    def limits(self, rules: Rules, known: Known) -> tuple[dict[str, Scorer], dict[str, np.ndarray]]:
        """Scorers and limits, by the name of their rule: of every class, float64 (K,), the quantile of scores of real
        images by a scorer that does not know them."""
        scorers = scorers_of(rules, known)
        return scorers, {name: self._limits(name, scorers, rules, known) for name in scorers}

    def _limits(self, name: str, scorers: dict[str, Scorer], rules: Rules, known: Known) -> np.ndarray:
        seen, unseen = self.seen, self.unseen
        left_out = torch.from_numpy(self.fold)
        limits = np.full(len(seen.classes), -np.inf)
        for label in range(len(seen.classes)):
            own = seen.labels == label
            scores = [scorers[name](unseen.stored[unseen.labels == label], label)]
            if name == "manifold":
                scores.append(scorers[name](seen.stored[own & (left_out == 0)], label))
            for out in range(FOLDS):
                images = seen.stored[own & (left_out == out)]
                if name in ("label", "copies"):
                    scores.append(scorers_of(rules, known.without(out, left_out))[name](images, label))
            found = np.concatenate(scores)
            if len(found):
                limits[label] = np.quantile(found, rules.share(name))
        return limits
