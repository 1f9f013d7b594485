"""Below the wrappers: the data set inside subsets, and a view of it without its transforms."""

from __future__ import annotations

import copy
import inspect
from typing import Any

import numpy as np
from torch.utils.data import Dataset, Subset

from ganaug.data.pictures.convert import to_pixels
from ganaug.data.pictures.depth import Range
from ganaug.errors import IncompatibleLoaderError, UnreadableImageError


def innermost(dataset: Any) -> tuple[Any, np.ndarray]:
    """Unwrap `Subset` of `Subset` ...: the base data set, and for each item its index there, int64 (N,).

    A subset with a `__getitem__` of its own, which may change items, is a base itself.
    """
    index_map = np.arange(len(dataset), dtype=np.int64)
    while isinstance(dataset, Subset) and type(dataset).__getitem__ is Subset.__getitem__:
        index_map = np.asarray(dataset.indices, dtype=np.int64)[index_map]
        dataset = dataset.dataset
    return dataset, index_map


def without_transforms(dataset: Any, span: Range | None = None) -> Any:
    """A view of `dataset` whose items are as stored: no crop, flip or normalisation reaches the generator.

    Copies are shallow (images are not duplicated) and the given object is not changed. `target_transform` is kept,
    since it decides what a label means. Data sets inside (Subset, ConcatDataset, wrappers) are treated the same way.
    Where the first item is no image without the transform, an inert one takes its place; if that fails too, `dataset`
    is returned as it is. span: the declared range of values of more than 8 bits.
    """
    for stand_in in (None, unchanged):
        try:
            view = _stripped(dataset, stand_in)
            if len(view):
                to_pixels(view[0][0], span=span)
            return view
        except (OSError, SyntaxError, UnreadableImageError):  # a damaged first image says nothing about transforms
            return view
        except Exception:  # other people's __getitem__ may fail in any way without its transform
            continue
    return dataset


def private(dataset: Any) -> Any:
    """A shallow copy whose attributes can be set: the data sets that it holds are copies as well, so that no property
    of a wrapper reaches the given ones. Images are not duplicated.

    Raises IncompatibleLoaderError for a data set that cannot be copied.
    """
    return _private(dataset, {})


def _private(dataset: Any, copies: dict[int, Any]) -> Any:
    if id(dataset) not in copies:
        try:
            view = copies[id(dataset)] = copy.copy(dataset)
        except Exception as error:  # other people's __reduce__ and __getattr__ may fail in any way
            raise IncompatibleLoaderError(
                f"{type(dataset).__name__} cannot be copied ({type(error).__name__}: {error}).",
                "Set its transforms before it is mixed.",
            ) from error
        own = getattr(view, "__dict__", {})
        for name, value in list(own.items()):
            if _is_data_set(value):
                own[name] = _private(value, copies)
            elif type(value) in (list, tuple) and value and all(map(_is_data_set, value)):
                own[name] = type(value)(_private(part, copies) for part in value)
            elif type(value) is dict and value and all(map(_is_data_set, value.values())):
                own[name] = {key: _private(part, copies) for key, part in value.items()}
            elif isinstance(value, (dict, list, set)) and type(value).__module__ in ("builtins", "collections"):
                own[name] = copy.copy(value)  # where items may be kept
    return copies[id(dataset)]


def _is_data_set(value: Any) -> bool:
    if isinstance(value, Dataset):
        return True
    return hasattr(type(value), "__getitem__") and hasattr(value, "transform") and not inspect.ismethod(value.transform)


def set_transform(view: Any, name: str, transform: Any) -> None:
    """Set `transform` or `target_transform` (the name) of a private data set, also where torchvision keeps a pair of
    both besides, and where a property sets them further in."""
    setattr(view, name, transform)
    _match_pairs(view, name, transform)


def _match_pairs(view: Any, name: str, transform: Any) -> None:
    for part in inside(view):
        _match_pairs(part, name, transform)
    pair = getattr(view, "transforms", None)
    if getattr(view, name, None) is not transform:
        return
    if _is_standard(pair):
        view.transforms = copy.copy(pair)
        setattr(view.transforms, name, transform)
    elif pair is None and any(kind.__name__ == "VisionDataset" for kind in type(view).__mro__):
        from torchvision.datasets.vision import StandardTransform

        view.transforms = StandardTransform(view.transform, view.target_transform)


class Watched:
    """Stands in for `target_transform`: does what it does, and keeps what it was given last."""

    def __init__(self, change: Any):
        self.change = change
        self.given: list[Any] = []

    def __call__(self, label: Any) -> Any:
        self.given = [label]
        return label if self.change is None else self.change(label)


def watched(dataset: Any) -> tuple[Any, Watched | None]:
    """A private view of a data set whose `target_transform` is watched, also one that is not set; None where there is
    no such attribute, or it cannot be set."""
    if not hasattr(dataset, "target_transform"):
        return dataset, None
    try:
        view, watch = private(dataset), Watched(dataset.target_transform)
        set_transform(view, "target_transform", watch)
    except (AttributeError, IncompatibleLoaderError):  # a property without a setter, or no copy
        return dataset, None
    return view, watch


def has_transform(dataset: Any) -> bool:
    """Whether `dataset`, or a data set inside it, has a transform set."""
    return bool(_own_transforms(dataset)) or any(has_transform(part) for part in inside(dataset))


def standard_transforms(dataset: Any) -> bool:
    """Whether there is no joint transform of image and label, other than the pair that torchvision builds itself."""
    return getattr(dataset, "transforms", None) is None or _is_standard(dataset.transforms)


def inside(dataset: Any) -> list[Any]:
    """The data sets that `dataset` holds as attributes, directly or in a list."""
    values = list(getattr(dataset, "__dict__", {}).values())
    lists = [value for value in values if isinstance(value, list) and value and isinstance(value[0], Dataset)]
    return [value for value in values if isinstance(value, Dataset)] + [part for parts in lists for part in parts]


def _stripped(dataset: Any, stand_in: Any) -> Any:
    if not has_transform(dataset):
        return dataset
    view = private(dataset)
    _strip(view, stand_in)
    return view


def _strip(view: Any, stand_in: Any) -> None:
    for part in inside(view):
        _strip(part, stand_in)
    for name, value in _own_transforms(view).items():
        if _is_standard(value):  # keeps what it does to labels
            kept = copy.copy(value)
            kept.transform = None
            setattr(view, name, kept)
        else:
            setattr(view, name, stand_in)


def _own_transforms(dataset: Any) -> dict[str, Any]:
    """What is set as `transform` and `transforms`; a method of that name is part of the data set, and stays."""
    found = {name: getattr(dataset, name, None) for name in ("transform", "transforms")}
    return {name: value for name, value in found.items() if value is not None and not inspect.ismethod(value)}


def _is_standard(transforms: Any) -> bool:
    return type(transforms).__name__ == "StandardTransform"


def unchanged(*args: Any, **named: Any) -> Any:
    """Stands in for `transform(image)`, `transforms(image, target)` and albumentations' `transform(image=image)`."""
    return named or (args[0] if len(args) == 1 else args)
