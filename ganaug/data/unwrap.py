"""Below the wrappers: the data set inside subsets, and a view of it without its transforms."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
from torch.utils.data import Dataset, Subset


def innermost(dataset: Any) -> tuple[Any, np.ndarray]:
    """Unwrap `Subset` of `Subset` ...: the base data set, and for each item its index there, int64 (N,)."""
    index_map = np.arange(len(dataset), dtype=np.int64)
    while isinstance(dataset, Subset):
        index_map = np.asarray(dataset.indices, dtype=np.int64)[index_map]
        dataset = dataset.dataset
    return dataset, index_map


def without_transforms(dataset: Any) -> Any:
    """A view of `dataset` whose items are as stored: no crop, flip or normalisation reaches the generator.

    Copies are shallow (images are not duplicated) and the given object is not changed. `target_transform` is kept,
    since it decides what a label means. Data sets inside (Subset, ConcatDataset, wrappers) are treated the same way.
    Where an item cannot be had without the transform, an inert one takes its place; if that fails too, `dataset` is
    returned as it is.
    """
    for stand_in in (None, _unchanged):
        try:
            view = _stripped(dataset, stand_in)
            if len(view):
                view[0]
            return view
        except (OSError, SyntaxError):  # an unreadable first image says nothing about transforms
            return view
        except Exception:  # other people's __getitem__ may fail in any way without its transform
            continue
    return dataset


def has_transform(dataset: Any) -> bool:
    """Whether `dataset`, or a data set inside it, has a transform set."""
    own = any(getattr(dataset, name, None) is not None for name in ("transform", "transforms"))
    return own or any(has_transform(part) for part in _inside(dataset))


def _stripped(dataset: Any, stand_in: Any) -> Any:
    if not has_transform(dataset):
        return dataset
    view = copy.copy(dataset)
    for name in ("transform", "transforms"):
        if getattr(view, name, None) is not None:
            setattr(view, name, stand_in)
    for name, value in list(getattr(view, "__dict__", {}).items()):
        if isinstance(value, Dataset):
            setattr(view, name, _stripped(value, stand_in))
        elif isinstance(value, list) and value and all(isinstance(part, Dataset) for part in value):
            setattr(view, name, [_stripped(part, stand_in) for part in value])
    return view


def _inside(dataset: Any) -> list[Any]:
    values = list(getattr(dataset, "__dict__", {}).values())
    parts = [value for value in values if isinstance(value, Dataset)]
    for value in values:
        if isinstance(value, list) and value and isinstance(value[0], Dataset):
            parts += value
    return parts


def _unchanged(*args: Any, **named: Any) -> Any:
    """Stands in for `transform(image)`, `transforms(image, target)` and albumentations' `transform(image=image)`."""
    return named or (args[0] if len(args) == 1 else args)
