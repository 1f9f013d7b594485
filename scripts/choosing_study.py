"""Does choosing among samples help a classifier? One rule at a time, on a finished run.

    GANAUG_DATA=... python scripts/choosing_study.py runs/quality/fashion_mnist-200/run-0 fashion_mnist

RUN was fitted on DATASET (a name in the folder that GANAUG_DATA names, or a .npz file). Every variant serves the same
number of samples; for each, over paired seeds (the same for every variant),
  CAS     test accuracy of a classifier trained on 500 samples a class and nothing else
  mixed   that of one trained on the real images of the fit with 25 % of every batch synthetic
beside `real`, that of one trained on the real images alone. The difference to the samples as they come has Student's t
interval over the seeds: single seeds differ by more than most rules do. One JSON file a trial in OUT; what is there is
not trained again. The test images judge variants here, so the best of them is flattered: a default needs a second set.
"""

from __future__ import annotations

import argparse
import json
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from scipy import stats

from ganaug import Rules
from ganaug.choosing.making import Chosen, Judged
from ganaug.classifier import Training, train_classifier
from ganaug.data import load_images
from ganaug.generator import Fitted, load
from ganaug.measuring.sides import fit_parts
from ganaug.metrics import label_agreement
from ganaug.pool import Pool

OFF = Rules(label=0.0, copies=0.0)
VARIANTS: dict[str, Rules | None] = {
    "as they come": None,
    "label 0.1": replace(OFF, label=0.1),
    "label 0.3": replace(OFF, label=0.3),
    "realism 0.2": replace(OFF, realism=0.2),
    "manifold 0.1": replace(OFF, manifold=0.1),
    "manifold 0.3": replace(OFF, manifold=0.3),
    "copies 0.05": replace(OFF, copies=0.05),
    "spread 0.8": replace(OFF, spread=0.8),
    "spread 1.2": replace(OFF, spread=1.2),
    "defaults": Rules(),
}
PER_CLASS = 500
ALONE = Training(steps=400, policy="affine")
MIXED = Training(steps=400, policy="affine", ratio=0.25)
REAL = "real"


def samples(judged: Judged, rules: Rules | None) -> tuple[torch.Tensor, torch.Tensor, Chosen | None]:
    """uint8 (N, C, H, W), labels int64 (N,), and what the choice found. The same samples every time."""
    found = None if rules is None else judged.choose(rules)
    fitted: Fitted = load(judged.home if found is None else found.folder)
    pool = Pool.open(fitted, dict.fromkeys(fitted.card.classes, PER_CLASS))
    images = torch.from_numpy(np.array(pool.images))
    pool.remove()
    return images, torch.from_numpy(pool.labels), found


def trial(file: Path, seed: int, kind: str, made, seen, test, classes: int) -> float:
    """Test accuracy of one training, from its file or anew."""
    if not file.exists():
        if kind == "CAS":
            pupil = train_classifier(*made, classes, training=ALONE, seed=seed)
        elif kind == "mixed":
            pupil = train_classifier(seen.pixels, seen.labels, classes, training=MIXED, seed=seed, synthetic=made)
        else:
            pupil = train_classifier(seen.pixels, seen.labels, classes, training=ALONE, seed=seed)
        value = label_agreement(pupil.predict(test.pixels), test.labels)
        partial = file.with_suffix(".partial")
        partial.write_text(json.dumps({"accuracy": value}))
        partial.replace(file)
    return float(json.loads(file.read_text())["accuracy"])


def difference(values: list[float], base: list[float]) -> str:
    """Points, with the 95 % interval of Student's t over the pairs."""
    gaps = 100 * (np.array(values) - np.array(base))
    half = stats.t.ppf(0.975, len(gaps) - 1) * gaps.std(ddof=1) / np.sqrt(len(gaps)) if len(gaps) > 1 else np.inf
    return f"{gaps.mean():+.2f} ± {half:.2f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path)
    parser.add_argument("dataset")
    parser.add_argument("--out", type=Path, default=Path("runs/choosing"))
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--variants", nargs="*", default=list(VARIANTS), help="by name; default: all")
    given = parser.parse_args()
    torch.set_num_threads(1)
    data = given.dataset
    data = data if data.endswith(".npz") else str(Path(os.environ["GANAUG_DATA"]) / f"{data}.npz")
    card = load(given.run).card
    seen, _ = fit_parts(card, data)
    test = load_images(data, split="test", size=card.shape[1], channels=card.shape[0])
    classes = len(card.classes)
    given.out.mkdir(parents=True, exist_ok=True)
    stem = f"{Path(data).stem}-{load(given.run).hash[:8]}"
    seeds = range(given.seeds)
    real = [trial(given.out / f"{stem}-real-{seed}.json", seed, REAL, None, seen, test, classes) for seed in seeds]
    print(f"{Path(data).stem}: {len(seen)} real images, {given.seeds} seeds; real alone {np.mean(real):.4f}")
    heads = ("variant", 14), ("accepted", 9), ("not served", 11), ("CAS", 8), ("to the first", 16), ("mixed", 8)
    print("".join(f"{head:>{width}}" for head, width in (*heads, ("to the first", 16), ("to real", 16))))
    first: dict[str, list[float]] = {}
    judged = Judged(given.run, data)
    for name in given.variants:
        images, labels, found = samples(judged, VARIANTS[name])
        accepted = 1.0 if found is None else float(np.mean(list(found.accepted.values())))
        values = {}
        for kind in ("CAS", "mixed"):
            files = [given.out / f"{stem}-{name.replace(' ', '-')}-{kind}-{seed}.json" for seed in seeds]
            pairs = zip(files, seeds, strict=True)
            values[kind] = [trial(file, s, kind, (images, labels), seen, test, classes) for file, s in pairs]
        first = first or values
        print(f"{name:>14}{accepted:>9.1%}{0 if found is None else len(found.withheld):>11}"
              f"{np.mean(values['CAS']):>8.4f}{difference(values['CAS'], first['CAS']):>16}"
              f"{np.mean(values['mixed']):>8.4f}{difference(values['mixed'], first['mixed']):>16}"
              f"{difference(values['mixed'], real):>16}", flush=True)  # fmt: skip


if __name__ == "__main__":
    main()
