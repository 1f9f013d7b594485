"""Was this image seen before? By fingerprint, or nearly: flipped, slightly shifted, recompressed, brighter, resized."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from ganaug.data.fingerprint import likenesses_of
from ganaug.data.near_duplicates import find_near, reduced
from ganaug.data.source import ImageSource
from ganaug.data.survey import survey
from ganaug.reporting import Report, silent

LEAK = 0.05  # share of an evaluation set up to which seen images are left out; beyond, the set is refused


def which_seen(
    fingerprints: Sequence[str], images: Sequence[np.ndarray], known: Iterable[str], report: Report = silent
) -> np.ndarray:
    """Which images are among the `known` fingerprints, exactly or nearly: bool (N,).

    fingerprints, images: of the images in question, the latter uint8 (H, W[, 3]), at any size.
    """
    marks = set(known)
    seen = np.array([mark in marks for mark in fingerprints], dtype=bool)
    rest = np.flatnonzero(~seen).tolist()
    near = find_near([images[row] for row in rest], likenesses_of(sorted(marks)), report=report)
    seen[[rest[match.query] for match in near]] = True
    return seen


def seen_items(source: ImageSource, known: Iterable[str], report: Report = silent) -> list[int]:
    """Indices of the items of a source that are among the `known` fingerprints, exactly or nearly. Unreadable items are
    passed over."""
    images: list[np.ndarray] = []
    found = survey(source, visit=lambda _, pixels: images.append(reduced(pixels)), report=report)
    there = which_seen([image.fingerprint for image in found.images], images, known, report)
    return [image.index for image, seen in zip(found.images, there, strict=True) if seen]
