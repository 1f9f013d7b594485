"""The form in which items carry their class (a number, a one-hot vector, a name), so that synthetic ones take it on.

A form is tried on real items of the classes, and holds only if it gives their labels to the last bit. What is no
function of the class, such as a soft label or a box, has no form, and is refused.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from ganaug.data.labels.carried import class_number
from ganaug.errors import GanaugError, IncompatibleLoaderError, LabelMismatchError
from ganaug.mixing.labels import NamedLabels

_AFTER = (
    "Mix into a data set whose labels are numbers of classes, and make these labels of them afterwards, in a data set "
    "around the mixed one or in collate_fn."
)


@dataclass(frozen=True)
class Seen:
    """A real item's class, and its label: before `target_transform`, and as it is served. changed: whether
    `target_transform` was called. where: the item, in words."""

    kind: int
    before: Any
    served: Any
    changed: bool
    where: str


@dataclass(frozen=True)
class Form:
    """example: a label of a real item, before `target_transform` if `changed`. encode: (example, number of a class, its
    name) -> label. numbers, names: of each class."""

    example: Any
    encode: Callable[[Any, int, str], Any]
    numbers: tuple[int | None, ...]
    names: tuple[str, ...]
    changed: bool

    def label(self, kind: int, change: Any) -> Any:
        """The label that an item of this class is served with. change: the `target_transform` of the data set."""
        number = self.numbers[kind]
        if number is None:
            raise ValueError(f"nothing is known of the class {self.names[kind]!r} before target_transform")
        label = self.encode(self.example, number, self.names[kind])
        return change(label) if self.changed and change is not None else label


def form_of(seen: Sequence[Seen], kinds: Sequence[int], known: NamedLabels, change: Any) -> Form:
    """The form of the labels of these real items, in which labels of the classes `kinds` are made.

    change: the `target_transform` of the data set. Raises IncompatibleLoaderError where there is no form,
    LabelMismatchError where an item carries the label of another class."""
    forms = []
    if all(item.changed and _comes_of(item, change) for item in seen):
        forms = [Form(seen[0].before, encode, known.before, known.names, True) for encode in ENCODINGS]
    forms += [Form(seen[0].served, encode, known.numbers, known.names, False) for encode in ENCODINGS]
    for form in forms:
        made = {kind: _made(form, kind) for kind in {*kinds, *(item.kind for item in seen)}}
        right = (same_label(made[item.kind], item.before if form.changed else item.served) for item in seen)
        if all(right) and not any(label is None for label in made.values()):
            return form
    raise _refusal(seen, known.numbers, known.names)


def _made(form: Form, kind: int) -> Any:
    try:
        return form.label(kind, None)
    except (TypeError, ValueError, OverflowError, RuntimeError, IndexError):
        return None


def _comes_of(item: Seen, change: Any) -> bool:
    """Whether `target_transform` makes of the label what is served; one that draws at random is believed."""
    if change is None:
        return same_label(item.before, item.served)
    made = change(item.before)
    return same_label(made, item.served) or not same_label(made, change(item.before))


def same_label(one: Any, other: Any) -> bool:
    """Whether two labels are the same in type, dtype, shape and value."""
    if type(one) is not type(other):
        return False
    if isinstance(one, torch.Tensor):
        return one.dtype == other.dtype and one.shape == other.shape and torch.equal(one, other)
    if isinstance(one, np.ndarray):
        return one.dtype == other.dtype and one.shape == other.shape and bool(np.array_equal(one, other))
    if isinstance(one, (list, tuple)):
        return len(one) == len(other) and all(map(same_label, one, other))
    try:
        return bool(one == other)
    except (TypeError, ValueError, RuntimeError):
        return False


def _scalar(example: Any, number: int, name: str) -> Any:
    """The number, in the type of the example; also in a list, tuple, array or tensor of one."""
    if isinstance(example, torch.Tensor):
        return _exact(torch.full_like(example, number), number) if example.numel() == 1 else None
    if isinstance(example, np.ndarray):
        whole = example.size == 1 and example.dtype.kind in "iubf"
        return _exact(np.full_like(example, number), number) if whole else None
    if isinstance(example, (list, tuple)):
        return _like(example, [_scalar(example[0], number, name)]) if len(example) == 1 else None
    plain = isinstance(example, (int, float, np.number, np.bool_))
    return _exact(type(example)(number), number) if plain else None


def _like(example: Any, parts: list[Any]) -> Any:
    return parts if type(example) is list else tuple(parts) if type(example) is tuple else None


def _exact(label: Any, number: int) -> Any:
    """The label, unless its type has no room for the number."""
    return label if label == number else None


def _one_hot(example: Any, number: int, name: str) -> Any:
    """1 in the place of the number, 0 elsewhere, in a vector of the type of the example."""
    if isinstance(example, (torch.Tensor, np.ndarray)):
        if example.ndim != 1 or len(example) < 2:
            return None
        label: Any = torch.zeros_like(example) if isinstance(example, torch.Tensor) else np.zeros_like(example)
        label[number] = 1
        return label
    if isinstance(example, (list, tuple)):
        each = [_scalar(value, int(place == number), name) for place, value in enumerate(example)]
        return _like(example, each) if 1 < len(each) > number else None
    return None


def _text(example: Any, number: int, name: str) -> Any:
    """The name of the class."""
    if isinstance(example, bytes):
        return type(example)(name.encode())
    if isinstance(example, np.ndarray) and example.size == 1 and example.dtype.kind in "US":
        return np.full(example.shape, name.encode() if example.dtype.kind == "S" else name)
    return type(example)(name) if isinstance(example, str) else None


def _composed(example: Any, number: int, name: str) -> Any:
    return _text(example, number, unicodedata.normalize("NFC", name))


def _decomposed(example: Any, number: int, name: str) -> Any:
    return _text(example, number, unicodedata.normalize("NFD", name))


ENCODINGS: tuple[Callable[[Any, int, str], Any], ...] = (_scalar, _one_hot, _text, _composed, _decomposed)


def _refusal(seen: Sequence[Seen], numbers: Sequence[int], names: Sequence[str]) -> GanaugError:
    for item in seen:
        number, right = class_number(item.served), numbers[item.kind]
        if number is not None and number != right:
            return LabelMismatchError(
                f"{item.where} carries the label {_short(item.served)}, but its class is the label {right}.",
                "Give targets=, the label that each item carries, and classes=, their names.",
            )
    item = seen[0]
    if isinstance(item.served, (str, bytes)):
        return LabelMismatchError(
            f"{item.where}, of the class with the label {numbers[item.kind]}, carries the text {_short(item.served)}, "
            f"and the class is called {names[item.kind]!r}.",
            "Give classes=[...], where classes[i] names the label i, in the words of the items.",
        )
    what = f"{type(item.served).__name__} {_short(item.served)}"
    return IncompatibleLoaderError(
        f"Labels of the items are neither a number, a one-hot vector nor the name of their class: {item.where}, of the "
        f"class with the label {numbers[item.kind]}, carries {what}.",
        _AFTER,
    )


def _short(label: Any) -> str:
    text = " ".join(repr(label).split())
    return text if len(text) <= 80 else f"{text[:77]}..."
