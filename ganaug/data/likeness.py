"""Likenesses: a 16 x 16 grey picture of an image, stretched to its own range, as text of one character a cell.

It outlives what a hash does not: recompression, another size, another brightness. Flips and shifts are undone by
whoever compares (`near_duplicates`). It shows roughly what the image shows, so it stays in the run folder and is no
part of the generator folder, which is shared.
Everything here is computed in whole numbers, so that equal pixels have equal likenesses on every machine.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np

SIDE = 16  # cells
_CHARACTERS = np.frombuffer(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/", np.uint8)
_BRIGHTEST = len(_CHARACTERS) - 1
_VALUES = np.full(256, 255, np.uint8)
_VALUES[_CHARACTERS] = np.arange(len(_CHARACTERS))
_LUMA = np.array([299, 587, 114])  # thousandths
_BAND = 256  # rows that are widened to float64 at a time


def likeness(pixels: np.ndarray) -> str:
    """uint8 (H, W) or (H, W, 3) -> 256 characters, row by row; A is the darkest cell of the image, / the brightest."""
    sums = _sums(pixels)
    height = sums - sums.min()
    span = max(int(height.max()), 1)
    return _CHARACTERS[(2 * _BRIGHTEST * height + span) // (2 * span)].tobytes().decode()


def read_likenesses(texts: Sequence[str]) -> np.ndarray:
    """Likenesses as numbers: float32 (N, 16, 16), 0 to 63. Raises ValueError for what is not one."""
    if any(len(text) != SIDE * SIDE or not text.isascii() for text in texts):
        raise ValueError("it is not a likeness")
    values = _VALUES[np.frombuffer("".join(texts).encode(), np.uint8)].reshape(-1, SIDE, SIDE)
    if (values > _BRIGHTEST).any():
        raise ValueError("it is not a likeness")
    return values.astype(np.float32)


def _sums(pixels: np.ndarray) -> np.ndarray:
    """Sum of the luma over each cell, in units of 1/256,000 grey level, int64 (16, 16): exact, since all products of
    float64 stay below 2^53 up to 16 gigapixels."""
    height, width = pixels.shape[:2]
    rows, columns = _overlaps(height), _overlaps(width)
    lines = np.zeros((SIDE, pixels.size // height))
    for start in range(0, height, _BAND):
        band = pixels[start : start + _BAND]
        lines += rows[:, start : start + _BAND] @ band.reshape(len(band), -1).astype(np.float64)
    grey = 1000 * lines if pixels.ndim == 2 else lines.reshape(SIDE, width, 3) @ _LUMA
    return (grey @ columns.T).astype(np.int64)


@lru_cache(maxsize=64)
def _overlaps(side: int) -> np.ndarray:
    """How much of each pixel of a line lies in each of its 16 equal parts, in sixteenths of a pixel: (16, side)."""
    edges, pixel = side * np.arange(SIDE + 1), SIDE * np.arange(side)
    overlap = np.minimum(edges[1:, None], pixel + SIDE) - np.maximum(edges[:-1, None], pixel)
    return overlap.clip(0).astype(np.float64)
