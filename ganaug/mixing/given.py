"""What may be given as a data set whose items are served."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch.utils.data import IterableDataset

from ganaug.data.sources.kinds import no_data_set
from ganaug.errors import IncompatibleLoaderError


def require_map_style(dataset: Any) -> None:
    """Raises IncompatibleLoaderError for what is no data set (a path, images and labels), for one whose items have no
    index, and for a dict of several data sets."""
    if other := no_data_set(dataset):
        raise IncompatibleLoaderError(*other)
    if isinstance(dataset, (str, bytes, Path)):
        raise IncompatibleLoaderError(
            f"{str(dataset)!r} names a place, and is not a data set.",
            "Open it, with your transform: torchvision.datasets.ImageFolder(place, transform).",
        )
    if isinstance(dataset, (tuple, list)) and len(dataset) == 2 and all(hasattr(part, "shape") for part in dataset):
        raise IncompatibleLoaderError(
            "Images and labels are no data set.", "Give torch.utils.data.TensorDataset(images, labels)."
        )
    if isinstance(dataset, Mapping):
        raise IncompatibleLoaderError(
            f"{type(dataset).__name__} holds several data sets.",
            f"Give one of them: {' or '.join(f'dataset[{name!r}]' for name in dataset)}.",
        )
    if isinstance(dataset, IterableDataset) or not hasattr(dataset, "__getitem__") or not hasattr(dataset, "__len__"):
        raise IncompatibleLoaderError(
            f"{type(dataset).__name__} is not a map-style data set: its items have no index.",
            "Give a data set with __len__ and __getitem__.",
        )


def refuse_joint(dataset: Any, transforms: Any) -> None:
    """Raises IncompatibleLoaderError: `transforms`, of image and label together, that are set on a mixed data set."""
    raise IncompatibleLoaderError(
        f"{type(dataset).__name__} has no .transforms of image and label together.",
        "Set its .transform, and its .target_transform.",
    )
