"""Was this image seen before? By fingerprint, or nearly: flipped, slightly shifted, recompressed, brighter, resized."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Protocol, Self, TypeVar

import numpy as np
from torch import Tensor

from ganaug.data.duplicates.likeness import SIDE, flips, read_likenesses
from ganaug.data.duplicates.near_duplicates import find_near
from ganaug.data.duplicates.views import Reduced
from ganaug.reporting import Report, silent

_LETTERS = 8  # levels of grey: an image with fewer shows too little to be known by its likeness alone
LEAK = 0.05  # share of an evaluation set up to which seen images are left out; beyond, the set is refused


class Fingerprinted(Protocol):
    """`LabelledImages`, as far as its pictures are compared with others."""

    @property
    def fingerprints(self) -> Sequence[str]: ...
    @property
    def likenesses(self) -> Sequence[str]: ...
    def __len__(self) -> int: ...


class Pictured(Fingerprinted, Protocol):
    """`LabelledImages`, as far as some of its pictures are taken."""

    @property
    def pixels(self) -> Tensor: ...
    def take(self, indices: Sequence[int]) -> Self: ...


Pictures = TypeVar("Pictures", bound=Pictured)


@dataclass(frozen=True)
class Known:
    """Images that somebody saw: fingerprints find them exactly, likenesses nearly.

    nearly: whether the likenesses are all there, so that near-duplicates can be found.
    """

    fingerprints: frozenset[str]
    likenesses: frozenset[str] = frozenset()
    nearly: bool = True

    @staticmethod
    def of(*parts: Fingerprinted) -> Known:
        """All images of these parts."""
        prints = (mark for part in parts for mark in part.fingerprints)
        likenesses = frozenset(alike for part in parts for alike in part.likenesses)
        return Known(frozenset(prints), likenesses, all(len(part.likenesses) == len(part) for part in parts))

    def __or__(self, other: Known) -> Known:
        prints, likenesses = self.fingerprints | other.fingerprints, self.likenesses | other.likenesses
        return Known(prints, likenesses, self.nearly and other.nearly)


@dataclass(frozen=True)
class Marks:
    """For each image in question the fingerprint (or else the likeness) of the known image that it is, exactly (or else
    nearly); an empty text where it is none.

    sure: where there is no doubt. unsure: where the known images are families of which different ones are as alike, so
    that it may be the same subject or another one.
    """

    sure: list[str]
    unsure: list[str]

    def __iter__(self) -> Iterator[str]:
        """Whatever each may be."""
        return (sure or unsure for sure, unsure in zip(self.sure, self.unsure, strict=True))


def seen_as(
    fingerprints: Sequence[str],
    likenesses: Sequence[str],
    images: Sequence[np.ndarray | Reduced],
    known: Known,
    report: Report = silent,
) -> Marks:
    """As which of the known images each of these was seen.

    fingerprints, likenesses, images: of the images in question, the last uint8 (H, W[, 3]), at any size, or reduced;
    likenesses may be empty where nobody took them.
    """
    likenesses = likenesses or [""] * len(fingerprints)
    sure = [
        mark if mark in known.fingerprints else _turned(text, known.likenesses)
        for mark, text in zip(fingerprints, likenesses, strict=True)
    ]
    unsure = [""] * len(sure)
    rest, texts = [row for row, mark in enumerate(sure) if not mark], sorted(known.likenesses)
    for match in find_near([images[row] for row in rest], read_likenesses(texts), report=report):
        (sure if match.sure else unsure)[rest[match.query]] = texts[match.seen]
    return Marks(sure, unsure)


def marks_of(images: Pictured, known: Known, report: Report = silent) -> Marks:
    """As which of the known images each of these was seen."""
    pictures = list(images.pixels.permute(0, 2, 3, 1).squeeze(-1).numpy())
    return seen_as(images.fingerprints, images.likenesses, pictures, known, report)


def without(
    images: Pictures, *others: Fingerprinted, exact_only: bool = False, report: Report = silent
) -> tuple[Pictures, int]:
    """The images that are not among the others, exactly or nearly beyond doubt, and how many are."""
    known = Known.of(*others)
    known = replace(known, likenesses=frozenset()) if exact_only else known
    rest = [row for row, mark in enumerate(marks_of(images, known, report).sure) if not mark]
    return images.take(rest), len(images) - len(rest)


def _turned(text: str, known: frozenset[str]) -> str:
    """The likeness among the known ones that is this one, or this one flipped, to the letter; else an empty text."""
    if len(set(text[: SIDE * SIDE])) < _LETTERS:
        return ""
    return next((turned for turned in (text, *flips(text)) if turned in known), "")
