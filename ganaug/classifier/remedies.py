"""What else may help where images are few or classes unequal, as a change of the training: rivals of synthetic images.

A remedy is data, and has a name; `ganaug bench` tries those that fit the data.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ganaug.errors import OptionError


@dataclass(frozen=True)
class Remedy:
    """words: in the name of an arm. training: the fields of `Training` that it changes. advice: how a user does the
    same, as the object of "train with". unequal: it is for classes of different size alone."""

    words: str
    training: Mapping[str, Any] = field(default_factory=dict)
    advice: str = ""
    unequal: bool = True


REMEDIES: dict[str, Remedy] = {
    "sampling": Remedy(
        "balanced sampling",
        {"balanced": True},
        "balanced sampling (every class equally often in a batch, and the share of each class in it)",
    ),
    "weights": Remedy("class weights", {"class_weights": True}, "class weights in the loss"),
    "no": Remedy("no balancing"),
}


def remedy_named(name: str) -> Remedy:
    """The remedy of this name; "" changes nothing. Raises OptionError, listing the names, when there is none."""
    if not name:
        return Remedy("", unequal=False)
    if name not in REMEDIES:
        raise OptionError(f"There is no remedy {name!r}.", f"Choose one of: {', '.join(REMEDIES)}.")
    return REMEDIES[name]


def remedies_for(unequal: bool) -> tuple[str, ...]:
    """Those to try, the first one being where tuning starts: where classes are equal, that is none."""
    return tuple(REMEDIES) if unequal else ("", *(name for name, one in REMEDIES.items() if not one.unequal))


def remedy_of(training: Any) -> str:
    """The name of the remedy by which a training was changed; "" for none."""
    for name, one in REMEDIES.items():
        if one.training and all(getattr(training, field) == value for field, value in one.training.items()):
            return name
    return ""
