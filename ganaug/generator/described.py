"""A generator of other classes, which are described by words that it learned."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

import torch
from torch import nn

from ganaug.data.labels.classes import check_names
from ganaug.errors import ArtefactError, OptionError
from ganaug.generator.card import Card
from ganaug.networks.stacked import Described

if TYPE_CHECKING:
    from ganaug.generator.folder import Fitted


def described(fitted: Fitted, told: Mapping[str, str]) -> tuple[dict[str, nn.Module], Card]:
    """Networks and card for classes {name: words}. Raises as `ganaug.describe`."""
    card = fitted.card
    if card.words is None:
        cause = f"The recipe {card.recipe} does not draw from words."
        raise OptionError(cause, "Fit with one that does: --recipe stackgan.")
    classes = check_names(list(told))
    words = card.words.described(told)
    networks = copy.deepcopy(dict(fitted.networks))
    for part in nn.ModuleDict(networks).modules():
        if isinstance(part, Described):
            part.rows = words.rows(classes)
    return networks, replace(card, classes=classes, words=words, counts=dict.fromkeys(classes, 0), skipped=())


def require_words(networks: nn.Module, card: Card, what: str) -> None:
    """Raises ArtefactError where the networks hold other words than the card."""
    if card.words is None:
        return
    rows = card.words.rows(card.classes)
    if not all(torch.equal(part.rows, rows) for part in networks.modules() if isinstance(part, Described)):
        cause = f"The weights in {what} are of other words than its card says."
        raise ArtefactError(cause, "Fit the generator again, in another folder.")
