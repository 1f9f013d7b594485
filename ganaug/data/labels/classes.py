"""Class names and labels: label i means classes[i], names are unique, and every name can be written to a file."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ganaug.errors import DataError, LabelMismatchError

Classes = Sequence[str] | Mapping[str, int]  # the name of each label 0, 1, ...; or name -> label, as `.class_to_idx`


def alike(name: str) -> str:
    """The form in which names are compared: systems write accents in two ways, which look the same (this is NFC)."""
    return unicodedata.normalize("NFC", name)


def place_of(name: str, names: Sequence[str]) -> int:
    """Where a name stands among others, in whatever way its accents are written; -1 if it does not."""
    if name in names:
        return names.index(name)
    return next((place for place, other in enumerate(names) if alike(other) == alike(name)), -1)


def spelled(name: str, names: Sequence[str]) -> str:
    """The name as it is written among others; one that is not among them stays as it is."""
    place = place_of(name, names)
    return name if place < 0 else names[place]


def numbered(classes: Classes | Mapping[int, str]) -> dict[int, str]:
    """Label -> name, of what a user gave as `classes`; also a pandas Series, by its index, and a ClassLabel of Hugging
    Face. Raises LabelMismatchError for two names of one label, DataError for what is no names."""
    to_dict = getattr(classes, "to_dict", None)
    classes = to_dict() if callable(to_dict) and not isinstance(classes, type) else classes
    names = getattr(classes, "names", None)
    if isinstance(names, list) and not hasattr(classes, "__getitem__"):
        classes = names
    if not isinstance(classes, Mapping):
        return dict(enumerate(check_names(classes)))
    turned = all(isinstance(value, (int, np.integer)) for value in classes.values())
    labels, names = (classes.values(), classes) if turned else (classes, classes.values())
    try:
        numbers = [int(label) for label in labels]
    except (TypeError, ValueError) as error:
        cause = "In classes=, neither the keys nor the values are all whole numbers."
        raise DataError(cause, "Give a list of names, name -> label, or label -> name.") from error
    named = dict(zip(numbers, check_names(list(names)), strict=True))
    if len(named) < len(classes) or min(named, default=0) < 0:
        raise LabelMismatchError(
            "classes gives one label to two names, or a negative one.", "Give every name a label of its own, 0 or more."
        )
    return named


def named_labels(
    values: np.ndarray, names: Classes | Mapping[int, str] | None, *, drop_empty: bool = False
) -> tuple[np.ndarray, tuple[str, ...], tuple[str, ...]]:
    """Labels as a data set gives them -> (labels int64 (N,), class names, names that were dropped).

    names: `names[i]` is the name of label i, the labels in any numbers. Classes are in the order of their numbers.
    Without names, the distinct labels in ascending order are the classes, named by their number. drop_empty: leave out
    classes that no item has (a subset of a larger data set) and renumber. Raises LabelMismatchError for labels that no
    name belongs to.
    """
    if names is None:
        distinct, labels = np.unique(values, return_inverse=True)
        return labels.astype(np.int64), tuple(str(value) for value in distinct.tolist()), ()
    named = numbered(names)
    numbers = sorted(named)
    classes = tuple(named[number] for number in numbers)
    outside = np.flatnonzero(~np.isin(values, numbers))
    if outside.size:
        found = int(values[outside[0]])
        of = f"0..{len(classes) - 1}" if numbers == list(range(len(classes))) else ", ".join(map(str, numbers))
        cause = f"Label {found} of item {outside[0]} is out of range {of} of the class names."
        raise LabelMismatchError(cause, "Correct the labels, or name every class.")
    labels = np.searchsorted(np.asarray(numbers, dtype=np.int64), values).astype(np.int64)
    present = np.bincount(labels, minlength=len(classes)) > 0
    if not drop_empty or present.all():
        return labels, classes, ()
    new = np.cumsum(present) - 1
    kept = tuple(name for name, here in zip(classes, present, strict=True) if here)
    return new[labels].astype(np.int64), kept, tuple(name for name in classes if name not in kept)


def names_by_label(known: Sequence[str], classes: Classes | None, who: str) -> tuple[str | None, ...]:
    """The name of each integer label 0, 1, ...; None for one that has none.

    classes: the names, where they were given: `classes[i]` of label i, or name -> label. Without them, classes that are
    called by whole numbers (labels of a data set without names) are the labels of these numbers. Nothing else says
    which number is which name: raises LabelMismatchError. who: what is given the labels, for the error.
    """
    if classes is not None:
        named = numbered(classes)
        return tuple(named.get(label) for label in range(max(named, default=-1) + 1))
    numbers = _numbers(known)
    if numbers is None:
        shown = ", ".join(map(repr, known[:5])) + (", ..." if len(known) > 5 else "")
        raise LabelMismatchError(
            f"{who} is given labels as numbers, and the generator's classes have names ({shown}): "
            "which number means which class is not known.",
            "Give classes=dataset.classes, the name of each label 0, 1, ... (classes=run.classes, if the labels are "
            "numbered as the generator's).",
        )
    names: list[str | None] = [None] * (max(numbers) + 1)
    for name, number in zip(known, numbers, strict=True):
        names[number] = name
    return tuple(names)


def _numbers(known: Sequence[str]) -> list[int] | None:
    """What the classes are called by, where these are whole numbers of up to six digits; None otherwise."""
    plain = all(name.isdecimal() and len(name) < 7 and str(int(name)) == name for name in known)
    return [int(name) for name in known] if plain and known else None


def check_names(names: Sequence[Any]) -> tuple[str, ...]:
    """Class names as unique, non-empty text; DataError otherwise."""
    listed = hasattr(names, "__getitem__") and hasattr(names, "__len__") and getattr(names, "ndim", 1) == 1
    if isinstance(names, (str, bytes, Mapping, type)) or not listed:
        raise DataError(f"The class names are a {type(names).__name__}, not a list.", "Give a list of names.")
    given = ("" if name is None else name for name in names)
    texts = tuple(name.decode("utf-8", "surrogateescape") if isinstance(name, bytes) else str(name) for name in given)
    for text in texts:
        if not text.strip():
            raise DataError("A class has an empty name.", "Give every class a name.")
        try:
            text.encode()
        except UnicodeEncodeError:
            raise DataError(f"The class name {text!a} is not valid UTF-8.", "Rename it.") from None
    if len(set(texts)) < len(texts):
        twice = sorted({text for text in texts if texts.count(text) > 1})
        raise DataError(f"Class names repeat: {', '.join(twice)}.", "Give every class its own name.")
    seen: dict[str, str] = {}
    for text in texts:
        if seen.setdefault(alike(text), text) != text:
            cause = f"Two class names look the same, {text!r}: they differ only in how accents are encoded."
            raise DataError(cause, "Make them one class, under one name.")
    return texts
