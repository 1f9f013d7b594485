"""Class names and labels: label i means classes[i], names are unique, and every name can be written to a file."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ganaug.errors import DataError, LabelMismatchError


def named_labels(
    values: np.ndarray, names: Sequence[Any] | None, *, drop_empty: bool = False
) -> tuple[np.ndarray, tuple[str, ...], tuple[str, ...]]:
    """Labels as a data set gives them -> (labels int64 (N,), class names, names that were dropped).

    Without `names`, the distinct labels in ascending order are the classes, named by their number. drop_empty: leave
    out classes that no item has (a subset of a larger data set) and renumber. Raises LabelMismatchError for labels
    that no name belongs to.
    """
    if names is None:
        distinct, labels = np.unique(values, return_inverse=True)
        return labels.astype(np.int64), tuple(str(value) for value in distinct.tolist()), ()
    classes = check_names(names)
    outside = np.flatnonzero((values < 0) | (values >= len(classes)))
    if outside.size:
        found = int(values[outside[0]])
        cause = f"Label {found} of item {outside[0]} is out of range 0..{len(classes) - 1} of the class names."
        raise LabelMismatchError(cause, "Correct the labels, or name every class.")
    present = np.bincount(values, minlength=len(classes)) > 0
    if not drop_empty or present.all():
        return values.astype(np.int64), classes, ()
    new = np.cumsum(present) - 1
    kept = tuple(name for name, here in zip(classes, present, strict=True) if here)
    return new[values].astype(np.int64), kept, tuple(name for name in classes if name not in kept)


def names_by_label(known: Sequence[str], classes: Sequence[Any] | None) -> tuple[str | None, ...]:
    """The name of each integer label 0, 1, ...; None for one that has none.

    classes: the names, where they were given. Without them, classes that are called by whole numbers (labels of a data
    set without names) are the labels of these numbers; other names of the generator stand in its order.
    """
    if classes is not None:
        return check_names(classes)
    numbers = _numbers(known)
    if numbers is None:
        return tuple(known)
    names: list[str | None] = [None] * (max(numbers) + 1)
    for name, number in zip(known, numbers, strict=True):
        names[number] = name
    return tuple(names)


def called_by_numbers(known: Sequence[str]) -> bool:
    """Whether every class is called by a whole number, as labels without names are."""
    return _numbers(known) is not None


def _numbers(known: Sequence[str]) -> list[int] | None:
    """What the classes are called by, where these are whole numbers of up to six digits; None otherwise."""
    plain = all(name.isdecimal() and len(name) < 7 and str(int(name)) == name for name in known)
    return [int(name) for name in known] if plain and known else None


def check_names(names: Sequence[Any]) -> tuple[str, ...]:
    """Class names as unique, non-empty text; DataError otherwise."""
    texts = tuple(name.decode("utf-8", "surrogateescape") if isinstance(name, bytes) else str(name) for name in names)
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
    return texts
