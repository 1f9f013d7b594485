"""The design of a bench, which all arms share."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np

from ganaug.classifier.augmentation import AUGMENTATIONS, BLENDS, augmentation_named, keeps_labels, usable
from ganaug.classifier.remedies import REMEDIES, ROWS
from ganaug.classifier.use import use_named
from ganaug.errors import OptionError
from ganaug.evaluation.bench.settings import BenchSettings
from ganaug.evaluation.trials.arms import BATCH
from ganaug.options import IMAGES

UNEQUAL = 1.5  # largest over smallest class, from which on classes count as unequal
OF_OWN = ("mean", "pseudo-labels")  # remedies of a training of the user's own, where none are named
NEEDED = {
    "unequal": ("is for classes of unequal size, and these are equal", "Leave it out."),
    "unlabelled": ("learns from unlabelled images, and there are none", "Give some: --unlabelled FOLDER."),
    "deploy": ("is for a network that will be used by itself", "Name it: --deploy small, or --deploy NAME."),
}
RUNGS = 5  # paired seeds, at most, of what each remedy does on the test set


@dataclass(frozen=True)
class Design:
    """Everything that is fixed before the first trial.

    kind: of the data, "images", "table" or "series". seeds: number of paired seeds of the comparisons on the test set.
    selection: seeds per candidate on validation. metric: "accuracy" or "balanced accuracy". ratios: synthetic shares to
    try; uses: of synthetic images. grid: every use of synthetic images at every ratio; else the first one at all
    ratios, and the others at the best of them. remedies: names of those to try. search: numbers such as the learning
    rate are tuned. steps: of a training of the small network. deploy: one network will be used by itself. allow:
    changes that keep the label; None where nobody said.
    """

    metric: str
    seeds: int
    selection: int
    steps: int
    ratios: tuple[float, ...]
    uses: tuple[str, ...]
    remedies: tuple[str, ...]
    grid: bool
    search: bool = True
    batch: int = BATCH
    seed: int = 0
    quick: bool = False
    deploy: bool = False
    allow: tuple[str, ...] | None = None
    kind: str = IMAGES

    @property
    def unequal(self) -> bool:
        """Whether classes differ in size so much that balanced accuracy counts."""
        return self.metric == "balanced accuracy"

    def changing(self, training: type) -> tuple[str, ...]:
        """Names of the remedies that are a change of such a training."""
        known = {field.name for field in fields(training)}
        own = {name: REMEDIES[name].training for name in self.remedies}
        return tuple(name for name, changed in own.items() if changed and known.issuperset(changed))


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
    unequal = max(counts) / max(1, min(counts)) > UNEQUAL
    remedies = _remedies(asked, unequal)
    if asked.unlabelled is not None and not {"pseudo-labels", "fixmatch", "distillation"}.intersection(remedies):
        raise OptionError(
            "The unlabelled images would change nothing: no remedy that is tried learns from them.",
            "Leave out --unlabelled, or add pseudo-labels or fixmatch to the remedies.",
        )
    if set(asked.augmentations or ()) - {"none"} and asked.train is None and "augmentation" not in remedies:
        raise OptionError(
            "The augmentations would change nothing: the remedy `augmentation` is not tried.",
            "Leave out --augmentation, or add augmentation to the remedies.",
        )
    quick = asked.quick
    least = 120 if quick else 600
    return Design(
        metric="balanced accuracy" if unequal else "accuracy",
        seeds=asked.seeds if asked.seeds is not None else (5 if quick else 10),
        selection=2 if quick else 3,
        steps=asked.steps or int(np.clip(math.ceil(5 * sum(counts) / BATCH), least, 4 * least)),
        ratios=ratios,
        uses=uses,
        remedies=remedies,
        grid=not quick,
        search=asked.search,
        seed=asked.seed,
        quick=quick,
        deploy=asked.deploy is not None,
        allow=asked.allow,
        kind=asked.kind if asked.kind in ROWS else IMAGES,
    )


def policies(asked: BenchSettings, usual: Sequence[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Augmentations and blends to try: those that were asked for, else the usual ones. Raises OptionError for unknown
    names."""
    named = tuple(dict.fromkeys(usual if asked.augmentations is None else asked.augmentations))
    if asked.augmentations is None:
        named = (
            *usable([name for name in named if name not in BLENDS], asked.allow),
            *filter(BLENDS.__contains__, named),
        )
    blends = tuple(name for name in named if name in BLENDS and name != "none")
    augmentations = tuple(name for name in named if name not in BLENDS)
    for name in augmentations:
        augmentation_named(name)
        if not keeps_labels(name, asked.allow):
            raise OptionError(
                f"The augmentation {name} makes changes that are not allowed.",
                "Leave it out, or name these in --allow.",
            )
    return augmentations, blends


EVERY_POLICY = (*AUGMENTATIONS, *BLENDS)


def _remedies(asked: BenchSettings, unequal: bool) -> tuple[str, ...]:
    """Names of the remedies to try, in the order in which they are read. Raises OptionError for those that there are
    not, and for those that these images have no use for."""
    there = {
        "": True,
        "unequal": unequal,
        "unlabelled": asked.unlabelled is not None,
        "deploy": asked.deploy is not None,
    }
    kind = asked.kind if asked.kind in ROWS else IMAGES
    fit = [name for name, one in REMEDIES.items() if there[one.needs] and kind in one.of]
    if asked.remedies is None and asked.train is not None:
        return tuple(name for name in fit if name in OF_OWN)
    if asked.remedies is None:
        return tuple(name for name in fit if asked.search or not REMEDIES[name].training)
    wanted = [name for name in asked.remedies if name != "none"]
    idle = [name for name in wanted if name not in fit]
    if idle and kind not in REMEDIES[idle[0]].of:
        own = [name for name, one in REMEDIES.items() if kind in one.of]
        raise OptionError(
            f"The remedy {idle[0]!r} is for {' and '.join(REMEDIES[idle[0]].of)}, and these data are of the kind "
            f"{kind!r}.",
            f"Choose from: {', '.join(own)}, none.",
        )
    if idle:
        why, fix = NEEDED[REMEDIES[idle[0]].needs]
        raise OptionError(f"The remedy {idle[0]!r} {why}.", fix)
    return tuple(name for name in fit if name in wanted)
