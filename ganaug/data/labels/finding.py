"""Where the labels of a data set are, and what they are called, without decoding its images.

`labels_of` looks, in this order, at: an explicit `targets=`, the table of torchvision's classification data sets,
timm's readers, the attributes `.targets` and `.labels` of other people's classes, and last it reads every item.
Attributes are not believed where a joint `transforms` or a subclass's own `__getitem__` may change labels, and a
`target_transform` of other people's classes is tried on an item of each label.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from torch.utils.data import ConcatDataset, Subset, TensorDataset

from ganaug.data.labels.carried import Labels, class_number, concatenated, encoded, following, renumbered
from ganaug.data.labels.classes import Classes, alike, numbered
from ganaug.data.labels.naming import Names, names_of
from ganaug.data.labels.torchvision_labels import changes_torchvision, stored_entry, table_entry
from ganaug.data.labels.unwrap import innermost, inside, standard_transforms, watched, without_transforms
from ganaug.data.pictures.convert import as_numpy
from ganaug.errors import DataError, LabelMismatchError
from ganaug.reporting import Report, silent


def labels_of(dataset: Any, targets: Any = None, *, classes: Classes | None = None, report: Report = silent) -> Labels:
    """The labels of a map-style data set, in the order of its items.

    targets: labels given by the user, (N,) integers; they win over everything else. classes: `classes[i]` names label
    i, or name -> label, in place of the names that the data set has. Raises DataError for items without a label (None,
    or negative) and for labels that are not integers, LabelMismatchError for a wrong count, and for names that
    contradict each other.
    """
    if targets is None:
        try:
            found = _found(dataset, True, report)
        except LabelMismatchError:  # it contradicts itself about its names
            if classes is None:
                raise
            found = _found(dataset, False, report)
        count = len(found.targets)
    else:
        found = Labels(_integers(targets, "targets"), None)
        count = len(found.targets)
        if classes is None and count == len(dataset):
            found = replace(found, names=_names_of_given(dataset, found.targets))
    if count != len(dataset):
        cause = f"{count} labels for {len(dataset)} items."
        raise LabelMismatchError(cause, "Give one label for each item, in the same order.")
    negative = np.flatnonzero(found.targets < 0)
    if negative.size:
        fix = "Keep the labelled items only: torch.utils.data.Subset(dataset, indices)."
        raise DataError(f"{negative.size} items have a negative label (first: item {negative[0]}).", fix)
    if classes is None:
        return found
    names = numbered(classes)
    if targets is None and found.names:
        _require_agreement(found.names, names)
    return replace(found, names=names)


def _require_agreement(own: Names, given: Names) -> None:
    """Other words for the classes are welcome; the same words in another order would swap them."""
    label_of = {alike(name): label for label, name in own.items()}
    for label, name in given.items():
        other = label_of.get(alike(name), label)
        if other != label:
            theirs = f", and {label} {own[label]!r}" if label in own else ""
            raise LabelMismatchError(
                f"classes= calls the label {label} {name!r}; the data set calls {other} so{theirs}.",
                "Leave out classes=, or, if the data set is wrong, give the labels, too: targets=.",
            )


def _found(dataset: Any, named: bool, report: Report) -> Labels:
    """named: whether its names are asked for, so that it may not contradict itself."""
    base, at = innermost(dataset)
    if isinstance(base, ConcatDataset) and type(base).__getitem__ is ConcatDataset.__getitem__:
        return concatenated([_found(part, named, report) for part in base.datasets], named).at(at)
    stored = _stored(base, named)
    if stored is not None and len(stored.targets) != len(base) and table_entry(base) is None:
        stored = None
    here = None if stored is None else stored.at(at)
    found = None if here is None else _carried(base, at, here)
    found = _by_reading(base, at, here, named, report) if found is None else found
    return _with_own_names(dataset, found) if named and base is not dataset else found


def _stored(base: Any, named: bool) -> Labels | None:
    """What a data set keeps as its labels, whatever `target_transform` and a subclass make of them."""
    if changes_torchvision(base):
        try:
            return _from_table(base, named)
        except Exception:  # a subclass need not have what its base has
            return None
    if table_entry(base) is not None:
        return _from_table(base, named)
    if type(base) is TensorDataset:
        if len(base.tensors) < 2:
            raise DataError("The TensorDataset holds no labels.", "Use TensorDataset(images, labels).")
        labels = _integers(base.tensors[1], "the labels")
        return Labels(labels, names_of(base, labels) if named else None)
    if type(base).__module__ == "timm.data.dataset":
        return _from_timm(base.reader, named)
    return _from_attributes(base, named)


def _from_table(base: Any, named: bool) -> Labels:
    entry = stored_entry(base)
    assert entry is not None
    values, names = entry(base)
    labels = _integers(values, "the labels")
    return Labels(labels, names_of(base, labels, names) if named else None)


def _from_timm(reader: Any, named: bool) -> Labels | None:
    if hasattr(reader, "iter_targets"):
        values: Any = list(reader.iter_targets())
    elif hasattr(reader, "targets"):
        values = reader.targets
    elif hasattr(reader, "samples"):
        values = [label for _, label in reader.samples]
    else:
        return None
    labels = _integers(values, "the labels")
    return Labels(labels, names_of(reader, labels) if named else None)


def _from_attributes(base: Any, named: bool) -> Labels | None:
    for attribute in ("targets", "labels"):
        values = as_numpy(getattr(base, attribute, None))
        if values is not None and values.shape in ((len(base),), (len(base), 1)) and values.dtype.kind in "iub":
            labels = _integers(values, attribute)
            return Labels(labels, names_of(base, labels) if named else None)
    return None


def _carried(base: Any, at: np.ndarray, stored: Labels) -> Labels | None:
    """The labels that the items `at` carry, for which those are stored, if it can be known without reading them all."""
    if not standard_transforms(base) or changes_torchvision(base):
        return None
    change = getattr(base, "target_transform", None)
    if change is None:
        return stored
    distinct, first = np.unique(stored.targets, return_index=True)
    results = {}
    if table_entry(base) is not None or type(base).__module__ == "timm.data.dataset":
        results = {label: change(label) for label in distinct.tolist()}
    else:
        view, watch = watched(_plain(base, at))
        for label, index in zip(distinct.tolist(), at[first].tolist(), strict=True):
            item = view[index]
            told = watch is not None and isinstance(item, (tuple, list)) and len(item) > 1 and watch.given
            if not told or class_number(told[0]) != label:
                return None
            results[label] = item[1]
    numbers = {label: class_number(result) for label, result in results.items()}
    if any(number is None for number in numbers.values()):
        return encoded(stored, results)
    return renumbered(stored, {label: number for label, number in numbers.items() if number is not None}, change)


def _by_reading(base: Any, at: np.ndarray, stored: Labels | None, named: bool, report: Report) -> Labels:
    joint = not standard_transforms(base)
    view, watch = watched(base if joint else _plain(base, at))
    total = len(at)
    values, before = np.empty(total, dtype=np.int64), np.full(total, -1, dtype=np.int64)
    for place, index in enumerate(at.tolist()):
        item = view[index]
        if not isinstance(item, (tuple, list)) or len(item) < 2:
            cause = f"Item {index} is {type(item).__name__}, not (image, label)."
            raise DataError(cause, "Items must be (image, int).")
        values[place] = _integers([item[1]], f"the label of item {index}")[0]
        given = None if watch is None or not watch.given else class_number(watch.given[0])
        before[place] = -1 if given is None else given
        if place % 256 == 0:
            report("reading labels", place, total, "")
    report("reading labels", total, total, "")
    if not named:
        return Labels(values, None)
    if stored is not None:
        return following(stored, values) or Labels(values, None)
    watches = bool(total) and int(before.min()) >= 0
    names = None if joint and not watches else _names_of_part(base, at, before if watches else values)
    if names is None:
        return _from_inside(base, at, values) or Labels(values, None)
    return following(Labels(before if watches else values, names), values) or Labels(values, None)


def _plain(base: Any, at: np.ndarray) -> Any:
    """The data set without its transforms, of whose items only those are read."""
    return without_transforms(Subset(base, at.tolist())).dataset


def _names_of_part(base: Any, at: np.ndarray, values: np.ndarray) -> Names | None:
    return names_of(base, values if len(at) == len(base) else None)


def _from_inside(base: Any, at: np.ndarray, values: np.ndarray) -> Labels | None:
    """With the names of the one data set that `base` wraps, if its items are those, in the same order."""
    parts = inside(base)
    if len(parts) != 1:
        return None
    found = _without_reading(parts[0])
    if found is None:
        return None
    rows = np.asarray(base.indices, dtype=np.int64) if isinstance(base, Subset) else np.arange(len(base))
    if len(rows) != len(base) or (rows.max(initial=-1) >= len(found.targets)):
        return None
    if not isinstance(base, Subset) and len(found.targets) != len(base):
        return None
    return following(found.at(rows[at]), values)


def _without_reading(dataset: Any) -> Labels | None:
    base, at = innermost(dataset)
    stored = _stored(base, True)
    return None if stored is None or len(stored.targets) != len(base) else _carried(base, at, stored.at(at))


def _names_of_given(dataset: Any, targets: np.ndarray) -> Names | None:
    """Names for labels that the user gave: those of the data set, which go with its own labels if it has any."""
    base, at = innermost(dataset)
    try:
        stored = _stored(base, True)
    except LabelMismatchError:
        raise
    except DataError:  # it has other labels than one class, or none
        stored = None
    if stored is None or len(stored.targets) != len(base):
        found = Labels(targets, _names_of_part(base, at, targets))
    else:
        found = following(stored.at(at), targets) or Labels(targets, stored.names)
    return found.names if base is dataset else _with_own_names(dataset, found).names


def _with_own_names(dataset: Any, found: Labels) -> Labels:
    """The names that a Subset itself was given (`subset.classes = [...]`)."""
    own = names_of(dataset, None)
    if own is None or found.names is None:
        return found if own is None else replace(found, names=own)
    for label in np.unique(found.targets).tolist():
        here, inner = own.get(label), found.names.get(label)
        if here is None or inner is None or alike(here) != alike(inner):
            cause = f"The subset calls the label {label} {here!r}, the data set inside it {inner!r}."
            raise LabelMismatchError(cause, "Give classes=[...], where classes[i] names the label i.")
    return found


def _integers(values: Any, what: str) -> np.ndarray:
    """int64 (N,) from a list, array or tensor of integers; DataError for None, floats and other shapes."""
    start = what[:1].upper() + what[1:]
    if isinstance(values, (list, tuple)) and any(value is None for value in values):
        raise DataError(f"{start}: None instead of an integer (a split without labels?).", "Use a labelled split.")
    array = as_numpy(values)
    if array is not None and array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array is None or array.ndim != 1 or (array.size and array.dtype.kind not in "iub"):
        found = "not numbers" if array is None else f"{array.dtype} of shape {array.shape}"
        fix = "Labels must be integers, one for each item: give targets= where it can be given, or read the data by "
        fix += "ganaug.open_source(dataset, targets=[...], classes=[...]) and fit what it gives."
        if what == "targets":
            fix = "Give an integer 0, 1, ... for each item, and the name of each as classes=[...]. Of names: classes, "
            fix += "targets = numpy.unique(names, return_inverse=True); of one-hot labels: targets = labels.argmax(1)."
        raise DataError(f"{start}: {found} instead of integers.", fix)
    return array.astype(np.int64)
