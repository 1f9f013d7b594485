"""The training and the validation part of a bench: those of the fit, where there was one."""

from __future__ import annotations

from typing import TypeVar

from ganaug.data.load import LabelledImages
from ganaug.data.rows.vectors import LabelledVectors
from ganaug.data.spec import KINDS
from ganaug.data.split import hold_out
from ganaug.errors import DataError
from ganaug.generator.card import Card
from ganaug.generator.parts import FitParts

Items = TypeVar("Items", LabelledImages, LabelledVectors)


def divide(
    real: Items, card: Card | None, limit: int | None, seed: int
) -> tuple[Items, Items, list[str], list[str]]:  # fmt: skip
    """Training and validation part, notes, and doubts: as the fit of a card divided them, else 20 % are held out."""
    what = KINDS[len(real.spec.shape)]
    if card is not None:
        parts = FitParts(real, card)
        if parts.inside.any() and parts.beside.any():
            rest = int((~parts.inside & ~parts.beside).sum())
            notes = [f"{rest} {what} of the data were not part of the fit and are not used."] if rest else []
            whole = parts.seen
            train = whole.limited(limit, seed)
            empty = [name for name, n in train.counts().items() if n == 0]
            if empty:
                raise DataError(
                    f"None of the {what} that the generator was fitted on is a {', '.join(empty)}.",
                    "Bench the run on the same data as it was fitted on.",
                )
            more = len(whole) - len(train)
            doubts = [
                f"The generator learned from {more} {what} more than the classifier gets (limit {limit}): a gain could "
                "be theirs. Bench with the same limit as the fit had, or without one."
            ] if more else []  # fmt: skip
            return train, parts.held_out, notes, doubts
        if parts.inside.any():
            raise DataError(
                f"The data hold {what} that the generator was fitted on, but none of its validation part.",
                "Bench the run on the same data, with the same --limit, as it was fitted on.",
            )
        train, validation = hold_out(real.limited(limit, seed), seed=seed)
        notes = [f"The generator was fitted on other {what}; 20 % were held out for validation."]
        return train, validation, notes, []
    train, validation = hold_out(real, seed=seed)
    return train, validation, [], []
