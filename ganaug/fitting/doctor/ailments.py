"""What an ailment is, the list of them, and the past they are looked for in; no torch, so that the help is quick."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ganaug.generator.interventions import Intervention

if TYPE_CHECKING:
    from ganaug.fitting.doctor.checkup import Checkup
    from ganaug.game import Recipe

SETTLED = 1 / 3  # of a fit after which it is judged


@dataclass(frozen=True)
class Past:
    """counts: real images of each class. checkups: in the order of their steps. losses: lines of metrics.jsonl, each
    with "step" and means of terms by "player/term". steps: of the whole fit, of which this may be a part. advised: what
    good samples take, 0 where that is not known. what: "images", "rows" or "series". held_out: share of the items."""

    classes: Sequence[str]
    counts: Mapping[str, int]
    checkups: Sequence[Checkup]
    losses: Sequence[Mapping[str, Any]]
    steps: int
    interventions: Sequence[Intervention] = ()
    advised: int = 0
    what: str = "images"
    held_out: float = 0.2

    def after(self, share: float) -> list[Checkup]:
        return [checkup for checkup in self.checkups if checkup.step >= share * self.steps]

    def typical(self, number: str) -> float:
        """Median of this number in the last three settled check-ups; NaN if none has it."""
        known = [v for one in self.after(SETTLED)[-3:] if not math.isnan(v := getattr(one, number))]
        return float(np.median(known)) if known else math.nan


class Slower(NamedTuple):
    """A fix: the learning rates of these players, or of all if none is named, times a factor."""

    words: str
    factor: float
    players: tuple[str, ...] = ()

    def change(self, recipe: Recipe) -> Recipe:
        from ganaug.game.loss import scaled

        def of(player: Any) -> Any:
            if self.players and player.name not in self.players:
                return player
            return replace(player, optimiser=replace(player.optimiser, lr=scaled(player.optimiser.lr, self.factor)))

        return replace(recipe, players=tuple(map(of, recipe.players)))


class Open(NamedTuple):
    """Why a question has no answer, as a sentence, and for which classes; () is all."""

    why: str
    classes: tuple[str, ...] = ()


Evidence = str | tuple[str, tuple[str, ...]] | Open  # a sentence, with the classes meant if these are not all
Look = Callable[[Past], Iterator[Evidence]]


@dataclass(frozen=True)
class Ailment:
    """severity: "fault" (do not use the samples of these classes, or of the run) or "warning". knob: what to turn.
    brings: what comes with it in the same classes, and is told with it. fix: what `--auto-fix` does."""

    severity: str
    knob: str
    look: Look
    brings: Collection[str]
    fix: Slower | None


AILMENTS: dict[str, Ailment] = {}  # by name, in the order in which they are looked for


def ailment(
    name: str, severity: str, knob: str, *, brings: Collection[str] = (), fix: Slower | None = None
) -> Callable[[Look], Look]:
    """List what a function looks for as the ailment of this name."""

    def listed(look: Look) -> Look:
        AILMENTS[name] = Ailment(severity, knob, look, brings, fix)
        return look

    return listed
