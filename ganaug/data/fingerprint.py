"""Fingerprints: what an image shows, as text, so that copies are found across folders, arrays and data sets.

`sha256:likeness`. Hashed are the mode, the size and the decoded 8-bit pixels, not the file: the same picture has the
same fingerprint as a PNG, a PIL image, a uint8 array or a float tensor in 0..1. An RGB image without any colour counts
as grey, since many readers turn every file into RGB. The likeness, 16 x 16 cells, is for finding near-duplicates.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Any

import numpy as np

from ganaug.data.convert import to_pixels
from ganaug.data.likeness import likeness, read_likenesses
from ganaug.errors import ArtefactError


def fingerprint(image: Any) -> str:
    """Of one image: PIL, array (H, W[, C]) or tensor (C, H, W), the latter two uint8 or floats in 0..1."""
    pixels = to_pixels(image)
    return fingerprint_pixels(pixels, in_colour(pixels))


def fingerprint_pixels(pixels: np.ndarray, colour: bool) -> str:
    """The fingerprint of uint8 (H, W) or (H, W, 3); `colour` is what `in_colour` says of it."""
    grey = pixels if colour or pixels.ndim == 2 else pixels[..., 0]
    digest = hashlib.sha256(f"{'RGB' if colour else 'L'} {pixels.shape[1]}x{pixels.shape[0]}\n".encode())
    digest.update(np.ascontiguousarray(grey).data)
    return f"{digest.hexdigest()}:{likeness(grey)}"


def likenesses_of(fingerprints: Iterable[str]) -> np.ndarray:
    """The likenesses in these fingerprints, float32 (n, 16, 16); fingerprints without one are passed over.

    Raises ArtefactError for a damaged one.
    """
    texts = [text for text in (mark.partition(":")[2] for mark in fingerprints) if text]
    try:
        return read_likenesses(texts)
    except ValueError as error:
        raise ArtefactError(f"A fingerprint cannot be read: {error}.", "Fetch or fit the generator again.") from error


def in_colour(pixels: np.ndarray) -> bool:
    """Whether uint8 (H, W) or (H, W, 3) has a pixel whose channels differ."""
    if pixels.ndim == 2:
        return False
    red, green, blue = pixels[..., 0], pixels[..., 1], pixels[..., 2]
    return not (np.array_equal(red, green) and np.array_equal(green, blue))
