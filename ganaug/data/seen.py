"""Was this image seen before? By fingerprint, or nearly: flipped, slightly shifted, recompressed, brighter, resized."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ganaug.data.likeness import read_likenesses
from ganaug.data.load import LabelledImages
from ganaug.data.near_duplicates import find_near, reduced
from ganaug.data.source import ImageSource
from ganaug.data.survey import survey
from ganaug.reporting import Report, silent

LEAK = 0.05  # share of an evaluation set up to which seen images are left out; beyond, the set is refused


@dataclass(frozen=True)
class Known:
    """Images that somebody saw: fingerprints find them exactly, likenesses nearly.

    nearly: whether the likenesses are all there, so that near-duplicates can be found.
    """

    fingerprints: frozenset[str]
    likenesses: frozenset[str] = frozenset()
    nearly: bool = True

    @staticmethod
    def of(*parts: LabelledImages) -> Known:
        """All images of these parts."""
        prints = (mark for part in parts for mark in part.fingerprints)
        return Known(frozenset(prints), frozenset(alike for part in parts for alike in part.likenesses))

    def __or__(self, other: Known) -> Known:
        prints, likenesses = self.fingerprints | other.fingerprints, self.likenesses | other.likenesses
        return Known(prints, likenesses, self.nearly and other.nearly)


def which_seen(
    fingerprints: Sequence[str], images: Sequence[np.ndarray], known: Known, report: Report = silent
) -> np.ndarray:
    """Which images are among the known ones, exactly or nearly: bool (N,).

    fingerprints, images: of the images in question, the latter uint8 (H, W[, 3]), at any size.
    """
    seen = np.array([mark in known.fingerprints for mark in fingerprints], dtype=bool)
    rest = np.flatnonzero(~seen).tolist()
    near = find_near([images[row] for row in rest], read_likenesses(sorted(known.likenesses)), report=report)
    seen[[rest[match.query] for match in near]] = True
    return seen


def seen_items(source: ImageSource, known: Known, report: Report = silent) -> list[int]:
    """Indices of the items of a source that are among the known images, exactly or nearly. Unreadable items are
    passed over."""
    images: list[np.ndarray] = []
    found = survey(source, visit=lambda _, pixels: images.append(reduced(pixels)), report=report)
    there = which_seen([image.fingerprint for image in found.images], images, known, report)
    return [image.index for image, seen in zip(found.images, there, strict=True) if seen]
