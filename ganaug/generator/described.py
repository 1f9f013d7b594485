"""A generator of other classes, which are described by words that it learned."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import replace

from torch import nn

from ganaug.errors import OptionError
from ganaug.generator.card import Card
from ganaug.generator.folder import Fitted
from ganaug.networks.stacked import Described


def described(fitted: Fitted, told: Mapping[str, str]) -> tuple[dict[str, nn.Module], Card]:
    """Networks and card for classes {name: words}. Raises as `ganaug.describe`."""
    card = fitted.card
    if card.words is None:
        cause = f"The recipe {card.recipe} does not draw from words."
        raise OptionError(cause, "Fit with one that does: --recipe stackgan.")
    words, classes = card.words.described(told), tuple(told)
    networks = copy.deepcopy(dict(fitted.networks))
    for part in nn.ModuleDict(networks).modules():
        if isinstance(part, Described):
            part.rows = words.rows(classes)
    return networks, replace(card, classes=classes, words=words, counts=dict.fromkeys(classes, 0), skipped=())
