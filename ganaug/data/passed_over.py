"""Images that lie in a source and are not among its items: named wherever somebody counts on all of them."""

from __future__ import annotations

import mimetypes
import warnings
from collections.abc import Sequence

from ganaug.data.pictures.files import WITHOUT_PYDICOM
from ganaug.data.sources.folder import NOT_AN_IMAGE, OUTSIDE, TOO_DEEP
from ganaug.data.sources.links import DEAD, FETCH, NOT_FOLLOWED
from ganaug.data.sources.source import ImageSource
from ganaug.errors import DataError, UnreadableWarning
from ganaug.reporting import listed

SHOWN = 3  # names of each reason
_FIXES = {
    NOT_FOLLOWED: "If the links lead to images of your own: --follow-links, where a command has it; in Python give "
    "ganaug.open_source(FOLDER, follow_links=True).",
    DEAD: FETCH,
    WITHOUT_PYDICOM: "Install it.",
    OUTSIDE: "Move them into the folders of their classes.",
    TOO_DEEP: "Move them up.",
    NOT_AN_IMAGE: "Convert them to PNG.",
}


def passed_over(source: ImageSource, unreadable: Sequence[tuple[str, str]] = ()) -> tuple[int, str]:
    """How many images there are besides the items, as far as links and names tell; and a sentence on them, with what
    to do. unreadable: (name, reason) of items that cannot be read, which count, too."""
    lost = {reason: _images(source.ignored.get(reason, ()), reason) for reason in _FIXES}
    lost = {reason: names for reason, names in lost.items() if names}
    parts = [f"{len(names)} x {reason} ({listed(names, SHOWN)})" for reason, names in lost.items()]
    fixes = [_FIXES[reason] for reason in lost]
    if unreadable:
        name, why = unreadable[0]
        parts.append(f"{len(unreadable)} that cannot be read (first: {name}: {why.rstrip('.')})")
        fixes.append("Repair or remove what cannot be read.")
    return sum(map(len, lost.values())) + len(unreadable), f"{', '.join(parts)}. {' '.join(fixes)}"


def _images(names: Sequence[str], reason: str) -> list[str]:
    """Those that are called like pictures, where that decides it."""
    if reason != NOT_AN_IMAGE:
        return list(names)
    return [name for name in names if (mimetypes.guess_type(name)[0] or "").startswith("image/")]


def warn_of_passed_over(
    source: ImageSource, where: str, done: str, depth: int, unreadable: Sequence[tuple[str, str]] = ()
) -> None:
    """An UnreadableWarning for images that are no items. where: "the test set"; done: what was not done with them."""
    count, told = passed_over(source, unreadable)
    if count:
        warnings.warn(f"{count} images of {where} are not {done}: {told}", UnreadableWarning, stacklevel=depth + 1)


def none_of(source: ImageSource, where: str, unreadable: Sequence[tuple[str, str]] = ()) -> DataError:
    """The error of a source without any item that can be read."""
    count, told = passed_over(source, unreadable)
    fix = "Give images of a supported format."
    return DataError(f"No image of {where} can be read" + (f": {told.rstrip('.')}." if count else "."), fix)
