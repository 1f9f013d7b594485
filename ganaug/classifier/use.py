"""Mixing policies: how a training uses its synthetic images, besides how many. A policy is data, and has a name."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from ganaug.errors import OptionError


@dataclass(frozen=True)
class MixingPolicy:
    """weight: of the loss of a synthetic image; a real one weighs 1. smoothing: label smoothing of synthetic images
    alone, in [0, 1). rare: synthetic images for the smaller classes only: a place that would be synthetic is so with
    probability 1 - n / N, where n is the size of its class and N of the largest. finish: share of the steps, the last
    ones, in which there are no synthetic images, in [0, 1). pool: so many different synthetic images of a class are
    used; 0 for all there are, so that each is seen once before any is seen again.
    """

    weight: float = 1.0
    smoothing: float = 0.0
    rare: bool = False
    finish: float = 0.0
    pool: int = 0


# What each word changes. Weight 0.3 with smoothing 0.2 comes from trials on fashion_mnist at 50 images a class; label
# smoothing of synthetic images is Zheng et al. 2017 (1701.07717); the pool of the size of a small class is there to see
# what fresh images are worth. What each is worth alone, and both defaults together: docs/study.md, "Mixing policies".
WORDS: dict[str, dict[str, Any]] = {
    "plain": {},
    "light": {"weight": 0.3, "smoothing": 0.2},
    "smooth": {"smoothing": 0.2},
    "weak": {"weight": 0.3},
    "rare": {"rare": True},
    "finish": {"finish": 0.2},
    "fixed": {"pool": 50},
}
DEFAULTS = ("plain", "light")


def mixing_policy(name: str) -> MixingPolicy:
    """The policy of this name: one of `WORDS`, or several joined by "+", such as "light+finish".

    Raises OptionError, listing the words, for another one.
    """
    policy = MixingPolicy()
    for word in name.split("+"):
        if word not in WORDS:
            raise OptionError(
                f"There is no mixing policy {word!r}.", f"Choose from: {', '.join(WORDS)}; join several by +."
            )
        policy = replace(policy, **WORDS[word])
    return policy
