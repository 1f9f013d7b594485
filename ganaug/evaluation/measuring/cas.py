"""The classification accuracy score: a classifier of synthetic images, and one of real images, each on the other."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from ganaug.classifier.augmentation import instead_of
from ganaug.classifier.small import Classifier, Training, train_classifier
from ganaug.data.load import LabelledImages
from ganaug.metrics import Interval, share_interval
from ganaug.reporting import Report, renamed, silent


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
    """Two classifiers, trained alike (affine augmentation, or what the fit was allowed; equal steps, classes drawn
    equally often)."""
    training = Training(steps=steps, augmentation=instead_of("affine", real.allow), balanced=True)
    classes = len(real.classes)
    pupil = train_classifier(
        *synthetic, classes, training=training, seed=seed, device=device, report=renamed("CAS, synthetic", report)
    )
    native = train_classifier(
        real.pixels,
        real.labels,
        classes,
        training=training,
        seed=seed,
        device=device,
        report=renamed("CAS, real", report),
    )

    def accuracy(classifier: Classifier, pixels: Tensor, labels: Tensor) -> Interval:
        return share_interval(int((classifier.predict(pixels).argmax(1) == labels).sum()), len(labels))

    return Cas(
        accuracy(pupil, reference.pixels, reference.labels),
        accuracy(native, *synthetic),
        accuracy(native, reference.pixels, reference.labels),
    )
