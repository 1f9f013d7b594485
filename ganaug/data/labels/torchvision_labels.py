"""One row for each of torchvision's classification data sets: where its labels and class names are.

Every entry reads what that class's own `__getitem__` reads, so that labels are those of the loader. Sets whose items
carry no single class (detection, segmentation, captions, video, pairs) are not here.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ganaug.errors import DataError

Entry = Callable[[Any], tuple[Any, Any]]  # data set -> (labels; names as a list or label -> name, or None)


def table_entry(dataset: Any) -> Entry | None:
    """The row for this data set; None if it is not torchvision's, or a subclass with its own `__getitem__`."""
    owner = next((base for base in type(dataset).__mro__ if "__getitem__" in vars(base)), object)
    return stored_entry(dataset) if _is_torchvision(owner) else None


def stored_entry(dataset: Any) -> Entry | None:
    """The row of the torchvision class that this is, or is made from: what it stores, if not what its items carry."""
    return next(filter(None, map(_row, type(dataset).__mro__)), None)


def changes_torchvision(dataset: Any) -> bool:
    """Whether this is a subclass of a torchvision data set that defines items anew (its attributes prove nothing)."""
    return table_entry(dataset) is None and stored_entry(dataset) is not None


def _row(cls: type) -> Entry | None:
    return TABLE.get(cls.__name__) if _is_torchvision(cls) else None


def _is_torchvision(cls: type) -> bool:
    return cls.__module__.startswith("torchvision.datasets.")


def _in(attribute: str) -> Entry:
    """The labels are one attribute of the data set."""
    return lambda dataset: (getattr(dataset, attribute), getattr(dataset, "classes", None))


def _of_pairs(attribute: str) -> Entry:
    """The labels are the second parts of a list of pairs."""
    return lambda dataset: ([label for _, label in getattr(dataset, attribute)], getattr(dataset, "classes", None))


def _qmnist(dataset: Any) -> tuple[Any, Any]:
    if not dataset.compat:
        raise DataError("QMNIST(compat=False) gives eight numbers for each image.", "Use compat=True.")
    return dataset.targets[:, 0], dataset.classes


def _places365(dataset: Any) -> tuple[Any, Any]:
    return [label for _, label in dataset.imgs], _by_index(dataset.class_to_idx)


def _lfw_people(dataset: Any) -> tuple[Any, Any]:
    return dataset.targets, _by_index(dataset.class_to_idx)


def _pets(dataset: Any) -> tuple[Any, Any]:
    if dataset._target_types == ["category"]:
        return dataset._labels, dataset.classes
    if dataset._target_types == ["binary-category"]:
        return dataset._bin_labels, dataset.bin_classes
    raise _no_single_class(dataset, 'target_types="category"')


def _caltech(dataset: Any) -> tuple[Any, Any]:
    if getattr(dataset, "target_type", ["category"]) != ["category"]:  # Caltech256 has no choice
        raise _no_single_class(dataset, 'target_type="category"')
    return dataset.y, dataset.categories


def _inaturalist(dataset: Any) -> tuple[Any, Any]:
    if len(dataset.target_type) != 1:
        raise _no_single_class(dataset, 'one target_type, such as "full"')
    kind = dataset.target_type[0]
    if kind == "full":
        return [category for category, _ in dataset.index], dataset.all_categories
    return [dataset.categories_map[category][kind] for category, _ in dataset.index], _by_index(
        dataset.categories_index[kind]
    )


def _omniglot(dataset: Any) -> tuple[Any, Any]:
    return [label for _, label in dataset._flat_character_images], dataset._characters


def _celeba(dataset: Any) -> tuple[Any, Any]:
    if dataset.target_type != ["identity"]:
        fix = 'Give one label each: targets=dataset.attr[:, i], or CelebA(target_type="identity").'
        raise DataError("CelebA's items carry 40 attributes, not one class.", fix)
    return dataset.identity[:, 0], None


def _pcam(dataset: Any) -> tuple[Any, Any]:
    file = dataset._base_folder / dataset._FILES[dataset._split]["targets"][0]
    with dataset.h5py.File(file) as data:
        return np.asarray(data["y"][:, 0, 0, 0]), None


def _lsun(dataset: Any) -> tuple[Any, Any]:
    counts = np.diff(np.asarray([0, *dataset.indices]))
    return np.repeat(np.arange(len(counts)), counts), dataset.classes


def _by_index(class_to_idx: dict[str, int]) -> dict[int, str]:
    return {label: name for name, label in class_to_idx.items()}


def _no_single_class(dataset: Any, fix: str) -> DataError:
    return DataError(f"{type(dataset).__name__}'s items carry other targets than one class.", f"Open it with {fix}.")


TABLE: dict[str, Entry] = {
    **dict.fromkeys(("MNIST", "CIFAR10", "USPS"), _in("targets")),  # and EMNIST, FashionMNIST, KMNIST, CIFAR100
    **dict.fromkeys(("SVHN", "STL10", "SEMEION"), _in("labels")),
    **dict.fromkeys(("DTD", "Flowers102", "Food101", "FGVCAircraft", "SUN397", "CLEVRClassification"), _in("_labels")),
    **dict.fromkeys(("FER2013", "GTSRB", "StanfordCars", "Imagenette", "RenderedSST2"), _of_pairs("_samples")),
    "DatasetFolder": _of_pairs("samples"),  # and ImageFolder, ImageNet, EuroSAT, Country211
    "QMNIST": _qmnist,
    "LFWPeople": _lfw_people,
    "Places365": _places365,
    "OxfordIIITPet": _pets,
    "Caltech101": _caltech,
    "Caltech256": _caltech,
    "INaturalist": _inaturalist,
    "Omniglot": _omniglot,
    "CelebA": _celeba,
    "PCAM": _pcam,
    "LSUN": _lsun,
}
