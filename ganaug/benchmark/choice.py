"""What validation decides: one arm without synthetic images, and one with them.

In the order of the text: the learning rate for plain real images; the policy at that rate; the policy's own learning
rate (not with --quick); then every synthetic share over both, at the rate of the arm that it is added to (with
--quick over the better of the two only: the other cannot be chosen). So the baseline is tuned at least as hard as what
challenges it, and nothing is tuned for the challenger alone but its share.

The two arms that are compared differ in the synthetic images only: the best arm without them is chosen first, and the
share is chosen among the arms that share its policy and learning rate. Otherwise, where the validation part is too
small to tell policies apart, a policy that the baseline happens to lack would be counted as a gain by the synthetic
images (`scripts/bench_sanity.py` has shown that: images with shuffled labels then "helped").
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ganaug.benchmark.arms import Arm, Settings
from ganaug.benchmark.trial import Laboratory, Outcome, Trial


@dataclass(frozen=True)
class Candidate:
    """One arm at one learning rate, as seen on validation; one outcome per selection seed."""

    arm: Arm
    lr: float
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
    """without, synthetic: the two arms that are compared on the test set; same policy, same learning rate.

    candidates: all, in the order of trying.
    """

    without: Candidate
    synthetic: Candidate
    candidates: tuple[Candidate, ...]


def trials_in_all(settings: Settings) -> int:
    """How many trials a bench runs, the comparison on the test set included."""
    tuning = len(settings.lrs) + len(settings.policies) + (0 if settings.quick else len(settings.lrs) - 1)
    bases = 1 if settings.quick else 2
    return settings.selection * (tuning + bases * len(settings.ratios)) + 2 * settings.seeds


def choose(laboratory: Laboratory, settings: Settings) -> Choice:
    """Run the validation trials and choose. Ties go to the candidate tried first, so to the simpler one."""

    def tried(arm: Arm, lr: float) -> Candidate:
        training = settings.training(arm, lr)
        seeds = [settings.seed + i for i in range(settings.selection)]
        outcomes = tuple(laboratory.run(Trial(training, seed, "validation")) for seed in seeds)
        return Candidate(arm, lr, outcomes, settings.metric)

    plain = [tried(Arm(), lr) for lr in settings.lrs]
    real = best(plain)
    classical = [tried(Arm(policy), real.lr) for policy in settings.policies]
    leader = best(classical)
    if not settings.quick:
        tuned = [tried(leader.arm, lr) for lr in settings.lrs if lr != real.lr]
        classical, leader = [*classical, *tuned], best([leader, *tuned])
    without = best([*plain, *classical])
    bases = (without,) if settings.quick else (real, leader)
    mixed = [tried(Arm(base.arm.policy, ratio), base.lr) for base in bases for ratio in settings.ratios]
    alike = [candidate for candidate in mixed if candidate.arm.policy == without.arm.policy]
    return Choice(without, best(alike), (*plain, *classical, *mixed))


def best(candidates: list[Candidate]) -> Candidate:
    """The highest mean score; the first of equals."""
    return max(candidates, key=lambda candidate: candidate.score)


def compare(laboratory: Laboratory, settings: Settings, choice: Choice) -> tuple[list[Outcome], list[Outcome]]:
    """The two chosen arms on the test set, with seeds that no choice has seen: (without, with), paired by position."""
    seeds = [settings.seed + 1000 + i for i in range(settings.seeds)]
    pairs = []
    for seed in seeds:
        pair = [
            laboratory.run(Trial(settings.training(side.arm, side.lr), seed, "test"))
            for side in (choice.without, choice.synthetic)
        ]
        pairs.append(pair)
    return [pair[0] for pair in pairs], [pair[1] for pair in pairs]
