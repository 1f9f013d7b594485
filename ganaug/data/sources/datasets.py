"""Any map-style data set as a source: torch Datasets, subsets of subsets, torchvision, timm, lists of pairs."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from PIL import Image
from torch.utils.data import IterableDataset, TensorDataset

from ganaug.data.labels.classes import named_labels
from ganaug.data.labels.finding import labels_of
from ganaug.data.labels.unwrap import innermost, standard_transforms, without_transforms
from ganaug.data.pictures.convert import as_numpy, to_picture
from ganaug.data.pictures.depth import Range
from ganaug.data.sources.arrays import ArraySource, from_arrays, item_names
from ganaug.data.sources.dicts import as_pairs, part_of
from ganaug.data.sources.kinds import Asked, in_short, is_text, no_data_set, source
from ganaug.errors import DataError, LabelMismatchError, UnreadableImageError
from ganaug.reporting import Report, silent


@dataclass(frozen=True, eq=False)
class DatasetSource:
    """Items of a data set as stored, without its transforms.

    dataset: the view that is read. expected: the label that each item must carry, or None where the user gave them or a
    joint transform of image and label makes them. span: the declared range of values of more than 8 bits.
    """

    dataset: Any
    labels: np.ndarray
    classes: tuple[str, ...]
    names: Sequence[str]
    expected: np.ndarray | None
    groups: tuple[str, ...] | None = None
    ignored: Mapping[str, Sequence[str]] = field(default_factory=dict)
    span: Range | None = None
    array: None = None

    __repr__ = in_short

    def __len__(self) -> int:
        return len(self.labels)

    def read(self, index: int) -> Image.Image:
        """One item as PIL, mode "L" or "RGB".

        Raises UnreadableImageError for a damaged file, LabelMismatchError where the item carries another label than
        `labels_of` found, DataError where it is no image.
        """
        name = self.names[index]
        try:
            item = self.dataset[index]
            if isinstance(item, (tuple, list)) and item and isinstance(item[0], Image.Image):
                _load(item[0])
        except (OSError, SyntaxError, Image.DecompressionBombError) as error:
            reason = " ".join(str(error).split()) or type(error).__name__
            raise UnreadableImageError(reason, "Repair or remove it.") from error
        except DataError:
            raise
        except Exception as error:  # somebody else's __getitem__; say which item, keep the original as the cause
            cause = f"Reading {name} of {type(self.dataset).__name__} failed: {type(error).__name__}: {error}."
            raise DataError(cause, "Every dataset[i] must give (image, int).") from error
        if not isinstance(item, (tuple, list)) or len(item) < 2:
            raise DataError(f"{name} is {type(item).__name__}, not (image, label).", "Items must be (image, int).")
        if self.expected is not None and not _same_label(item[1], self.expected[index]):
            cause = f"{name} carries the label {item[1]!r}, but the list of labels says {self.expected[index]}."
            fix = "Read it by ganaug.open_source(dataset, targets=[...]), with the labels that are right."
            raise LabelMismatchError(cause, fix)
        return to_picture(item[0], name, self.span)


def _load(image: Image.Image) -> None:
    """Read an image that was opened only; its file is closed."""
    with contextlib.ExitStack() as stack:
        stack.callback(image.close)
        image.load()
        stack.pop_all()  # it closes the file itself, and stays


IN_MEMORY = ("targets", "classes", "as_served")  # what is read of `Reading`


def _is_x_and_y(data: Any) -> bool:
    """(X, y), rather than ((image, label), (image, label)), which are two items."""
    if not isinstance(data, tuple) or len(data) != 2:
        return False
    return not all(isinstance(item, tuple) and len(item) == 2 for item in data)


@source("(X, y)", takes=_is_x_and_y, typed=False, reads=IN_MEMORY)
def arrays(asked: Asked) -> ArraySource | DatasetSource:
    (x, y), how = asked.data, asked.reading
    pictures = isinstance(x, (list, tuple)) and any(isinstance(item, Image.Image) for item in x)
    if pictures or (isinstance(x, (list, tuple)) and as_numpy(x) is None):  # or arrays of different sizes
        if how.targets is None and len(x) != len(y):
            raise LabelMismatchError(f"{len(x)} images but {len(y)} labels.", "Give one label for each image.")
        items = list(zip(x, y if how.targets is None else [0] * len(x), strict=True))
        return from_dataset(items, targets=how.targets, classes=how.classes, span=how.range)
    return from_arrays(x, y if how.targets is None else how.targets, classes=how.classes, span=how.range)


def _is_items(data: Any) -> bool:
    return not is_text(data) and not _is_x_and_y(data)


def _has_test_part(data: Any) -> bool:
    return isinstance(data, Mapping) and "test" in data


@source(
    "a map-style Dataset of (image, int) or of dicts",
    takes=_is_items,
    typed=False,
    parts=_has_test_part,
    reads=(*IN_MEMORY, "image", "target"),
)
def dataset(asked: Asked) -> ArraySource | DatasetSource:
    how = asked.reading
    data = part_of(asked.data, how.split) if isinstance(asked.data, Mapping) else asked.data
    require_map_style(data)
    pairs = as_pairs(data, how.image, how.target, labelled=how.targets is not None)
    return from_dataset(pairs, targets=how.targets, classes=how.classes, span=how.range, report=asked.report)


def from_dataset(
    dataset: Any,
    *,
    targets: Any = None,
    classes: Sequence[str] | None = None,
    span: Range | None = None,
    report: Report = silent,
) -> ArraySource | DatasetSource:
    """A map-style data set whose items are (PIL | array | tensor, int) -> source.

    targets, classes: the user's labels and class names, in place of those that are found. Classes without items (of a
    Subset) are left out unless `classes` is given. span: the declared range of values of more than 8 bits. Raises
    DataError for iterable data sets and DataLoaders.
    """
    require_map_style(dataset)
    base, index_map = innermost(dataset)
    if getattr(base, "any_synthetic", False):
        cause = "The data set is mixed with synthetic images, and real ones are asked for."
        raise DataError(cause, "Give the data set that was mixed: mixed.dataset.")
    found = labels_of(dataset, targets, classes=classes, report=report)
    labels, named, dropped = named_labels(found.targets, found.names, drop_empty=classes is None)
    ignored = {"class without items": dropped} if dropped else {}
    if type(base) is TensorDataset and targets is None:
        return replace(from_arrays(base.tensors[0][index_map], labels, classes=named, span=span), ignored=ignored)
    return DatasetSource(
        dataset=without_transforms(dataset, span),
        labels=labels,
        classes=named,
        names=_item_names(base, index_map, whole=base is dataset),
        expected=found.targets if targets is None and standard_transforms(base) and not found.encoded else None,
        ignored=ignored,
        span=span,
    )


def require_map_style(dataset: Any) -> None:
    """Raises DataError for what has no items by index, and for what has none at all."""
    kind = type(dataset).__name__
    if other := no_data_set(dataset):
        raise DataError(*other)
    if isinstance(dataset, IterableDataset):
        streamed = hasattr(dataset, "features")
        fix = "Load it without streaming=True." if streamed else "Give a map-style Dataset."
        raise DataError(f"{kind} is an IterableDataset: it has no items by index.", fix)
    if hasattr(dataset, "dataset") and hasattr(dataset, "batch_size"):
        raise DataError(f"{kind} is a loader, not a data set.", "Give loader.dataset.")
    if not (hasattr(dataset, "__getitem__") and hasattr(dataset, "__len__")) or isinstance(dataset, Mapping):
        fix = "Give a folder, an .npz file, (X, y), or a map-style Dataset of (image, int)."
        raise DataError(f"{kind} is not a source of labelled images.", fix)
    if not len(dataset):
        raise DataError(f"{kind} has no items.", "Give at least two classes with 2 images each.")


def _item_names(base: Any, index_map: np.ndarray, whole: bool) -> Sequence[str]:
    """File paths relative to the root where the data set has them (an ImageFolder), else "item i"."""
    samples = getattr(base, "samples", None)
    if not isinstance(samples, list) or len(samples) != len(base) or not all(map(_is_pair, samples)):
        return item_names(len(index_map))
    root = os.fspath(getattr(base, "root", None) or "/")
    chosen = samples if whole else [samples[index] for index in index_map]
    return [os.path.relpath(path, root) for path, _ in chosen]


def _is_pair(sample: Any) -> bool:
    return isinstance(sample, tuple) and len(sample) == 2 and isinstance(sample[0], str)


def _same_label(given: Any, expected: np.int64) -> bool:
    try:
        return int(given) == expected
    except (TypeError, ValueError):
        return False
