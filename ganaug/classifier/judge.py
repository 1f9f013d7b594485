"""Judges: classifiers of the user's images that say of a sample what it shows, trained once on all images, or crosswise
so that every image has a judge that does not know it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch

from ganaug.classifier.augmentation import instead_of
from ganaug.classifier.small import Classifier, Training, train_classifier
from ganaug.data.labelled import Labelled
from ganaug.data.load import LabelledImages
from ganaug.data.split import held_out_rows, hold_out
from ganaug.errors import DataError, TooFewImagesError
from ganaug.keys import key
from ganaug.metrics import label_agreement
from ganaug.reporting import Report, renamed, silent

STEPS = 600
FOLDS = 3  # each judge of a choice is trained on all but one of them
USUAL = "affine"  # the augmentation of a judge, where nobody said which changes keep the label
CROSSWISE = Training(steps=400, augmentation=USUAL)


def judge_of(
    images: LabelledImages, *, steps: int = STEPS, seed: int, device: torch.device, report: Report = silent
) -> tuple[Classifier, str]:
    """A classifier of these images, and the augmentation that it was trained with: the better one on a fifth held
    out."""
    classes = len(images.classes)
    augmentations = tuple(dict.fromkeys(("none", instead_of(USUAL, images.allow))))

    def trained(part: LabelledImages, augmentation: str) -> Classifier:
        return train_classifier(
            part.pixels, part.labels, classes,
            training=Training(steps=steps, augmentation=augmentation), seed=seed, device=device,
            report=renamed(f"judge, {augmentation}, {len(part)} images", report),
        )  # fmt: skip

    try:
        most, rest = hold_out(images, seed=seed)
    except DataError:  # one image a class: there is nothing to choose by
        return trained(images, "none"), "none"
    found = [
        label_agreement(trained(most, augmentation).predict(rest.pixels), rest.labels) for augmentation in augmentations
    ]
    best = augmentations[int(np.argmax(found))]
    return trained(images, best), best


def folds(seen: Labelled, seed: int, what: str = "images") -> np.ndarray:
    """Fold of every image, int64 (N,): stratified by class, groups and copies of one picture whole. what: they are.
    Raises TooFewImagesError for a class that lies in one fold only."""
    fold, rest = np.full(len(seen), FOLDS - 1), np.arange(len(seen))
    for number in range(FOLDS - 1):
        try:
            out = held_out_rows(seen.take(rest), fraction=1 / (FOLDS - number), seed=key(seed, "choosing", number))
        except DataError:  # one image of each class is left; below it is said of which class that is too few
            break
        fold[rest[out]] = number
        rest = rest[~out]
    labels = seen.labels.numpy()
    for label, name in enumerate(seen.classes):
        if len(np.unique(fold[labels == label])) < 2:
            known = "" if seen.groups is None else f" in {len({*np.array(seen.groups)[labels == label]})} groups"
            own = labels == label
            pictures = len({*np.array(seen.fingerprints)[own]})
            copies = f", {pictures} without copies" if pictures < own.sum() else ""
            raise TooFewImagesError(
                f"There are {own.sum()} {what} of {name}{known} to learn from{copies}: too few to judge them "
                "by classifiers that know others of the class.",
                f"Add other {what} of this class (of other subjects, where groups are known).",
            )
    return fold


def crosswise(seen: LabelledImages, fold: np.ndarray, seed: int, report: Report) -> list[Classifier]:
    """For each fold a judge that was trained on all others."""
    training, judges = replace(CROSSWISE, augmentation=instead_of(USUAL, seen.allow)), []
    for out in range(FOLDS):
        report("judges", out, FOLDS, "")
        rows = torch.from_numpy(np.flatnonzero(fold != out))
        judges.append(
            train_classifier(
                seen.stored[rows], seen.labels[rows], len(seen.classes), training=training, seed=seed * FOLDS + out
            )
        )
    report("judges", FOLDS, FOLDS, "")
    return judges
