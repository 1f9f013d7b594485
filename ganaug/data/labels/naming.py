"""Which name each label has. A data set says so in up to three places, which may contradict each other: its list
`.classes`, its table `.class_to_idx`, and the folders in which its items lie.

The folders decide, where they have these names; else `.class_to_idx`, if it gives every name a number of its own. What
is left is refused: whoever guesses serves pictures of one class under the name of another.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

import numpy as np

from ganaug.data.labels.classes import alike
from ganaug.errors import LabelMismatchError

Names = dict[int, str]  # label -> name
_UNSAID = object()


@dataclass(frozen=True)
class _Said:
    """What one place says. names: label -> name. words: label -> all its names, in the form for comparison."""

    where: str
    names: Names
    words: Mapping[int, frozenset[str]]

    def place(self, word: str) -> int | None:
        return next((label for label, words in self.words.items() if word in words), None)


def names_of(dataset: Any, values: np.ndarray | None = None, listed: Any = _UNSAID) -> Names | None:
    """The name of each label of a data set, also of labels that no item has; None where it has no names.

    values: the label of each item, by which folders are looked at. listed: stands for `.classes`, if the names of these
    labels are kept elsewhere. Raises LabelMismatchError for a contradiction that cannot be resolved.
    """
    elsewhere = listed is not _UNSAID and listed is not getattr(dataset, "classes", None)
    by_list = _from_list(listed if elsewhere else getattr(dataset, "classes", None), dataset)
    table = None if elsewhere else getattr(dataset, "class_to_idx", getattr(dataset, "class_name_to_idx", None))
    by_table = _from_table(table)
    said = [one for one in (by_table, by_list) if one is not None]
    if not said:
        return None
    folders = _folders(dataset, values)
    if len(said) == 2 and not _conflict(*said):
        said = [_both(*said)]
    candidates = [one for one in said if one is not by_table or _one_to_one(one)] if len(said) == 2 else said
    fitting = [one for one in (*candidates, *said) if _fits(one, folders)]
    if fitting:
        return fitting[0].names
    open_to = [one for one in candidates if not _contradicts(one, folders)]
    used = set() if values is None else set(np.unique(values).tolist())
    if len(said) == 1 and open_to:
        return said[0].names
    if len(said) == 2 and not _shared(*said) and by_list in open_to:
        return by_list.names  # two vocabularies, say names in words and in codes: nothing can be swapped
    if len(said) == 2 and open_to and open_to[0] is by_table and used <= open_to[0].names.keys():
        return open_to[0].names
    raise _contradiction(said, folders)


def _from_list(names: Any, dataset: Any) -> _Said | None:
    """`.classes`: a sequence of names, or a table from label to name; synonyms are joined, and namesakes (ImageNet has
    two cranes) told apart by their id."""
    if isinstance(names, Mapping):
        numbers = [_number(label) for label in names]
        items = list(names.values())
        if any(number is None for number in numbers):
            return _from_table(names)
    elif isinstance(names, np.ndarray) or (isinstance(names, Sequence) and not isinstance(names, (str, bytes))):
        items = list(names)
        numbers = list(range(len(items)))
    else:
        return None
    each = [[_text(word) for word in item] if isinstance(item, (tuple, list)) else [_text(item)] for item in items]
    texts = [", ".join(words) for words in each]
    ids = getattr(dataset, "wnids", None) or numbers
    times = Counter(texts)
    named = [f"{text} ({ids[i]})" if times[text] > 1 else text for i, text in enumerate(texts)]
    labels = [number for number in numbers if number is not None]
    return _said(".classes", dict(zip(labels, named, strict=True)), dict(zip(labels, each, strict=True)))


def _from_table(table: Any) -> _Said | None:
    """`.class_to_idx`: names of one label are synonyms."""
    if not isinstance(table, Mapping) or not table:
        return None
    words: dict[int, list[str]] = {}
    for name, label in table.items():
        number = _number(label)
        if number is None:
            return None
        words.setdefault(number, []).append(_text(name))
    return _said(".class_to_idx", {label: ", ".join(same) for label, same in sorted(words.items())}, words)


def _said(where: str, names: Names, words: Mapping[int, Iterable[str]]) -> _Said:
    return _Said(where, names, {label: frozenset(map(alike, same)) for label, same in words.items()})


def _one_to_one(table: _Said) -> bool:
    return all(len(words) == 1 for words in table.words.values())


def _conflict(table: _Said, listed: _Said) -> bool:
    """Whether a name of the table has another label in the list, or its label another name there."""
    for label, words in table.words.items():
        theirs = listed.words.get(label)
        if theirs is not None and not words <= theirs:
            return True
        if theirs is None and any(listed.place(word) is not None for word in words):
            return True
    return False


def _both(table: _Said, listed: _Said) -> _Said:
    return _Said(listed.where, table.names | listed.names, {**table.words, **listed.words})


def _shared(one: _Said, other: _Said) -> bool:
    return bool(frozenset().union(*one.words.values()) & frozenset().union(*other.words.values()))


_Folders = Mapping[int, frozenset[frozenset[str]]]  # label -> of each folder that holds items of it, its names


def _folders(dataset: Any, values: np.ndarray | None) -> _Folders:
    """Without names that stand over every label."""
    samples = next((s for s in (getattr(dataset, n, None) for n in ("samples", "imgs")) if isinstance(s, list)), None)
    if samples is None or values is None or len(samples) != len(values):
        return {}
    root = os.fspath(getattr(dataset, "root", None) or "")
    seen: dict[int, set[str]] = {}
    for sample, label in zip(samples, values.tolist(), strict=True):
        path = sample[0] if isinstance(sample, (tuple, list)) and sample else sample
        if not isinstance(path, (str, os.PathLike)):
            return {}
        seen.setdefault(label, set()).add(os.path.dirname(os.fspath(path)))
    found = {label: [_parts(where, root) for where in wheres] for label, wheres in seen.items()}
    every = [parts for wheres in found.values() for parts in wheres]
    common = frozenset.intersection(*every) if len(found) > 1 else frozenset()
    return {label: frozenset(parts - common for parts in wheres) for label, wheres in found.items()}


def _parts(folder: str, root: str) -> frozenset[str]:
    below = os.path.relpath(folder, root) if root and os.path.isabs(root) == os.path.isabs(folder) else folder
    parts = [part for part in PurePath(below).parts if part not in (".", "..", os.sep)]
    return frozenset(alike(name) for name in (*parts, "_".join(parts), "/".join(parts)))


def _fits(said: _Said, folders: _Folders) -> bool:
    """Whether all items lie in folders of their names, as far as those of a label have a name in common."""
    told = {label: wheres for label, wheres in folders.items() if frozenset.intersection(*wheres)}
    fit = all(names & said.words.get(label, frozenset()) for label, wheres in told.items() for names in wheres)
    return bool(told) and fit and not _contradicts(said, folders)


def _contradicts(said: _Said, folders: _Folders) -> bool:
    """Whether items of some label lie in the folder of another one."""
    every = frozenset().union(*said.words.values())
    return any(
        names & every and not names & said.words.get(label, frozenset())
        for label, wheres in folders.items()
        for names in wheres
    )


def _contradiction(said: Sequence[_Said], folders: _Folders) -> LabelMismatchError:
    labels = sorted({label for one in said for label in one.names} | folders.keys())
    for label in labels:
        told = {one.where: one.names[label] for one in said if label in one.names}
        words = [one.words[label] for one in said if label in one.words]
        where = sorted({min(names) for names in folders.get(label, ()) if names})
        if len(words) > 1 and not frozenset.intersection(*words):
            break
        if where and words and not any(some & names for some in words for names in folders[label]):
            break
    parts = [f"{place} calls the label {label} {name!r}" for place, name in told.items()]
    lie = f"its items lie in the folder{'s' * (len(where) > 1)} {' and '.join(map(repr, where[:2]))}"
    parts += [lie] if where else []
    return LabelMismatchError(
        f"The data set contradicts itself about its classes: {', '.join(parts)}.",
        "Give classes=[...], where classes[i] names the label i, or correct .class_to_idx.",
    )


def _number(label: Any) -> int | None:
    try:
        value = label.item() if hasattr(label, "item") else label
    except (ValueError, RuntimeError):  # several numbers
        return None
    return int(value) if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def _text(name: Any) -> str:
    return name.decode("utf-8", "surrogateescape") if isinstance(name, bytes) else str(name)
