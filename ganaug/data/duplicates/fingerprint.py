"""Fingerprints: hashes of what an image shows, so that copies are found across folders, arrays and data sets.

SHA-256 of the mode, the size and the decoded 8-bit pixels, not of the file: the same picture has the same fingerprint
as a PNG, a PIL image, a uint8 array or a float tensor in 0..1. An RGB image without any colour counts as grey, since
many readers turn every file into RGB. Near-duplicates are found by likenesses.
"""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np

from ganaug.data.pictures.convert import to_pixels


def fingerprint(image: Any) -> str:
    """Of one image: PIL, array (H, W[, C]) or tensor (C, H, W), the latter two uint8 or floats in 0..1."""
    pixels = to_pixels(image)
    return fingerprint_pixels(pixels, in_colour(pixels))


def fingerprint_pixels(pixels: np.ndarray, colour: bool) -> str:
    """The fingerprint of uint8 (H, W) or (H, W, 3); `colour` is what `in_colour` says of it."""
    grey = pixels if colour or pixels.ndim == 2 else pixels[..., 0]
    digest = hashlib.sha256(f"{'RGB' if colour else 'L'} {pixels.shape[1]}x{pixels.shape[0]}\n".encode())
    digest.update(np.ascontiguousarray(grey).data)
    return digest.hexdigest()


def in_colour(pixels: np.ndarray) -> bool:
    """Whether uint8 (H, W) or (H, W, 3) has a pixel whose channels differ."""
    if pixels.ndim == 2:
        return False
    red, green, blue = pixels[..., 0], pixels[..., 1], pixels[..., 2]
    return not (np.array_equal(red, green) and np.array_equal(green, blue))
