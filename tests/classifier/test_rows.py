"""Classifiers of rows: those of scikit-learn, told by weights what is synthetic and what is rare."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from imblearn.over_sampling import SMOTE
from sklearn.datasets import load_wine
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from ganaug.classifier.rows import ROW_MODELS, BoostingTraining, LogisticTraining, has_smote, train_rows, with_smote
from ganaug.errors import DivergedError, MissingPackageError, OptionError, TooFewImagesError
from ganaug.keys import key

X, Y = load_wine(return_X_y=True)


@pytest.mark.parametrize(
    ("training", "model"),
    [
        (LogisticTraining(c=0.3), make_pipeline(StandardScaler(), LogisticRegression(C=0.3, max_iter=10_000))),
        (BoostingTraining(), HistGradientBoostingClassifier(min_samples_leaf=5, early_stopping=False, random_state=1)),
    ],
)
def test_on_real_rows_alone_they_are_those_of_scikit_learn(training, model):
    found = train_rows(X[::2], Y[::2], 3, training=training, seed=1)
    wanted = model.fit(X[::2], Y[::2]).predict_proba(X[1::2])
    said = np.exp(found.predict(X[1::2]))
    assert said == pytest.approx(wanted, abs=2e-3)
    assert said.sum(1) == pytest.approx(1)
    again = train_rows(X[::2], Y[::2], 3, training=training, seed=99)
    assert np.array_equal(again.predict(X), found.predict(X))  # nothing is drawn at random
    assert not training.drawn


def test_class_weights_are_those_of_scikit_learn():
    rows = np.r_[0:59, 59:64, 130:134]  # 59, 5 and 4 of a class
    found = train_rows(X[rows], Y[rows], 3, training=LogisticTraining(class_weights=True), seed=0)
    model = LogisticRegression(max_iter=10_000, class_weight="balanced")
    wanted = make_pipeline(StandardScaler(), model).fit(X[rows], Y[rows]).predict_proba(X)
    assert np.exp(found.predict(X)) == pytest.approx(wanted, abs=2e-3)


@pytest.mark.parametrize("kind", ROW_MODELS)
def test_synthetic_rows_help_where_they_are_good_and_harm_where_their_labels_are_wrong(kind):
    few = np.concatenate([np.flatnonzero(c == Y)[:3] for c in range(3)])
    rest = np.setdiff1d(np.arange(len(Y)), few)

    def right(**changes) -> float:
        synthetic = X[rest[::2]], (Y[rest[::2]] + changes.pop("wrong", 0)) % 3
        training = ROW_MODELS[kind](**changes)
        found = train_rows(X[few], Y[few], 3, training=training, seed=0, synthetic=synthetic)
        return float((found.predict(X[rest[1::2]]).argmax(1) == Y[rest[1::2]]).mean())

    alone = right()
    assert right(ratio=0.8) >= max(alone, 0.85)
    assert right(ratio=0.8, wrong=1) < right(ratio=0.8) - 0.3
    assert right(ratio=0.5, use="light", wrong=1) >= right(ratio=0.5, wrong=1)


def test_each_seed_sees_other_synthetic_rows():
    synthetic = X[100:] + 1, Y[100:]
    training = LogisticTraining(ratio=0.1)
    one, other = (
        train_rows(X[:150:2], Y[:150:2], 3, training=training, seed=seed, synthetic=synthetic) for seed in (0, 1)
    )
    assert training.drawn
    assert not np.array_equal(one.predict(X), other.predict(X))


def test_a_class_without_rows_is_hardly_ever_said():
    found = train_rows(X[:100], Y[:100], 3, training=BoostingTraining(), seed=0)
    assert np.exp(found.predict(X)).max(0)[2] < 1e-5


def test_smote_is_that_of_imbalanced_learn_and_fills_up_all_classes():
    rows = np.r_[0:40, 59:69, 130:133]
    x, y = with_smote(X[rows], Y[rows], (), 3)
    counts = {1: 40, 2: 40}
    wanted = SMOTE(sampling_strategy=counts, k_neighbors=2, random_state=key(3, "smote") % 2**31)
    assert np.array_equal(x, wanted.fit_resample(X[rows], Y[rows])[0])
    assert np.bincount(y).tolist() == [40, 40, 40]
    lone = with_smote(X[:61], np.r_[np.zeros(59, int), 1, 2], (), 0)
    assert np.bincount(lone[1]).tolist() == [59, 1, 1]  # between one row and itself there is nothing


@pytest.mark.parametrize("blocks", [(1, 3), (3,)])
def test_smote_makes_categories_of_categories(blocks):
    rng = np.random.default_rng(0)
    codes = np.eye(3)[rng.integers(0, 3, 40)]
    rows = np.concatenate([rng.standard_normal((40, 1)), codes], 1) if len(blocks) == 2 else codes
    x, y = with_smote(rows, (np.arange(40) < 8).astype(int), blocks, 0)
    assert np.bincount(y).tolist() == [32, 32]
    assert set(np.unique(x[:, -3:])) == {0.0, 1.0}
    assert (x[:, -3:].sum(1) == 1).all()


def test_smote_takes_numbers_beside_several_categories():
    rng = np.random.default_rng(0)
    codes = np.eye(6)[rng.integers(0, 3, 40)] + np.eye(6)[3 + rng.integers(0, 3, 40)]
    rows = np.concatenate([rng.standard_normal((40, 1)), codes], 1)
    x, y = with_smote(rows, (np.arange(40) < 8).astype(int), (1, 3, 3), 0)
    assert np.bincount(y).tolist() == [32, 32]
    assert (x[:, 1:4].sum(1) == 1).all()
    assert (x[:, 4:].sum(1) == 1).all()


def test_what_imbalanced_learn_raises_ends_that_training(monkeypatch):
    def fail(*_):
        raise ValueError("The truth value of an array is ambiguous")

    monkeypatch.setattr(SMOTE, "fit_resample", fail)
    with pytest.raises(DivergedError, match=r"SMOTE of imbalanced-learn failed: ValueError: .* ambiguous"):
        train_rows(X[:80], Y[:80], 3, training=LogisticTraining(smote=True), seed=0)


def test_without_imbalanced_learn_it_is_said_what_to_install(monkeypatch):
    assert has_smote()
    for name in [name for name in sys.modules if name.split(".")[0] == "imblearn"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "imblearn", None)
    assert not has_smote()
    with pytest.raises(MissingPackageError, match=r"ganaug\[tables\]"):
        train_rows(X, Y, 3, training=BoostingTraining(smote=True), seed=0)


def test_what_cannot_be_trained_is_refused():
    with pytest.raises(OptionError, match="last steps"):
        LogisticTraining(use="finish")
    with pytest.raises(OptionError, match="below 1"):
        BoostingTraining(ratio=1.0)
    with pytest.raises(TooFewImagesError, match="needs synthetic"):
        train_rows(X, Y, 3, training=BoostingTraining(ratio=0.5), seed=0)
