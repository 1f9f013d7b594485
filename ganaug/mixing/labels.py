"""Which class a label means, by name: labels of a data set, of a batch, and one by itself."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from torch import Tensor

from ganaug.data.labels.carried import class_number
from ganaug.data.labels.classes import Classes, named_labels, names_by_label, place_of
from ganaug.data.labels.finding import labels_of
from ganaug.errors import LabelMismatchError, WithheldWarning
from ganaug.generator.folder import Fitted
from ganaug.reporting import Report, counted
from ganaug.samples.elsewhere import Elsewhere

MOST_LABELS = 100_000  # without names, every number up to the largest one is a class


@dataclass(frozen=True)
class NamedLabels:
    """labels: int64 (n,), the class of each item, whose name is `names[class]`. numbers: of each class, the label that
    items carry; before: the number that `target_transform` makes it of, the same where there is none. given: whether
    there were names; labels without names name themselves.
    """

    labels: np.ndarray
    names: tuple[str, ...]
    numbers: tuple[int, ...]
    before: tuple[int | None, ...]
    given: bool = True

    def under(self, change: Any) -> NamedLabels:
        """The same with another `target_transform`, which is `change`, or None. Where it makes no numbers, labels keep
        those that they were before it."""
        made = [None if old is None else class_number(old if change is None else change(old)) for old in self.before]
        plain = [number if old is None else old for old, number in zip(self.before, self.numbers, strict=True)]
        numbers = [number for number in made if number is not None]
        return replace(self, numbers=tuple(numbers if len(numbers) == len(made) else plain))


def named_labels_of(dataset: Any, classes: Classes | None, targets: Any, report: Report) -> NamedLabels:
    """The classes of the items of a data set: the same ones, of the same names, as a fit finds in it."""
    found = labels_of(dataset, targets, classes=classes, report=report)
    names = found.names
    if names is None:
        largest = int(found.targets.max(initial=-1))
        if largest >= MOST_LABELS:
            raise LabelMismatchError(
                f"The label {largest} is no number of a class.",
                "Give targets= with labels 0, 1, ..., and classes=, their names.",
            )
        names = {label: str(label) for label in range(largest + 1)}
    labels, known, _ = named_labels(found.targets, names)
    numbers = tuple(sorted(names))
    before = numbers if found.before is None else tuple(map(found.before.get, numbers))
    return NamedLabels(labels, known, numbers, before, found.names is not None)


def class_of(label: Any, known: Sequence[str], skipped: Sequence[str], classes: Classes | None, who: str) -> str:
    """The generator's name of one label: a name, an integer, or an array of one of these.

    known, skipped: the classes of the generator, and those that its fit left out, which keep their names. classes, who:
    as in `names_by_label`. Raises LabelMismatchError for another label, and for an integer of which nothing says what
    it means.
    """
    name = label.item() if hasattr(label, "item") else label
    if isinstance(name, int):
        names = names_by_label(known, classes, who)
        name = names[name] if 0 <= name < len(names) else name
    elif isinstance(name, bytes):
        name = name.decode()
    if isinstance(name, str) and (left_out := place_of(name, skipped)) >= 0:
        return skipped[left_out]
    place = place_of(name, known) if isinstance(name, str) else -1
    if place < 0:
        raise LabelMismatchError(
            f"The generator has no class for the label {name!r}.",
            f"Its classes are {', '.join(map(repr, known))}: give classes=[...], the name of each label.",
        )
    return known[place]


def require_named(labels: Tensor, classes: Sequence[str | None]) -> None:
    """Raises LabelMismatchError for labels without a name."""
    nameless = [label for label in labels.unique().tolist() if not 0 <= label < len(classes) or classes[label] is None]
    if nameless:
        named = [f"{label}: {name!r}" for label, name in enumerate(classes) if name is not None]
        raise LabelMismatchError(
            f"The batch has the label {nameless[0]}, which names no class of the generator ({', '.join(named)}).",
            "Give classes=[...], the name of each label, in its order.",
        )


def absent_of(there: Sequence[str], names: Sequence[str], samples: Fitted | Elsewhere, named: bool) -> list[str]:
    """The classes, of those that are `there` in the data set, that are served as they are, which a warning tells: the
    fit left them out, or nobody made images of them. Raises LabelMismatchError for images of a class that the data set
    does not name."""
    if isinstance(samples, Elsewhere):
        foreign = [name for name in samples.classes if samples.serves(name) and name not in names]
        if foreign:
            raise LabelMismatchError(
                f"There are synthetic images of {', '.join(map(repr, foreign))}, a class that the data set lacks"
                + nameless(named),
                f"Its classes are {', '.join(map(repr, names))}: give classes=[...], the name of each label.",
            )
        absent = [name for name in there if not samples.serves(name)]
        told = f"There is no synthetic image of {counted(len(absent), 'class')}"
    else:
        absent = [name for name in there if name in samples.card.skipped]
        told = f"The fit left out {counted(len(absent), 'small class')}"
    if absent:
        more = f" and {len(absent) - 5} more" if len(absent) > 5 else ""
        listed = f"{', '.join(absent[:5])}{more}"
        warnings.warn(f"{told} ({listed}): they are served as they are.", WithheldWarning, stacklevel=3)
    return absent


def nameless(named: bool) -> str:
    """The end of a sentence on classes of a data set: whether its names were given."""
    return "." if named else " (the data set has no class names, so that labels stand for themselves)."
