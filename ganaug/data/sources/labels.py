"""Where the labels of a data set are, without decoding its images.

`labels_of` looks, in this order, at: an explicit `targets=`, the table of torchvision's classification data sets,
timm's readers, the attributes `.targets` and `.labels` of other people's classes, and last it reads every item.
Attributes are not believed where a `target_transform`, a joint `transforms` or a subclass's own `__getitem__` may
change labels.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from torch.utils.data import ConcatDataset, Subset, TensorDataset

from ganaug.data.sources.convert import as_numpy
from ganaug.data.sources.torchvision_labels import changes_torchvision, table_entry
from ganaug.data.sources.unwrap import inside, standard_transforms, without_transforms
from ganaug.errors import DataError, LabelMismatchError
from ganaug.reporting import Report, silent


@dataclass(frozen=True)
class Labels:
    """`targets`: int64 (N,), the label of each item as the data set gives it.

    classes: `classes[i]` is the name of label `i`; None where the data set has no names.
    """

    targets: np.ndarray
    classes: tuple[str, ...] | None


def labels_of(dataset: Any, targets: Any = None, *, report: Report = silent) -> Labels:
    """The labels of a map-style data set, in the order of its items.

    targets: labels given by the user, (N,) integers; they win over everything else. Raises DataError for items without
    a label (None, or negative) and for labels that are not integers, LabelMismatchError for a wrong count.
    """
    if targets is not None:
        found = Labels(_integers(targets, "targets"), class_names(dataset))
    else:
        found = _without_reading(dataset) or _by_reading(dataset, report)
    if len(found.targets) != len(dataset):
        cause = f"{len(found.targets)} labels for {len(dataset)} items."
        raise LabelMismatchError(cause, "Give one label for each item, in the same order.")
    negative = np.flatnonzero(found.targets < 0)
    if negative.size:
        fix = "Keep the labelled items only: torch.utils.data.Subset(dataset, indices)."
        raise DataError(f"{negative.size} items have a negative label (first: item {negative[0]}).", fix)
    return found


def class_names(dataset: Any) -> tuple[str, ...] | None:
    """`dataset.classes`, or the keys of `class_to_idx` in label order, as unique strings; None if there are none."""
    names, by_name = getattr(dataset, "classes", None), getattr(dataset, "class_to_idx", None)
    if isinstance(dataset, Subset) and names is None:
        return class_names(dataset.dataset)
    return _unique(names, dataset) if isinstance(names, (list, tuple, np.ndarray)) else _in_label_order(by_name)


def _without_reading(dataset: Any) -> Labels | None:
    entry = table_entry(dataset)
    if entry is not None:
        return _from_table(dataset, *entry(dataset)) if standard_transforms(dataset) else None
    if not standard_transforms(dataset) or getattr(dataset, "target_transform", None) is not None:
        return None
    if isinstance(dataset, Subset):
        inner = _without_reading(dataset.dataset)
        return inner and Labels(inner.targets[np.asarray(dataset.indices, dtype=np.int64)], inner.classes)
    if isinstance(dataset, ConcatDataset):
        return _concatenated([labels_of(part) for part in dataset.datasets])
    if type(dataset) is TensorDataset:
        if len(dataset.tensors) < 2:
            raise DataError("The TensorDataset holds no labels.", "Use TensorDataset(images, labels).")
        return Labels(_integers(dataset.tensors[1], "the labels"), None)
    if type(dataset).__module__ == "timm.data.dataset":
        return _from_timm(dataset.reader)
    return None if changes_torchvision(dataset) else _from_attributes(dataset)


def _from_table(dataset: Any, values: Any, names: Any) -> Labels:
    labels = _integers(values, "the labels")
    if dataset.target_transform is None:
        return Labels(labels, _unique(names, dataset))
    change = {label: dataset.target_transform(label) for label in np.unique(labels).tolist()}
    return Labels(_integers([change[label] for label in labels.tolist()], "target_transform's results"), None)


def _from_timm(reader: Any) -> Labels | None:
    by_name = getattr(reader, "class_to_idx", None) or getattr(reader, "class_name_to_idx", None)
    if hasattr(reader, "iter_targets"):
        values: Any = list(reader.iter_targets())
    elif hasattr(reader, "targets"):
        values = reader.targets
    elif hasattr(reader, "samples"):
        values = [label for _, label in reader.samples]
    else:
        return None
    return Labels(_integers(values, "the labels"), _in_label_order(by_name))


def _from_attributes(dataset: Any) -> Labels | None:
    for attribute in ("targets", "labels"):
        values = as_numpy(getattr(dataset, attribute, None))
        if values is not None and values.shape in ((len(dataset),), (len(dataset), 1)) and values.dtype.kind in "iub":
            return Labels(_integers(values, attribute), class_names(dataset))
    return None


def _by_reading(dataset: Any, report: Report) -> Labels:
    plain = without_transforms(dataset) if standard_transforms(dataset) else dataset
    total = len(dataset)
    values = np.empty(total, dtype=np.int64)
    for index in range(total):
        item = plain[index]
        if not isinstance(item, (tuple, list)) or len(item) < 2:
            cause = f"Item {index} is {type(item).__name__}, not (image, label)."
            raise DataError(cause, "Items must be (image, int).")
        values[index] = _integers([item[1]], f"the label of item {index}")[0]
        if index % 256 == 0:
            report("reading labels", index, total, "")
    report("reading labels", total, total, "")
    renamed = getattr(dataset, "target_transform", None) is not None or not standard_transforms(dataset)
    names = None if renamed else class_names(dataset) or _names_from_inside(dataset, values)
    return Labels(values, names if names is not None and values.max(initial=0) < len(names) else None)


def _names_from_inside(dataset: Any, values: np.ndarray) -> tuple[str, ...] | None:
    """Class names of the one data set that `dataset` wraps, if its labels are these."""
    parts = inside(dataset)
    found = _without_reading(parts[0]) if len(parts) == 1 else None
    return found.classes if found is not None and np.array_equal(found.targets, values) else None


def _concatenated(parts: Sequence[Labels]) -> Labels:
    names = parts[0].classes
    if any(part.classes != names for part in parts):
        cause = "The concatenated data sets have different classes, or the same in another order."
        fix = "Read them by ganaug.open_source(dataset, targets=[...], classes=[...]), for the whole set."
        raise LabelMismatchError(cause, fix)
    return Labels(np.concatenate([part.targets for part in parts]), names)


def _in_label_order(by_name: Any) -> tuple[str, ...] | None:
    if not isinstance(by_name, dict) or sorted(by_name.values()) != list(range(len(by_name))):
        return None
    return tuple(str(name) for name, _ in sorted(by_name.items(), key=lambda pair: pair[1]))


def _unique(names: Any, dataset: Any) -> tuple[str, ...] | None:
    """Names as unique strings: synonyms joined, and namesakes (ImageNet has two cranes) told apart by their id."""
    if names is None:
        return None
    texts = [", ".join(map(str, name)) if isinstance(name, (tuple, list)) else str(name) for name in names]
    ids = getattr(dataset, "wnids", None) or range(len(texts))
    times = Counter(texts)
    return tuple(f"{text} ({ids[i]})" if times[text] > 1 else text for i, text in enumerate(texts))


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
        raise DataError(f"{start}: {found} instead of integers.", fix)
    return array.astype(np.int64)
