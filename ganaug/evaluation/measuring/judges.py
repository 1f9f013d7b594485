"""Classifiers that measure: the judge of the samples, and the two pupils of the classification accuracy score."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ganaug.classifier.small import Classifier, Training, train_classifier
from ganaug.data.load import LabelledImages
from ganaug.data.split import hold_out
from ganaug.errors import DataError
from ganaug.metrics import Interval, label_agreement, share_interval
from ganaug.reporting import Report, silent

STEPS = 600
AUGMENTATIONS = ("none", "affine")  # of the judge: the better one on images that it was not trained on


def judge_of(
    images: LabelledImages, *, steps: int, seed: int, device: torch.device, report: Report = silent
) -> tuple[Classifier, str]:
    """A classifier of these images, and the augmentation that it was trained with: the better one on a fifth held
    out."""
    classes = len(images.classes)

    def trained(part: LabelledImages, augmentation: str) -> Classifier:
        return train_classifier(
            part.pixels, part.labels, classes,
            training=Training(steps=steps, augmentation=augmentation), seed=seed, device=device,
            report=named(f"judge, {augmentation}, {len(part)} images", report),
        )  # fmt: skip

    try:
        most, rest = hold_out(images, seed=seed)
    except DataError:  # one image a class: there is nothing to choose by
        return trained(images, AUGMENTATIONS[0]), AUGMENTATIONS[0]
    found = [
        label_agreement(trained(most, augmentation).predict(rest.pixels), rest.labels) for augmentation in AUGMENTATIONS
    ]
    best = AUGMENTATIONS[int(np.argmax(found))]
    return trained(images, best), best


@dataclass(frozen=True)
class Cas:
    """Classification accuracy scores (Ravuri and Vinyals 2019, 1905.10887; GAN-train and GAN-test of Shmelkov et al.
    2018, 1807.09499), each with the interval that its test images allow.

    train: a classifier of synthetic images, on real ones. test: a classifier of real images, on synthetic ones.
    ceiling: the classifier of real images, on real ones that it never saw.
    """

    train: Interval
    test: Interval
    ceiling: Interval


def classification_accuracy_scores(
    synthetic: tuple[Tensor, Tensor],
    real: LabelledImages,
    reference: LabelledImages,
    *,
    steps: int,
    seed: int,
    device: torch.device,
    report: Report = silent,
) -> Cas:
    """Two classifiers, trained alike (affine augmentation, equal steps, classes drawn equally often)."""
    training = Training(steps=steps, augmentation="affine", balanced=True)
    classes = len(real.classes)
    pupil = train_classifier(
        *synthetic, classes, training=training, seed=seed, device=device, report=named("CAS, synthetic", report)
    )
    native = train_classifier(
        real.pixels,
        real.labels,
        classes,
        training=training,
        seed=seed,
        device=device,
        report=named("CAS, real", report),
    )

    def accuracy(classifier: Classifier, pixels: Tensor, labels: Tensor) -> Interval:
        return share_interval(int((classifier.predict(pixels).argmax(1) == labels).sum()), len(labels))

    return Cas(
        accuracy(pupil, reference.pixels, reference.labels),
        accuracy(native, *synthetic),
        accuracy(native, reference.pixels, reference.labels),
    )


def named(phase: str, report: Report) -> Report:
    """The same report under another name of the phase."""

    def renamed(_: str, done: int, total: int, detail: str = "") -> None:
        report(phase, done, total, detail)

    return renamed
