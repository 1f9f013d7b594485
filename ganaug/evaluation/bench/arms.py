"""What is compared: arms, and the design that all of them share."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from ganaug.classifier.augmentation import AUGMENTATIONS, BLENDS, augmentation_named
from ganaug.classifier.remedies import remedies_for, remedy_named
from ganaug.classifier.small import Training
from ganaug.classifier.use import use_named
from ganaug.errors import OptionError
from ganaug.evaluation.bench.settings import BenchSettings

UNEQUAL = 1.5  # largest over smallest class, from which on classes count as unequal
BATCH = 64  # images; a synthetic share is a whole number of them
QUICKLY_TRIED = ("affine", "flips")


@dataclass(frozen=True)
class Arm:
    """One way to train the classifier.

    augmentation, blend: names of `AUGMENTATIONS` and `BLENDS`. remedy: a name of `REMEDIES`.
    ratio: synthetic share, 0..1. use: of synthetic images, see `ganaug.classifier.use`.
    """

    augmentation: str = "none"
    ratio: float = 0.0
    blend: str = "none"
    remedy: str = ""
    use: str = "plain"

    @property
    def kind(self) -> str:
        """One of `real`, `real+augmentation`, `real+synthetic`, `augmentation+synthetic`."""
        augmented = (self.augmentation, self.blend) != ("none", "none")
        if self.ratio == 0:
            return "real+augmentation" if augmented else "real"
        return "augmentation+synthetic" if augmented else "real+synthetic"

    def __str__(self) -> str:
        parts = ["real", *(name for name in (self.augmentation, self.blend) if name != "none")]
        if self.remedy:
            parts.append(remedy_named(self.remedy).words)
        if self.ratio:
            parts.append(f"{self.ratio:.0%} synthetic" + (f" ({self.use})" if self.use != "plain" else ""))
        return " + ".join(parts)


@dataclass(frozen=True)
class Design:
    """Everything that is fixed before the first trial.

    seeds: number of paired seeds of the comparison on the test set. selection: seeds per candidate on validation.
    metric: "accuracy" or "balanced accuracy". remedies, lrs, decays: tried in this order, the first one is where tuning
    starts. augmentations, blends, uses: names of those to try. grid: every use of synthetic images at every ratio; else
    the first one at all ratios, and the others at the best of them.
    """

    metric: str
    seeds: int
    selection: int
    steps: int
    ratios: tuple[float, ...]
    uses: tuple[str, ...]
    augmentations: tuple[str, ...]
    blends: tuple[str, ...]
    remedies: tuple[str, ...]
    lrs: tuple[float, ...]
    decays: tuple[float, ...]
    grid: bool
    batch: int = BATCH
    seed: int = 0
    quick: bool = False

    @property
    def unequal(self) -> bool:
        """Whether classes differ in size so much that balanced accuracy counts."""
        return self.metric == "balanced accuracy"

    def training(self, arm: Arm, lr: float, decay: float) -> Training:
        """How the classifier of this arm is trained: the same steps and batch in every arm."""
        training = Training(
            steps=self.steps, batch=self.batch, lr=lr, weight_decay=decay, augmentation=arm.augmentation,
            blend=arm.blend, ratio=arm.ratio, use=arm.use,
        )  # fmt: skip
        return replace(training, **remedy_named(arm.remedy).training)


def design_for(counts: Sequence[int], asked: BenchSettings) -> Design:
    """The design for a training part with these images per class; nothing else of the data is looked at.

    Steps are 600 (quick: 120), more for large sets: five epochs, up to four times as many. Raises OptionError for
    ratios outside ]0, 1[, unknown names, or fewer than one seed."""
    ratios, uses = tuple(sorted(set(map(float, asked.ratios)))), tuple(dict.fromkeys(asked.uses))
    if not ratios or not all(0 < ratio < 1 for ratio in ratios):
        raise OptionError(f"Synthetic shares of {ratios} cannot be compared.", "Give ratios between 0 and 1.")
    if not all(0 < round(ratio * BATCH) < BATCH for ratio in ratios):
        raise OptionError(
            f"Synthetic shares of {ratios} are none or all of a batch of {BATCH} images.",
            f"Give ratios from {1 / BATCH:.3f} to {1 - 1 / BATCH:.3f}.",
        )
    if asked.seeds is not None and asked.seeds < 1:
        raise OptionError(
            f"{asked.seeds} seeds were asked for.", "Give at least 2; 5 or more for a verdict with power."
        )
    if asked.steps is not None and asked.steps < 1:
        raise OptionError(f"{asked.steps} steps train nothing.", "Give at least 1.")
    if not uses:
        raise OptionError("There is no use of synthetic images to try.", "Give at least one, such as plain.")
    for name in uses:
        use_named(name)
    quick = asked.quick
    named = asked.augmentations
    if named is None:
        named = QUICKLY_TRIED if quick else (*AUGMENTATIONS, *BLENDS)
    blends = tuple(name for name in dict.fromkeys(named) if name in BLENDS and name != "none")
    augmentations = tuple(name for name in dict.fromkeys(named) if name not in BLENDS)
    for name in augmentations:
        augmentation_named(name)
    wanted = None if asked.remedies is None else [name for name in asked.remedies if name != "none"]
    for name in wanted or ():
        remedy_named(name)
    most = None if asked.tune else 1
    unequal = max(counts) / max(1, min(counts)) > UNEQUAL
    fit = remedies_for(unequal)
    remedies = fit[:most] if wanted is None else tuple(name for name in fit if name in wanted) or ("",)
    idle = [name for name in wanted or () if name not in fit]
    if idle:
        raise OptionError(
            f"The remedy {idle[0]!r} is for classes of unequal size, and these are equal.", "Leave it out."
        )
    least = 120 if quick else 600
    return Design(
        metric="balanced accuracy" if unequal else "accuracy",
        seeds=asked.seeds if asked.seeds is not None else (5 if quick else 10),
        selection=2 if quick else 3,
        steps=asked.steps or int(np.clip(math.ceil(5 * sum(counts) / BATCH), least, 4 * least)),
        ratios=ratios,
        uses=uses,
        augmentations=augmentations,
        blends=blends,
        remedies=remedies,
        lrs=(0.01, 0.004)[:most] if quick else (0.01, 0.005, 0.0025, 0.02)[:most],
        decays=(0.05, 0.3)[:most] if quick else (0.05, 0.005, 0.3)[:most],
        grid=not quick,
        seed=asked.seed,
        quick=quick,
    )
