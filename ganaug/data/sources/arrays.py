"""Labelled images from memory: (X, y) arrays, `.npz` files, and scikit-learn's embedded digits."""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

import ganaug.keys as keys
from ganaug.data.labels.classes import check_names, named_labels, numbered, place_of
from ganaug.data.labels.groups import with_groups
from ganaug.data.pictures.convert import as_numpy, pixels_of_pairs, to_deep_batch
from ganaug.data.pictures.depth import Deep, Range
from ganaug.data.sources.kinds import Asked, in_short, is_file, is_text, source
from ganaug.data.sources.npz_headers import PLAIN, require_sizes
from ganaug.errors import DataError, LabelMismatchError

UNREAD_GROUPS = "array that may hold groups, under a name that is not read"
_SUBJECTS = ("group", "subject", "patient", "person", "speaker", "donor", "object", "specimen", "session", "batch")
_PARTS = ("train", "test", "val", "valid", "validation")
_TEST_SHARE = 0.3  # of the embedded digits, a class


@dataclass(frozen=True, eq=False)
class ArraySource:
    """Images that lie in one array. `array`: uint8 (N, H, W) or (N, H, W, 3); `pairs`: the paired images likewise;
    `deep`: their values of more than 8 bits, where they had such."""

    array: np.ndarray
    labels: np.ndarray
    classes: tuple[str, ...]
    names: Sequence[str]
    groups: tuple[str, ...] | None = None
    ignored: Mapping[str, Sequence[str]] = field(default_factory=dict)
    pairs: np.ndarray | None = None
    deep: Deep | None = None

    __repr__ = in_short

    def __len__(self) -> int:
        return len(self.array)

    def read(self, index: int) -> Image.Image:
        """The image as PIL, mode "L" or "RGB"."""
        return Image.fromarray(self.array[index])

    def content(self) -> Iterator[bytes]:
        """Of each image a hash of what it holds."""
        yield repr(self.array.shape).encode()
        for pixels in self.array:
            yield hashlib.sha256(np.ascontiguousarray(pixels).data).digest()


def from_arrays(
    x: Any,
    y: Any,
    *,
    classes: Sequence[str] | None = None,
    groups: Sequence[Any] | None = None,
    span: Range | None = None,
) -> ArraySource:
    """(X, y) -> source. x: images, see `convert.to_deep_batch`; y: (N,) integers, or class names as strings.

    classes: `classes[i]` names label i; without it labels name themselves. groups: (N,) whatever identifies the
    subject of an image. span: the declared range of the values. Raises DataError for what is not images or labels,
    LabelMismatchError for wrong counts.
    """
    pixels, deep = to_deep_batch(x, span=span)
    values, names = labels_and_names(y, classes)
    if len(values) != len(pixels):
        raise LabelMismatchError(f"{len(pixels)} images but {len(values)} labels.", "Give one label for each image.")
    labels, named, _ = named_labels(values, names)
    return with_groups(ArraySource(pixels, labels, named, item_names(len(pixels)), deep=deep), groups)


def _has_test_arrays(data: Any) -> bool:
    try:
        with zipfile.ZipFile(Path(data).expanduser()) as archive:
            keys = {name.removesuffix(".npy") for name in archive.namelist()}
    except Exception:  # a damaged archive: reading it says what is wrong
        return True
    return bool({"x_test", "test_images"} & keys) or {"a", "b", "y", "split"} <= keys


@source(
    "an .npz file (x_train, y_train, classes)",
    takes=lambda data: is_file(data, ".npz"),
    parts=_has_test_arrays,
    reads=("classes",),
)
def npz(asked: Asked) -> ArraySource:
    how = asked.reading
    return from_npz(asked.path, split=how.split, classes=how.classes, span=how.range)


def from_npz(
    path: Path,
    *,
    split: str = "train",
    classes: Sequence[str] | None = None,
    span: Range | None = None,
    labelled: bool = True,
) -> ArraySource:
    """Read one part of an `.npz` file: `x_train, y_train, classes, group_train, pair_train` for split "train".

    `x, y, group, pair` serve a file with one part; MedMNIST's `train_images, train_labels` are known too. The pair is
    the paired image of each item. Paired sets may also hold `a` (the pair), `b` (the image), `y` and `split` (0
    train, 1 test). labelled: False looks for no labels, so that images alone will do, whatever the one array of a file
    is called: all are of the class "all". Nothing is unpickled. Raises DataError for other keys, pickled contents and
    damaged files.
    """
    read, unread = read_npz(path, split, labelled)
    if not labelled:
        values, groups = np.zeros(len(read["x"]), np.int64), read.get("group")
        return from_arrays(read["x"], values, classes=("all",), groups=groups, span=span)
    own = read.get("classes") if classes is None else classes
    found = from_arrays(read["x"], read["y"], classes=own, groups=read.get("group"), span=span)
    if unread and found.groups is None:
        found = replace(found, ignored={**found.ignored, UNREAD_GROUPS: unread})
    return found if "pair" not in read else replace(found, pairs=pixels_of_pairs(read["pair"], len(found)))


def read_npz(path: Path, split: str, labelled: bool = True) -> tuple[dict[str, Any], tuple[str, ...]]:
    """The arrays of one part as they are, "x", "y" and, where they are there, "classes", "group" and "pair"; and keys
    that may be groups and are not read. labelled: False asks for "x" alone."""
    try:
        with open(path, "rb") as raw:
            if not zipfile.is_zipfile(raw):
                raise ValueError("it is not an .npz archive, or it is incomplete")
            raw.seek(0)
            with np.load(raw, allow_pickle=False) as file:
                names = npz_names(path, file.files, split, labelled)
                require_sizes(path, names)
                read = {part: file[key] for part, key in names.items()}
                unread = _perhaps_groups(file.files, names, split)
    except DataError:
        raise
    except Exception as error:  # a damaged or hostile archive fails in many ways, in zipfile, its decoders and numpy
        if "pickle" in str(error):
            raise DataError(f"{path} holds Python objects, which are never unpickled.", PLAIN) from error
        raise DataError(f"{path} cannot be read: {error}.", "Save it again with numpy.savez_compressed.") from error
    return _part(path, read, split) if "split" in read else read, unread


@source('"digits" (of scikit-learn)', takes=lambda data: is_text(data) and str(data) == "digits", parts=True)
def embedded(asked: Asked) -> ArraySource:
    return digits(asked.reading.split)


def digits(split: str = "train") -> ArraySource:
    """scikit-learn's 1,797 handwritten digits, 8 x 8 grey, 0..16 scaled to 0..255; no file and no network.

    split: "train" or "test", a fixed division of 70 % to 30 % of each class.
    """
    from sklearn.datasets import load_digits

    data = load_digits()
    pixels = np.rint(data.images * (255 / 16)).astype(np.uint8)
    test = np.zeros(len(pixels), dtype=bool)
    for label in range(10):
        members = np.flatnonzero(data.target == label)
        order = keys.permutation(len(members), "digits", label)
        test[members[order[: round(_TEST_SHARE * len(members))]]] = True
    if split not in ("train", "test"):
        raise DataError(f"digits has no part {split!r}.", 'It has "train" and "test".')
    rows = np.flatnonzero(test if split == "test" else ~test)
    names = tuple(f"item {row}" for row in rows)
    return ArraySource(pixels[rows], data.target[rows].astype(np.int64), tuple("0123456789"), names)


def item_names(n: int) -> tuple[str, ...]:
    """Names of items that have none of their own."""
    return tuple(f"item {index}" for index in range(n))


def npz_names(path: Path, found: Sequence[str], split: str, labelled: bool = True) -> dict[str, str]:
    """Keys of an .npz file for "x", "y" and, where they are there, "classes" and "group"; DataError without x or y.

    A file of one part (x and y) is whatever part is asked for. labelled: False asks for x alone.
    """
    patterns = [
        (f"x_{split}", f"y_{split}", f"group_{split}", f"pair_{split}"),
        (f"{split}_images", f"{split}_labels", f"{split}_groups", f"{split}_pairs"),
    ]
    if split == "train" or not any(key.startswith("x_") or key.endswith("_images") for key in found):
        patterns += [("x", "y", "group", "pair"), ("X", "y", "groups", "pair"), ("images", "labels", "groups", "")]
    if not labelled and len(found) == 1:
        return {"x": found[0]}
    if {"a", "b", "y", "split"} <= set(found):
        names = {"x": "b", "y": "y", "classes": "classes", "group": "group", "pair": "a", "split": "split"}
        return {part: key for part, key in names.items() if key in found}
    for x, y, group, pair in patterns:
        if x in found and (y in found or not labelled):
            names = {"x": x, "y": y, "classes": "classes", "group": group, "pair": pair}
            return {part: key for part, key in names.items() if key in found}
    cause = f"{path} has no part {split!r}: its keys are {', '.join(found) or 'none'}."
    labels = f", labels as y_{split}, and class names as classes" if labelled else ""
    raise DataError(cause, f"Save images as x_{split}{labels}.")


def _perhaps_groups(found: Sequence[str], names: Mapping[str, str], split: str) -> tuple[str, ...]:
    """Keys of this part that are not read, though they are called like subjects."""
    rest = [key for key in found if key not in names.values() and any(word in key.lower() for word in _SUBJECTS)]
    others = [part for part in _PARTS if part not in split]
    return tuple(key for key in rest if not any(part in key.lower().split("_") for part in others))


def labels_and_names(y: Any, classes: Sequence[str] | None) -> tuple[np.ndarray, Sequence[str] | None]:
    """Labels as int64 (N,) and the names of the classes, if there are any; DataError for what is no labels."""
    values = as_numpy(y)
    if values is None:
        values = np.asarray(y)
    every = y if isinstance(y, (list, tuple)) else values.tolist() if values.dtype.kind in "fO" else ()
    gone = [place for place, label in enumerate(every) if _is_missing(label)]
    if gone:
        cause = f"{len(gone)} of {len(every)} items have no label, but None or NaN (first: item {gone[0]})."
        raise DataError(cause, "Leave these items out, or label them.")
    if values.ndim == 2 and values.shape[1] == 1:
        values = values[:, 0]
    if values.ndim != 1:
        fix = "One-hot labels become integers by y.argmax(1)." if values.ndim == 2 else "Give a vector of integers."
        raise DataError(f"Labels of shape {values.shape} are not one integer for each image.", fix)
    if values.dtype.kind in "US" or (values.dtype == object and all(isinstance(value, str) for value in values)):
        return _from_names([str(value) for value in values.astype(str)], classes)
    if values.dtype.kind not in "iub":
        raise DataError(f"Labels are {values.dtype}, not integers.", "Convert them: y.astype(int).")
    values = values.astype(np.int64)
    if values.size and values.min() < 0:
        first = int((values < 0).argmax())
        raise DataError(f"Label {values[first]} of item {first} is negative.", "Remove the unlabelled images.")
    return values, classes


def _is_missing(label: Any) -> bool:
    """None, NaN, and what pandas has for them."""
    not_a_number = isinstance(label, (float, np.floating)) and bool(np.isnan(label))
    return label is None or not_a_number or type(label).__name__ in ("NAType", "NaTType")


def _from_names(values: list[str], classes: Sequence[str] | None) -> tuple[np.ndarray, Sequence[str]]:
    own = check_names(sorted(set(values)))
    named = numbered(own if classes is None else classes)
    labels, known = list(named), list(named.values())
    index = {name: labels[place] if (place := place_of(name, known)) >= 0 else -1 for name in own}
    unknown = [name for name in values if index[name] < 0]
    if unknown:
        raise LabelMismatchError(f"Label {unknown[0]!r} is not among the classes.", "Name every class in classes=.")
    return np.asarray([index[name] for name in values], dtype=np.int64), own if classes is None else classes


def _part(path: Path, read: dict[str, Any], split: str) -> dict[str, Any]:
    """The rows of one part, where a column says which part each row is in."""
    wanted = {"train": 0, "test": 1}.get(split)
    if len({len(values) if values.ndim else -1 for name, values in read.items() if name != "classes"}) > 1:
        raise DataError(f"The arrays of {path} have other lengths.", "Give one entry of each for each image.")
    fits = read["split"].shape == read["y"].shape[:1]
    rows = np.flatnonzero((read["split"] == wanted) & fits)
    if not len(rows):
        raise DataError(f"{path} has no part {split!r}.", "Its `split` says for each image: 0 train, 1 test.")
    return {name: values if name == "classes" else values[rows] for name, values in read.items() if name != "split"}
