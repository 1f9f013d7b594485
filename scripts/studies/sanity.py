"""Is the bench itself sane? What must help has to come out as `helps`, what cannot help must not.

    python -m scripts.studies.sanity                           # embedded digits
    GANAUG_DATA=FOLDER python -m scripts.studies.sanity mnist  # FOLDER/mnist.npz, fashion_mnist, ...

Ten real images a class are the training data. Other real images, which the classifier has not seen, are handed to the
bench as the "synthetic" folder: once with their labels (must be `helps`), once with shuffled labels (must not be).
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ganaug.data.load import LabelledImages, load_images
from ganaug.data.sources.arrays import ArraySource, from_arrays
from ganaug.evaluation.bench.results import Results
from ganaug.evaluation.bench.run import bench
from ganaug.keys import numpy_stream
from scripts.studies.lib.command import count, options
from scripts.studies.lib.facts import image_set

SMALL: Mapping[str, Any] = {"model": "small", "remedies": ("augmentation",)}


def judge(dataset: str, out: Path, *, shuffled: bool, real: int, extra: int, seed: int, **options: Any) -> Results:
    """One bench of real unseen images as the synthetic ones. Both kinds share the trials without such images."""
    images = load_images(image_set(dataset), limit=real + extra, seed=seed)
    labels, rng = images.labels.numpy(), numpy_stream(seed, "sanity")
    rows = [rng.permutation(np.flatnonzero(labels == label)) for label in range(len(images.classes))]
    train, others = (images.take(np.concatenate([r[part] for r in rows])) for part in (slice(real), slice(real, None)))
    channels, side, _ = images.pixels.shape[1:]
    test = load_images(image_set(dataset), split="test", limit=100, size=side, channels=channels)
    said = others.labels.numpy()
    said = numpy_stream(seed, "sanity", "labels").permutation(said) if shuffled else said
    return bench(
        arrays(train), test=arrays(test), synthetic=arrays(others, said), out=out, seed=seed, **SMALL | options
    )


def arrays(images: LabelledImages, labels: np.ndarray | None = None) -> ArraySource:
    """The images, with their labels or with others."""
    pixels = images.pixels.permute(0, 2, 3, 1).numpy()
    return from_arrays(pixels, images.labels.numpy() if labels is None else labels, classes=images.classes)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = options(__doc__)
    parser.add_argument("dataset", nargs="?", default="digits", help="digits, or a name in $GANAUG_DATA")
    parser.add_argument("--real", type=count, default=10, help="training images a class")
    parser.add_argument("--extra", type=count, default=50, help='"synthetic" images a class')
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--full", action="store_true", help="the bench without --quick")
    chosen = parser.parse_args(arguments)
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
