"""FixMatch (Sohn et al. 2020, 2001.07685): unlabelled images in the training of a network.

What the network is sure of in a weak view of an image, it learns to say of a strong view as well. What it is not sure
of, such as most images that show none of the classes, does not count.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import log_softmax, one_hot

from ganaug.classifier.augmentation import Augmentation, augmentation_named
from ganaug.classifier.refusals import refuse_fields
from ganaug.errors import TooFewImagesError
from ganaug.keys import numpy_stream

STRONG = "randaugment"


@dataclass(frozen=True, eq=False)
class FixMatch:
    """Unlabelled images, and how they are learned from.

    pixels: uint8 (U, C, H, W), like those of the training. strong: a name of `augmentation.AUGMENTATIONS`, for the
    strong view: one that keeps the class of an image. The weak view is the augmentation of the training. times:
    unlabelled images in a batch, as a multiple of the labelled ones (mu in the paper, where it is 7). threshold: the
    probability from which on an answer is learned. weight: of this part of the loss (lambda in the paper).
    """

    pixels: Tensor
    strong: str = STRONG
    times: int = 1
    threshold: float = 0.95
    weight: float = 1.0

    def __post_init__(self):
        augmentation_named(self.strong)
        refuse_fields(
            "FixMatch",
            self,
            times=(self.times >= 1, "1 or more"),
            threshold=(0 <= self.threshold < 1, "a number from 0 to below 1"),
            weight=(self.weight > 0, "a number above 0"),
        )
        if not len(self.pixels):
            raise TooFewImagesError("There are no unlabelled images.", "Give some, or train without them.")

    def views(self, weak: Augmentation, batch: int, seed: int, step: int, device: torch.device) -> Tensor:
        """The weak views of some images, drawn by `seed` and `step`, and then the strong views of the same: float
        (2 n, C, H, W) on the scale of the pixels."""
        rows = numpy_stream(seed, "unlabelled", step, "classifier").integers(len(self.pixels), size=self.times * batch)
        seen = weak(self.pixels[torch.from_numpy(rows)].to(device))
        plain = seen if seen.dtype == torch.uint8 else seen.round().clamp(0, 255).to(torch.uint8)
        return torch.cat([seen.float(), augmentation_named(self.strong)(plain).float()])

    def loss(self, logits: Tensor) -> Tensor:
        """Of the logits of weak and strong views, (2 n, K): the weighed cross-entropy of the strong ones with what is
        sure of the weak ones, divided by all n."""
        weak, strong = logits.chunk(2)
        return -(self.targets(weak) * log_softmax(strong, 1)).sum()

    def targets(self, weak: Tensor) -> Tensor:
        """What the loss is told of the strong views, by the logits (n, K) of the weak ones: the weight of each class in
        each image, (n, K)."""
        sure, said = weak.detach().softmax(1).max(1)
        weight = self.weight * (sure >= self.threshold) / len(weak)
        return weight[:, None] * one_hot(said, weak.shape[1])
