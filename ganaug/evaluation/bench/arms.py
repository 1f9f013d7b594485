"""What is compared: arms, and the settings that all arms share."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ganaug.classifier.augmentation import policy_named
from ganaug.classifier.small import Training
from ganaug.classifier.use import DEFAULTS, mixing_policy
from ganaug.errors import OptionError

UNEQUAL = 1.5  # largest over smallest class, from which on classes count as unequal
BALANCES = {"": "", "sampling": "balanced sampling", "weights": "class weights", "no": "no balancing"}
RATIOS = (0.1, 0.25, 0.5)
BATCH = 64  # images; a synthetic share is a whole number of them
CLASSICAL = ("crops", "affine", "flips", "trivial", "randaugment", "mixup", "cutmix")
QUICK_CLASSICAL = ("affine", "flips")


@dataclass(frozen=True)
class Arm:
    """One way to train the classifier.

    policy, blend: names of `augmentation.POLICIES` and `BLENDS`. balance: for unequal classes, a name of `BALANCES`.
    ratio: synthetic share, 0..1. mixing: how synthetic images are used, see `ganaug.classifier.use`.
    """

    policy: str = "none"
    ratio: float = 0.0
    blend: str = "none"
    balance: str = ""
    mixing: str = "plain"

    @property
    def kind(self) -> str:
        """One of `real`, `real+classical`, `real+synthetic`, `classical+synthetic`."""
        classical = (self.policy, self.blend) != ("none", "none")
        if self.ratio == 0:
            return "real+classical" if classical else "real"
        return "classical+synthetic" if classical else "real+synthetic"

    def __str__(self) -> str:
        parts = ["real", *(name for name in (self.policy, self.blend) if name != "none")]
        if self.balance:
            parts.append(BALANCES[self.balance])
        if self.ratio:
            parts.append(f"{self.ratio:.0%} synthetic" + (f" ({self.mixing})" if self.mixing != "plain" else ""))
        return " + ".join(parts)


@dataclass(frozen=True)
class Settings:
    """Everything that is fixed before the first trial.

    seeds: number of paired seeds of the comparison on the test set. selection: seeds per candidate on validation.
    metric: "accuracy" or "balanced accuracy". balances, lrs, decays: tried in this order, the first one is where tuning
    starts. policies, blends: classical augmentation. mixings: names of mixing policies. grid: every mixing policy at
    every ratio; else the first one at all ratios, and the others at the best of them.
    """

    metric: str
    seeds: int
    selection: int
    steps: int
    ratios: tuple[float, ...]
    mixings: tuple[str, ...]
    policies: tuple[str, ...]
    blends: tuple[str, ...]
    balances: tuple[str, ...]
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
        return Training(
            steps=self.steps, batch=self.batch, lr=lr, weight_decay=decay, policy=arm.policy, blend=arm.blend,
            ratio=arm.ratio, mixing=arm.mixing, balanced=arm.balance == "sampling",
            class_weights=arm.balance == "weights",
        )  # fmt: skip


def settings_for(
    counts: Sequence[int],
    *,
    quick: bool,
    seeds: int | None,
    ratios: Sequence[float] = RATIOS,
    mixings: Sequence[str] = DEFAULTS,
    classical: Sequence[str] | None = None,
    tune: bool = True,
    steps: int | None = None,
    seed: int = 0,
) -> Settings:
    """Settings for a training part with these images per class; nothing else of the data is looked at.

    Steps are 600 (quick: 120), more for large sets: five epochs, up to four times as many. tune: try more than the
    first learning rate, weight decay and balancing. Raises OptionError for ratios outside ]0, 1[, unknown names, or
    fewer than one seed.
    """
    ratios, mixings = tuple(sorted(set(map(float, ratios)))), tuple(dict.fromkeys(mixings))
    if not ratios or not all(0 < ratio < 1 for ratio in ratios):
        raise OptionError(f"Synthetic shares of {ratios} cannot be compared.", "Give ratios between 0 and 1.")
    if not all(0 < round(ratio * BATCH) < BATCH for ratio in ratios):
        raise OptionError(
            f"Synthetic shares of {ratios} are none or all of a batch of {BATCH} images.",
            f"Give ratios from {1 / BATCH:.3f} to {1 - 1 / BATCH:.3f}.",
        )
    if seeds is not None and seeds < 1:
        raise OptionError(f"{seeds} seeds were asked for.", "Give at least 2; 5 or more for a verdict with power.")
    if not mixings:
        raise OptionError("There is no mixing policy to try.", "Give at least one, such as plain.")
    if steps is not None and steps < 1:
        raise OptionError(f"{steps} steps train nothing.", "Give at least 1.")
    for name in mixings:
        mixing_policy(name)
    chosen = classical if classical is not None else QUICK_CLASSICAL if quick else CLASSICAL
    chosen = tuple(name for name in dict.fromkeys(chosen) if name != "none")
    blends = tuple(name for name in chosen if name in ("mixup", "cutmix"))
    policies = tuple(name for name in chosen if name not in blends)
    for name in policies:
        policy_named(name)
    options = None if tune else 1
    unequal = max(counts) / max(1, min(counts)) > UNEQUAL
    least = 120 if quick else 600
    return Settings(
        metric="balanced accuracy" if unequal else "accuracy",
        seeds=seeds if seeds is not None else (5 if quick else 10),
        selection=2 if quick else 3,
        steps=steps or int(np.clip(math.ceil(5 * sum(counts) / BATCH), least, 4 * least)),
        ratios=ratios,
        mixings=mixings,
        policies=policies,
        blends=blends,
        balances=("sampling", "weights", "no")[:options] if unequal else ("",),
        lrs=(0.01, 0.004)[:options] if quick else (0.01, 0.005, 0.0025, 0.02)[:options],
        decays=(0.05, 0.3)[:options] if quick else (0.05, 0.005, 0.3)[:options],
        grid=not quick,
        seed=seed,
        quick=quick,
    )
