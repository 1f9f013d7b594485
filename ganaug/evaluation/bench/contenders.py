"""What stands against what: one arm, or the mean of several networks, with or without a shift of the logits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy.special import logsumexp

from ganaug.classifier.shift import cross_fitted_strength, logit_shift
from ganaug.evaluation.bench.design import Design
from ganaug.evaluation.trials.arms import Arm, Knobs
from ganaug.evaluation.trials.learner import Learner
from ganaug.evaluation.trials.parts import FOLD, VALIDATION
from ganaug.evaluation.trials.trial import Answers, Laboratory, Outcome, Trial
from ganaug.keys import key


@dataclass(frozen=True)
class Member:
    """One network. copy: its number among those of one arm, which differ in their seeds."""

    arm: Arm
    knobs: Knobs
    copy: int = 0

    def trial(self, learner: Learner, seed: int, *on: str, leave: int | None = None) -> Trial:
        training = learner.training(self.arm, self.knobs)
        own = seed if not self.copy else key(seed, "bench", "copy", self.copy) % 2**31
        return Trial(learner.name, training, own, on, self.arm.made, leave, self.arm.taught)


@dataclass(frozen=True)
class Contender:
    """members: their probabilities are averaged, each kind of classifier counting the same. strength: of the shift of
    the logits by the shares of the classes. remedies: those in it, one on top of the other."""

    members: tuple[Member, ...]
    strength: float = 0.0
    remedies: tuple[str, ...] = ()

    @property
    def arm(self) -> Arm:
        """That of its first network."""
        return self.members[0].arm

    @property
    def knobs(self) -> Knobs:
        return self.members[0].knobs

    @property
    def kinds(self) -> tuple[str, ...]:
        """Its kinds of classifiers."""
        return tuple(dict.fromkeys(member.arm.classifier for member in self.members))

    def copies(self, kind: str) -> int:
        return sum(member.arm.classifier == kind for member in self.members)

    @property
    def mixed(self) -> bool:
        return any(member.arm.ratio for member in self.members)

    def with_arms(self, **changes: Any) -> Contender:
        """The same with other fields in every arm."""
        return replace(self, members=tuple(replace(one, arm=replace(one.arm, **changes)) for one in self.members))

    def __str__(self) -> str:
        said = []
        for kind in self.kinds:
            count = self.copies(kind)
            arm = next(member.arm for member in self.members if member.arm.classifier == kind)
            said.append(f"mean of {count} ({arm})" if count > 1 else str(arm))
        text = said[0] if len(said) == 1 else f"mean of ({'; '.join(said)})"
        return text + (f" + logits shifted by {self.strength:g} log(share)" if self.strength else "")


@dataclass(frozen=True)
class Tried:
    """A contender as validation saw it. values: its score with each seed, in [0, 1]. crosswise: the mean score over the
    validation images and the training images together, each of these judged by networks that were trained without it;
    None where that takes long, or would not be fair."""

    contender: Contender
    values: tuple[float, ...]
    crosswise: float | None = None

    @property
    def arm(self) -> Arm:
        return self.contender.arm

    @property
    def validation(self) -> float:
        return float(np.mean(self.values))

    @property
    def score(self) -> float:
        return self.validation if self.crosswise is None else self.crosswise


def best(tried: Sequence[Tried]) -> Tried:
    """The highest score, on the validation images alone unless all were judged crosswise; the first of equals, so the
    simpler one."""
    alike = all(one.crosswise is not None for one in tried)
    return max(tried, key=lambda one: one.score if alike else one.validation)


class Arena:
    """Plays contenders against each other in a laboratory. tried: all of them, in order. notes: on what was
    found on the way, for the report."""

    def __init__(self, laboratory: Laboratory, learners: dict[str, Learner], design: Design):
        self.laboratory, self.learners, self.design = laboratory, learners, design
        self.tried: list[Tried] = []
        self.notes: list[str] = []

    def attempt(self, *contenders: Contender) -> list[Tried]:
        """On the validation part, with the seeds of the selection."""
        seeds = seeds_of(self.design, "selection", self.design.selection)
        self._together([(one, seed, VALIDATION) for one in contenders for seed in seeds])
        new = []
        for one in contenders:
            said = [self.answers(one, seed, VALIDATION) for seed in seeds]
            values = tuple(float(each.scores[self.design.metric]) for each in said)
            new.append(Tried(one, values, self._pooled(one, said)))
        self.tried.extend(new)
        return new

    def _pooled(self, contender: Contender, said: Sequence[Answers]) -> float | None:
        """The score of a contender that is trained in no time, over validation and training images: few validation
        images alone tell little. Not where it knows the training images in another way: by synthetic images whose maker
        saw them, or by what others taught."""
        parts, arms = self.laboratory.parts, [member.arm for member in contender.members]
        swift = all(self.learners[kind].swift for kind in contender.kinds)
        if parts.fold is None or not swift or any(arm.ratio or arm.taught for arm in arms):
            return None
        own = Answers(self._crosswise_shifted(contender), parts.train.labels.numpy())
        both = [
            Answers(np.concatenate([own.logs, one.logs]), np.concatenate([own.labels, one.labels])) for one in said
        ]  # fmt: skip
        return float(np.mean([one.scores[self.design.metric] for one in both]))

    def on(self, name: str, contenders: Sequence[Contender], seeds: Sequence[int]) -> list[list[Answers]]:
        """What each contender says of a part, with each seed."""
        self._together([(one, seed, name) for seed in seeds for one in contenders])
        return [[self.answers(one, seed, name) for seed in seeds] for one in contenders]

    def answers(self, contender: Contender, seed: int, name: str) -> Answers:
        """The mean of its networks' probabilities, each kind of classifier counting the same, and shifted."""
        return self._mean(contender, self._trials(contender, seed, name), name)

    def _mean(self, contender: Contender, trials: Sequence[Trial], name: str) -> Answers:
        found = [self.laboratory.outcomes[trial] for trial in trials]
        said = [self.laboratory.answers(outcome, name) for outcome in found]
        if len(said) == 1:
            logs = said[0].logs
        else:
            weights = [1 / contender.copies(member.arm.classifier) for member in contender.members]
            scale = np.log(np.array(weights) / sum(weights))
            logs = logsumexp(np.stack([one.logs for one in said]) + scale[:, None, None], axis=0)
        return Answers(logit_shift(logs, self.laboratory.parts.shares(), contender.strength), said[0].labels)

    def outcomes(self, contender: Contender, seeds: Sequence[int], name: str) -> list[Outcome]:
        """Of the first network of a contender."""
        first = replace(contender, members=contender.members[:1])
        return [self.laboratory.outcomes[trial] for seed in seeds for trial in self._trials(first, seed, name)]

    def seconds(self, contender: Contender, seeds: Sequence[int], name: str) -> float:
        """Of training, all networks together, in the mean."""
        outcomes = self.laboratory.outcomes
        found = [outcomes[trial].seconds for seed in seeds for trial in self._trials(contender, seed, name)]
        return float(np.sum(found)) / len(seeds)

    def shifted(self, contender: Contender) -> Contender:
        """With a shift whose strength is fitted on the training part, crosswise: tails are few, and the validation part
        has fewer of them still."""
        labels = self.laboratory.parts.train.labels.numpy()
        alone = replace(contender, members=contender.members[:1], strength=0.0)
        logs = self.crosswise(alone)
        return replace(contender, strength=cross_fitted_strength(logs, labels, logs.shape[1]))

    def crosswise(self, contender: Contender) -> np.ndarray:
        """Log-probabilities (N, K) of the training images, each said by networks that were trained without it."""
        fold, parts = self.laboratory.parts.fold, self.laboratory.parts
        assert fold is not None
        logs = np.zeros((len(parts.train), parts.n_classes))
        for out, said in zip(np.unique(fold), self._without_each(contender, FOLD), strict=True):
            logs[fold == out] = said.logs
        return logs

    def _crosswise_shifted(self, contender: Contender) -> np.ndarray:
        """The same, each image shifted by the strength that suits all others."""
        logs = self.crosswise(replace(contender, strength=0.0))
        if not contender.strength:
            return logs
        parts, shifted = self.laboratory.parts, logs.copy()
        fold, labels = parts.fold, parts.train.labels.numpy()
        for out in np.unique(fold) if fold is not None else ():
            strength = cross_fitted_strength(logs[fold != out], labels[fold != out], parts.n_classes)
            shifted[fold == out] = logit_shift(logs[fold == out], parts.shares(), strength)
        return shifted

    def judges(self, contender: Contender, *names: str) -> list[list[np.ndarray]]:
        """Log-probabilities of each of these parts, said by the first network of the contender, trained once without
        each fold of the training images."""
        alone = replace(contender, members=contender.members[:1])
        return [[said.logs for said in self._without_each(alone, name)] for name in names]

    def _without_each(self, contender: Contender, name: str) -> list[Answers]:
        """What the contender says of a part, trained once without each fold of the training images."""
        [seed] = seeds_of(self.design, "folds", 1)
        fold = self.laboratory.parts.fold
        assert fold is not None
        outs = np.unique(fold).tolist()
        each = [self._trials(contender, seed, name, leave=out) for out in outs]
        self.laboratory.run_all([trial for trials in each for trial in trials])
        return [self._mean(contender, trials, name) for trials in each]

    def _trials(self, contender: Contender, seed: int, name: str, leave: int | None = None) -> list[Trial]:
        learners = self.learners
        return [one.trial(learners[one.arm.classifier], seed, name, leave=leave) for one in contender.members]

    def _together(self, wanted: Sequence[tuple[Contender, int, str]]) -> None:
        self.laboratory.run_all(list(dict.fromkeys(trial for one in wanted for trial in self._trials(*one))))


def seeds_of(design: Design, purpose: str, count: int) -> list[int]:
    """Seeds of the trials for one purpose; those of another one, and benches of other seeds, share none."""
    return [key(design.seed, "bench", purpose, i) % 2**31 for i in range(count)]
