"""What is compared: arms, and the settings that all arms share."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ganaug.classifier import Training
from ganaug.errors import OptionError

UNEQUAL = 1.5  # largest over smallest class, from which on classes count as unequal


@dataclass(frozen=True)
class Arm:
    """One way to train the classifier. policy: a name of `ganaug.policies.POLICIES`. ratio: synthetic share, 0..1."""

    policy: str = "none"
    ratio: float = 0.0

    @property
    def kind(self) -> str:
        """One of `real`, `real+classical`, `real+synthetic`, `classical+synthetic`."""
        if self.ratio == 0:
            return "real" if self.policy == "none" else "real+classical"
        return "real+synthetic" if self.policy == "none" else "classical+synthetic"

    def __str__(self) -> str:
        parts = ["real"]
        if self.policy != "none":
            parts.append(self.policy)
        if self.ratio:
            parts.append(f"{self.ratio:.0%} synthetic")
        return " + ".join(parts)


@dataclass(frozen=True)
class Settings:
    """Everything that is fixed before the first trial.

    seeds: number of paired seeds of the comparison on the test set. selection: seeds per candidate on validation.
    metric: "accuracy" or "balanced accuracy". balanced: draw every class equally often, in every arm.
    """

    metric: str
    balanced: bool
    seeds: int
    selection: int
    steps: int
    ratios: tuple[float, ...]
    lrs: tuple[float, ...]
    policies: tuple[str, ...]
    batch: int = 64
    weight_decay: float = 0.05
    seed: int = 0
    quick: bool = False

    def training(self, arm: Arm, lr: float) -> Training:
        """How the classifier of this arm is trained: the same steps and batch in every arm."""
        return Training(
            steps=self.steps, batch=self.batch, lr=lr, weight_decay=self.weight_decay,
            policy=arm.policy, ratio=arm.ratio, balanced=self.balanced,
        )  # fmt: skip


def settings_for(
    counts: Sequence[int], *, quick: bool, seeds: int | None, ratios: Sequence[float], seed: int
) -> Settings:
    """Settings for a training part with these images per class; nothing else of the data is looked at.

    Steps are 600 (quick: 120), more for large sets: five epochs, up to four times as many. Raises OptionError for
    ratios outside ]0, 1[ or fewer than one seed.
    """
    ratios = tuple(sorted(set(map(float, ratios))))
    if not ratios or not all(0 < ratio < 1 for ratio in ratios):
        raise OptionError(f"Synthetic shares of {ratios} cannot be compared.", "Give ratios between 0 and 1.")
    if seeds is not None and seeds < 1:
        raise OptionError(f"{seeds} seeds were asked for.", "Give at least 2; 5 or more for a verdict with power.")
    unequal = max(counts) / max(1, min(counts)) > UNEQUAL
    steps, batch = (120 if quick else 600), 64
    return Settings(
        metric="balanced accuracy" if unequal else "accuracy",
        balanced=unequal,
        seeds=seeds if seeds is not None else (5 if quick else 10),
        selection=2 if quick else 3,
        steps=int(np.clip(math.ceil(5 * sum(counts) / batch), steps, 4 * steps)),
        ratios=ratios,
        lrs=(0.005, 0.015) if quick else (0.0025, 0.005, 0.01, 0.02),
        policies=("affine", "flips") if quick else ("crops", "affine", "flips", "trivial", "randaugment"),
        batch=batch,
        seed=seed,
        quick=quick,
    )
