"""How many synthetic images of each class: every balancing option is resolved to counts once, here.

A plan is a plain dict from class name to a number of synthetic images. What follows (pool, mix, export) sees counts
only.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from numbers import Integral
from typing import Any

from ganaug.errors import OptionError

Plan = dict[str, int]  # class name -> number of synthetic images


def balance(counts: Mapping[str, int], to: int | None = None) -> Plan:
    """Top every class up to `to` images; by default to the size of the largest class.

    `counts` are the real images of each class. A class that already has more gets none.
    Raises OptionError for an empty or negative count.
    """
    _check(counts)
    target = max(counts.values()) if to is None else to
    if target < 0:
        raise OptionError(f"Cannot fill classes up to {target} images.", "Give a number of at least 0.")
    return {name: max(0, target - n) for name, n in counts.items()}


def fraction(counts: Mapping[str, int], ratio: float) -> Plan:
    """As many synthetic images as make up the share `ratio` of real and synthetic together: n r / (1 - r) to n.

    Classes keep their proportions; the total is exact (largest remainder). Raises OptionError unless 0 <= ratio < 1.
    """
    _check(counts)
    if not 0 <= ratio < 1:  # also refuses NaN
        raise OptionError(
            f"A synthetic share of {ratio} cannot be added to real images.", "Give a ratio of at least 0 and below 1."
        )
    total = round(sum(counts.values()) * ratio / (1 - ratio))
    return dict(zip(counts, apportion(total, list(counts.values())), strict=True))


def per_class(classes: Iterable[str], n: int) -> Plan:
    """`n` synthetic images of each class. Raises OptionError for a number that is negative or not whole."""
    if not _is_whole(n) or n < 0:
        raise OptionError(f"Cannot make {n} images a class.", "Give a whole number of at least 0.")
    return dict.fromkeys(classes, int(n))


def _is_whole(n: Any) -> bool:
    return isinstance(n, Integral) and not isinstance(n, bool)


def apportion(total: int, weights: list[int]) -> list[int]:
    """Split `total` in proportion to `weights` by the largest remainder; ties go to the earlier entry. Exact
    integers.
    """
    whole = sum(weights)
    if whole == 0:
        if total:
            raise OptionError("There are no real images to take a share of.", "Give at least one image.")
        return [0] * len(weights)
    shares = [total * weight // whole for weight in weights]
    by_remainder = sorted(range(len(weights)), key=lambda i: (-(total * weights[i] % whole), i))
    for i in by_remainder[: total - sum(shares)]:
        shares[i] += 1
    return shares


def require_counts(plan: Any) -> None:
    """Raises OptionError for what is no whole number for each class."""
    if not isinstance(plan, Mapping):
        fix = "Give {class: number}: {name: 3 for name in run.classes}."
        raise OptionError(f"The plan is {plan!r}, not a number for each class.", fix)
    for name, n in plan.items():
        if not _is_whole(n):
            raise OptionError(f"The plan asks for {n!r} of the class {name!r}.", "Give a whole number for each class.")


def _check(counts: Mapping[str, int]) -> None:
    if not counts:
        raise OptionError("There are no classes to plan for.", "Give the number of real images of each class.")
    negative = [name for name, n in counts.items() if n < 0]
    if negative:
        raise OptionError(f"Negative image counts for {negative}.", "Counts start at 0.")
