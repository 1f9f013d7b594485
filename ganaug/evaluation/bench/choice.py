"""What validation decides: one arm without synthetic images, and one with them.

One choice after the other, each on top of those before: the classical policy at the default learning rate and weight
decay; MixUp, CutMix or neither; the learning rate, for the best so far and for the best of another policy or blend, so
that none wins by a rate that happens to suit it; the weight decay; and, where classes are unequal, balanced sampling,
class weights or neither. Then the synthetic share and the mixing policy, over all of that. So the baseline
is tuned at least as hard as what challenges it, and nothing is tuned for the challenger alone but how it uses its
synthetic images. (Except with --quick, the best arm of the other kind, without classical augmentation or with it, is
tried with synthetic images too, to be looked at.)

The two arms that are compared differ in the synthetic images only. Otherwise, where the validation part is too small to
tell policies apart, a policy that the baseline happens to lack would be counted as a gain by the synthetic images
(`scripts/studies/sanity.py` has shown that: images with shuffled labels then "helped").
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol, TypeVar

import numpy as np

from ganaug.evaluation.bench.arms import Arm, Settings
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
class Choice:
    """without, synthetic: the two arms that are compared on the test set; they differ in the synthetic images only.

    candidates: all, in the order of trying.
    """

    without: Candidate
    synthetic: Candidate
    candidates: tuple[Candidate, ...]


def trials_in_all(settings: Settings) -> int:
    """How many trials a bench runs: the choice, the comparison on the test set, and one judge of synthetic images."""
    s = settings
    rivals = 2 if s.policies or s.blends else 1
    tuned = 1 + len(s.policies) + len(s.blends) + rivals * (len(s.lrs) - 1) + len(s.decays) - 1 + len(s.balances) - 1
    mixed = len(s.ratios) * len(s.mixings) if s.grid else len(s.ratios) + len(s.mixings) - 1
    mixed += len(s.ratios) if s.grid and (s.policies or s.blends) else 0
    return s.selection * (tuned + mixed) + 2 * s.seeds + 1


def choose(laboratory: Laboratory, settings: Settings) -> Choice:
    """Run the validation trials and choose. Ties go to the candidate tried first, so to the simpler one."""
    tried: list[Candidate] = []

    def attempt(*options: tuple[Arm, float, float]) -> list[Candidate]:
        seeds = selection_seeds(settings)
        trainings = [settings.training(*option) for option in options]
        found = laboratory.run_all([Trial(one, seed, "validation") for one in trainings for seed in seeds])
        outcomes = [tuple(found[i : i + len(seeds)]) for i in range(0, len(found), len(seeds))]
        new = [Candidate(*option, own, settings.metric) for option, own in zip(options, outcomes, strict=True)]
        tried.extend(new)
        return new

    def changed(base: Candidate, field: str, options: Sequence[Any]) -> list[Candidate]:
        return attempt(*((replace(base.arm, **{field: option}), base.lr, base.decay) for option in options))

    [base] = attempt((Arm(balance=settings.balances[0]), settings.lrs[0], settings.decays[0]))
    base = best([base, *changed(base, "policy", settings.policies)])
    base = best([base, *changed(base, "blend", settings.blends)])
    rivals = [base, *runner_up(tried, base)]
    base = best([base, *attempt(*((rival.arm, lr, rival.decay) for rival in rivals for lr in settings.lrs[1:]))])
    base = best([base, *attempt(*((base.arm, base.lr, decay) for decay in settings.decays[1:]))])
    base = best([base, *changed(base, "balance", settings.balances[1:])])
    first, *others = settings.mixings

    def mixed_into(side: Candidate, mixings: Sequence[str]) -> list[Candidate]:
        arms = [replace(side.arm, ratio=ratio, mixing=mixing) for mixing in mixings for ratio in settings.ratios]
        return attempt(*((arm, side.lr, side.decay) for arm in arms))

    mixed = mixed_into(base, settings.mixings if settings.grid else [first])
    if not settings.grid:
        mixed += changed(best(mixed), "mixing", others)
    elif settings.policies or settings.blends:  # the other kind of arm, for the reader: it cannot be chosen
        real = [c for c in tried if c.arm.ratio == 0 and (c.arm.kind == "real") != (base.arm.kind == "real")]
        mixed_into(best(real), [first])
    return Choice(base, best(mixed), tuple(tried))


def runner_up(tried: Sequence[Tried], base: Tried) -> list[Tried]:
    """The best one with another policy or blend than the base; [] if nothing else was tried."""
    others = [one for one in tried if (one.arm.policy, one.arm.blend) != (base.arm.policy, base.arm.blend)]
    return [best(others)] if others else []


def best(candidates: Sequence[Tried]) -> Tried:
    """The highest score; the first of equals."""
    return max(candidates, key=lambda candidate: candidate.score)


def compare(laboratory: Laboratory, settings: Settings, choice: Choice) -> tuple[list[Outcome], list[Outcome]]:
    """The two chosen arms on the test set, with seeds that no choice has seen: (without, with), paired by position."""
    sides = [settings.training(side.arm, side.lr, side.decay) for side in (choice.without, choice.synthetic)]
    found = laboratory.run_all([Trial(side, seed, "test") for seed in paired_seeds(settings) for side in sides])
    return found[::2], found[1::2]


def judge(laboratory: Laboratory, settings: Settings, choice: Choice) -> Outcome:
    """What the arm without synthetic images makes of the synthetic images."""
    side = choice.without
    return laboratory.run(Trial(settings.training(side.arm, side.lr, side.decay), settings.seed, "synthetic"))


def selection_seeds(settings: Settings) -> list[int]:
    """Seeds of every candidate on validation. Benches of other seeds share none."""
    return [key(settings.seed, "bench", "selection", i) % 2**31 for i in range(settings.selection)]


def paired_seeds(settings: Settings) -> list[int]:
    """Seeds of the comparison on the test set, which no choice uses. Benches of other seeds share none."""
    return [key(settings.seed, "bench", "test", i) % 2**31 for i in range(settings.seeds)]
