"""What is refused of a source before, or after, its images are read."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

from ganaug.data.pictures.depth import Range, unfit
from ganaug.data.sources.links import DEAD, FETCH, NOT_FOLLOWED
from ganaug.data.sources.source import ImageSource
from ganaug.data.sources.steady import unsteady
from ganaug.data.survey import Survey
from ganaug.errors import DataError, OptionError, SeenImagesWarning, TooFewImagesError


def refuse_unsteady(opened: ImageSource, as_served: bool, *, needed: bool) -> None:
    """Raises DataError for a data set that changes its items at random; a SeenImagesWarning where that is asked for, of
    pictures. Raises OptionError where it is asked for, `needed`, and items are the same at each reading."""
    found = unsteady(opened)
    if found is None:
        if as_served and needed:
            raise OptionError("as_served would change nothing: items are the same twice.", "Leave out as_served=.")
        return
    if not as_served or found.label:
        more = "" if found.label else "; as_served=True learns items as they are served"
        raise DataError(found.cause, f"{found.fix}{more}.")
    warnings.warn(
        f"{found.cause} They are read as they are served: whether other sets hold the same images cannot be judged.",
        SeenImagesWarning,
        stacklevel=3,
    )


def refuse_depth(opened: ImageSource, found: Survey, span: Range | None, *, needed: bool) -> None:
    """Raises DataError for values of more than 8 bits on an unknown scale; OptionError for a range that is `needed` and
    that no image has a use for."""
    deep = found.deep(opened)
    doubt = unfit(deep, span)
    if doubt:
        raise DataError(*doubt)
    if span is not None and not deep and needed:
        raise OptionError(
            "A range is for pictures of more than 8 bits, and these have 8.", "Leave it out: 0 is black, 255 is white."
        )


def require_counts(
    classes: Sequence[str],
    counts: dict[str, int],
    at_least: int,
    ignored: Any = None,
    unreadable: Sequence[tuple[str, str]] = (),
) -> None:
    """Raise DataError for a single class, TooFewImagesError for a class with fewer than `at_least` images."""
    if len(classes) < 2:
        cause = f"There is one class only ({', '.join(classes) or 'none'}); labels need at least two."
        raise DataError(cause, "Put the images of each class in a folder of its own, or give labels of two classes.")
    few = {name: n for name, n in counts.items() if n < at_least}
    if not few:
        return
    listed = ", ".join(f"{name!r} has {n}" for name, n in list(few.items())[:5])
    more = f" and {len(few) - 5} more classes" if len(few) > 5 else ""
    passed = "".join(f" Passed over: {len(names)} x {why}." for why, names in (ignored or {}).items() if names)
    if unreadable:
        passed += f" Unreadable: {len(unreadable)}, for instance {unreadable[0][0]} ({unreadable[0][1].rstrip('.')})."
    cause = f"Each class needs at least {at_least} images: {listed}{more}.{passed}"
    fix = f"Add images to these classes, or leave them out: --skip-small {at_least} (skip_small={at_least})."
    if len(few) > 5:
        fix += " All of them: ganaug check DATA --json."
    if (ignored or {}).get(DEAD):
        fix = FETCH
    elif (ignored or {}).get(NOT_FOLLOWED):
        fix = "If the links lead to images of your own, add --follow-links (follow_links=True)."
    raise TooFewImagesError(cause, fix)
