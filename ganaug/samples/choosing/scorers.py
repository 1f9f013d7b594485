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

Scorer = Callable[[Tensor, int], np.ndarray]
NOT_OF_IMAGES = "The discriminator of this recipe does not score single images."
TOGETHER = 32  # images that a discriminator is shown at a time: a block of a pool


class Agreement:
    """The probability that classifiers give the label, on average."""

    def __init__(self, judges: Sequence[Classifier]):
        self.judges = tuple(judges)

    def __call__(self, images: Tensor, label: int) -> np.ndarray:
        shares = [judge.predict(images).softmax(1)[:, label] for judge in self.judges]
        return torch.stack(shares).mean(0).double().numpy()


class Realism:
    """The score of the discriminator, which may look at some images of the class at a time."""

    def __init__(self, discriminator: nn.Module):
        self.discriminator = discriminator

    @torch.inference_mode()
    def __call__(self, images: Tensor, label: int) -> np.ndarray:
        labels = torch.full((len(images),), label, dtype=torch.int64)
        parts = zip(images.split(TOGETHER), labels.split(TOGETHER), strict=True)
        scores = [self._scores(encode(x), y) for x, y in parts]
        return torch.cat(scores).double().numpy() if scores else np.empty(0)

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
