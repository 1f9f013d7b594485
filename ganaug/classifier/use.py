"""How a training uses its synthetic images, besides how many. A use is data, and has a name."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from ganaug.errors import OptionError


@dataclass(frozen=True)
class Use:
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

    def __str__(self) -> str:
        said = [f"loss weight {self.weight:g}"] if self.weight != 1 else []
        said += [f"label smoothing {self.smoothing:g}"] if self.smoothing else []
        said += ["for the smaller classes only"] if self.rare else []
        said += [f"none in the last {self.finish:.0%} of the steps"] if self.finish else []
        said += [f"from {self.pool} images a class"] if self.pool else []
        return ", ".join(said) or "as real ones"


# What each word changes. Weight 0.3 with smoothing 0.2 comes from trials on fashion_mnist at 50 images a class; label
# smoothing of synthetic images is Zheng et al. 2017 (1701.07717); the pool of the size of a small class is there to see
# what fresh images are worth. What each is worth alone, and both defaults together: docs/study.md.
USES: dict[str, dict[str, Any]] = {
    "plain": {},
    "light": {"weight": 0.3, "smoothing": 0.2},
    "smooth": {"smoothing": 0.2},
    "weak": {"weight": 0.3},
    "rare": {"rare": True},
    "finish": {"finish": 0.2},
    "fixed": {"pool": 50},
}
DEFAULTS = ("plain", "light")


def use_named(name: str) -> Use:
    """The use of this name: one of `USES`, or several joined by "+", such as "light+finish".

    Raises OptionError, listing the names, for another one.
    """
    use = Use()
    for word in name.split("+"):
        if word not in USES:
            raise OptionError(
                f"There is no use of synthetic images {word!r}.", f"Choose from: {', '.join(USES)}; join several by +."
            )
        use = replace(use, **USES[word])
    return use


def uses_in_words() -> str:
    """All of them, for a list of options."""
    return ", ".join(f"{name} ({use_named(name)})" for name in USES)
