"""Values of JSON that are what they should be: each function gives the value, or raises TypeError or ValueError."""

from __future__ import annotations

import json
import math
from typing import Any, NoReturn


def strict_json(data: str | bytes) -> Any:
    """JSON (RFC 8259) in UTF-8 and no more: no field twice, no NaN or infinity, no nesting without end."""
    try:
        decoded = data if isinstance(data, str) else data.decode("utf-8")
        return json.loads(decoded, object_pairs_hook=_no_repeats, parse_constant=_no_constant)
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error


def _no_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) != len(pairs):
        raise ValueError("a field is repeated")
    return values


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def is_(value: Any, kind: type) -> Any:
    """A value of exactly this type: True is no int."""
    if type(value) is not kind:
        raise TypeError(f"{_short(value)} is not of type {kind.__name__}")
    return value


def bounded(value: Any, least: int, most: int) -> int:
    """A whole number within bounds."""
    if not least <= is_(value, int) <= most:
        raise ValueError(f"{_short(value)} is not within {least}..{most}")
    return value


def finite(value: Any) -> float:
    """A float that is a number."""
    if not math.isfinite(is_(value, float)):
        raise ValueError(f"{value} is not a finite number")
    return value


def text(value: Any) -> str:
    """A string that can be written: no half of a character."""
    is_(value, str).encode()
    return value


def texts(value: Any) -> tuple[str, ...]:
    return tuple(text(item) for item in is_(value, list))


def fields_of(value: dict[str, Any], names: set[str]) -> None:
    """An object with exactly these fields."""
    if set(value) != names:
        raise ValueError(f"its fields are not the expected ones: {_short(sorted(set(value) ^ names))}")


def _short(value: Any) -> str:
    try:
        shown = repr(value)
    except (RecursionError, ValueError):  # nested too deeply, or a whole number of too many digits
        return f"the {type(value).__name__}"
    return shown if len(shown) <= 100 else f"{shown[:97]}..."
