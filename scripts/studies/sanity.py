"""Is the bench itself sane? What must help has to come out as `helps`, what cannot help must not.

    python scripts/bench_sanity.py                             # embedded digits
    GANAUG_DATA=FOLDER python scripts/bench_sanity.py mnist    # FOLDER/mnist.npz, fashion_mnist, ...

Ten real images a class are the training data. Other real images, which the classifier has not seen, are handed to the
bench as the "synthetic" folder: once with their labels (must be `helps`), once with shuffled labels (must not be).
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image

from ganaug.data.load import LabelledImages, load_images
from ganaug.evaluation.bench.results import Results
from ganaug.evaluation.bench.run import bench
from ganaug.keys import numpy_stream


def parts(dataset: str, real: int, extra: int, seed: int) -> tuple[LabelledImages, LabelledImages]:
    """`real` images a class to train on, and `extra` others a class."""
    source = "digits" if dataset == "digits" else Path(os.environ["GANAUG_DATA"]) / f"{dataset}.npz"
    images = load_images(source, limit=real + extra, seed=seed)
    labels, rng = images.labels.numpy(), numpy_stream(seed, "sanity")
    rows = [rng.permutation(np.flatnonzero(labels == label)) for label in range(len(images.classes))]
    return images.take(np.concatenate([r[:real] for r in rows])), images.take(np.concatenate([r[real:] for r in rows]))


def write_folder(images: LabelledImages, folder: Path, *, shuffled: bool, seed: int) -> Path:
    """The images as FOLDER/CLASS/*.png, with their labels or with a permutation of them."""
    labels = images.labels.numpy()
    labels = numpy_stream(seed, "sanity", "labels").permutation(labels) if shuffled else labels
    for i, label in enumerate(labels):
        place = folder / images.classes[label]
        place.mkdir(parents=True, exist_ok=True)
        pixels = images.pixels[i].numpy()
        Image.fromarray(pixels[0] if len(pixels) == 1 else pixels.transpose(1, 2, 0)).save(place / f"{i}.png")
    return folder


def judge(dataset: str, out: Path, *, shuffled: bool, real: int, extra: int, seed: int, **options) -> Results:
    """One bench of real unseen images as the synthetic folder. Both kinds share the trials without such images."""
    train, others = parts(dataset, real, extra, seed)
    data = out / "train.npz"
    out.mkdir(parents=True, exist_ok=True)
    full = load_images(
        "digits" if dataset == "digits" else Path(os.environ["GANAUG_DATA"]) / f"{dataset}.npz",
        split="test", limit=100, size=train.pixels.shape[-1], channels=train.pixels.shape[1],
    )  # fmt: skip
    np.savez(
        data,
        x_train=train.pixels.permute(0, 2, 3, 1).numpy(), y_train=train.labels.numpy(),
        x_test=full.pixels.permute(0, 2, 3, 1).numpy(), y_test=full.labels.numpy(),
        classes=np.array(train.classes),
    )  # fmt: skip
    folder = write_folder(others, out / ("shuffled" if shuffled else "unseen"), shuffled=shuffled, seed=seed)
    return bench(data, synthetic=folder, out=out / "bench", seed=seed, **options)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("dataset", nargs="?", default="digits", help="digits, or a name in $GANAUG_DATA")
    parser.add_argument("--real", type=int, default=10, help="training images a class")
    parser.add_argument("--extra", type=int, default=50, help='"synthetic" images a class')
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--full", action="store_true", help="the bench without --quick")
    chosen = parser.parse_args()
    failed = False
    with tempfile.TemporaryDirectory() as folder:
        for shuffled in (False, True):
            results = judge(
                chosen.dataset, Path(folder), shuffled=shuffled, real=chosen.real, extra=chosen.extra,
                seed=chosen.seed, quick=not chosen.full,
            )  # fmt: skip
            wrong = (results.verdict == "helps") == shuffled
            failed |= wrong
            kind = "shuffled labels" if shuffled else "real unseen images"
            print(f"{kind}: {results.verdict} {'WRONG' if wrong else 'as it must be'}\n{results.table()}\n", flush=True)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
