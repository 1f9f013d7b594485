"""What labelled images, rows and series in memory have in common: classes, labels, and how one takes some of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, Self, TypeVar

import numpy as np
import torch

from ganaug.data.labels.classes import alike, place_of
from ganaug.data.pixels import Pixels
from ganaug.data.texts import Texts
from ganaug.errors import LabelMismatchError, OptionError
from ganaug.keys import permutation
from ganaug.reporting import counted


@dataclass(frozen=True, eq=False, kw_only=True)
class Labelled:
    """labels: int64 (N,), label i means classes[i]; fingerprints: of each item as the user has it; names: of each
    item, in the source's words; groups: the subject of each item, or None; places: of each item its place among those
    of its class in the source, and how many these are, unreadable ones with them, int64 (N, 2): None where all of the
    source are here; unreadable: name and reason of each item that was skipped.
    A field of a subclass that is a tensor, `Pixels` or a tuple has an entry of each item, except for those of `OF_ALL`.
    """

    OF_ALL = frozenset({"classes", "unreadable", "skipped", "allow", "words"})

    labels: torch.Tensor
    classes: tuple[str, ...]
    fingerprints: Sequence[str]
    names: tuple[str, ...]
    groups: tuple[str, ...] | None = None
    places: torch.Tensor | None = None
    unreadable: tuple[tuple[str, str], ...] = ()

    def __len__(self) -> int:
        return len(self.labels)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({counted(len(self), 'item')} of {counted(len(self.classes), 'class')})"

    def counts(self) -> dict[str, int]:
        """Class name -> number of items."""
        return label_counts(self.labels.numpy(), self.classes)

    def unlabelled(self) -> Self:
        """The same items with the one class "all"."""
        return replace(self, labels=torch.zeros_like(self.labels), classes=("all",), places=None)

    def take(self, indices: Sequence[int] | np.ndarray | torch.Tensor) -> Self:
        """Only these items, in this order; what is said of all of them stays."""
        rows = torch.as_tensor(indices, dtype=torch.int64, device="cpu")
        chosen = rows.tolist()
        places = places_in(self.labels.numpy()) if self.places is None else self.places
        taken: dict[str, Any] = {"places": places[rows]}
        for field in fields(self):
            value = getattr(self, field.name)
            if isinstance(value, torch.Tensor) and field.name != "places":
                taken[field.name] = value[rows]
            elif isinstance(value, Texts) and value:
                taken[field.name] = value.take(rows.numpy())
            elif isinstance(value, Pixels):
                taken[field.name] = value.take(rows)
            elif isinstance(value, tuple) and value and field.name not in self.OF_ALL:
                taken[field.name] = tuple(value[i] for i in chosen)
        return replace(self, **taken)

    def followed_by(self, other: Self) -> Self:
        """These items, and then others of the same classes; what is said of all of them is said of these. What only one
        of the two knows of its items is left out."""
        both: dict[str, Any] = {"places": None, "groups": None}
        for field in fields(self):
            own, theirs = getattr(self, field.name), getattr(other, field.name)
            if field.name in {"places", "groups", *self.OF_ALL}:
                continue
            if isinstance(own, torch.Tensor):
                both[field.name] = torch.cat([own, theirs])
            elif isinstance(own, Pixels):
                both[field.name] = None if theirs is None else own.followed_by(theirs)
            elif isinstance(own, (tuple, Texts)):
                both[field.name] = (*own, *theirs) if len(own) == len(self) and len(theirs) == len(other) else ()
        return replace(self, **both)

    def limited(self, limit: int | None, seed: int) -> Self:
        """At most so many items of each class, in their own order: those that reading the source with this limit and
        `seed` would have given. Raises OptionError below 1."""
        if limit is None:
            return self
        labels = self.labels.numpy()
        places = (places_in(labels) if self.places is None else self.places).numpy()
        kept = []
        for label, name in enumerate(self.classes):
            own = np.flatnonzero(labels == label)
            whole = int(places[own, 1].max(initial=0))
            turn = np.argsort(limit_order(np.zeros(whole, dtype=np.int64), (name,), limit, seed)[0])
            kept.append(own[np.argsort(turn[places[own, 0]])][:limit])
        return self.take(np.sort(np.concatenate(kept)))

    def without(self, names: Sequence[str]) -> Self:
        """The same without the classes of these names, and without their items."""
        kept = [name for name in self.classes if name not in names]
        if len(kept) == len(self.classes):
            return self
        inside = np.isin(self.labels.numpy(), [self.classes.index(name) for name in kept])
        return self.take(np.flatnonzero(inside)).in_order(kept, "The data")

    def place(self, name: str) -> int:
        """The label of a class, in whatever way the accents of its name are written; -1 if there is no such class."""
        return place_of(name, self.classes)

    def require_classes(self, names: Sequence[str], fix: str) -> None:
        """Raises LabelMismatchError unless the classes are those of the generator, in any order."""
        if len(names) != len(self.classes) or not all(self.place(name) >= 0 for name in names):
            cause = f"The generator knows the classes {', '.join(names)}; the data have {', '.join(self.classes)}."
            raise LabelMismatchError(cause, fix)

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
        place = torch.tensor([at[name] for name in self.classes], device="cpu")
        return replace(self, labels=place[self.labels], classes=tuple(classes))


Items = TypeVar("Items", bound=Labelled)


def label_counts(labels: np.ndarray, classes: Sequence[str]) -> dict[str, int]:
    """Class name -> number of labels."""
    return dict(zip(classes, np.bincount(labels, minlength=len(classes)).tolist(), strict=True))


def places_in(labels: np.ndarray) -> torch.Tensor:
    """Of each item of a whole source its place among those of its class, and how many these are: int64 (N, 2)."""
    counts = np.bincount(labels, minlength=1)
    order = np.argsort(labels, kind="stable")
    places = np.empty(len(labels), dtype=np.int64)
    places[order] = np.arange(len(labels)) - (np.cumsum(counts) - counts)[labels[order]]
    return torch.from_numpy(np.stack([places, counts[labels]], 1))


def limit_order(labels: np.ndarray, classes: Sequence[str], limit: int, seed: int) -> list[np.ndarray]:
    """For each class its rows, int64, in the order in which a limit takes them: keyed by the name of the class, so that
    files, arrays and images in memory are chosen alike. Raises OptionError for a limit that leaves none."""
    if limit < 1:
        raise OptionError(f"A limit of {limit} items a class leaves none.", "Give 2 or more.")
    members = [np.flatnonzero(labels == label) for label in range(len(classes))]
    return [own[permutation(len(own), seed, "limit", alike(name))] for own, name in zip(members, classes, strict=True)]
