"""What samples are refused by: each scorer gives one number an image, the higher the better.

Images are uint8 (N, C, H, W) of one class; scores float64 (N,).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor, nn

from ganaug.classifier.small import Classifier, encode
from ganaug.errors import OptionError
from ganaug.metrics.neighbours import nearest
from ganaug.networks.comparing import compares, in_groups_of

Scorer = Callable[[Tensor, int], np.ndarray]
NOT_OF_IMAGES = "The discriminator of this recipe does not score single images."
TOGETHER = 32  # images that are scored at a time
BESIDE = 3  # training images that each is compared with: discriminators are trained on groups of four of a class


class Agreement:
    """The probability that classifiers give the label, on average."""

    def __init__(self, judges: Sequence[Classifier]):
        self.judges = tuple(judges)

    def __call__(self, images: Tensor, label: int) -> np.ndarray:
        shares = [judge.predict(images).softmax(1)[:, label] for judge in self.judges]
        return torch.stack(shares).mean(0).double().numpy()


class Realism:
    """The score of the discriminator.

    Where it compares the images of a batch, each is compared with the same few training images of its class, so that
    its score does not depend on which others are scored. pixels, labels: the training images.
    """

    def __init__(self, discriminator: nn.Module, pixels: Tensor, labels: Tensor):
        self.beside = BESIDE if compares(discriminator) else 0
        self.discriminator = in_groups_of(discriminator, 1 + self.beside)
        self.pixels, self.labels = pixels, labels

    @torch.inference_mode()
    def __call__(self, images: Tensor, label: int) -> np.ndarray:
        if not len(images):
            return np.empty(0)
        own = self.pixels[self.labels == label] if self.beside else self.pixels[:0]
        beside = encode(own[torch.arange(self.beside) % max(len(own), 1)])
        whole = torch.arange(-(-len(images) // TOGETHER) * TOGETHER) % len(images)  # parts of one size: equal floats
        scores = [self._together(encode(images[rows]), beside, label) for rows in whole.split(TOGETHER)]
        return torch.cat(scores)[: len(images)].double().numpy()

    def _together(self, x: Tensor, beside: Tensor, label: int) -> Tensor:
        """Scores of images (N, C, H, W), each at the head of a group with those beside it."""
        groups = torch.cat([x[:, None], beside.expand(len(x), *beside.shape)], 1) if len(beside) else x[:, None]
        y = torch.full((len(x) * groups.shape[1],), label, dtype=torch.int64)
        return self._scores(groups.flatten(0, 1).contiguous(memory_format=torch.channels_last), y)[:: groups.shape[1]]

    def _scores(self, x: Tensor, y: Tensor) -> Tensor:
        """Raises OptionError for a discriminator that does not give each image one number."""
        try:
            scores = self.discriminator(x, y)
        except (RuntimeError, TypeError, ValueError, IndexError) as error:
            raise OptionError(NOT_OF_IMAGES, "Leave out realism (--realism 0).") from error
        if not isinstance(scores, Tensor) or scores.shape != (len(x),):
            raise OptionError(NOT_OF_IMAGES, "Leave out realism (--realism 0).")
        return scores


class Nearness:
    """Minus the distance to the nearest training image of the class, in the features of a classifier."""

    def __init__(self, judge: Classifier, features: Tensor, labels: Tensor):
        self.judge = judge
        self.features, self.labels = features, labels

    def __call__(self, images: Tensor, label: int) -> np.ndarray:
        return -_to_nearest(self.judge.features(images), self.features[self.labels == label])


class Newness:
    """The distance to the nearest training image of the class, in pixels."""

    def __init__(self, pixels: Tensor, labels: Tensor):
        self.pixels, self.labels = pixels.flatten(1), labels

    def __call__(self, images: Tensor, label: int) -> np.ndarray:
        return _to_nearest(images.flatten(1), self.pixels[self.labels == label])


def _to_nearest(rows: Tensor, others: Tensor) -> np.ndarray:
    """0 where there is nothing to be near to."""
    if not len(others) or not len(rows):
        return np.zeros(len(rows))
    distances, _ = nearest(rows.float().numpy(), others.float().numpy())
    return np.asarray(distances, dtype=np.float64)
