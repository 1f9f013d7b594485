"""Likenesses: a 16 x 16 grey picture of an image, stretched to its own range, that range, and 4 x 4 colours, as text of
one character a number.

It outlives what a hash does not: recompression, another size, another brightness. Flips and shifts are undone by
whoever compares (`near_duplicates`). It shows roughly what the image shows, so it stays in the run folder and is no
part of the generator folder, which is shared.
Everything here is computed in whole numbers, so that equal pixels have equal likenesses on every machine.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

SIDE = 16  # cells
COLOURS = 4  # cells of colour a side
LENGTH = SIDE * SIDE + 2 + 2 * COLOURS * COLOURS  # characters
_STEP = 8  # grey levels between two characters of a colour
_CHARACTERS = np.frombuffer(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/", np.uint8)
_BRIGHTEST = len(_CHARACTERS) - 1
_VALUES = np.full(256, 255, np.uint8)
_VALUES[_CHARACTERS] = np.arange(len(_CHARACTERS))
_LUMA = np.array([299, 587, 114])  # thousandths
_BACK = slice(None, None, -1)
_TURNS = ((slice(None), _BACK), (_BACK, slice(None)), (_BACK, _BACK))
_GREY = 32  # the character of no colour
_BAND = 256  # rows that are widened to float64 at a time


@dataclass(frozen=True)
class Likenesses:
    """cells: luma, float32 (N, 16, 16), 0 to 255, stretched to 64 levels. chroma: blue and red without luma, float32
    (N, 4, 4, 2)."""

    cells: np.ndarray
    chroma: np.ndarray

    def __len__(self) -> int:
        return len(self.cells)


def likeness(pixels: np.ndarray) -> str:
    """uint8 (H, W) or (H, W, 3) -> 290 characters: the cells row by row (A is the darkest, / the brightest of them),
    the levels of these two, then blue and red without luma."""
    height, width = pixels.shape[:2]
    grey, colours = _sums(pixels)
    low, high = int(grey.min()), int(grey.max())
    white, span = 255_000 * height * width, max(high - low, 1)
    cells = (2 * _BRIGHTEST * (grey - low) + span) // (2 * span)
    ends = [(2 * _BRIGHTEST * level + white) // (2 * white) for level in (low, high)]
    unit = 1000 * _STEP * height * width * (SIDE // COLOURS) ** 2
    chroma = ((2 * colours + unit) // (2 * unit) + _GREY).clip(0, _BRIGHTEST)
    numbers = np.concatenate([cells.ravel(), ends, chroma.ravel()])
    return _CHARACTERS[numbers].tobytes().decode()


def read_likenesses(texts: Sequence[str]) -> Likenesses:
    """Likenesses as numbers. Raises ValueError for what is not one."""
    if any(len(text) != LENGTH or not text.isascii() for text in texts):
        raise ValueError("it is not a likeness")
    values = _VALUES[np.frombuffer("".join(texts).encode(), np.uint8)].reshape(-1, LENGTH)
    if (values > _BRIGHTEST).any():
        raise ValueError("it is not a likeness")
    cells, ends, chroma = np.split(values.astype(np.float32), (SIDE * SIDE, SIDE * SIDE + 2), axis=1)
    low, high = (255 / _BRIGHTEST * ends).T[:, :, None, None]
    steps = np.maximum(high - low, 1) / _BRIGHTEST  # what is nearly plain keeps its structure
    levels = low + steps * cells.reshape(-1, SIDE, SIDE)
    return Likenesses(levels, _STEP * (chroma - _GREY).reshape(-1, COLOURS, COLOURS, 2))


def flips(text: str) -> tuple[str, str, str]:
    """The likenesses of the same image left-right, upside down, and both; exact, since whole numbers are summed."""
    letters = np.frombuffer(text.encode(), np.uint8)
    cells, ends, chroma = np.split(letters, (SIDE * SIDE, SIDE * SIDE + 2))
    grids = cells.reshape(SIDE, SIDE), chroma.reshape(COLOURS, COLOURS, 2)
    left, up, both = (
        np.concatenate([grids[0][turn].ravel(), ends, grids[1][turn].ravel()]).tobytes().decode() for turn in _TURNS
    )
    return left, up, both


def chroma_of(pixels: np.ndarray) -> np.ndarray:
    """The colours of a likeness, not rounded: float32 (4, 4, 2)."""
    unit = 1000 * pixels.shape[0] * pixels.shape[1] * (SIDE // COLOURS) ** 2
    return (_sums(pixels)[1] / unit).astype(np.float32)


def _sums(pixels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Sums over each cell in units of 1/256,000 grey level, int64: luma (16, 16), and blue and red without luma
    (4, 4, 2); exact, since all products of float64 stay below 2^53 up to 16 gigapixels."""
    height, width = pixels.shape[:2]
    rows, columns = _overlaps(height), _overlaps(width)
    lines = np.zeros((SIDE, pixels.size // height))
    for start in range(0, height, _BAND):
        band = pixels[start : start + _BAND]
        lines += rows[:, start : start + _BAND] @ band.reshape(len(band), -1).astype(np.float64)
    channels = (columns @ lines.reshape(SIDE, width, -1)).astype(np.int64)  # (16, 16, 1 or 3)
    if channels.shape[-1] == 1:
        return 1000 * channels[:, :, 0], np.zeros((COLOURS, COLOURS, 2), np.int64)
    grey = channels @ _LUMA
    rest = 1000 * channels[:, :, [2, 0]] - grey[:, :, None]
    side = SIDE // COLOURS
    return grey, rest.reshape(COLOURS, side, COLOURS, side, 2).sum((1, 3))


@lru_cache(maxsize=64)
def _overlaps(side: int) -> np.ndarray:
    """How much of each pixel of a line lies in each of its 16 equal parts, in sixteenths of a pixel: (16, side)."""
    edges, pixel = side * np.arange(SIDE + 1), SIDE * np.arange(side)
    overlap = np.minimum(edges[1:, None], pixel + SIDE) - np.maximum(edges[:-1, None], pixel)
    return overlap.clip(0).astype(np.float64)
