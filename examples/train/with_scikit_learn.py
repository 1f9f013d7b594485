"""Your own training with scikit-learn: small pictures as rows, C chosen on validation images.

ganaug bench data/train --test data/test --run runs/leaves --out runs/own --train with_scikit_learn.py:train
"""

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

SIDE = 16


def rows(dataset):
    """(PIL image, int) of any size and mode -> float (N, SIDE * SIDE). Any loop over the items will do: there are as
    many synthetic ones among them as in an epoch of a DataLoader."""
    return np.stack([np.asarray(image.convert("L").resize((SIDE, SIDE)), dtype=float).ravel() for image, _ in dataset])


def train(dataset, *, validation, seed, device):
    """Items are (PIL image, int), with .classes and .targets; synthetic images are in `dataset` already."""
    x, y = rows(dataset), np.array(dataset.targets)
    held_x, held_y = rows(validation), np.array(validation.targets)
    models = [
        make_pipeline(StandardScaler(), LogisticRegression(C=c, max_iter=1000, random_state=seed)).fit(x, y)
        for c in (0.001, 0.01, 0.1, 1.0)
    ]
    best = max(models, key=lambda model: model.score(held_x, held_y))

    def predict(data):
        """Probabilities (N, K): a class without training images has a column too."""
        found = np.zeros((len(data), len(dataset.classes)))
        found[:, best.classes_] = best.predict_proba(rows(data))
        return found

    return predict
