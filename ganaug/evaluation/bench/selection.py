"""What validation decides: one arm without synthetic images, and one with them.

One step after the other, each on top of those before: the augmentation at the default learning rate and weight decay;
MixUp, CutMix or neither; the learning rate, for the best so far and for the best of another augmentation or blend, so
that none wins by a rate that happens to suit it; the weight decay; and, where classes are unequal, balanced sampling,
class weights or neither. Then the synthetic share and the use of synthetic images, over all of that. So the baseline
is tuned at least as hard as what challenges it, and nothing is tuned for the challenger alone but how it uses its
synthetic images. (Except with --quick, the best arm of the other kind, without augmentation or with it, is
tried with synthetic images too, to be looked at.)

The two arms that are compared differ in the synthetic images only. Otherwise, where the validation part is too small to
tell augmentations apart, one that the baseline happens to lack would be counted as a gain by the synthetic images
(`scripts/studies/sanity.py` has shown that: images with shuffled labels then "helped").
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol, TypeVar

import numpy as np

from ganaug.evaluation.bench.arms import Arm, Design
from ganaug.evaluation.bench.trial import Laboratory, Outcome, Trial
from ganaug.keys import key


class Scored(Protocol):
    """An arm that was tried. score: of the primary metric on validation, in [0, 1]."""

    @property
    def arm(self) -> Arm: ...

    @property
    def score(self) -> float: ...


Tried = TypeVar("Tried", bound=Scored)


@dataclass(frozen=True)
class Candidate:
    """One arm at one learning rate and weight decay, as seen on validation; one outcome per selection seed."""

    arm: Arm
    lr: float
    decay: float
    outcomes: tuple[Outcome, ...]
    metric: str

    @property
    def values(self) -> tuple[float, ...]:
        """The primary metric of every seed, in [0, 1]."""
        return tuple(float(outcome.scores[self.metric]) for outcome in self.outcomes)

    @property
    def score(self) -> float:
        return float(np.mean(self.values))


@dataclass(frozen=True)
class Selection:
    """without, synthetic: the two arms that are compared on the test set; they differ in the synthetic images only.

    candidates: all, in the order of trying.
    """

    without: Candidate
    synthetic: Candidate
    candidates: tuple[Candidate, ...]


def trials_in_all(design: Design) -> int:
    """How many trials a bench runs: the selection, the comparison on the test set, and one judge of synthetic
    images."""
    s = design
    rivals = 2 if s.augmentations or s.blends else 1
    tuned = (
        1 + len(s.augmentations) + len(s.blends) + rivals * (len(s.lrs) - 1) + len(s.decays) - 1 + len(s.remedies) - 1
    )
    mixed = len(s.ratios) * len(s.uses) if s.grid else len(s.ratios) + len(s.uses) - 1
    mixed += len(s.ratios) if s.grid and (s.augmentations or s.blends) else 0
    return s.selection * (tuned + mixed) + 2 * s.seeds + 1


def select(laboratory: Laboratory, design: Design) -> Selection:
    """Run the validation trials and select. Ties go to the candidate tried first, so to the simpler one."""
    tried: list[Candidate] = []

    def attempt(*options: tuple[Arm, float, float]) -> list[Candidate]:
        seeds = seeds_of(design, "selection", design.selection)
        trainings = [design.training(*option) for option in options]
        found = laboratory.run_all([Trial(one, seed, "validation") for one in trainings for seed in seeds])
        outcomes = [tuple(found[i : i + len(seeds)]) for i in range(0, len(found), len(seeds))]
        new = [Candidate(*option, own, design.metric) for option, own in zip(options, outcomes, strict=True)]
        tried.extend(new)
        return new

    def changed(base: Candidate, field: str, options: Sequence[Any]) -> list[Candidate]:
        return attempt(*((replace(base.arm, **{field: option}), base.lr, base.decay) for option in options))

    [base] = attempt((Arm(remedy=design.remedies[0]), design.lrs[0], design.decays[0]))
    base = best([base, *changed(base, "augmentation", design.augmentations)])
    base = best([base, *changed(base, "blend", design.blends)])
    rivals = [base, *runner_up(tried, base)]
    base = best([base, *attempt(*((rival.arm, lr, rival.decay) for rival in rivals for lr in design.lrs[1:]))])
    base = best([base, *attempt(*((base.arm, base.lr, decay) for decay in design.decays[1:]))])
    base = best([base, *changed(base, "remedy", design.remedies[1:])])
    first, *others = design.uses

    def mixed_into(side: Candidate, uses: Sequence[str]) -> list[Candidate]:
        arms = [replace(side.arm, ratio=ratio, use=use) for use in uses for ratio in design.ratios]
        return attempt(*((arm, side.lr, side.decay) for arm in arms))

    mixed = mixed_into(base, design.uses if design.grid else [first])
    if not design.grid:
        mixed += changed(best(mixed), "use", others)
    elif design.augmentations or design.blends:  # the other kind of arm, for the reader: it cannot be selected
        real = [c for c in tried if c.arm.ratio == 0 and (c.arm.kind == "real") != (base.arm.kind == "real")]
        mixed_into(best(real), [first])
    return Selection(base, best(mixed), tuple(tried))


def runner_up(tried: Sequence[Tried], base: Tried) -> list[Tried]:
    """The best one with another augmentation or blend than the base; [] if nothing else was tried."""
    others = [one for one in tried if (one.arm.augmentation, one.arm.blend) != (base.arm.augmentation, base.arm.blend)]
    return [best(others)] if others else []


def best(candidates: Sequence[Tried]) -> Tried:
    """The highest score; the first of equals."""
    return max(candidates, key=lambda candidate: candidate.score)


def compare(laboratory: Laboratory, design: Design, selection: Selection) -> tuple[list[Outcome], list[Outcome]]:
    """The two selected arms on the test set, with seeds that the selection has not seen: (without, with), paired by
    position."""
    sides = [design.training(side.arm, side.lr, side.decay) for side in (selection.without, selection.synthetic)]
    seeds = seeds_of(design, "test", design.seeds)
    found = laboratory.run_all([Trial(side, seed, "test") for seed in seeds for side in sides])
    return found[::2], found[1::2]


def judge(laboratory: Laboratory, design: Design, selection: Selection) -> Outcome:
    """What the arm without synthetic images makes of the synthetic images."""
    side = selection.without
    return laboratory.run(Trial(design.training(side.arm, side.lr, side.decay), design.seed, "synthetic"))


def seeds_of(design: Design, purpose: str, count: int) -> list[int]:
    """Seeds of the trials for one purpose; those of another one, and benches of other seeds, share none."""
    return [key(design.seed, "bench", purpose, i) % 2**31 for i in range(count)]
