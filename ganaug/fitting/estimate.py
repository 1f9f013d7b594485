"""What a fit would do and how long it would take, without doing it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from ganaug.data.batches import ClassBalancedBatches
from ganaug.data.check_report import Needs
from ganaug.data.outputs import refuse_within, require_outside
from ganaug.data.spec import KINDS, DataSpec
from ganaug.defaults import usual_defaults
from ganaug.device import resolve_device
from ganaug.fitting.budget import (
    LIMIT,
    SHARE,
    Pace,
    on_top,
    process_memory,
    require_memory,
    steps_in,
    warm_up,
    what_it_takes,
)
from ganaug.fitting.follow import prepare_alike
from ganaug.fitting.place import require_place
from ganaug.fitting.settings import FitSettings
from ganaug.game.ranks import ranks_of
from ganaug.options import merged
from ganaug.recipes.modern import small
from ganaug.reporting import Report, counted, silent


@dataclass(frozen=True)
class Estimate:
    """shape: of a generated item. pace: measured here. steps: what would be played. advised: what good samples take, 0
    where that is not known. memory: bytes, about, that the process would hold at most."""

    training: dict[str, int]
    validation: dict[str, int]
    shape: tuple[int, ...]
    recipe: str
    pace: Pace
    steps: int
    advised: int
    memory: int

    @property
    def seconds(self) -> float:
        return self.steps * self.pace.seconds

    def to_json(self) -> dict[str, Any]:
        return {
            "recipe": self.recipe,
            "shape": list(self.shape),
            "training": self.training,
            "validation": self.validation,
            "seconds_per_step": round(self.pace.seconds, 4),
            "threads": self.pace.threads,
            "memory": self.memory,
            "steps": self.steps,
            "advised_steps": self.advised,
            "seconds": round(self.seconds),
        }

    def lines(self) -> list[str]:
        what = KINDS[len(self.shape)]
        return [
            f"fit: recipe {self.recipe}, {in_words(self.shape)}",
            f"  {sum(self.training.values())} {what} to train on, {sum(self.validation.values())} held out",
            f"  {what_it_takes(self.steps, self.pace, self.advised, self.memory)}",
        ]


def in_words(shape: tuple[int, ...]) -> str:
    """What a generated item is, in short: "28x28 px, grey"."""
    if len(shape) == 3:
        return f"{shape[2]}x{shape[1]} px, {'grey' if shape[0] == 1 else 'RGB'}"
    return (
        f"rows of {shape[0]} values"
        if len(shape) == 1
        else f"series of {shape[1]} steps, {counted(shape[0], 'channel')}"
    )


@usual_defaults()
def needs_of(spec: DataSpec) -> Needs:
    """What good samples of the default recipe take here for such data, from a few discarded rounds."""
    pixels = torch.randint(0, 256, (2 * len(spec.classes), *spec.shape), dtype=torch.uint8, generator=torch.Generator())
    labels = torch.arange(len(pixels)) % len(spec.classes)
    device, recipe = resolve_device("auto"), small()
    batches = ClassBalancedBatches(pixels, labels, spec, device)
    needed = require_memory(recipe, batches, device)
    held = process_memory(needed, spec.shape, device)
    before = held - on_top(needed, spec.shape, device)
    return Needs(recipe.advised, recipe.advised * warm_up(recipe, batches, device).seconds, held, before)


@usual_defaults()
def dry_run(
    data: Any, out: str | Path, settings: FitSettings | None = None, *, report: Report = silent, **options: Any
) -> Estimate | None:
    """What `ganaug.fit` would do with the same arguments; raises as it does, writes nothing. Of several processes that
    share the fit the first one measures its share of a batch, as it does before a fit; the others get None."""
    settings = merged(FitSettings, settings, options)
    require_outside(out, data, settings.pairs, settings.unlabelled)
    refuse_within(settings.unlabelled, data, settings)
    with ranks_of(settings.slices) as ranks:
        if ranks.leads:
            require_place(Path(out), resume=False)
        found, _ = prepare_alike(ranks, data, settings, report)
    if not ranks.leads:
        return None
    slices = found.settings.slices
    needed = require_memory(found.recipe, found.batches, found.device, slices=slices)
    memory = process_memory(needed, found.training.spec.shape, found.device)
    limit = LIMIT if found.settings.steps is not None else SHARE * found.settings.seconds
    pace = warm_up(found.recipe, found.batches, found.device, limit, slices=slices, world=ranks.world)
    steps = found.settings.steps or steps_in(found.settings.seconds - pace.spent, pace.seconds)
    training, validation = found.training, found.validation
    return Estimate(
        training.counts(), validation.counts(), training.spec.shape, found.settings.recipe, pace, steps,
        found.recipe.advised, memory,
    )  # fmt: skip
