"""One door for labelled images: whatever the user has becomes an `ImageSource`, read lazily."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np
from PIL import Image

from ganaug.data.sources.arrays import digits, from_arrays, from_npz
from ganaug.data.sources.convert import as_numpy
from ganaug.data.sources.datasets import from_dataset
from ganaug.data.sources.folder import from_folder
from ganaug.data.sources.groups import with_groups
from ganaug.data.sources.named import is_name, open_named
from ganaug.errors import DataError, OptionError
from ganaug.reporting import Report, silent


@runtime_checkable
class ImageSource(Protocol):
    """Labelled images that are read one by one.

    classes: names; label i means classes[i]. labels: int64 (N,). names: of the items, a path relative to the root or
    "item 17". groups: the subject of each item, never split between parts, or None. array: uint8 (N, H, W) or
    (N, H, W, 3) where all items lie in memory already, else None. ignored: reason -> names that were passed over.
    """

    @property
    def classes(self) -> tuple[str, ...]: ...
    @property
    def labels(self) -> np.ndarray: ...
    @property
    def names(self) -> Sequence[str]: ...
    @property
    def groups(self) -> tuple[str, ...] | None: ...
    @property
    def array(self) -> np.ndarray | None: ...
    @property
    def ignored(self) -> Mapping[str, Sequence[str]]: ...

    def __len__(self) -> int: ...

    def read(self, index: int) -> Image.Image:
        """The image, mode "L" or "RGB"; raises UnreadableImageError."""
        ...


def open_source(
    source: Any,
    *,
    split: str = "train",
    root: str | Path | None = None,
    targets: Any = None,
    classes: Sequence[str] | None = None,
    groups: Any = None,
    report: Report = silent,
) -> ImageSource:
    """Anything that holds labelled images -> `ImageSource`.

    source: a folder ROOT/CLASS/*.png; an `.npz` file; (X, y); a map-style Dataset of (image, int), also a Subset of a
    Subset; a list of such pairs; "digits" (embedded in scikit-learn); or a name that torchvision or timm know, found
    under `root`. split: which part of an `.npz` file, of "digits" or of a named data set. targets, classes: labels and
    class names in place of those of a data set. groups: one value for each item, or a CSV file (see `read_groups_csv`).
    Raises DataError or a more exact kind of it, each with its fix.
    """
    if isinstance(source, ImageSource):
        return with_groups(source, groups)
    if isinstance(source, (str, Path)):
        if targets is not None:
            raise OptionError("targets= is for data sets in memory.", "A folder or file brings its own labels.")
        return with_groups(_open_text(source, split, root, classes), groups)
    if isinstance(source, tuple) and len(source) == 2 and not _is_pair_of_items(source):
        return with_groups(_open_arrays(*source, targets, classes), groups)
    return with_groups(from_dataset(source, targets=targets, classes=classes, report=report), groups)


def _open_text(source: str | Path, split: str, root: str | Path | None, classes: Sequence[str] | None) -> ImageSource:
    path, text = Path(source).expanduser(), str(source)
    if text == "digits":
        return digits(split)
    if path.is_dir():
        if classes is not None:
            raise OptionError("classes= is not for folders.", "The names of the sub-folders are the classes.")
        return from_folder(path)
    if path.is_file():
        if path.suffix.lower() == ".npz":
            return from_npz(path, split=split, classes=classes)
        raise DataError(f"{source} is a file of a kind that is not read.", "Give a folder or an .npz file.")
    if isinstance(source, str) and is_name(source):
        return from_dataset(open_named(source, root=root, split=split), classes=classes)
    fix = 'Check the spelling; names are "digits", torchvision\'s ("CIFAR10") and timm\'s ("torch/cifar10").'
    raise DataError(f"{source} is neither a folder, nor an .npz file, nor the name of a data set.", fix)


def _open_arrays(x: Any, y: Any, targets: Any, classes: Sequence[str] | None) -> ImageSource:
    pictures = isinstance(x, (list, tuple)) and any(isinstance(item, Image.Image) for item in x)
    if pictures or (isinstance(x, (list, tuple)) and as_numpy(x) is None):  # or arrays of different sizes
        return from_dataset(list(zip(x, y, strict=True)), targets=targets, classes=classes)
    return from_arrays(x, y if targets is None else targets, classes=classes)


def _is_pair_of_items(source: tuple[Any, Any]) -> bool:
    """((image, label), (image, label)): two items rather than (X, y)."""
    return all(isinstance(item, tuple) and len(item) == 2 for item in source)
