"""A test set beside data: both are read with one `Reading`; and how to come by one where there is none."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

from ganaug.data.labelled import Labelled
from ganaug.data.sources.folder import PARTS
from ganaug.data.sources.kinds import is_text
from ganaug.data.sources.source import OF_OPEN, ImageSource, brings_test_part, kind_of, used_by
from ganaug.options import Reading, as_text, typed

SHARE = 0.25  # of the images, which a split leaves for the test
_SHARED = frozenset({"root", "classes", "image", "target", "follow_links", "depth", "range", "as_served"})


def both_readings(reading: Reading, data: Any, test: Any, groups: Any = None) -> tuple[Reading, Reading]:
    """How data are read, and a test set beside them: alike, but with groups of its own, and as the part "test" where it
    has parts. What only one of the two has a use for is said of that one alone. test: None where there is none."""
    if test is None:
        return reading.reading, reading.reading
    here, there = _reads(data, reading), _reads(test, reading.of_test())
    other = _without(reading.of_test(groups), {"split", *_SHARED} - there)
    return _without(reading.reading, _SHARED & there - here), other


def found_beside(data: Any) -> Path | None:
    """The test set that lies beside data called "train": `data/test`, `parts/test.csv`; None where there is none."""
    path = Path(data).expanduser() if is_text(data) else None
    other = None if path is None or path.stem.lower() != "train" else path.with_name(f"test{path.suffix}")
    return other if other is not None and other.exists() else None


def lacks_test(data: Any) -> bool:
    """Whether these are data without a test set: they bring none, none lies beside them, and they are not one."""
    part = is_text(data) and Path(data).stem.lower() in PARTS - {"train", "training"}
    return not part and found_beside(data) is None and not brings_test_part(data)


def to_split(data: Any, reading: Reading) -> str:
    """What to type to divide data."""
    if not is_text(data):
        return f"ganaug.split(data, test={SHARE})"
    return " ".join(["ganaug split", as_text(data), *typed(reading.reading)[0], f"--test {SHARE}"])


def to_bench(data: Any, reading: Reading, out: Any, test: Any = None, **given: Any) -> str | None:
    """What to type to bench data; None without a test set. given: other options, by name, None for those that are not
    needed."""
    test = found_beside(data) if test is None else test
    if test is None and not brings_test_part(data):
        return None
    options = {**given, "out": out}
    words = ["ganaug bench", as_text(data), *([] if test is None else [f"--test {as_text(test)}"])]
    words += typed(reading.reading)[0]
    words += [f"--{name} {as_text(value)}" for name, value in options.items() if value is not None]
    return " ".join(words)


def _reads(data: Any, reading: Reading) -> frozenset[str]:
    """The fields of `Reading` that it has a use for."""
    if isinstance(data, Labelled):
        return frozenset()
    return OF_OPEN if isinstance(data, ImageSource) else used_by(kind_of(data), reading)


def _without(reading: Reading, names: Iterable[str]) -> Reading:
    return replace(reading, **{name: getattr(Reading(), name) for name in names})
