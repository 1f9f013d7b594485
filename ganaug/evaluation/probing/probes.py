"""A linear probe: how far a few labels a class carry on features, and on raw pixels."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, StratifiedKFold

from ganaug.errors import LabelMismatchError, TooFewImagesError
from ganaug.evaluation.probing.table import Features
from ganaug.keys import numpy_stream
from ganaug.reporting import Report, silent

COUNTS = (10, 50, 200)  # labels a class
DRAWS = 3  # random choices of the labelled images
STRENGTHS = [0.001, 0.01, 0.1, 1.0]  # of which cross-validation chooses one: inverse weight of the squared norm


@dataclass(frozen=True)
class Probe:
    """Accuracy on the test images with so many labels a class, for each draw of the labelled images: features, and
    pixels of the same images. tested: number of test images; unseen: how many of them gradients of the fit never saw.
    """

    labels: int
    features: tuple[float, ...]
    pixels: tuple[float, ...]
    tested: int
    unseen: int

    def line(self) -> str:
        return f"{self.labels:>15}   {_shown(self.features):<24}{_shown(self.pixels)}"


HEADER = f"{'labels a class':>15}   {'features':<24}pixels"


def probe(
    known: Features,
    test: Features | None = None,
    *,
    counts: tuple[int, ...] = COUNTS,
    seed: int = 0,
    report: Report = silent,
) -> list[Probe]:
    """Train a logistic regression on a few labels a class, for each of `counts` that the smallest class allows (where
    it allows none, for as many as it has), on features and on pixels, and test it.

    test: what it is tested on. Without it, images that the fit did not see are tested on, and labels come from those it
    saw; where one of the two is empty, half of each class is tested on. Features are scaled one by one, pixels, which
    have one unit, together. Raises TooFewImagesError for less than 2 labels of a class or no test image,
    LabelMismatchError for a test class that is not in the data.
    """
    train_rows, test_rows = _rows(known, test, seed)
    judged = known if test is None else test
    truth = np.array(judged.images.classes)[judged.labels[test_rows]]
    labels = np.array(known.images.classes)[known.labels[train_rows]]
    foreign = sorted(set(truth.tolist()) - set(labels.tolist()))
    if foreign:
        raise LabelMismatchError(f"No image with a label for {', '.join(foreign)}.", "Test on classes of the data.")
    _, sizes = np.unique(labels, return_counts=True)
    if not len(test_rows) or len(sizes) < 2 or sizes.min() < 2:
        raise TooFewImagesError(
            "A probe needs two labels of each of two classes, and test images.", "Give more images, or --no-probe."
        )
    pairs = [
        _scaled(known.values[train_rows], judged.values[test_rows], each=True),
        _scaled(_flat(known)[train_rows], _flat(judged)[test_rows], each=False),
    ]
    unseen = int((~judged.seen[test_rows]).sum())
    fitting = [n for n in counts if n <= sizes.min()] or [int(sizes.min())]
    probes = []
    for done, n in enumerate(fitting):
        draws = [_draw(labels, n, seed, number) for number in range(DRAWS)]
        of_features, of_pixels = (_accuracies(*pair, labels, truth, draws) for pair in pairs)
        probes.append(Probe(n, of_features, of_pixels, len(test_rows), unseen))
        report("probe", done + 1, len(fitting), f"{n} labels a class")
    return probes


def _rows(known: Features, test: Features | None, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Rows that may be labelled, rows to test on."""
    if test is not None:
        return np.arange(len(known.labels)), np.arange(len(test.labels))
    if known.seen.any() and not known.seen.all():
        return np.flatnonzero(known.seen), np.flatnonzero(~known.seen)
    order = numpy_stream(seed, "probe", "halves").permutation(len(known.labels))
    members = [order[known.labels[order] == label] for label in np.unique(known.labels)]
    first, second = (np.sort(np.concatenate([rows[start::2] for rows in members])) for start in (0, 1))
    return first, second


def _draw(labels: np.ndarray, n: int, seed: int, number: int) -> np.ndarray:
    """Rows of n random items of each class."""
    order = numpy_stream(seed, "probe", n, number).permutation(len(labels))
    return np.concatenate([order[labels[order] == name][:n] for name in np.unique(labels)])


def _flat(known: Features) -> np.ndarray:
    return known.images.pixels.flatten(1).numpy().astype(np.float32)


def _scaled(train: np.ndarray, test: np.ndarray, *, each: bool) -> tuple[np.ndarray, np.ndarray]:
    mean = train.mean(0)
    spread = np.maximum(train.std(0), 1e-6) if each else max(float((train - mean).std()), 1e-6)
    return (train - mean) / spread, (test - mean) / spread


def _accuracies(
    train: np.ndarray, test: np.ndarray, labels: np.ndarray, truth: np.ndarray, draws: list[np.ndarray]
) -> tuple[float, ...]:
    """One accuracy a draw; the strength is chosen on the first draw's labelled images alone."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        first = draws[0]
        folds = min(3, len(first) // len(np.unique(labels)))
        search = GridSearchCV(
            LogisticRegression(max_iter=200), {"C": STRENGTHS}, cv=StratifiedKFold(folds, shuffle=True, random_state=0)
        )
        strength = search.fit(train[first], labels[first]).best_params_["C"]
        fitted = [LogisticRegression(C=strength, max_iter=200).fit(train[rows], labels[rows]) for rows in draws]
    return tuple(float(model.score(test, truth)) for model in fitted)


def _shown(values: tuple[float, ...]) -> str:
    return f"{np.mean(values):.3f} ({min(values):.3f} to {max(values):.3f})"
