"""One door for labelled images: whatever the user has becomes an `ImageSource`, read lazily."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np
from PIL import Image

from ganaug.data.labels.groups import with_groups
from ganaug.data.pictures.depth import Range
from ganaug.data.sources.kinds import SOURCES, Asked, Kind
from ganaug.data.sources.small import Larger, without_small
from ganaug.errors import DataError, OptionError
from ganaug.options import Reading, merged
from ganaug.reporting import Report, silent

OF_LIST = ("image", "target", "split", "classes")  # what is read of `Reading` for a list of images


@runtime_checkable
class ImageSource(Protocol):
    """Labelled images that are read one by one.

    Attributes
    ----------
    classes : tuple of str
        The names of the classes.
    labels : ndarray
        int64 (N,); label i means `classes[i]`.
    names : sequence of str
        Of the items: a path relative to the root, or "item 17".
    groups : tuple of str or None
        The subject of each item, which a split never divides.
    array : ndarray or None
        uint8 (N, H, W) or (N, H, W, 3), where all items lie in memory already.
    ignored : mapping of str to sequence of str
        Reason -> names that were passed over.
    """

    @property
    def classes(self) -> tuple[str, ...]: ...
    @property
    def labels(self) -> np.ndarray: ...
    @property
    def names(self) -> Sequence[str]: ...
    @property
    def groups(self) -> tuple[str, ...] | None: ...
    @property
    def array(self) -> np.ndarray | None: ...
    @property
    def ignored(self) -> Mapping[str, Sequence[str]]: ...

    def __len__(self) -> int: ...

    def read(self, index: int) -> Image.Image:
        """Read one image.

        Parameters
        ----------
        index : int
            Number of the item.

        Returns
        -------
        PIL.Image.Image
            Of mode "L" or "RGB".

        Raises
        ------
        UnreadableImageError
            It cannot be decoded.
        """
        ...


OF_OPEN = frozenset({"groups", "skip_small", "range", "as_served"})  # likewise, where images are open already


def open_source(source: Any, reading: Reading | None = None, *, report: Report = silent, **given: Any) -> ImageSource:
    """Open anything that holds labelled images. Nothing is read before it is asked for.

    Parameters
    ----------
    source : str, path, tuple, list, data set or ImageSource
        One of these:

        - a folder ``ROOT/CLASS/*.png``, or any folder with `labels`, a CSV file of images and labels;
        - such a CSV file by itself, with its images beside it, or a .npz file;
        - (X, y), images and labels in memory;
        - a map-style data set of (image, int) or of dicts (Hugging Face), also a Subset, or a list of such pairs;
        - "digits" (embedded in scikit-learn), or a name that torchvision or timm know, found under `root`.
    reading : Reading, optional
        How it is read.
    report : callable, optional
        Called as `report(phase, done, total, text)`.
    **given
        Fields of `Reading` by name.

    Returns
    -------
    ImageSource
        Classes, labels, names, and `read(index)`.

    Raises
    ------
    DataError
        It is none of these, or it cannot be used; a more exact kind of the error says why.
    OptionError
        A setting has nothing to do with this kind of source.

    Examples
    --------
    >>> import ganaug
    >>> digits = ganaug.open_source("digits")
    >>> len(digits), digits.classes[:3], digits.read(0).size
    (1258, ('0', '1', '2'), (8, 8))
    """
    reading = merged(Reading, reading, given)
    if isinstance(source, ImageSource):
        refuse_idle(reading, OF_OPEN, "images that are open already")
        return without_small(with_groups(_over(source, reading.range), reading.groups), reading.skip_small)
    kind = kind_of(source)
    refuse_idle(reading, used_by(kind, reading), kind.words)
    opened: ImageSource = kind.open(Asked(source, reading, report))
    return without_small(with_groups(opened, reading.groups), reading.skip_small)


def used_by(kind: Kind, reading: Reading) -> frozenset[str]:
    """The fields of `Reading` that a kind has a use for; those of a list, where one is given."""
    listed = "labels" in kind.reads and reading.labels is not None
    return kind.reads - {"depth"} | frozenset(OF_LIST) if listed else kind.reads


def _over(source: Any, span: Range | None) -> Any:
    """An open source with values of more than 8 bits over this range. Raises OptionError where it has another."""
    own = getattr(source, "span", None)
    if span is None or span == own:
        return source
    if isinstance(source, Larger):
        return replace(source, source=_over(source.source, span))
    if own is None and hasattr(source, "span"):
        return replace(source, span=span)
    if own is not None or getattr(source, "deep", None) is not None:
        raise OptionError("The images were opened already, and not over this range.", "Give range= to open_source.")
    return source


def refuse_idle(reading: Reading, used: Collection[str], words: str) -> None:
    """Raise OptionError for what was said of the reading of something, and would change nothing. used: the fields that
    it has a use for. words: what it is."""
    for name in reading.said():
        if name not in used:
            typed = f"--{name}, or {name}=" if name not in ("targets", "classes") else f"{name}="
            what = "it names a column of tables and lists, and" if name in ("image", "target") else "it"
            raise OptionError(f"{name} would change nothing: {what} is not for {words}.", f"Leave it out ({typed}).")


def is_source(data: Any) -> bool:
    """Whether some kind takes it."""
    return any(kind.takes(data) for kind in SOURCES.values())


def kind_of(source: Any) -> Kind:
    """Raises DataError, with the kinds that there are, for what is none of them."""
    for kind in SOURCES.values():
        if kind.takes(source):
            return kind
    if Path(source).expanduser().is_file():
        raise DataError(f"{source} is a file of a kind that is not read.", f"Give {sources_in_words()}.")
    raise DataError(
        f"There is no file or folder {source}, and no data set of that name.",
        f"Check the spelling. DATA can be {sources_in_words()}.",
    )


def brings_test_part(data: Any) -> bool:
    """Whether data bring a test part of their own."""
    parts = not isinstance(data, ImageSource) and kind_of(data).parts
    return parts(data) if callable(parts) else parts


def sources_in_words() -> str:
    """What a command line may name."""
    return f"{', '.join(_nameable()[:-1])} or {_nameable()[-1]}"


def _nameable() -> list[str]:
    return [kind.words for kind in SOURCES.values() if kind.typed]
