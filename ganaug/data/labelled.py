"""What labelled images, rows and series in memory have in common: classes, labels, and how one takes some of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, Self, TypeVar

import numpy as np
import torch

from ganaug.data.sources.classes import alike, place_of
from ganaug.errors import LabelMismatchError, OptionError
from ganaug.keys import permutation


@dataclass(frozen=True, eq=False, kw_only=True)
class Labelled:
    """labels: int64 (N,), label i means classes[i]; fingerprints: of each item as the user has it; names: of each
    item, in the source's words; groups: the subject of each item, or None. A field of a subclass that is a tensor or a
    tuple has an entry of each item, except for those of `OF_ALL`."""

    OF_ALL = frozenset({"classes", "unreadable"})

    labels: torch.Tensor
    classes: tuple[str, ...]
    fingerprints: tuple[str, ...]
    names: tuple[str, ...]
    groups: tuple[str, ...] | None = None

    def __len__(self) -> int:
        return len(self.labels)

    def counts(self) -> dict[str, int]:
        """Class name -> number of items."""
        return label_counts(self.labels.numpy(), self.classes)

    def unlabelled(self) -> Self:
        """The same items with the one class "all"."""
        return replace(self, labels=torch.zeros_like(self.labels), classes=("all",))

    def take(self, indices: Sequence[int] | np.ndarray | torch.Tensor) -> Self:
        """Only these items, in this order; what is said of all of them stays."""
        rows = torch.as_tensor(np.asarray(indices, dtype=np.int64))
        chosen = rows.tolist()
        taken: dict[str, Any] = {}
        for field in fields(self):
            value = getattr(self, field.name)
            if isinstance(value, torch.Tensor):
                taken[field.name] = value[rows]
            elif isinstance(value, tuple) and value and field.name not in self.OF_ALL:
                taken[field.name] = tuple(value[i] for i in chosen)
        return replace(self, **taken)

    def limited(self, limit: int | None, seed: int) -> Self:
        """At most so many items of each class, chosen by `seed`, in their own order. Raises OptionError below 1."""
        if limit is None:
            return self
        kept = [own[:limit] for own in limit_order(self.labels.numpy(), self.classes, limit, seed)]
        return self.take(np.sort(np.concatenate(kept)))

    def place(self, name: str) -> int:
        """The label of a class, in whatever way the accents of its name are written; -1 if there is no such class."""
        return place_of(name, self.classes)

    def has_the_classes(self, names: Sequence[str]) -> bool:
        """Whether the classes are these, in any order."""
        return len(names) == len(self.classes) and all(self.place(name) >= 0 for name in names)

    def in_order(self, classes: Sequence[str], what: str, whose: str = "the generator") -> Self:
        """The same items with labels in this order of classes, matched by name.

        A class without items may be missing among `classes`. what, whose: names of the two sides, for the error.
        Raises LabelMismatchError for items of another class.
        """
        at = {name: place_of(name, classes) for name in self.classes}
        foreign = [name for name, n in self.counts().items() if at[name] < 0 and n]
        if foreign:
            raise LabelMismatchError(
                f"{what} has the class {', '.join(map(repr, foreign))}, {whose} not.",
                f"Classes are matched by name; {whose} has {', '.join(map(repr, classes))}.",
            )
        place = torch.tensor([at[name] for name in self.classes])
        return replace(self, labels=place[self.labels], classes=tuple(classes))


Items = TypeVar("Items", bound=Labelled)


def label_counts(labels: np.ndarray, classes: Sequence[str]) -> dict[str, int]:
    """Class name -> number of labels."""
    return dict(zip(classes, np.bincount(labels, minlength=len(classes)).tolist(), strict=True))


def limit_order(labels: np.ndarray, classes: Sequence[str], limit: int, seed: int) -> list[np.ndarray]:
    """For each class its rows, int64, in the order in which a limit takes them: keyed by the name of the class, so that
    files, arrays and images in memory are chosen alike. Raises OptionError for a limit that leaves none."""
    if limit < 1:
        raise OptionError(f"A limit of {limit} items a class leaves none.", "Give 2 or more.")
    members = [np.flatnonzero(labels == label) for label in range(len(classes))]
    return [own[permutation(len(own), seed, "limit", alike(name))] for own, name in zip(members, classes, strict=True)]
