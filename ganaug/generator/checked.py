"""Values of JSON that are what they should be: each function gives the value, or raises TypeError or ValueError."""

from __future__ import annotations

import math
from typing import Any


def is_(value: Any, kind: type) -> Any:
    """A value of exactly this type: True is no int."""
    if type(value) is not kind:
        raise TypeError(f"{value!r} is not of type {kind.__name__}")
    return value


def bounded(value: Any, least: int, most: int) -> int:
    """A whole number within bounds."""
    if not least <= is_(value, int) <= most:
        raise ValueError(f"{value} is not within {least}..{most}")
    return value


def finite(value: Any) -> float:
    """A float that is a number."""
    if not math.isfinite(is_(value, float)):
        raise ValueError(f"{value} is not a finite number")
    return value


def text(value: Any) -> str:
    return is_(value, str)


def texts(value: Any) -> tuple[str, ...]:
    return tuple(text(item) for item in is_(value, list))


def fields_of(value: dict[str, Any], names: set[str]) -> None:
    """An object with exactly these fields."""
    if set(value) != names:
        raise ValueError(f"its fields are not the expected ones: {sorted(set(value) ^ names)}")
