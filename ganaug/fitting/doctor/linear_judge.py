"""Who says of which class an item looks: asked of samples, and of held-out items to know what to expect."""

from __future__ import annotations

import warnings
from collections.abc import Callable

import torch
from torch import Tensor

STRENGTH = 2.5  # of the linear judge's fit, over the number of values of an item
POORER = 0.1  # of held-out items: so many fewer may the linear judge get right than the nearest item does


def linear_judge(seen: Tensor, seen_y: Tensor, unseen: Tensor, unseen_y: Tensor) -> Callable[[Tensor], Tensor]:
    """Gives the class of each row: a linear judge, which is not misled by poor samples as the nearest item is; or the
    class of the nearest item where the linear one is much worse at held-out items."""

    def nearest(rows: Tensor) -> Tensor:
        return seen_y[torch.cdist(rows, seen).argmin(1)] if len(rows) else seen_y[:0]

    if bool((seen_y == seen_y[:1]).all()):
        return nearest
    from sklearn.exceptions import ConvergenceWarning  # half of what a fit would import before it begins
    from sklearn.linear_model import LogisticRegression

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        fitted = LogisticRegression(C=STRENGTH / seen.shape[1], max_iter=200).fit(seen.numpy(), seen_y.numpy())

    def linear(rows: Tensor) -> Tensor:
        return torch.from_numpy(fitted.predict(rows.nan_to_num().numpy())) if len(rows) else seen_y[:0]

    def right(judge: Callable[[Tensor], Tensor]) -> float:
        return (judge(unseen) == unseen_y).float().mean().item() if len(unseen) else 1.0

    return linear if right(linear) >= right(nearest) - POORER else nearest


def taken_for(answers: Tensor, y: Tensor, classes: int) -> tuple[tuple[float, ...], tuple[int, ...], tuple[float, ...]]:
    """For each class: the share that is taken for it, the other class that most are taken for, and their share."""
    counts = torch.bincount(y * classes + answers, minlength=classes**2).view(classes, classes).float()
    others, total = counts - counts.diagonal().diag(), counts.sum(1)
    most, whom = others.max(1)
    named = torch.where(most > 0, whom, -1)
    return tuple((counts.diagonal() / total).tolist()), tuple(named.tolist()), tuple((most / total).tolist())
