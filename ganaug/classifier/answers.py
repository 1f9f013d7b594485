"""What a classifier answers, of any kind that holds numbers: as arrays, and probabilities or not."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from ganaug.errors import OwnTrainingError

OFF = 1e-2  # by which a row of probabilities may miss 1: half precision does
BELOW = 1e-6  # by which one may lie below 0
NUMBERS = "biuf"  # kinds of dtypes


def as_array(given: Any) -> np.ndarray | None:
    """An array, a tensor of any device and type, or lists of these; None for what has no one shape or no numpy form."""
    try:
        if isinstance(given, torch.Tensor):
            plain = given.detach().cpu()
            return (plain.double() if plain.is_floating_point() else plain).numpy()
        if isinstance(given, (list, tuple)) and any(isinstance(one, torch.Tensor) for one in given):
            return np.stack([np.asarray(as_array(one)) for one in given])
        return np.asarray(given)
    except (TypeError, ValueError, RuntimeError):
        return None


def probabilities(who: str, given: Any, n: int, k: int) -> np.ndarray:
    """What was given, if it is probabilities up to rounding, float64 (n, k), whose rows sum to 1; the message says what
    it is instead."""
    found = as_array(given)
    if found is None or found.dtype.kind not in NUMBERS:
        raise OwnTrainingError(f"{who} returns {kind(given)}.", f"Return one array or tensor of numbers, ({n}, {k}).")
    found = found.astype(np.float64)
    if found.shape != (n, k):
        raise OwnTrainingError(f"{who} returns {found.shape} in place of ({n}, {k}).", _of_shape(found.shape, n, k))
    if not np.isfinite(found).all():
        rows = int((~np.isfinite(found)).any(1).sum())
        fix = "Training diverged: take a smaller learning rate, or look for a logarithm or a division of 0."
        raise OwnTrainingError(f"{who} returns values that are not finite for {rows} of {n} pictures.", fix)
    sums = found.sum(1)
    if (found < -BELOW).any() or (np.abs(sums - 1) > OFF).any():
        logs = (found <= 0).all() and (np.abs(np.exp(found).sum(1) - 1) <= OFF).all()
        worst = float(sums[np.abs(sums - 1).argmax()])
        raise OwnTrainingError(
            f"{who} returns no probabilities: values from {found.min():.3g} to {found.max():.3g}, of which a row sums "
            f"to {worst:.3g}.",
            "Return logs.exp()." if logs else "If they are logits, return logits.softmax(1).",
        )
    found = np.maximum(found, 0.0)
    return found / found.sum(1, keepdims=True)


def _of_shape(shape: tuple[int, ...], n: int, k: int) -> str:
    """What to do where an answer of another shape is given."""
    if shape[:1] != (n,):
        return f"Answer for each of the {n} pictures once, in their order: without drop_last, joining all batches."
    if shape in ((n,), (n, 1)):
        two = " (of one output p: [1 - p, p])" if k == 2 else ""
        return f"Return the probability of every class, not a label{two}: softmax(1), or predict_proba."
    return "Make the last layer len(dataset.classes) wide, whatever classes the network knew before."


def kind(value: Any) -> str:
    """The name of its type, for people."""
    return "None" if value is None else f"{type(value).__name__}"
