"""Classifiers of rows and series: logistic regression and gradient boosting of scikit-learn, on values in model space.

They are trained in less than a second on few rows. Shares, uses of synthetic rows and class weights are weights of rows
(`ganaug.classifier.weighed`); SMOTE makes rows of the smaller classes before anything is weighed. A seed decides which
of the synthetic rows are seen, and what SMOTE draws: without both, all seeds give the same classifier.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from ganaug.classifier.probe import with_floor
from ganaug.classifier.use import use_named
from ganaug.classifier.weighed import Given, require_given, weighed
from ganaug.errors import DivergedError, MissingPackageError, OptionError
from ganaug.keys import key

VERSION = 1  # changes whenever the same call would give another classifier
NEIGHBOURS = 5  # of a row, between which SMOTE draws others, at most
TREES, ITERATIONS = 100, 10_000  # rounds of boosting; steps of the solver, at most
NO_SMOTE = ("SMOTE needs imbalanced-learn.", 'pip install "ganaug[tables]"')


@dataclass(frozen=True)
class RowTraining(ABC):
    """How a classifier of rows is trained.

    smote: fill the smaller classes up by SMOTE. class_weights: every class weighs the same. ratio: share of synthetic
    rows in the weight of each class, in [0, 1). use: how they are used, see `ganaug.classifier.use`.
    """

    words: ClassVar[str]

    smote: bool = False
    class_weights: bool = False
    ratio: float = 0.0
    use: str = "plain"

    def __post_init__(self):
        if not 0 <= self.ratio < 1:
            raise OptionError(f"The synthetic share is {self.ratio}.", "Give a ratio of 0 or more, below 1.")
        self.require_use(self.use)

    @staticmethod
    def require_use(use: str) -> None:
        """Raises OptionError for a use of synthetic rows that there is not, or that is about steps."""
        if use_named(use).finish:
            raise OptionError(f"Classifiers of rows have no last steps, which {use!r} is about.", "Choose another use.")

    @property
    def drawn(self) -> bool:
        """Whether its seed changes anything."""
        return self.smote or self.ratio > 0

    @abstractmethod
    def model(self, seed: int) -> Any:
        """The classifier of scikit-learn, untrained."""


@dataclass(frozen=True)
class LogisticTraining(RowTraining):
    """Of standardised values. c: inverse strength of the regularisation, as in scikit-learn."""

    words = "logistic regression"
    c: float = 1.0

    def model(self, seed: int) -> Any:
        from sklearn.linear_model import LogisticRegression  # images do without

        return LogisticRegression(C=self.c, max_iter=ITERATIONS)


@dataclass(frozen=True)
class BoostingTraining(RowTraining):
    """Histogram gradient boosting. rate: what a tree adds. leaf: rows in a leaf, at least; the 20 of scikit-learn would
    let few rows make no tree at all."""

    words = "gradient boosting"
    rate: float = 0.1
    leaf: int = 5

    def model(self, seed: int) -> Any:
        from sklearn.ensemble import HistGradientBoostingClassifier  # images do without

        return HistGradientBoostingClassifier(
            learning_rate=self.rate, max_iter=TREES, min_samples_leaf=self.leaf, early_stopping=False, random_state=seed
        )


ROW_MODELS: dict[str, type[RowTraining]] = {"boosting": BoostingTraining, "logistic": LogisticTraining}


@dataclass(frozen=True, eq=False)
class RowClassifier:
    """A trained one. mean, spread: of the real rows (D,)."""

    model: Any
    mean: np.ndarray
    spread: np.ndarray
    n_classes: int

    def predict(self, rows: np.ndarray) -> np.ndarray:
        """Log-probabilities of rows (N, D), float64 (N, K)."""
        logs = np.full((len(rows), self.n_classes), -np.inf)
        with np.errstate(divide="ignore"):
            logs[:, self.model.classes_] = np.log(self.model.predict_proba((rows - self.mean) / self.spread))
        return with_floor(logs)


def train_rows(
    rows: np.ndarray, labels: np.ndarray, n_classes: int, *, training: RowTraining, seed: int,
    synthetic: tuple[np.ndarray, np.ndarray] | None = None, blocks: Sequence[int] = (),
) -> RowClassifier:  # fmt: skip
    """Train a classifier of rows (N, D) in model space, with labels int64 (N,).

    synthetic: rows (M, D) and labels (M,), from which the share `training.ratio` is taken. blocks: widths of what a row
    consists of, as those of a `DataSpec`; () for numbers alone. Raises MissingPackageError for SMOTE without
    imbalanced-learn, and what `require_given` raises.
    """
    x, y = np.asarray(rows, dtype=np.float64), np.asarray(labels, dtype=np.int64)
    require_given(Given(x, y, n_classes, synthetic), training.ratio)
    mean, spread = x.mean(0), x.std(0)
    if training.smote:
        x, y = with_smote(x, y, blocks, seed)
    given = Given(x, y, n_classes, synthetic)
    seen, targets = weighed(given, training, seed, least=0.0)
    spread = np.where(spread > 0, spread, 1.0)
    row, label = np.nonzero(targets)  # a row that is learned as several classes comes as often
    model = training.model(seed % 2**31)
    model.fit((seen[row] - mean) / spread, label, sample_weight=targets[row, label])
    return RowClassifier(model, mean, spread, n_classes)


def has_smote() -> bool:
    """Whether imbalanced-learn is installed."""
    try:
        import imblearn  # noqa: F401
    except ImportError:
        return False
    return True


def with_smote(rows: np.ndarray, labels: np.ndarray, blocks: Sequence[int], seed: int) -> tuple[np.ndarray, np.ndarray]:
    """The rows, and others of the smaller classes until all are as large as the largest (Chawla et al. 2002,
    1106.1813). Categories are those of most neighbours (SMOTE-NC, SMOTE-N). A class of one row stays as it is. Raises
    DivergedError where imbalanced-learn fails: that ends this training alone."""
    try:
        from imblearn.over_sampling import SMOTE, SMOTEN, SMOTENC
    except ImportError as error:
        raise MissingPackageError(*NO_SMOTE) from error
    counts = np.bincount(labels)
    able = {label: int(counts.max()) for label in np.flatnonzero((counts > 1) & (counts < counts.max())).tolist()}
    if not able:
        return rows, labels
    widths = np.array(blocks or [1] * rows.shape[1])
    ends = np.cumsum(widths)
    codes = np.stack([rows[:, end - width : end].argmax(1) if width > 1 else rows[:, end - 1]
                      for width, end in zip(widths, ends, strict=True)], axis=1)  # fmt: skip
    chosen = {
        "sampling_strategy": able, "random_state": key(seed, "smote") % 2**31,
        "k_neighbors": min(NEIGHBOURS, *(int(counts[label]) - 1 for label in able)),
    }  # fmt: skip
    categories = np.flatnonzero(widths > 1).tolist()
    if not categories:
        sampler = SMOTE(**chosen)
    elif len(categories) == len(widths):
        sampler = SMOTEN(**chosen)
    else:
        sampler = SMOTENC(categories, **chosen)
    try:
        filled, own = sampler.fit_resample(codes, labels)
    except Exception as error:
        cause = f"{type(sampler).__name__} of imbalanced-learn failed: {type(error).__name__}: {error}."
        raise DivergedError(cause, "Leave out smote, or take another version of imbalanced-learn.") from error
    parts = [np.eye(width)[filled[:, i].astype(int)] if width > 1 else filled[:, i : i + 1].astype(np.float64)
             for i, width in enumerate(widths.tolist())]  # fmt: skip
    return np.concatenate(parts, 1), own
