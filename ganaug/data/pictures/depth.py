"""Values of more than 8 bits -> 8 bits, by one scale for a whole set, never one for each image.

Whole numbers are 16-bit (divided by 257), floats are 0..1, unless a range is declared: then its lower end is black, its
upper end white, and what lies outside is clipped and counted. Which numbers a set really holds is looked at when all
of it was read (`unfit`): 12-bit values in 16-bit files, signed or unscaled ones are refused with the range to declare.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from PIL import Image

Range = tuple[float, float]
WHOLE: Range = (0.0, 65535.0)  # what 16-bit values are taken for without a range
_HALF = 32768
_TWELVE_BITS = 4095
_KEY = "ganaug"  # in the `info` of a PIL image


@dataclass(frozen=True)
class Deep:
    """Values of one picture, or of an array of them, before they became 8 bits.

    scale: what they were taken for: "16 bits", "8 bits" (whole numbers up to 255), "upper byte" (16-bit colour, of
    which Pillow gives no more), "0 to 1", "0 to 255" (floats) or "range" (that was declared). outside: share of them
    that lies outside the range.
    """

    low: float
    high: float
    scale: str
    outside: float = 0.0


@dataclass(frozen=True)
class Stored:
    """What a picture was before it was read: `traits` among `images.TRAITS`, and its values of more than 8 bits."""

    traits: frozenset[str] = frozenset()
    deep: Deep | None = None


def noted(image: Image.Image, stored: Stored) -> Image.Image:
    """A picture of our own, with what it was before."""
    image.info[_KEY] = stored
    return image


def stored_in(image: Image.Image) -> Stored:
    """What is noted on a picture."""
    found = image.info.get(_KEY)
    return found if isinstance(found, Stored) else Stored()


def whole_to_8_bits(values: np.ndarray, span: Range | None, *, small: bool) -> tuple[np.ndarray, Deep]:
    """Whole numbers -> uint8. small: those up to 255 are taken as they are, where there is no range."""
    low, high = float(values.min()), float(values.max())
    if span is not None:
        return _mapped(values, span, low, high)
    if small and low >= 0 and high <= 255:
        return values.astype(np.uint8), Deep(low, high, "8 bits")
    return from_16_bit(values.clip(0, 65535)), Deep(low, high, "16 bits")


def floats_to_8_bits(values: np.ndarray, span: Range | None) -> tuple[np.ndarray, Deep]:
    """Finite floats -> uint8: in 0..1, or else in 0..255."""
    low, high = float(values.min()), float(values.max())
    if span is not None:
        return _mapped(values, span, low, high)
    unit = high <= 1.001  # interpolation may leave 0..1 a little
    pixels = np.rint(values.clip(0, 1) * np.float32(255) if unit else values.clip(0, 255)).astype(np.uint8)
    return pixels, Deep(low, high, "0 to 1" if unit else "0 to 255")


def from_16_bit(values: np.ndarray) -> np.ndarray:
    """0..65535 -> uint8."""
    return ((values.astype(np.uint32) + 128) // 257).astype(np.uint8)


def from_8_bits(pixels: np.ndarray, span: Range) -> np.ndarray:
    """uint8 -> float64 in a range, the way back."""
    return span[0] + pixels.astype(np.float64) * ((span[1] - span[0]) / 255)


def in_words(span: Range) -> str:
    """ "-1024 to 1500"."""
    return f"{_number(span[0])} to {_number(span[1])}"


def off_scale(deep: Deep) -> bool:
    """Whether values lie outside what they were taken for, whatever other pictures hold."""
    return deep.low < -0.001 or deep.high > (255 if deep.scale in ("0 to 1", "0 to 255") else WHOLE[1])


def unfit(deep: Mapping[str, Deep], span: Range | None = None) -> tuple[str, str] | None:
    """Why the values of a set, by name of the item, cannot be taken as they were, and the fix; None if they can."""
    if span is not None:
        if deep and min(one.outside for one in deep.values()) == 1:
            own = min(one.low for one in deep.values()), max(one.high for one in deep.values())
            return f"All values, {in_words(own)}, lie outside the range {in_words(span)}.", _declare(*own)
        return None
    shown = {name: one for name, one in deep.items() if one.high != 0 or one.low != 0}  # black is black on any scale
    whole = {name: one for name, one in shown.items() if one.scale in ("16 bits", "8 bits", "upper byte")}
    floats = {name: one for name, one in shown.items() if one.scale in ("0 to 1", "0 to 255")}
    return _unfit_whole(whole) or _unfit_floats(floats)


def _unfit_whole(found: Mapping[str, Deep]) -> tuple[str, str] | None:
    if not found:
        return None
    low, high = _ends(found)
    scales = {one.scale for one in found.values()}
    if low < 0 or high > WHOLE[1]:
        return f"Pixels hold values from {low:.0f} to {high:.0f}{_where(found)}: {_LOST}", _declare(low, high)
    if scales == {"8 bits"}:
        return None
    if "8 bits" in scales:
        small = next(name for name, one in found.items() if one.scale == "8 bits")
        cause = f"Pixels go up to {high:.0f}, and those of {small} to {found[small].high:.0f}: of 16 bits, or of 8?"
        return cause, _declare(0, WHOLE[1])
    if high >= _HALF:
        return _of_two_depths(found, high)
    top = next(2.0**bits - 1 for bits in range(8, 16) if high < 2**bits)
    if scales == {"upper byte"}:
        cause = f"Colour of 16 bits has no value above {high:.0f}, and Pillow reads its upper 8 bits only: {_LOST}"
        return cause, f"Save it as .npy, (H, W, 3), and declare --range 0 {top:.0f} (range=(0, {top:.0f}) in Python)."
    cause = f"Pixels of 16 bits have no value above {high:.0f} of 65535: {_LOST}"
    return cause, f"{_declare(0, top)} --range 0 65535 says that they are just dark."


def _of_two_depths(found: Mapping[str, Deep], high: float) -> tuple[str, str] | None:
    """Many pictures of 12 bits among others of 16 would be all but black."""
    dim = [name for name, one in found.items() if one.high <= _TWELVE_BITS]
    if len(dim) < 2 or len(dim) < 0.1 * len(found):
        return None
    cause = f"Pixels go up to {high:.0f}, but in {len(dim)} of {len(found)} pictures, like {dim[0]}, to no more than "
    cause += f"{max(found[name].high for name in dim):.0f}: are they of another depth?"
    return (
        cause,
        "Convert them to one depth; --range 0 65535 (range=(0, 65535) in Python) says that they are just dark.",
    )


def _unfit_floats(found: Mapping[str, Deep]) -> tuple[str, str] | None:
    if not found:
        return None
    low, high = _ends(found)
    if low < -0.001 or high > 255:
        return f"Pixels hold floats from {low:g} to {high:g}{_where(found)}: {_LOST}", _declare(low, high)
    scales = {one.scale for one in found.values()}
    if scales == {"0 to 1"} or (scales == {"0 to 255"} and high >= 128):
        return None
    if high >= 128:
        return f"Some pictures hold floats up to {high:g}, and others of 0 to 1: on which scale?", _declare(0, 255)
    return f"Pixels hold floats from {low:g} to {high:g}, neither of 0..1 nor of 0..255: {_LOST}", _declare(low, high)


_LOST = "read as they are, most of their levels would be lost."


def _declare(low: float, high: float) -> str:
    low, high = (math.floor(low), math.ceil(high)) if high - low > 10 else (low, high)
    ends = _number(low), _number(high)
    return f"Declare what is black and what is white: --range {' '.join(ends)} (range=({', '.join(ends)}) in Python)."


def _ends(found: Mapping[str, Deep]) -> tuple[float, float]:
    return min(one.low for one in found.values()), max(one.high for one in found.values())


def _where(found: Mapping[str, Deep]) -> str:
    if len(found) == 1:
        return ""
    low, high = (min(found, key=lambda n: found[n].low), max(found, key=lambda n: found[n].high))
    return f" ({low})" if low == high else f" ({low}, {high})"


def _mapped(values: np.ndarray, span: Range, low: float, high: float) -> tuple[np.ndarray, Deep]:
    bottom, top = span
    outside = float(((values < bottom) | (values > top)).mean())
    shifted = (values.astype(np.float64) - bottom) * (255 / (top - bottom))
    return np.rint(shifted.clip(0, 255)).astype(np.uint8), Deep(low, high, "range", outside)


def _number(value: float) -> str:
    return f"{value:.0f}" if value == round(value) else f"{value:g}"
