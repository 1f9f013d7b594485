"""The labels that items carry, and the names that go with them.

Names follow the pictures: where a data set stores one label and its items carry another (a `target_transform`, a
wrapper), the name goes with it, as long as classes stay apart. Where classes were merged, labels name themselves.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ganaug.data.labels.classes import alike
from ganaug.data.labels.naming import Names
from ganaug.data.pictures.convert import as_numpy
from ganaug.errors import DataError, LabelMismatchError


@dataclass(frozen=True)
class Labels:
    """`targets`: int64 (N,), the label of each item as the data set gives it.

    names: label -> name of its class, also of labels that no item has; None where the data set has no names. before:
    label -> the number that it is before `target_transform`; None where nothing changes it, or nothing is known of it.
    encoded: items carry something else than a number, which `target_transform` makes of `targets`.
    """

    targets: np.ndarray
    names: Names | None
    before: Mapping[int, int] | None = None
    encoded: bool = False

    @property
    def classes(self) -> tuple[str, ...] | None:
        """The names in the order of their labels."""
        return None if self.names is None else tuple(self.names[label] for label in sorted(self.names))

    def at(self, rows: np.ndarray) -> Labels:
        """Those of some of the items."""
        return replace(self, targets=self.targets[rows])


def encoded(stored: Labels, results: Mapping[int, Any]) -> Labels:
    seen: dict[str, int] = {}
    for label, result in results.items():
        first = seen.setdefault(repr(np.asarray(result).tolist()), label)
        if first != label:
            cause = f"target_transform makes the same of the labels {first} and {label}, and no number of a class."
            raise DataError(cause, "Give targets=, the number of the class of each item, and classes=, their names.")
    return replace(stored, encoded=True)


def renumbered(stored: Labels, numbers: dict[int, int], change: Any = None) -> Labels:
    """Labels in other numbers; names go with them, unless classes are merged. change: numbers those without items."""
    old = np.asarray(list(numbers), dtype=np.int64)
    new = np.asarray(list(numbers.values()), dtype=np.int64)
    targets = new[np.searchsorted(old, stored.targets)] if len(old) else stored.targets
    if len(set(numbers.values())) < len(numbers):
        return Labels(targets, None)
    every = dict(numbers)
    for label in (stored.names or {}).keys() - numbers.keys():
        try:
            number = None if change is None else class_number(change(label))
        except Exception:  # other people's function need not know a label that no item has
            number = None
        if number is not None and number not in every.values():
            every[label] = number
    names = stored.names and {number: stored.names[label] for label, number in every.items() if label in stored.names}
    return Labels(targets, names, {number: label for label, number in every.items()})


def following(stored: Labels, values: np.ndarray) -> Labels | None:
    """The labels `values`, with the names of what is stored, if each is of one stored label or the other way round;
    None if they have nothing to do with each other."""
    numbers: dict[int, int] = {}
    for label, value in np.unique(np.stack([stored.targets, values], axis=1), axis=0).tolist():
        if numbers.setdefault(label, value) != value:
            return None
    if all(label == value for label, value in numbers.items()):
        return Labels(values, stored.names)
    return replace(renumbered(stored, numbers), before=None)


def concatenated(parts: Sequence[Labels], named: bool) -> Labels:
    targets = np.concatenate([part.targets for part in parts])
    encoded = any(part.encoded for part in parts)
    names: Names = {}
    place: dict[str, int] = {}
    for part in parts if named else ():
        for label, name in (part.names or {}).items():
            label_of_name = place.setdefault(alike(name), label)
            if alike(names.setdefault(label, name)) != alike(name) or label_of_name != label or part.names is None:
                break
        else:
            if (part.names is None) == (parts[0].names is None):
                continue
        cause = "The concatenated data sets have different classes, or the same in another order."
        fix = "Make their labels one numbering (target_transform=), or give targets= and classes= for the whole set."
        raise LabelMismatchError(cause, fix)
    same = all(part.before == parts[0].before for part in parts)
    return Labels(targets, names or None, parts[0].before if same else None, encoded)


def class_number(label: Any) -> int | None:
    """A label as the number of a class: a whole number of any type, from 0 on; None for others."""
    array = as_numpy(label) if not isinstance(label, (int, float, np.generic)) else np.asarray(label)
    if array is None or array.size != 1 or array.dtype.kind not in "iubf":
        return None
    value = array.reshape(-1)[0]
    return int(value) if np.isfinite(value) and value == int(value) and value >= 0 else None
