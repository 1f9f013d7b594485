"""Small image sets for the bench, and a classifier that needs no training: the nearest class mean."""

from __future__ import annotations

import numpy as np
import torch

from ganaug.data.sources.arrays import ArraySource, from_arrays

CLASSES = ("ant", "bee", "cat")


def images(n: int, seed: int, *, noise: float = 60.0, classes: tuple[str, ...] = CLASSES, groups=None) -> ArraySource:
    """n images (8, 8) of each class: a bright stripe whose place is the class's, with noise."""
    rng = np.random.default_rng(seed)
    labels = np.arange(n * len(classes)) % len(classes)
    x = np.full((len(labels), 8, 8), 100.0)
    for i, label in enumerate(labels):
        x[i, 2 * CLASSES.index(classes[label])] = 160
    x = np.clip(x + noise * rng.standard_normal(x.shape), 0, 255).astype(np.uint8)
    return from_arrays(x, labels, classes=classes, groups=groups)


class NearestMean:
    """Stands in for `ganaug.classifier.small.train_classifier`: same arguments, counts its trainings; what it is taught
    besides it learns nothing from, but for images that have labels."""

    def __init__(self):
        self.trainings = 0
        self.stop_after: int | None = None

    def __call__(
        self, pixels, labels, n_classes, *, training, seed, synthetic=None, watch=None, device="cpu", **taught
    ):
        if self.trainings == self.stop_after:
            raise KeyboardInterrupt
        self.trainings += 1
        rng = np.random.default_rng(seed)
        x, y = pixels.float(), labels
        if synthetic is not None:
            n = round(len(x) * training.ratio)
            x, y = torch.cat([x[n:], synthetic[0][:n].float()]), torch.cat([y[n:], synthetic[1][:n]])
        means = torch.stack([x[y == c].mean(0) for c in range(n_classes)])
        means += 5 * torch.from_numpy(rng.standard_normal(means.shape)).float()
        means = means.nan_to_num(0.0)

        class Fitted:
            losses = np.linspace(1, 0, training.steps)
            watched = () if watch is None else (0.25, 0.5)

            @staticmethod
            def predict(pixels):
                return -((pixels[:, None].float() - means) ** 2).flatten(2).sum(2)

        return Fitted()
