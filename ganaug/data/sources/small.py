"""Classes of so few images that nothing can be learned of them, left out of a source by name."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from PIL import Image

from ganaug.errors import OptionError, TooFewImagesError


@dataclass(frozen=True, eq=False)
class Larger:
    """A source without its small classes. skipped: name of each of them -> its images."""

    source: Any
    rows: np.ndarray
    labels: np.ndarray
    classes: tuple[str, ...]
    names: Sequence[str]
    skipped: Mapping[str, int]
    ignored: Mapping[str, Sequence[str]]
    groups: tuple[str, ...] | None = None
    array: np.ndarray | None = None
    pairs: np.ndarray | None = field(default=None)

    def __len__(self) -> int:
        return len(self.rows)

    def __getattr__(self, name: str) -> Any:
        """What its values of more than 8 bits are, where it has any, is that of the source."""
        if name in ("deep", "span"):
            return getattr(self.source, name)
        raise AttributeError(name)

    def read(self, index: int) -> Image.Image:
        return self.source.read(int(self.rows[index]))

    @property
    def threads(self) -> int:
        """How many may read it at once."""
        return getattr(self.source, "threads", 1)

    def content(self) -> Iterator[bytes] | None:
        """Of all items of the source, and which of them these are; None where that takes as long as reading them."""
        inner = getattr(self.source, "content", None)
        found = None if inner is None else inner()
        return None if found is None else itertools.chain(found, [self.rows.tobytes()])


def without_small(source: Any, least: int | None) -> Any:
    """The source without classes of fewer than `least` images, which are named in `ignored`; None leaves it as it is.

    Raises OptionError for a number below 2, TooFewImagesError where less than two classes are left.
    """
    if least is None:
        return source
    if least < 2:
        raise OptionError(f"Classes of fewer than {least} images cannot be left out.", "Give 2 or more.")
    counts = np.bincount(source.labels, minlength=len(source.classes))
    kept = np.flatnonzero(counts >= least)
    skipped = {name: int(n) for name, n in zip(source.classes, counts, strict=True) if n < least}
    if not skipped:
        return source
    if len(kept) < 2:
        cause = f"{len(kept)} of {len(source.classes)} classes have {least} images or more; two are needed."
        raise TooFewImagesError(cause, "Give a smaller number, or more images.")
    rows = np.flatnonzero(np.isin(source.labels, kept))
    pairs = getattr(source, "pairs", None)
    reason = f"class of fewer than {least} images"
    return Larger(
        source=source,
        rows=rows,
        labels=np.searchsorted(kept, source.labels[rows]).astype(np.int64),
        classes=tuple(source.classes[label] for label in kept),
        names=[source.names[row] for row in rows],
        skipped=skipped,
        ignored={**source.ignored, reason: [f"{name} ({n})" for name, n in skipped.items()]},
        groups=None if source.groups is None else tuple(source.groups[row] for row in rows),
        array=None if source.array is None else source.array[rows],
        pairs=None if pairs is None else pairs[rows],
    )


def base_of(source: Any) -> Any:
    """What a source was before small classes were left out of it."""
    return base_of(source.source) if isinstance(source, Larger) else source


def rows_in_base(source: Any, rows: np.ndarray) -> np.ndarray:
    """Rows of a source, as rows of what it was before."""
    return rows_in_base(source.source, source.rows[rows]) if isinstance(source, Larger) else rows


def skipped_in(source: Any) -> tuple[str, ...]:
    """Names of the classes that were left out of a source."""
    return tuple(source.skipped) if isinstance(source, Larger) else ()
