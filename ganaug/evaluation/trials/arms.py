"""Arms: the ways to train a classifier that are compared."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ganaug.classifier.remedies import REMEDIES, remedy_named

BATCH = 64  # images; a synthetic share is a whole number of them
LONGER = 3  # times as many steps, where more training is tried
PSEUDO, FIXMATCH, DISTILLED = TAUGHT = ("pseudo-labels", "fixmatch", "distillation")  # also names of remedies
Knobs = tuple[tuple[str, float], ...]  # the numbers that are tuned, with their names


@dataclass(frozen=True)
class Arm:
    """One way to train a classifier.

    augmentation, blend: names of `AUGMENTATIONS` and `BLENDS`. remedy: one of `REMEDIES` that changes the training.
    ratio: synthetic share, 0..1. use: of synthetic images, see `ganaug.classifier.use`. made: what made them.
    classifier: its kind, "" where there is but one. longer: with `LONGER` times the steps. taught: by other
    classifiers or by unlabelled images, a name of `TAUGHT`.
    """

    augmentation: str = "none"
    ratio: float = 0.0
    blend: str = "none"
    remedy: str = ""
    use: str = "plain"
    made: str = ""
    classifier: str = ""
    longer: bool = False
    taught: str = ""

    @property
    def kind(self) -> str:
        """One of `real`, `real+augmentation`, `real+synthetic`, `augmentation+synthetic`."""
        augmented = (self.augmentation, self.blend) != ("none", "none")
        if self.ratio == 0:
            return "real+augmentation" if augmented else "real"
        return "augmentation+synthetic" if augmented else "real+synthetic"

    @property
    def changes(self) -> dict[str, Any]:
        """Fields of the training that its remedy changes."""
        return dict(remedy_named(self.remedy).training)

    def __str__(self) -> str:
        parts = ["real", *(name for name in (self.augmentation, self.blend) if name != "none")]
        if self.remedy:
            parts.append(remedy_named(self.remedy).words)
        parts += [REMEDIES["longer"].words] if self.longer else []
        parts += [REMEDIES[self.taught].words] if self.taught else []
        if self.ratio:
            parts.append(f"{self.ratio:.0%} synthetic" + (f" ({self.use})" if self.use != "plain" else ""))
        return (f"{self.classifier}: " if self.classifier else "") + " + ".join(parts)
