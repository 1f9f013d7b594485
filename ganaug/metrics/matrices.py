"""What every measure asks of its input: finite matrices that fit together."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from ganaug.errors import DataError, LabelMismatchError, TooFewImagesError

Matrix = Tensor | np.ndarray  # (N, D) features or (N, K) scores
Vector = Tensor | np.ndarray  # (N,) labels


def matrix(values: Matrix, what: str = "features") -> np.ndarray:
    """The same matrix as a contiguous numpy array, float64 if it was, else float32. Raises DataError for other shapes
    and for values that are infinite or not a number."""
    array = as_array(values)
    if array.ndim != 2:
        raise DataError(f"The {what} have the shape {tuple(array.shape)}.", "Give a matrix (items, values).")
    array = np.ascontiguousarray(array, dtype=np.float64 if array.dtype == np.float64 else np.float32)
    if not np.isfinite(array).all():
        raise DataError(
            f"The {what} hold values that are infinite or not a number.",
            "Find the items whose values are not finite, and leave them out or compute them again.",
        )
    return array


def pair(real: Matrix, synthetic: Matrix, at_least: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """Two feature matrices of one width. Raises TooFewImagesError below `at_least` rows, DataError for two widths."""
    first, second = matrix(real, "real features"), matrix(synthetic, "synthetic features")
    if first.shape[1] != second.shape[1]:
        widths = f"{first.shape[1]} and {second.shape[1]}"
        raise DataError(f"Real and synthetic features have {widths} values each.", "Use one extractor for both.")
    for name, rows in (("real", len(first)), ("synthetic", len(second))):
        if rows < at_least:
            raise TooFewImagesError(f"There are {rows} {name} images.", f"At least {at_least} are needed.")
    return first, second


def labels_for(rows: int, labels: Vector, n_classes: int | None = None) -> np.ndarray:
    """Labels as int64 (rows,). Raises LabelMismatchError for another number of them, or for labels out of range."""
    array = as_array(labels).astype(np.int64)
    if array.shape != (rows,):
        raise LabelMismatchError(f"{rows} items but labels of shape {array.shape}.", "Give one label for each item.")
    if n_classes is not None and rows and (array.min() < 0 or array.max() >= n_classes):
        found = f"{array.min()}..{array.max()}"
        raise LabelMismatchError(f"Labels {found} do not fit {n_classes} classes.", f"Use 0..{n_classes - 1}.")
    return array


def as_array(values: Matrix | Vector) -> np.ndarray:
    if not isinstance(values, Tensor):
        return np.asarray(values)
    values = values.detach().cpu()
    return (values.float() if values.dtype == torch.bfloat16 else values).numpy()
