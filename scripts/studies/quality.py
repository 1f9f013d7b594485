"""How good are the samples of the defaults? Fits on a few images a class, then judges with plenty of real ones.

    python -m scripts.studies.quality mnist --per-class 100 --seeds 3
    python -m scripts.studies.quality sign_digits --per-class 1000 --size 32

DATASET is a name in the folder that GANAUG_DATA names, or a .npz file. For each seed: `ganaug.fit` with defaults on
N images a class (20 % of them held out), then
  agreement  share of samples that the judge (a classifier of up to 20,000 real training images) gives their label
  diversity  summed feature variance of agreeing samples over that of real test images in the judge's features: mean
             over classes, and the worst class (and the same of the real images that the generator saw)
  CAS        test accuracy of a classifier trained on 500 synthetic images a class and nothing else
  copies     samples nearer in pixels to a training image of their class than 99 % of the test images are (the images
             that a fit holds out are too few for such a percentile: of 20, it is about the smallest)
Each seed is kept as a line of results/quality.jsonl, so that an interrupted study goes on; docs/quality.md tells them.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import numpy as np
import torch

import ganaug
from ganaug.classifier.small import Classifier, Training, train_classifier
from ganaug.cli.options import NameValue
from ganaug.data.load import LabelledImages, load_images
from ganaug.data.split import hold_out
from ganaug.metrics import copy_report, label_agreement, within_class_diversity
from ganaug.reporting import Report
from ganaug.reporting.console import terminal
from ganaug.samples.pictures import sample_grid, tile
from scripts.studies.lib.command import count, options
from scripts.studies.lib.facts import image_set, machine, today
from scripts.studies.lib.results import Line, find, put, read
from scripts.studies.recipes.judged import judge_from, samples

JUDGE_IMAGES = 20_000
JUDGES = [
    Training(steps=1500, augmentation=augmentation) for augmentation in ("none", "affine")
]  # the more accurate one judges
CAS = Training(steps=600, augmentation="affine")
PER_CLASS = 500  # samples of each class that are judged
FIGURES = (
    "seconds", "steps", "agreement", "agreement_worst", "diversity", "diversity_worst", "diversity_of_the_real_images",
    "CAS", "CAS_of_the_real_images", "copies", "judge_accuracy",
)  # fmt: skip


@cache
def test_images(file: str, channels: int, side: int) -> LabelledImages:
    return load_images(file, split="test", size=side, channels=channels)


@cache
def best_judge(file: str, channels: int, side: int, report: Report) -> tuple[Classifier, float]:
    """The classifier that judges, and its accuracy on the test images."""
    test = test_images(file, channels, side)
    plenty = load_images(file, size=side, channels=channels, limit=JUDGE_IMAGES // len(test.classes))
    return max((judge_from(plenty, test, training, report) for training in JUDGES), key=lambda found: found[1])


def judged(
    run: ganaug.Run, judge: Classifier, images: LabelledImages, test: LabelledImages, seed: int
) -> dict[str, float]:
    """All figures of one run but its time."""
    fitted = run.load()
    classes = len(fitted.card.classes)
    training, _ = hold_out(images, seed=seed)
    pixels, labels = samples(fitted, PER_CLASS, seed)
    agrees = judge.predict(pixels).argmax(1) == labels
    spread, real_spread = (
        within_class_diversity(judge.features(x), y, judge.features(test.pixels), test.labels, classes)
        for x, y in ((pixels[agrees], labels[agrees]), (training.pixels, training.labels))
    )
    pupil = train_classifier(pixels, labels, classes, training=CAS, seed=seed)
    real_pupil = train_classifier(training.pixels, training.labels, classes, training=CAS, seed=seed)
    return {
        "agreement": agrees.float().mean().item(),
        "agreement_worst": min(agrees[labels == c].float().mean().item() for c in range(classes)),
        "diversity": float(np.nanmean(spread)),
        "diversity_worst": float(np.nanmin(spread)),
        "diversity_of_the_real_images": float(np.nanmean(real_spread)),
        "CAS": label_agreement(pupil.predict(test.pixels), test.labels),
        "CAS_of_the_real_images": label_agreement(real_pupil.predict(test.pixels), test.labels),
        "copies": copy_report(pixels, labels, training.pixels, training.labels, test.pixels, test.labels).share,
    }


def play(file: str, asked: argparse.Namespace, folder: Path, seed: int, report: Report) -> Line:
    """One fit, and what is kept of it; the run and a grid of its samples lie in the folder."""
    side_asked = asked.size if asked.size == "auto" else int(asked.size)
    images = load_images(file, size=side_asked, limit=asked.per_class, seed=seed)
    channels, side, _ = images.spec.shape
    test = test_images(file, channels, side)
    judge, accuracy = best_judge(file, channels, side, report)
    began = time.monotonic()
    run = ganaug.fit(
        images, folder / f"run-{seed}", recipe=asked.recipe, seed=seed,
        options=dict(NameValue().convert(one, None, None) for one in asked.set),
        resume=True, budget=None if asked.steps else asked.budget, steps=asked.steps, report=report,
    )  # fmt: skip
    seconds, fitted = round(time.monotonic() - began, 1), run.load()
    grid = sample_grid(fitted.generator, fitted.prior, len(fitted.card.classes), columns=10)
    tile(grid, names=fitted.card.classes).save(folder / f"grid-{seed}.png")
    return {
        "study": folder.name, "seed": seed, "per class": asked.per_class, "recipe": asked.recipe, "set": asked.set,
        "seconds": seconds, "steps": fitted.card.steps, **judged(run, judge, images, test, seed),
        "judge_accuracy": accuracy, "machine": machine(), "date": today(),
    }  # fmt: skip


def main(arguments: Sequence[str] | None = None) -> int:
    parser = options(__doc__, "quality")
    parser.add_argument("dataset", help="a name in GANAUG_DATA, or a .npz file")
    parser.add_argument("--per-class", type=count, default=100, help="(default: 100)")
    parser.add_argument("--size", default="auto", help="in px (default: auto)")
    parser.add_argument("--seeds", type=count, default=1)
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--budget", default="10m", help="(default: 10m)")
    parser.add_argument("--steps", type=count, help="instead of a budget")
    parser.add_argument("--recipe", default="small", help="(default: small)")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="a setting of the recipe")
    parser.add_argument("--threads", type=count, help="of torch")
    parser.add_argument(
        "--out", type=Path, help="scratch folder, which names the study (default: runs/quality/DATASET-N)"
    )
    asked = parser.parse_args(arguments)
    if asked.threads:
        torch.set_num_threads(asked.threads)
    file = image_set(asked.dataset)
    folder = asked.out or Path(f"runs/quality/{Path(file).stem}-{asked.per_class}")
    seeds = range(asked.first_seed, asked.first_seed + asked.seeds)
    with terminal(quiet=False) as report:
        for seed in seeds:
            if not find(asked.results, study=folder.name, seed=seed):
                put(asked.results, play(file, asked, folder, seed, report), "study", "seed")
    lines = [line for line in read(asked.results) if line["study"] == folder.name and line["seed"] in seeds]
    print(f"{folder.name}, {asked.per_class} a class, recipe {asked.recipe}, seeds {list(seeds)}")
    for name in FIGURES:
        column = np.array([line[name] for line in lines], dtype=float)
        spread = f" (min {column.min():.3f}, max {column.max():.3f})" if len(lines) > 1 else ""
        print(f"  {name:<24}{column.mean():10.3f}{spread}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
