"""Labels in another order of the classes, which are matched by name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, cast

import torch

from ganaug.data.split import Items
from ganaug.errors import LabelMismatchError


def in_order(items: Items, classes: Sequence[str], what: str, whose: str = "the generator") -> Items:
    """The same items with labels in this order of classes.

    A class without items may be missing among `classes`. what, whose: names of the two sides, for the error. Raises
    LabelMismatchError for items of another class.
    """
    foreign = [name for name, n in items.counts().items() if name not in classes and n]
    if foreign:
        raise LabelMismatchError(
            f"{what} has the class {', '.join(map(repr, foreign))}, {whose} not.",
            f"Classes are matched by name; {whose} has {', '.join(map(repr, classes))}.",
        )
    place = torch.tensor([classes.index(name) if name in classes else -1 for name in items.classes])
    return replace(cast(Any, items), labels=place[items.labels], classes=tuple(classes))
