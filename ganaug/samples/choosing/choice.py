"""A choice: scorers and their limits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch

from ganaug.samples.choosing.rules import Rules
from ganaug.samples.choosing.scorers import Scorer


@dataclass(frozen=True)
class Choice:
    """Which samples of a generator are served.

    scorers: by the name of their rule. limits: likewise, float64 (K,), the least score that is accepted in each class;
    -inf accepts all. accepted: share of the samples of each class that were accepted when the choice was made, (K,).
    """

    rules: Rules
    classes: tuple[str, ...]
    scorers: Mapping[str, Scorer]
    limits: Mapping[str, np.ndarray]
    accepted: tuple[float, ...] = ()

    def accepts(self, images: np.ndarray, label: int) -> np.ndarray:
        """Of images uint8 (N, C, H, W) of class `label`, which are kept: bool (N,)."""
        return self.judged(images, label)[0]

    def judged(self, images: np.ndarray, label: int) -> tuple[np.ndarray, dict[str, float]]:
        """The same, and the share that every rule refuses by itself; 0 where there is no image."""
        passes = self.passes(images, label)
        kept = np.logical_and.reduce([np.ones(len(images), dtype=bool), *passes.values()])
        return kept, {name: float(1 - one.mean()) if len(one) else 0.0 for name, one in passes.items()}

    def passes(self, images: np.ndarray, label: int) -> dict[str, np.ndarray]:
        """The same of every rule by itself."""
        pixels = torch.from_numpy(np.ascontiguousarray(images))
        return {name: scorer(pixels, label) >= self.limits[name][label] for name, scorer in self.scorers.items()}

    @property
    def spread(self) -> float:
        """Standard deviation of the latents to draw."""
        return self.rules.spread

    @property
    def withheld(self) -> tuple[str, ...]:
        """Classes that are not served: too few of their samples were accepted."""
        return tuple(name for name, share in zip(self.classes, self.accepted, strict=True) if share < self.rules.gate)
