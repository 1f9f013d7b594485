"""Items of other people's data sets (PIL images, arrays, tensors) -> uint8 pixels, (H, W) or (H, W, 3).

Numbers are read by dtype and range, never by guessing: uint8 is 0..255, floats are 0..1, other integers are 0..255
or, above that, 16-bit (divided by 257). Where a range is declared, floats and integers of more than 8 bits are over it.
Anything else is refused with the fix, since a wrong guess would train a generator on black or washed-out images.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from PIL import Image

from ganaug.data.pictures.depth import Deep, Range, Stored, floats_to_8_bits, noted, unfit, whole_to_8_bits
from ganaug.data.pictures.images import MIN_SIDE, to_grey_or_rgb
from ganaug.errors import DataError

_SLACK = 1e-3  # how far interpolated floats may leave [0, 1]
_RANGE = "a range declares what is black and what is white: range=(LOW, HIGH)"


def to_pixels(item: Any, span: Range | None = None) -> np.ndarray:
    """One PIL image, array or tensor -> uint8 (H, W) or (H, W, 3).

    Arrays are (H, W) or (H, W, C), tensors (H, W) or (C, H, W); the other order is accepted where it is unambiguous.
    span: the declared range. Raises DataError for other types, NaN and values out of range.
    """
    return np.asarray(to_picture(item, span=span))


def to_picture(item: Any, name: str = "the image", span: Range | None = None) -> Image.Image:
    """The same as a PIL image, with what the item was (`depth.stored_in`)."""
    if isinstance(item, Image.Image):
        return to_grey_or_rgb(item, span)
    array = as_numpy(item)
    if array is None or array.ndim not in (2, 3):
        what = type(item).__name__ if array is None else f"an array of shape {array.shape}"
        raise DataError(
            f"{_capital(name)} is {what}, not an image.", "Items must be (PIL image | array | tensor, int)."
        )
    pixels, deep = _to_pixels(array, name, span, one=True, channels_first=_is_tensor(item))
    return noted(Image.fromarray(pixels), Stored(deep=deep))


def to_deep_batch(x: Any, *, name: str = "X", span: Range | None = None) -> tuple[np.ndarray, Deep | None]:
    """Arrays (N, H, W), (N, H, W, C) or (N, C, H, W), C in {1, 3, 4} -> uint8 (N, H, W) or (N, H, W, 3), and its values
    of more than 8 bits.

    An ambiguous order of a tensor is read as channels first. span: the declared range. Raises DataError for NaN, values
    out of range or on an unknown scale, and shapes that are not images.
    """
    array = as_numpy(x)
    if array is None:
        raise DataError(f"{_capital(name)} is {type(x).__name__}, not an array.", "Give uint8 images (N, H, W[, C]).")
    pixels, deep = _to_pixels(array, name, span, one=False, channels_first=_is_tensor(x))
    doubt = unfit({name: deep} if deep else {}, span)
    if doubt:
        raise DataError(*doubt)
    return pixels, deep


def _to_pixels(
    array: np.ndarray, name: str, span: Range | None, *, one: bool, channels_first: bool
) -> tuple[np.ndarray, Deep | None]:
    array, deep = _to_uint8(_channels_last(array[None] if one else array, name, channels_first), name, one, span)
    if min(array.shape[1:3]) < MIN_SIDE:
        cause = f"{_capital(name)}: images of {array.shape[1]} x {array.shape[2]} px are too small."
        raise DataError(cause, f"At least {MIN_SIDE} px a side are needed.")
    return array[0] if one else array, deep


def pixels_of_pairs(x: Any, count: int) -> np.ndarray:
    """Paired images as pixels; DataError unless there is one for each of `count` images."""
    pixels = to_deep_batch(x, name="the pairs")[0]
    if len(pixels) != count:
        raise DataError(f"{count} images but {len(pixels)} paired ones.", "Give one pair for each image.")
    return pixels


def as_numpy(x: Any) -> np.ndarray | None:
    """Array, tensor (any device), column of numbers or nested list of them as a numpy array; None for everything
    else. Raises DataError for masked values, and for a tensor whose numbers are not there, or not all of them."""
    refuse_masked(x)
    if isinstance(x, np.ndarray):
        return np.asarray(x)
    if _is_tensor(x):
        return _of_tensor(x)
    if isinstance(x, Sequence) and type(x).__name__ == "Column":  # of a data set of Hugging Face
        x = x[:]
    if isinstance(x, (list, tuple)) or hasattr(x, "__array__"):
        try:
            array = np.asarray(x)
        except (ValueError, TypeError, RuntimeError):  # of several sizes, or tensors that numpy does not take
            plain = _without_tensors(x)
            try:
                array = np.asarray(plain)
            except (ValueError, TypeError):
                return None
        return None if array.dtype == object else array
    return None


def refuse_masked(x: Any) -> None:
    """Raises DataError for an array, or a list of them or of numbers, in which values are masked."""
    if np.ma.is_masked(x) or (isinstance(x, (list, tuple)) and any(map(np.ma.is_masked, x))):
        raise DataError("Some values are masked.", "Leave out the items that hold them, or fill them: x.filled(VALUE).")


def _of_tensor(x: Any) -> np.ndarray:
    try:
        x = x.detach().cpu()
        return (x.float() if x.is_floating_point() else x).numpy()
    except (RuntimeError, TypeError) as error:  # sparse, nested, quantised, on the device "meta"
        kind = "meta" if x.is_meta else str(x.layout).removeprefix("torch.")
        cause = f"A tensor ({kind}, {str(x.dtype).removeprefix('torch.')}) holds its numbers in no array."
        raise DataError(cause, "Give a usual one: x.to_dense(), x.dequantize(), or one that holds numbers.") from error


def _without_tensors(x: Any) -> Any:
    if isinstance(x, (list, tuple)):
        return [_without_tensors(one) for one in x]
    return _of_tensor(x) if _is_tensor(x) else x


def _channels_last(array: np.ndarray, name: str, channels_first: bool) -> np.ndarray:
    if array.ndim == 3:
        return array
    if array.ndim != 4:
        fix = "Reshape it to (N, H, W) or (N, H, W, C)."
        raise DataError(f"{_capital(name)} of shape {array.shape} does not hold images.", fix)
    first, last = array.shape[1] in (1, 3, 4), array.shape[3] in (1, 3, 4)
    if not (first or last):
        cause = f"{_capital(name)} of shape {array.shape} has neither 1, 3 nor 4 channels."
        raise DataError(cause, "Channels come last, (N, H, W, C), or first, (N, C, H, W).")
    if first and (channels_first or not last):
        array = array.transpose(0, 2, 3, 1)
    return array[..., 0] if array.shape[3] == 1 else array


def _to_uint8(array: np.ndarray, name: str, one: bool, span: Range | None) -> tuple[np.ndarray, Deep | None]:
    kind, deep = array.dtype.kind, None
    if array.size == 0:
        raise DataError(f"{_capital(name)} is empty (shape {array.shape}).", "Give at least 2 images a class.")
    if array.dtype == np.uint8:
        pass
    elif kind == "b":
        array = array.astype(np.uint8) * 255
    elif kind in "iu":
        low, high = int(array.min()), int(array.max())
        if span is None and (low < 0 or high > 65535):
            fix = f"Convert it to uint8, 0..255; or {_RANGE}."
            raise DataError(f"{_capital(name)} holds values from {low} to {high}.", fix)
        array, deep = whole_to_8_bits(array, span, small=True)
    elif kind == "f":
        _require_floats(array, name, one, span)
        array, deep = floats_to_8_bits(array, span)
    else:
        raise DataError(f"{_capital(name)} has dtype {array.dtype}.", "Convert it to uint8, 0..255.")
    if array.ndim == 4 and array.shape[3] == 4:  # laid on white
        array = np.stack([np.asarray(to_grey_or_rgb(Image.fromarray(np.ascontiguousarray(item)))) for item in array])
    return np.ascontiguousarray(array), deep


def _require_floats(array: np.ndarray, name: str, one: bool, span: Range | None) -> None:
    """Raises DataError for floats that are not finite, and without a range for those outside 0..1."""
    finite = np.isfinite(array)
    if not finite.all():
        bad = np.flatnonzero(~finite.reshape(len(array), -1).all(axis=1))
        where = "" if one else f" in {len(bad)} of {len(array)} images, first in item {bad[0]}"
        raise DataError(f"{_capital(name)} holds NaN or infinite values{where}.", "Remove or repair those images.")
    low, high = float(array.min()), float(array.max())
    if span is None and (low < -_SLACK or high > 1 + _SLACK):
        fix = f"If it was normalised, undo that; floats must be in 0..1, or {_RANGE}."
        if low >= 0 and high <= 255:
            fix = f"Floats must be in 0..1: divide by the largest possible value, give 0..255 as uint8; or {_RANGE}."
        if not one and array.ndim == 3:
            fix += ' Series (N, C, T) are read with --kind series (kind="series").'
        raise DataError(f"{_capital(name)} holds floats from {low:g} to {high:g}.", fix)


def _is_tensor(x: Any) -> bool:
    import torch

    return isinstance(x, torch.Tensor)


def _capital(name: str) -> str:
    return "The" + name[3:] if name.startswith("the ") else name
