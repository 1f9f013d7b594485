"""Series in: an .npz file or arrays of numbers with labels -> series in model space."""

from __future__ import annotations

import hashlib
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ganaug.data.labels.classes import named_labels
from ganaug.data.pictures.convert import as_numpy
from ganaug.data.rows.series_codec import SeriesCodec
from ganaug.data.rows.vectors import LabelledVectors, usable
from ganaug.data.sources.arrays import item_names, labels_and_names, npz_names
from ganaug.data.sources.npz_headers import header, require_sizes
from ganaug.errors import DataError, LabelMismatchError


def is_series(data: Any) -> bool:
    """Whether it can be nothing but series: an .npz file or (X, y) whose X is (N, T). Images have more axes."""
    return axes_of(data) == 2


def axes_of(data: Any) -> int:
    """Number of axes of X, of an .npz file or of (X, y); 0 for anything else. With 3 it may be images (N, H, W) or
    series (N, C, T)."""
    if isinstance(data, (str, Path)):
        return _axes_in(Path(data).expanduser()) if Path(data).suffix.lower() == ".npz" else 0
    if not (isinstance(data, tuple) and len(data) == 2):
        return 0
    array = as_numpy(data[0]) if not isinstance(data[0], (list, tuple)) else None
    return 0 if array is None else array.ndim


def load_series(
    data: Any, *, split: str = "train", limit: int | None = None, seed: int = 0, tested: bool = False
) -> LabelledVectors:
    """Read `x_train` (N, T) or (N, C, T) and `y_train` (N,) of an .npz file, or (X, y).

    split: the part of the file. limit: at most so many series a class, chosen by `seed`. tested: they are tested on
    alone, so that a class may have one, or none. The range of each channel is
    that of all series. Raises DataError for other shapes, values that are not finite, and fewer than 4 steps.
    """
    x, y, own = _read(Path(data).expanduser(), split) if isinstance(data, (str, Path)) else (*data, None)
    _require_one_length(x)
    array = as_numpy(x)
    if array is None or array.dtype.kind not in "fiub" or array.ndim not in (2, 3):
        found = "no numbers" if array is None else f"{array.dtype} of shape {array.shape}"
        raise DataError(f"Series cannot be {found}.", "Give numbers (N, T) or (N, C, T): items, channels, steps.")
    values = array.astype(np.float64)
    if not len(values) or values.shape[-1] < 4 or 0 in values.shape:
        raise DataError(f"Series of shape {values.shape} are too short.", "Give at least 4 steps.")
    bad = ~np.isfinite(values).all(tuple(range(1, values.ndim)))
    if bad.any():
        first = int(bad.argmax())
        raise DataError(
            f"{bad.sum()} series hold NaN or infinity (first: item {first}).", "Fill the gaps, or remove them."
        )
    numbers, named = labels_and_names(y, own)
    if len(numbers) != len(values):
        raise LabelMismatchError(f"{len(values)} series but {len(numbers)} labels.", "Give one label for each series.")
    labels, classes, _ = named_labels(numbers, named, drop_empty=True)
    channels = values[:, None] if values.ndim == 2 else values
    codec = SeriesCodec(
        tuple(channels.min((0, 2)).tolist()), tuple(channels.max((0, 2)).tolist()), flat=values.ndim == 2
    )
    vectors = LabelledVectors(
        items=codec.encode(channels),
        labels=torch.from_numpy(labels.copy()),
        classes=classes,
        codec=codec,
        fingerprints=tuple(hashlib.sha256(np.ascontiguousarray(one).tobytes()).hexdigest() for one in channels),
        names=item_names(len(values)),
    )
    return vectors if tested else usable(vectors, limit, seed, "series")


def _require_one_length(x: Any) -> None:
    """Raises DataError for a list or an array of series of several lengths."""
    nested = isinstance(x, (list, tuple)) or (isinstance(x, np.ndarray) and x.dtype.hasobject)
    try:
        lengths = {np.shape(one)[-1] for one in x} if nested else set()
    except (ValueError, IndexError, TypeError):  # no series: whoever reads them says what they are
        return
    if len(lengths) > 1:
        cause = f"Series have {min(lengths)} to {max(lengths)} steps."
        raise DataError(cause, "Cut or pad them to one length.")


def _read(path: Path, split: str) -> tuple[Any, Any, Any]:
    try:
        with np.load(path, allow_pickle=False) as file:
            if not isinstance(file, np.lib.npyio.NpzFile):
                raise ValueError("it is not an .npz archive")
            names = npz_names(path, file.files, split)
            require_sizes(path, names)
            with zipfile.ZipFile(path) as archive:
                objects = header(archive, f"{names['x']}.npy")[1].hasobject
            if objects:
                cause = f"{names['x']} of {path} holds objects, which are never unpickled: series of uneven length?"
                raise DataError(cause, "Cut or pad them to one length, and save plain numbers (N, T) or (N, C, T).")
            return file[names["x"]], file[names["y"]], file[names["classes"]] if "classes" in names else None
    except DataError:
        raise
    except Exception as error:  # see `from_npz`
        raise DataError(f"{path} cannot be read: {error}.", "Save it with numpy.savez_compressed.") from error


def _axes_in(path: Path) -> int:
    """Number of axes of the items' array in an .npz file, from its header alone; 0 if it cannot be read."""
    try:
        with zipfile.ZipFile(path) as archive:
            names = [name for name in archive.namelist() if name in ("x_train.npy", "x.npy", "X.npy", "x_test.npy")]
            return len(header(archive, names[0])[0])
    except Exception:  # whoever reads it says what is wrong
        return 0
