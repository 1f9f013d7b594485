"""What a fit would do and how long it would take, without doing it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from ganaug.data.batches import ClassBalancedBatches
from ganaug.data.outputs import require_outside
from ganaug.data.spec import KINDS, DataSpec
from ganaug.defaults import usual_defaults
from ganaug.device import resolve_device
from ganaug.fitting.budget import good_samples, in_minutes, seconds_per_step, steps_in
from ganaug.fitting.place import require_place
from ganaug.fitting.prepare import FitSettings, prepare
from ganaug.options import merged
from ganaug.recipes.modern import small
from ganaug.reporting import Report, silent


@dataclass(frozen=True)
class Estimate:
    """shape: of a generated item. pace: seconds a round, measured here. steps: what would be played. advised: what good
    samples take, 0 where that is not known."""

    training: dict[str, int]
    validation: dict[str, int]
    shape: tuple[int, ...]
    recipe: str
    pace: float
    steps: int
    advised: int

    @property
    def seconds(self) -> float:
        return self.steps * self.pace

    def to_json(self) -> dict[str, Any]:
        return {
            "recipe": self.recipe,
            "shape": list(self.shape),
            "training": self.training,
            "validation": self.validation,
            "seconds_per_step": round(self.pace, 4),
            "steps": self.steps,
            "advised_steps": self.advised,
            "seconds": round(self.seconds),
        }

    def lines(self) -> list[str]:
        what = KINDS[len(self.shape)]
        lines = [
            f"fit: recipe {self.recipe}, {in_words(self.shape)}",
            f"  {sum(self.training.values())} {what} to train on, {sum(self.validation.values())} held out",
            f"  {self.pace * 1000:.0f} ms a step here: {self.steps} steps take about {in_minutes(self.seconds)}",
        ]
        more = good_samples(self.advised, self.steps, self.pace)
        return [*lines, f"  {more}"] if more else lines


def in_words(shape: tuple[int, ...]) -> str:
    """What a generated item is, in short: "28x28 px, grey"."""
    if len(shape) == 3:
        return f"{shape[2]}x{shape[1]} px, {'grey' if shape[0] == 1 else 'RGB'}"
    return f"rows of {shape[0]} values" if len(shape) == 1 else f"series of {shape[1]} steps, {shape[0]} channels"


@usual_defaults()
def fit_seconds(spec: DataSpec) -> float:
    """Seconds that good samples of the default recipe take here for such data, from a few discarded rounds."""
    pixels = torch.randint(0, 256, (2 * len(spec.classes), *spec.shape), dtype=torch.uint8, generator=torch.Generator())
    labels = torch.arange(len(pixels)) % len(spec.classes)
    device = resolve_device("auto")
    recipe = small()
    return recipe.advised * seconds_per_step(recipe, ClassBalancedBatches(pixels, labels, spec, device), device)


@usual_defaults()
def dry_run(
    data: Any, out: str | Path, settings: FitSettings | None = None, *, report: Report = silent, **options: Any
) -> Estimate:
    """What `ganaug.fit` would do with the same arguments; raises as it does, writes nothing."""
    settings = merged(FitSettings, settings, options)
    require_outside(out, data, settings.pairs)
    require_place(Path(out), resume=False)
    found = prepare(data, settings, report)
    pace = seconds_per_step(found.recipe, found.batches, found.device)
    steps = found.settings.steps or steps_in(found.settings.seconds, pace)
    training, validation = found.training, found.validation
    shape = training.spec.shape
    return Estimate(
        training.counts(), validation.counts(), shape, found.settings.recipe, pace, steps, found.recipe.advised
    )
