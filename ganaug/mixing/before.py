"""Items of a data set before its transforms, seen on a shallow copy by putting something in their place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from PIL import Image

from ganaug.data.labels.unwrap import private, set_transform, watched
from ganaug.errors import IncompatibleLoaderError
from ganaug.mixing.forms import Seen

_UNSET = object()
MOST_READ = 64  # real items whose labels are looked at


@dataclass(frozen=True)
class Item:
    """One item as it is before the data set's own transforms. call: how the transform was called. label: as it is
    served; given: what `target_transform` made it of, if it was called (`changed`). changed_after: the data set works
    on what its transform gives. holder: the type of the item. index: its own."""

    image: Any
    call: str
    label: Any
    given: Any
    changed: bool
    changed_after: bool
    holder: type
    index: int


def first_middle_last(dataset: Any, index_map: np.ndarray) -> list[Item]:
    """The first, the middle and the last item; of a data set that keeps items once they are made, those of them that
    are made now."""
    places = sorted({0, len(index_map) // 2, len(index_map) - 1})
    seen = [before_transforms(dataset, int(index_map[place])) for place in places]
    return [one for one in seen if one.call != "never"] or seen


def labels_seen(dataset: Any, index_map: np.ndarray, labels: np.ndarray, kinds: Sequence[int]) -> list[Seen]:
    """The labels of real items of the classes `kinds`, as `dataset` (not a Subset) gives them: of each class some from
    its first to its last item, or the first items of some classes, if there are many. labels: int64 (n,), the class of
    each."""
    each = MOST_READ // len(kinds) if len(kinds) <= MOST_READ // 2 else 1
    some = kinds if each > 1 else [kinds[i] for i in np.linspace(0, len(kinds) - 1, MOST_READ).astype(int)]
    places_of = [np.flatnonzero(labels == kind) for kind in some]
    found = [places[np.linspace(0, len(places) - 1, min(each, len(places))).astype(int)] for places in places_of]
    seen = []
    for place in sorted({int(place) for places in found for place in places}):
        item = before_transforms(dataset, int(index_map[place]))
        seen.append(Seen(int(labels[place]), item.given, item.label, item.changed, f"Item {place}"))
    return seen


def before_transforms(dataset: Any, index: int) -> Item:
    """An item of a data set (not a Subset), with its transforms seen and not applied. Raises IncompatibleLoaderError
    for items that are not (image, label)."""
    images = _Recorder()
    view, labels = watched(dataset)
    view = private(dataset) if labels is None else view
    original = getattr(dataset, "transform", None)
    try:
        if hasattr(dataset, "transform"):
            set_transform(view, "transform", images)
        item, changed_after = view[index], False
    except Exception:  # somebody else's __getitem__, which may need what its own transform gives
        if images.seen is _UNSET:
            raise
        item, changed_after = dataset[index], True
    finally:  # a property of a wrapper may have reached the original through the copy
        if getattr(dataset, "transform", None) is not original:
            dataset.transform = original
    if not isinstance(item, (tuple, list)) or len(item) != 2:
        found = f"{type(item).__name__} of {len(item)}" if isinstance(item, (tuple, list)) else type(item).__name__
        raise IncompatibleLoaderError(
            f"Items of the data set are {found}, not (image, label).",
            "A synthetic image has no further part. Mix into a data set around it whose items are (image, label): one "
            "with `def __getitem__(self, index): return self.items[index][:2]`.",
        )
    image = item[0] if images.seen is _UNSET else images.seen
    array = isinstance(image, (np.ndarray, torch.Tensor)) and image.ndim in (2, 3)
    if not array and not isinstance(image, Image.Image):
        raise IncompatibleLoaderError(
            f"The first part of an item is {type(image).__name__}, not an image.",
            "Items must be (PIL image, array or tensor of one image; label).",
        )
    changed = labels is not None and bool(labels.given)
    given = labels.given[0] if labels is not None and changed else item[1]
    changed_after |= images.seen is not _UNSET and not _same(item[0], images.seen)
    return Item(image, images.call, item[1], given, changed, changed_after, type(item), index)


def _same(one: Any, other: Any) -> bool:
    """Whether both are one image: one object, or of one type and equal."""
    return one is other or (type(one) is type(other) and np.array_equal(np.asarray(one), np.asarray(other)))


class _Recorder:
    """Stands in for a transform: keeps what it is given, gives it back."""

    def __init__(self):
        self.seen: Any = _UNSET
        self.call = "never"

    def __call__(self, *args: Any, **named: Any) -> Any:
        if named and (args or set(named) != {"image"}):
            raise IncompatibleLoaderError(
                f"The data set calls its transform with {', '.join(named)}.",
                "Give transform=, a function from a PIL image to the first part of an item, for the synthetic images.",
            )
        self.seen, self.call = (named["image"], "named") if named else (args[0], "positional")
        return named or (args[0] if len(args) == 1 else args)


def fetched(dataset: Any, indices: Sequence[int]) -> list[Any]:
    """A batch of real items, as torch's own fetcher would get them."""
    if hasattr(dataset, "__getitems__") and dataset.__getitems__:
        return dataset.__getitems__(indices)
    return [dataset[index] for index in indices]
