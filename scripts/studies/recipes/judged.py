"""What the studies of image recipes share: real images, a judge, figures of samples, trained networks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

import ganaug
from ganaug.classifier.small import Classifier, Training, train_classifier
from ganaug.data.load import LabelledImages, load_images
from ganaug.game import Recipe
from ganaug.generator.folder import Fitted
from ganaug.metrics import label_agreement, within_class_diversity
from ganaug.reporting import Report, silent
from ganaug.samples.blocks import Renderer
from ganaug.samples.pictures import sample_grid, tile
from scripts.studies.lib.facts import image_set

DIGITS = "MNIST, 16 px, 1,000 a class"  # what most studies learn from, in words
TRAIN = 1000  # digits of each class that a generator learns from
JUDGE = 1500  # and that the judge learns from


@dataclass(frozen=True)
class Study:
    """Of one recipe. run: of a scratch folder, a seed and whether to be quick; gives figures. data, what: words for the
    page. aims: of figures, what their mean over the seeds is to be: one of >=, <=, >, < or "within X of", and a number.
    expect: figures that the docstring of the recipe tells; () for those with an aim."""

    run: Callable[[Path, int, bool], dict[str, Any]]
    data: str
    what: str
    aims: Mapping[str, tuple[str, float]] = field(default_factory=dict)
    expect: tuple[str, ...] = ()


def digits(size: int, *, split: str = "train", limit: int | None = None, seed: int = 0) -> LabelledImages:
    """MNIST at `size` px."""
    return load_images(image_set("mnist"), split=split, size=size, limit=limit, seed=seed)


@cache
def judge_of(size: int, quick: bool) -> tuple[Classifier, float]:
    """A classifier of real digits, and its accuracy on test images."""
    plenty, test = digits(size, limit=100 if quick else JUDGE), digits(size, split="test", limit=200)
    return judge_from(plenty, test, Training(steps=60 if quick else 600, augmentation="affine"))


def judge_from(
    real: LabelledImages, test: LabelledImages, training: Training, report: Report = silent
) -> tuple[Classifier, float]:
    """A classifier of these images, and its accuracy on test images."""
    judge = train_classifier(real.pixels, real.labels, len(real.classes), training=training, seed=0, report=report)
    return judge, label_agreement(judge.predict(test.pixels), test.labels)


def fitted(
    images: LabelledImages, folder: Path, recipe: str, steps: int, seed: int, own: Recipe | None = None, **options: Any
) -> Fitted:
    """What the recipe ends with; a finished run in the folder is taken as it is. own: the recipe, if it is no name."""
    run = ganaug.fit(images, folder, recipe=recipe, options=options, steps=steps, seed=seed, device="cpu", resume=True)
    return ganaug.load(run, recipe=own)


def fitted_digits(recipe: str, out: Path, size: int, steps: int, seed: int, **options: float) -> Fitted:
    """The recipe after `steps` on TRAIN digits of each class, 20 % of them held out; draws `grid.png`."""
    fit = fitted(digits(size, limit=TRAIN, seed=seed), out / "run", recipe, steps, seed, **options)
    if len(fit.card.classes) > 1:
        grid = sample_grid(fit.generator, fit.prior, len(fit.card.classes), columns=12)
        tile(grid, names=fit.card.classes).save(out / "grid.png")
    return fit


def samples(fitted: Fitted, n: int, seed: int, truncation: float | None = None) -> tuple[Tensor, Tensor]:
    """`n` images of each class as uint8 (K n, C, H, W), and their labels (K n,)."""
    renderer = Renderer(fitted, seed, truncation=truncation)
    classes = len(fitted.card.classes)
    pixels = [torch.from_numpy(renderer.rows(label, range(n))) for label in range(classes)]
    return torch.cat(pixels), torch.arange(classes).repeat_interleave(n)


def agreement_and_diversity(
    fitted: Fitted, size: int, seed: int, quick: bool, truncation: float | None = None
) -> dict[str, float]:
    """Of samples of digits, under the judge."""
    judge, _ = judge_of(size, quick)
    pixels, labels = samples(fitted, 32 if quick else 192, seed, truncation)
    return figures(judge, pixels, labels, digits(size, split="test", limit=300))


def figures(judge: Classifier, pixels: Tensor, labels: Tensor, test: LabelledImages) -> dict[str, float]:
    """agreement: share of samples that the judge gives their label. diversity: summed variance of the agreeing samples
    in the judge's features over that of real test images, mean over classes."""
    agrees = judge.predict(pixels).argmax(1) == labels
    spread = within_class_diversity(
        judge.features(pixels[agrees]), labels[agrees], judge.features(test.pixels), test.labels, len(test.classes)
    )
    return {"agreement": agrees.float().mean().item(), "diversity": float(np.nanmean(spread))}


def traits(ink: Tensor) -> dict[str, Tensor]:
    """Of pictures (N, H, W) whose ink is above 0, from its moments: weight, slant (how far right a stroke goes per row
    up), width."""
    mass = ink.sum((1, 2)).clamp_min(1e-6)
    rows, columns = (torch.arange(n, dtype=ink.dtype) for n in ink.shape[1:])
    row, column = (ink.sum(2) * rows).sum(1) / mass, (ink.sum(1) * columns).sum(1) / mass
    down, right = rows[None, :, None] - row[:, None, None], columns[None, None] - column[:, None, None]
    both, tall, wide = ((ink * m).sum((1, 2)) / mass for m in (down * right, down.square(), right.square()))
    return {"weight": mass, "slant": -both / tall.clamp_min(1e-6), "width": wide.sqrt()}


def load_trained(networks: Mapping[str, nn.Module], state: Mapping[str, Any], *roles: str) -> None:
    """Give networks of these roles the weights that a game ended with."""
    for role in roles:
        prefix = f"networks/{role}/"
        own = {name.removeprefix(prefix): values for name, values in state.items() if name.startswith(prefix)}
        networks[role].load_state_dict(own)
