"""Data sets whose items are dicts, as Hugging Face and MONAI have them, seen as data sets of (image, label)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from torch.utils.data import ConcatDataset, Dataset, Subset

from ganaug.data.labels.unwrap import has_transform
from ganaug.data.sources.keys import image_key, label_key
from ganaug.errors import DataError, IncompatibleLoaderError, OptionError


class DictView(Dataset):
    """Items of a data set of dicts as (image, label), and the way back from such pairs to dicts like its own.

    image, target: the keys of both. joint: whether the data set has a transform of whole items that is not ours to
    call.
    """

    def __init__(self, dataset: Any, image: str, target: str | None):
        self.dataset, self.image, self.target = dataset, image, target
        self.joint = has_transform(dataset)

    def __len__(self) -> int:
        return len(self.dataset)

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        item = self.dataset[int(index)]
        return item[self.image], None if self.target is None else item[self.target]

    def require_two_keys(self) -> None:
        """Raises IncompatibleLoaderError for items that hold more than an image and a label, which nobody can make up
        for a synthetic image."""
        self._require_two(list(self.dataset[0]))

    def _require_two(
        self, keys: Sequence[str], way: str = "Wrap it in a data set whose items hold these alone"
    ) -> None:
        others = [key for key in keys if key not in (self.image, self.target)]
        if others or self.target is None:
            raise IncompatibleLoaderError(
                f"Items hold {', '.join(map(repr, keys))}; a synthetic item has an image and a label only.",
                f"{way}: {self.image!r} and {self.target or 'the label'!r}.",
            )

    def items(self, pairs: Sequence[tuple[Any, Any]], finished: bool = False) -> list[Any]:
        """Pairs of images, in the form in which the data set holds them, and labels, as dicts like its own.

        finished: the images have gone through a transform of their own, in place of that of the data set.
        """
        return [{self.image: image, str(self.target): label} for image, label in pairs]

    def transformed(self, item: Any, transform: Any) -> Any:
        """A served item with its image transformed."""
        if self.image not in item:
            cause = (
                f"Items hold {', '.join(map(repr, item))}, and no {self.image!r} that a transform could be applied to."
            )
            raise IncompatibleLoaderError(cause, "Set the transform on the data set, and mix again.")
        return {**item, self.image: transform(item[self.image])}


class HubView(DictView):
    """A data set of Hugging Face: its features say what columns hold. Items are read without its format; those that go
    back get it."""

    def __init__(self, dataset: Any, image: str, target: str | None, given: bool):
        super().__init__(dataset, image, target)
        self.joint, self._given = False, given
        self._stored = dataset.with_format(None)
        feature = None if target is None else dataset.features[target]
        self._texts = getattr(feature, "dtype", None) in ("string", "large_string") and not hasattr(feature, "names")
        self._targets: np.ndarray | None = None
        self._names: list[str] | None = getattr(feature, "names", None)
        if self._texts and not given:
            values = _there(self._stored[target][:], target)
            self._names = sorted(set(values))
            place = {text: label for label, text in enumerate(self._names)}
            self._targets = np.asarray([place[value] for value in values], dtype=np.int64)

    @property
    def classes(self) -> list[str] | None:
        return self._names

    @property
    def targets(self) -> np.ndarray | None:
        """The label of each item: its number, or the place of its text among the sorted ones."""
        if self._targets is None and self.target is not None:
            self._targets = _integers(_there(self._stored[self.target][:], self.target), self.target)
        return self._targets

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        item = self._stored[int(index)]
        if self._texts and self._targets is not None:
            return item[self.image], int(self._targets[index])
        return item[self.image], None if self.target is None else item[self.target]

    def require_two_keys(self) -> None:
        way = f"Keep two columns: dataset.select_columns([{self.image!r}, {self.target or 'LABEL'!r}])"
        self._require_two(self.dataset.column_names, way)
        hidden = [name for name in self.dataset.column_names if name not in self.dataset.format["columns"]]
        if hidden and not self.dataset.format["output_all_columns"]:
            cause = f"The format of the data set leaves out {', '.join(map(repr, hidden))}."
            raise IncompatibleLoaderError(cause, f"Give the format both columns: {self.image!r} and {self.target!r}.")
        if self._given and self._texts:
            cause = f"Items carry texts as {self.target!r}, for which targets= gives numbers."
            raise IncompatibleLoaderError(cause, "Leave targets= out: the texts are the names of the classes.")

    def items(self, pairs: Sequence[tuple[Any, Any]], finished: bool = False) -> list[Any]:
        images, labels = [image for image, _ in pairs], [label for _, label in pairs]
        if self._texts and self._names is not None:
            labels = [self._names[label] for label in labels]
        columns = {name: images if name == self.image else labels for name in self.dataset.column_names}
        how = self.dataset.format
        if finished:
            served = list(self.dataset[0])
            if set(served) != set(columns):
                cause = f"Served items hold {', '.join(map(repr, served))}, which transform= cannot make."
                raise IncompatibleLoaderError(
                    cause, "Leave transform= out: synthetic items go through the data set's own."
                )
        elif how["type"] == "custom":
            changed = how["format_kwargs"]["transform"](columns)
            return [{name: values[row] for name, values in changed.items()} for row in range(len(pairs))]
        elif how["type"] is not None:
            made = type(self.dataset).from_dict(columns, features=self.dataset.features)
            made = made.with_format(how["type"], **how["format_kwargs"])
            return [made[row] for row in range(len(pairs))]
        return [{name: values[row] for name, values in columns.items()} for row in range(len(pairs))]


def as_pairs(dataset: Any, image: str | None = None, target: str | None = None, *, labelled: bool = False) -> Any:
    """A view of (image, label) of a data set whose items are dicts, also within Subset and ConcatDataset; any other
    data set as it is.

    image, target: the keys, where they are not found by themselves. labelled: labels are given otherwise. Raises
    DataError where nothing decides between keys, OptionError for keys that there are not.
    """
    if isinstance(dataset, Subset):
        inner = as_pairs(dataset.dataset, image, target, labelled=labelled)
        return dataset if inner is dataset.dataset else Subset(inner, dataset.indices)
    if type(dataset) is ConcatDataset:
        parts = [as_pairs(part, image, target, labelled=labelled) for part in dataset.datasets]
        same = all(part is own for part, own in zip(parts, dataset.datasets, strict=True))
        return dataset if same else ConcatDataset(parts)
    if is_of_hub(dataset):
        kinds = {name: type(feature).__name__ for name, feature in dataset.features.items()}
        found = image_key(kinds, image)
        return HubView(dataset, found, _label_key(kinds, found, target, labelled), labelled)
    if isinstance(dataset, (DictView, Mapping)) or not hasattr(dataset, "__len__"):
        return dataset
    item = _first(dataset)
    if not isinstance(item, Mapping):
        if image is not None or target is not None:
            raise OptionError("image and target name keys, but items are not dicts.", "Leave them out.")
        return dataset
    kinds = {str(key): type(value).__name__ for key, value in item.items()}
    found = image_key(kinds, image)
    return DictView(dataset, found, _label_key(kinds, found, target, labelled))


def dicts_of(view: Any, transform: Any, serving: bool) -> DictView | None:
    """The view, if its items are dicts. Raises IncompatibleLoaderError where synthetic ones, which are to be served,
    cannot be made like them.

    transform: of the synthetic images alone, in place of what the data set does to its items.
    """
    if serving and type(view) is ConcatDataset and any(isinstance(part, DictView) for part in view.datasets):
        cause = "Concatenated data sets of dicts may each have a form of their own."
        raise IncompatibleLoaderError(cause, "Make them one: datasets.concatenate_datasets([...]).")
    if not isinstance(view, DictView):
        return None
    if not serving:
        return view
    view.require_two_keys()
    if view.joint and transform is None:
        raise IncompatibleLoaderError(
            "Items are dicts, and the data set has a transform of its own, which is not known to take images.",
            f"Give transform=, a function from a PIL image to what items hold as {view.image!r}.",
        )
    return view


def part_of(parts: Mapping[Any, Any], split: str) -> Any:
    """One data set of a dict of them, as Hugging Face has it. Raises DataError for any other dict."""
    if not parts or not all(map(is_of_hub, parts.values())):
        fix = "Give a folder, an .npz file, (X, y), or a map-style Dataset of (image, int)."
        raise DataError(f"{type(parts).__name__} is not a source of labelled images.", fix)
    if split not in parts:
        raise DataError(f"There is no part {split!r}.", f"Say which: split= one of {', '.join(map(repr, parts))}.")
    return parts[split]


def is_of_hub(dataset: Any) -> bool:
    """Whether it is a map-style data set of Hugging Face."""
    return isinstance(getattr(dataset, "features", None), Mapping) and hasattr(dataset, "with_format") and (
        hasattr(dataset, "select_columns") and hasattr(dataset, "__len__")
    )  # fmt: skip


def _first(dataset: Any) -> Any:
    """The first item; None if it cannot be read."""
    try:
        return dataset[0] if len(dataset) else None
    except Exception:  # other people's __getitem__ may fail in any way; who reads the item says so
        return None


def _label_key(kinds: Mapping[str, str], image: str, named: str | None, given: bool) -> str | None:
    try:
        return label_key(kinds, image, named)
    except DataError:
        if given and named is None:
            return None
        raise


def _there(values: Sequence[Any], target: str | None) -> Sequence[Any]:
    missing = sum(value is None for value in values)
    if missing:
        cause = f"{missing} of {len(values)} items have no {target!r}."
        raise DataError(cause, f"Leave them out: dataset.filter(lambda item: item[{target!r}] is not None).")
    return values


def _integers(values: Sequence[Any], target: str) -> np.ndarray:
    array = np.asarray(values) if all(isinstance(value, (int, np.integer)) for value in values) else None
    if array is None:
        kind = next(type(value).__name__ for value in values if not isinstance(value, (int, np.integer)))
        cause = f"The column {target!r} holds {kind}, not one class for each image."
        raise DataError(cause, "Name the column of classes, target=, or give targets=.")
    return array.astype(np.int64)
