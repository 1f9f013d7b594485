"""All measures of one generator, in one call."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ganaug.data import LabelledImages
from ganaug.errors import OptionError
from ganaug.generator import Fitted, Loadable, as_fitted
from ganaug.measuring.compare import Looked, compare
from ganaug.measuring.figures import HEADER, Figure, number, shown
from ganaug.measuring.judges import STEPS, classification_accuracy_scores, judge_of
from ganaug.measuring.sides import Sides, sides
from ganaug.metrics import CopyReport, copy_report, share_interval
from ganaug.metrics.extractors import Extractor, from_timm, inception, own
from ganaug.pool import Renderer
from ganaug.reporting import Report, silent

PER_CLASS, ALTOGETHER = 500, 10_000  # samples of each class, and of all, unless a number is given


@dataclass(frozen=True)
class Measurement:
    """figures: in the order in which they are printed. per_class: class name -> its own values, None where unknown.

    copies: None where the images of the fit are not in the data; its pairs name rows of `samples` and of `seen`.
    samples: pixels uint8 (N, C, H, W) and labels int64 (N,). judge: how the own classifier was trained, and how good
    it is on the reference images.
    """

    figures: tuple[Figure, ...]
    per_class: dict[str, dict[str, float | None]]
    copies: CopyReport | None
    samples: tuple[Tensor, Tensor]
    seen: LabelledImages
    classes: tuple[str, ...]
    judge: dict[str, Any]
    notes: tuple[str, ...]

    def __getitem__(self, name: str) -> Figure:
        """The figure of this name."""
        return next(figure for figure in self.figures if figure.name == name)

    def to_json(self) -> dict[str, Any]:
        report = self.copies
        pairs = [] if report is None else [
            {
                "class": self.classes[pair.label],
                "sample": self._row(pair.sample),
                "training": self.seen.names[pair.training],
                "distance": pair.distance,
                "ratio": number(pair.ratio),
            }
            for pair in report.pairs
        ]  # fmt: skip
        return {
            "figures": {figure.name: figure.to_json() for figure in self.figures},
            "per_class": self.per_class,
            "nearest_pairs": pairs,
            "judge": self.judge,
            "notes": list(self.notes),
        }

    def lines(self) -> list[str]:
        lines = [HEADER, *(figure.line() for figure in self.figures), ""]
        names = list(next(iter(self.per_class.values())))
        lines.append(f"{'class':<24}" + "".join(f"{name:>16}" for name in names))
        for label, values in self.per_class.items():
            cells = ["-" if v is None else str(v) if isinstance(v, int) else shown(v) for v in values.values()]
            lines.append(f"{label[:23]:<24}" + "".join(f"{cell:>16}" for cell in cells))
        accuracy, policy = self.judge["accuracy"], self.judge["policy"]
        lines += ["", f"The own classifier: {accuracy:.3f} of the reference images right ({policy} augmentation)."]
        return lines + [f"Note: {note}" for note in self.notes]

    def _row(self, sample: int) -> int:
        """Row within its class, as `ganaug.pool` counts."""
        labels = self.samples[1]
        return int((labels[:sample] == labels[sample]).sum())


def measure(
    run: Loadable,
    data: Any,
    *,
    test: Any = None,
    extractor: str | Extractor = "own",
    per_class: int | None = None,
    steps: int = STEPS,
    seed: int = 0,
    device: str = "cpu",
    report: Report = silent,
) -> Measurement:
    """Draw samples of every class from a run and measure them against real images that its gradients never saw.

    data: what the run was fitted on, in any form that `ganaug.fit` takes; test: further images to compare with, in
    place of the data's own unseen ones. extractor: "own" (a classifier trained here on real images), "timm:NAME",
    "timm:NAME@weights.safetensors", "inception", or an `Extractor`. per_class: samples of each class; by default 500,
    fewer for more than 20 classes. steps: of each of the five small classifiers. Writes nothing. Raises OptionError,
    WeightsError and whatever `sides` raises.
    """
    if per_class is not None and per_class < 2:
        raise OptionError(f"{per_class} samples of a class cannot be measured.", "Give --per-class 2 or more.")
    fitted = as_fitted(run)
    chosen_device = torch.device(device)
    chosen = None if extractor == "own" else _extractor(extractor, chosen_device)
    parts = sides(fitted.card, data, test, seed=seed, report=report)
    classes = fitted.card.classes
    count = per_class or max(2, min(PER_CLASS, ALTOGETHER // len(classes)))
    samples = _samples(fitted, count, seed, chosen_device, report)
    judge, policy = judge_of(parts.judge, steps=steps, seed=seed, device=chosen_device, report=report)
    looked = Looked(parts.reference, samples, judge.predict(samples[0]), judge.predict(parts.reference.pixels))
    found = compare(looked, chosen or own(judge), seed=seed, report=report)
    figures, per_class_values = list(found.figures), found.per_class
    cas = classification_accuracy_scores(
        samples, parts.seen, parts.reference, steps=steps, seed=seed, device=chosen_device, report=report
    )
    n, m = len(samples[1]), len(parts.reference)
    figures += [
        Figure("CAS, synthetic to real", cas.train, "accuracy", n, m, cas.ceiling.value),
        Figure("CAS, real to synthetic", cas.test, "accuracy", n, len(parts.seen), cas.ceiling.value),
    ]
    copies = _copies(samples, parts) if parts.fitted else None
    if copies is not None:
        against = len(parts.unseen) or m
        interval = share_interval(copies.copies, copies.judged)
        figures.append(Figure("copies", interval, "pixels", copies.judged, against, copies.expected))
        for label, values in enumerate(per_class_values.values()):
            rows = (samples[1] == label).numpy() & (copies.distances < copies.limits[label])
            values["copies"] = number(rows.sum() / count) if np.isfinite(copies.limits[label]) else None
    accuracy = share_interval(looked.real_hits, m)
    about = {"policy": policy, "accuracy": accuracy.value, "low": accuracy.low, "high": accuracy.high,
             "images": len(parts.judge), "steps": steps}  # fmt: skip
    notes = (*parts.notes, *found.notes)
    return Measurement(tuple(figures), per_class_values, copies, samples, parts.seen, classes, about, notes)


def _copies(samples: tuple[Tensor, Tensor], parts: Sides) -> CopyReport:
    unseen = parts.unseen if len(parts.unseen) else parts.reference
    return copy_report(*samples, parts.seen.pixels, parts.seen.labels, unseen.pixels, unseen.labels)


def _samples(fitted: Fitted, count: int, seed: int, device: torch.device, report: Report) -> tuple[Tensor, Tensor]:
    """uint8 (K count, C, H, W), class after class, and labels."""
    renderer, classes = Renderer(fitted, seed, device=device), fitted.card.classes
    parts = []
    for label, name in enumerate(classes):
        parts.append(np.concatenate(list(renderer.stream(label, count))))
        report("render", label + 1, len(classes), name)
    return torch.from_numpy(np.concatenate(parts)), torch.arange(len(classes)).repeat_interleave(count)


def _extractor(extractor: str | Extractor, device: torch.device) -> Extractor:
    if isinstance(extractor, Extractor):
        return extractor
    if extractor == "inception":
        return inception(device)
    kind, _, name = extractor.partition(":")
    if kind != "timm" or not name:
        raise OptionError(f"There is no extractor {extractor!r}.", "Choose own, timm:NAME or inception.")
    name, _, weights = name.partition("@")
    if weights and not os.path.isfile(weights):
        raise OptionError(f"{weights} is not a file.", "Give a safetensors file of the model's weights.")
    return from_timm(name, weights or None, device)
