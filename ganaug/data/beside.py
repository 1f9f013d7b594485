"""Two sets that are read with one `Reading`: data, and a test set beside them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from ganaug.data.labelled import Labelled
from ganaug.data.sources.source import OF_OPEN, ImageSource, kind_of, used_by
from ganaug.options import Reading

_SHARED = frozenset({"root", "classes", "image", "target", "follow_links", "depth", "range", "as_served"})


def both_readings(reading: Reading, data: Any, test: Any, groups: Any = None) -> tuple[Reading, Reading]:
    """How data are read, and a test set beside them: alike, but with groups of its own, and as the part "test" where it
    has parts. What only one of the two has a use for is said of that one alone. test: None where there is none."""
    if test is None:
        return reading.reading, reading.reading
    here, there = _reads(data, reading), _reads(test, reading.of_test())
    other = _without(reading.of_test(groups), {"split", *_SHARED} - there)
    return _without(reading.reading, _SHARED & there - here), other


def _reads(data: Any, reading: Reading) -> frozenset[str]:
    """The fields of `Reading` that it has a use for."""
    if isinstance(data, Labelled):
        return frozenset()
    return OF_OPEN if isinstance(data, ImageSource) else used_by(kind_of(data), reading)


def _without(reading: Reading, names: Iterable[str]) -> Reading:
    return replace(reading, **{name: getattr(Reading(), name) for name in names})
