"""What the studies of conditional image recipes share: real digits, a judge, and figures of samples."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

import ganaug
from ganaug.classifier.small import Classifier, Training, train_classifier
from ganaug.data.load import LabelledImages, load_images
from ganaug.generator.folder import Fitted
from ganaug.metrics import label_agreement, within_class_diversity
from ganaug.samples.pictures import sample_grid, tile
from ganaug.samples.pool import Renderer

TRAIN = 1000  # digits of each class that a generator learns from
JUDGE = 1500  # and that the judge learns from


def digits(size: int, *, split: str = "train", limit: int | None = None, seed: int = 0) -> LabelledImages:
    """MNIST at `size` px. Raises FileNotFoundError where GANAUG_DATA does not hold it."""
    file = Path(os.environ["GANAUG_DATA"]) / "mnist.npz"
    if not file.exists():
        raise FileNotFoundError(f"{file} does not exist.")
    return load_images(str(file), split=split, size=size, limit=limit, seed=seed)


@cache
def judge_of(size: int, quick: bool) -> tuple[Classifier, float]:
    """A classifier of real digits, and its accuracy on test images."""
    plenty, test = digits(size, limit=100 if quick else JUDGE), digits(size, split="test", limit=200)
    training = Training(steps=60 if quick else 600, policy="affine")
    judge = train_classifier(plenty.pixels, plenty.labels, 10, training=training, seed=0)
    return judge, label_agreement(judge.predict(test.pixels), test.labels)


def fitted_digits(recipe: str, out: Path, size: int, steps: int, seed: int, **options: float) -> Fitted:
    """The recipe after `steps` on TRAIN digits of each class, 20 % of them held out; draws `grid.png`."""
    images = digits(size, limit=TRAIN, seed=seed)
    run = ganaug.fit(images, out / "run", recipe=recipe, options=options, steps=steps, seed=seed, resume=True)
    fitted = run.load()
    if len(fitted.card.classes) > 1:
        grid = sample_grid(fitted.generator, fitted.prior, len(fitted.card.classes), columns=12)
        tile(grid, names=fitted.card.classes).save(out / "grid.png")
    return fitted


def samples(fitted: Fitted, n: int, seed: int, truncation: float | None = None) -> tuple[Tensor, Tensor]:
    """`n` images of each class as uint8 (K n, C, H, W), and their labels (K n,)."""
    renderer = Renderer(fitted, seed, truncation=truncation)
    classes = len(fitted.card.classes)
    pixels = [torch.from_numpy(renderer.rows(label, range(n))) for label in range(classes)]
    return torch.cat(pixels), torch.arange(classes).repeat_interleave(n)


def agreement_and_diversity(
    fitted: Fitted, size: int, seed: int, quick: bool, truncation: float | None = None
) -> dict[str, float]:
    """agreement: share of samples that the judge gives their label. diversity: summed variance of the agreeing samples
    in the judge's features over that of real test images, mean over classes."""
    judge, _ = judge_of(size, quick)
    pixels, labels = samples(fitted, 32 if quick else 192, seed, truncation)
    test = digits(size, split="test", limit=300)
    agrees = judge.predict(pixels).argmax(1) == labels
    spread = within_class_diversity(
        judge.features(pixels[agrees]), labels[agrees], judge.features(test.pixels), test.labels, 10
    )
    return {"agreement": agrees.float().mean().item(), "diversity": float(np.nanmean(spread))}
