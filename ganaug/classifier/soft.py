"""Soft labels: the probabilities of all classes that an image is learned as, in place of its one label."""

from __future__ import annotations

from collections.abc import Sequence, Sized

import numpy as np
from torch import Tensor
from torch.nn.functional import one_hot

from ganaug.errors import LabelMismatchError

SLACK = 1e-3  # by which the probabilities of an image may miss 1


def require_soft(given: np.ndarray | Tensor | None, labels: Sized | None, n_classes: int) -> None:
    """Raises LabelMismatchError for what are not the probabilities of `n_classes` classes of each image that has a
    label; for None of either there is nothing to say."""
    if given is None or labels is None:
        return
    soft, count = np.asarray(given), len(labels)
    if soft.shape != (count, n_classes):
        raise LabelMismatchError(
            f"Soft labels {soft.shape} do not fit {count} images of {n_classes} classes.", "Give a row for each image."
        )
    if not ((soft >= 0).all() and (np.abs(soft.sum(1) - 1) <= SLACK).all()):
        raise LabelMismatchError(
            "Soft labels are not probabilities: a row is negative somewhere, or does not sum to 1.",
            "Exponentiate log-probabilities.",
        )


def shown(
    labels: Tensor, n_classes: int, made: Sequence[int] | np.ndarray, soft: Tensor | None, made_soft: Tensor | None
) -> Tensor:  # fmt: skip
    """The probabilities that the images of a batch are learned as, float (B, K): their labels, where nothing else is
    said. made: places of synthetic images. soft: of all images, (B, K), those of synthetic ones without a meaning;
    made_soft: of the synthetic ones, (n, K)."""
    found = one_hot(labels, n_classes).float()
    if soft is not None:
        real = np.setdiff1d(np.arange(len(labels)), made)
        found[real] = soft[real].float()
    if made_soft is not None:
        found[made] = made_soft.float()
    return found
