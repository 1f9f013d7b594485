"""How good are the samples of the defaults? Fits on a few images a class, then judges with plenty of real ones.

    python scripts/quality.py mnist --per-class 100 --seeds 3
    python scripts/quality.py sign_digits --per-class 1000 --size 32

DATASET is a name in the folder that GANAUG_DATA names, or a .npz file. For each seed: `ganaug.fit` with defaults on
N images a class (20 % of them held out), then
  agreement  share of samples that the judge (a classifier of up to 20,000 real training images) gives their label
  diversity  summed feature variance of agreeing samples over that of real test images in the judge's features: mean
             over classes, and the worst class (and the same of the real images that the generator saw)
  CAS        test accuracy of a classifier trained on 500 synthetic images a class and nothing else
  copies     samples nearer in pixels to a training image of their class than 99 % of the test images are (the images
             that a fit holds out are too few for such a percentile: of 20, it is about the smallest)
Each seed is kept as one JSON file in OUT, so that an interrupted study goes on.
"""

from __future__ import annotations

import json
import os
import platform
import time
from pathlib import Path
from typing import Any

import click
import numpy as np
import torch

import ganaug
from ganaug.classifier.small import Classifier, Training, train_classifier
from ganaug.cli.console import terminal
from ganaug.data.load import LabelledImages, load_images
from ganaug.data.split import hold_out
from ganaug.device import environment
from ganaug.generator.folder import Fitted
from ganaug.metrics import copy_share, label_agreement, within_class_diversity
from ganaug.reporting import Report
from ganaug.samples.pictures import sample_grid, tile
from ganaug.samples.pool import render

JUDGE_IMAGES = 20_000
JUDGES = [Training(steps=1500, policy=policy) for policy in ("none", "affine")]  # the more accurate one judges
CAS = Training(steps=600, policy="affine")
PER_CLASS = 500  # samples of each class that are judged


def synthetic(fitted: Fitted, n: int, seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    """uint8 (K n, C, H, W) and labels (K n,)."""
    classes = len(fitted.card.classes)
    pixels = [torch.from_numpy(render(fitted, label, np.arange(n), seed)) for label in range(classes)]
    return torch.cat(pixels), torch.arange(classes).repeat_interleave(n)


def best_judge(plenty: LabelledImages, test: LabelledImages, report: Report) -> tuple[Classifier, float]:
    """The classifier that judges, and its accuracy on the test images."""
    candidates = []
    for training in JUDGES:
        judge = train_classifier(
            plenty.pixels, plenty.labels, len(plenty.classes), training=training, seed=0, report=report
        )
        candidates.append((label_agreement(judge.predict(test.pixels), test.labels), judge))
    accuracy, judge = max(candidates, key=lambda pair: pair[0])
    return judge, accuracy


def judged(
    run: ganaug.Run, judge: Classifier, images: LabelledImages, test: LabelledImages, seed: int
) -> dict[str, Any]:
    """All figures of one run but its time."""
    fitted = run.load()
    classes = len(fitted.card.classes)
    training, _ = hold_out(images, seed=seed)
    pixels, labels = synthetic(fitted, PER_CLASS, seed)
    agrees = judge.predict(pixels).argmax(1) == labels
    spread = within_class_diversity(
        judge.features(pixels[agrees]), labels[agrees], judge.features(test.pixels), test.labels, classes
    )
    real_spread = within_class_diversity(
        judge.features(training.pixels), training.labels, judge.features(test.pixels), test.labels, classes
    )
    pupil = train_classifier(pixels, labels, classes, training=CAS, seed=seed)
    real_pupil = train_classifier(training.pixels, training.labels, classes, training=CAS, seed=seed)
    copies = copy_share(pixels, labels, training.pixels, training.labels, test.pixels, test.labels)
    return {
        "agreement": agrees.float().mean().item(),
        "agreement_worst": min(agrees[labels == c].float().mean().item() for c in range(classes)),
        "diversity": float(np.nanmean(spread)),
        "diversity_worst": float(np.nanmin(spread)),
        "diversity_of_the_real_images": float(np.nanmean(real_spread)),
        "CAS": label_agreement(pupil.predict(test.pixels), test.labels),
        "CAS_of_the_real_images": label_agreement(real_pupil.predict(test.pixels), test.labels),
        "copies": copies,
    }


@click.command()
@click.argument("dataset")
@click.option("--per-class", type=int, default=100, show_default=True)
@click.option("--size", default="auto", show_default=True)
@click.option("--seeds", default=1, show_default=True)
@click.option("--first-seed", default=0, show_default=True)
@click.option("--budget", default="10m", show_default=True)
@click.option("--steps", type=int, help="In place of a budget.")
@click.option("--recipe", default="small", show_default=True)
@click.option("--set", "pairs", multiple=True, metavar="NAME=VALUE", help="A setting of the recipe.")
@click.option("--threads", type=int, help="Threads of torch.")
@click.option("--out", type=click.Path(), help="[default: runs/quality/DATASET-N]")
def main(dataset, per_class, size, seeds, first_seed, budget, steps, recipe, pairs, threads, out):
    from ganaug.cli.group import settings_of

    if threads:
        torch.set_num_threads(threads)
    file = dataset if dataset.endswith(".npz") else str(Path(os.environ["GANAUG_DATA"]) / f"{dataset}.npz")
    folder = Path(out or f"runs/quality/{Path(file).stem}-{per_class}")
    side = size if size == "auto" else int(size)
    judge = None
    rows = []
    with terminal(quiet=False) as report:
        for seed in range(first_seed, first_seed + seeds):
            cell = folder / f"seed-{seed}.json"
            if not cell.exists():
                images = load_images(file, size=side, limit=per_class, seed=seed)
                test = load_images(file, split="test", size=images.spec.shape[1], channels=images.spec.shape[0])
                if judge is None:
                    most = JUDGE_IMAGES // len(images.classes)
                    plenty = load_images(file, size=images.spec.shape[1], channels=images.spec.shape[0], limit=most)
                    judge, judge_accuracy = best_judge(plenty, test, report)
                began = time.monotonic()
                run = ganaug.fit(
                    images, folder / f"run-{seed}", recipe=recipe, options=settings_of(pairs), seed=seed, resume=True,
                    budget=None if steps else budget, steps=steps, report=report,
                )  # fmt: skip
                seconds = time.monotonic() - began
                card = run.load().card
                figures = judged(run, judge, images, test, seed)
                values = {"seed": seed, "seconds": round(seconds, 1), "steps": card.steps, **figures}
                values |= {"judge_accuracy": judge_accuracy, "environment": environment(torch.device("cpu"))}
                values |= {
                    "cpu_count": os.cpu_count(),
                    "system": platform.platform(),
                    "date": time.strftime("%Y-%m-%d"),
                }
                cell.write_text(json.dumps(values, indent=1))
                fitted = run.load()
                grid = sample_grid(fitted.generator, fitted.prior, len(card.classes), columns=10)
                tile(grid, names=card.classes).save(folder / f"grid-{seed}.png")
            rows.append(json.loads(cell.read_text()))
    names = ("seconds", "steps", "agreement", "agreement_worst", "diversity", "diversity_worst",
             "diversity_of_the_real_images", "CAS", "CAS_of_the_real_images", "copies", "judge_accuracy")  # fmt: skip
    print(f"{Path(file).stem}, {per_class} a class, recipe {recipe}, seeds {[row['seed'] for row in rows]}")
    for name in names:
        column = np.array([row[name] for row in rows], dtype=float)
        spread = f" (min {column.min():.3f}, max {column.max():.3f})" if len(rows) > 1 else ""
        print(f"  {name:<24}{column.mean():10.3f}{spread}")


if __name__ == "__main__":
    main()
