"""Unlabelled images beside the labelled ones of a fit: which are learned from, as what, and how a resume knows that."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from ganaug.data.duplicates.seen import without
from ganaug.data.labels.classes import place_of
from ganaug.data.load import LabelledImages
from ganaug.data.unlabelled import MOST, links_as, load_unlabelled
from ganaug.errors import OptionError, PseudoLabelsWarning, TooFewImagesError
from ganaug.files.checked import fields_of, is_, texts
from ganaug.files.integrity import read_whole, reading, sealed, unsealed, write_atomically
from ganaug.fitting.settings import FitSettings
from ganaug.fitting.settings_file import FILE as SETTINGS
from ganaug.reporting import Report

FILE = "pseudo_labels.json"
_SMALL = 1 << 24  # bytes of that file, at most


def images_beside(
    settings: FitSettings, training: LabelledImages, validation: LabelledImages, *, labelled: bool,
    device: torch.device, began: Path | None, report: Report,
) -> LabelledImages | None:  # fmt: skip
    """The unlabelled images that are learned beside `training`, with its classes; none of them is, exactly or nearly,
    among the labelled ones. None where none are given; an empty set, and a PseudoLabelsWarning, where none is sure.

    labelled: whether labels are needed; without, all are taken, as of the one class "all". began: the run that this fit
    goes on with, whose labels are taken. Raises OptionError where that was fitted otherwise or on other unlabelled
    images, TooFewImagesError where all of them are copies of labelled ones, and what reading them raises.
    """
    given = settings.unlabelled is not None
    kept = None if began is None else _read(began / FILE)
    begun = began is not None and (kept is not None or (began / SETTINGS).exists())
    if begun and given != (kept is not None):
        did, fix = ("without", "Leave out --unlabelled") if given else ("with", "Give them again: --unlabelled FOLDER")
        fix += f", or fit anew in another folder: --out {began}-anew."
        raise OptionError(f"The run {began} was begun {did} unlabelled images.", fix)
    if not given:
        return None
    how = links_as(settings.unlabelled, settings)
    pool = load_unlabelled(settings.unlabelled, training, limit=MOST, seed=settings.seed, report=report, reading=how)
    classes = training.classes if labelled else pool.classes
    if kept is not None:
        report("unlabelled", 0, 0, f"{len(kept)} images are learned under the labels of {FILE}")
        return _under(pool, kept, classes)
    pool = _fresh(pool, training, validation, report)
    return _labelled(pool, training, validation, settings.seed, device, report) if labelled else pool


def _fresh(
    pool: LabelledImages, training: LabelledImages, validation: LabelledImages, report: Report
) -> LabelledImages:  # fmt: skip
    """Each picture once, without copies of labelled ones."""
    count = len(pool)
    distinct = pool.take(np.sort(np.unique(pool.fingerprints, return_index=True)[1]))
    fresh, copies = without(distinct, training, validation, report=report)
    told = [f"{count} images"]
    if count == MOST:
        told.append(f"at most {MOST} are looked at, chosen by the seed")
    if pool.unreadable:
        name, why = pool.unreadable[0]
        told.append(f"{len(pool.unreadable)} cannot be read, the first is {name}: {why.rstrip('.')}")
    if len(distinct) < count:
        told.append(f"{count - len(distinct)} that are there twice were left out")
    if copies:
        told.append(f"{copies} copies of labelled images, exact or near, were left out")
    report("unlabelled", 0, 0, "; ".join(told))
    if not len(fresh):
        raise TooFewImagesError(
            f"All {count} unlabelled images are among the labelled ones.", "Give others, or leave --unlabelled out."
        )
    return fresh


def _labelled(
    pool: LabelledImages, training: LabelledImages, validation: LabelledImages, seed: int, device: torch.device,
    report: Report,
) -> LabelledImages:  # fmt: skip
    """Those of which the judges are sure enough."""
    from ganaug.classifier.labelling import label_images  # timm, which no other fit needs

    try:
        found, judges = label_images(training, validation, pool, seed=seed, device=device, report=report)
        rows, labels, reason = found.rows, found.labels, found.reason
    except TooFewImagesError as error:
        rows, labels, reason = np.empty(0, np.int64), np.empty(0, np.int64), error.cause.rstrip(".")
    if len(rows):
        told = f"{len(rows)} of {len(pool)} images were given a label by {judges}. By the same rule, {reason}."
        report("pseudo-labels", 0, 0, told)
    else:
        warnings.warn(
            f"None of {len(pool)} unlabelled images could be given a label surely enough, so that the labelled images "
            f"are learned alone: {reason}. More labelled images would help.",
            PseudoLabelsWarning,
            stacklevel=5,
        )
    return replace(pool.take(rows), labels=torch.from_numpy(labels), classes=training.classes, places=None)


def keep_labels(run: Path, beside: LabelledImages) -> None:
    """Write names, fingerprints and labels into a run folder, in a file that holds a hash of itself."""
    labels = [beside.classes[label] for label in beside.labels.tolist()]
    listed = [list(one) for one in zip(beside.names, beside.fingerprints, labels, strict=True)]
    write_atomically(run / FILE, sealed({"name, fingerprint, label": listed}))


def _read(file: Path) -> dict[str, str] | None:
    """Fingerprint -> label; None without the file. Raises ArtefactError where it was altered."""
    with reading(file, "Start anew in another folder."):
        try:
            values = unsealed(read_whole(file, _SMALL), file)
        except FileNotFoundError:
            return None
        fields_of(values, {"name, fingerprint, label"})
        listed = [texts(one) for one in is_(values["name, fingerprint, label"], list)]
        return {mark: label for _, mark, label in listed}


def _under(pool: LabelledImages, kept: Mapping[str, str], classes: Sequence[str]) -> LabelledImages:
    """The images under these labels, in the order in which they were kept."""
    at = {mark: row for row, mark in reversed(list(enumerate(pool.fingerprints)))}
    labels = [place_of(label, classes) for label in kept.values()]
    lost = sum(mark not in at or label < 0 for mark, label in zip(kept, labels, strict=True))
    if lost:
        raise OptionError(
            f"{lost} of {len(kept)} unlabelled images that the run learned from are not there, or not of its classes.",
            "Go on with the same unlabelled images, seed and data, or fit anew in another folder.",
        )
    taken = pool.take([at[mark] for mark in kept])
    return replace(taken, labels=torch.tensor(labels, dtype=torch.int64), classes=tuple(classes), places=None)
