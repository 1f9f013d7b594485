"""What several trainings refuse in the same words."""

from __future__ import annotations

from collections.abc import Sized
from typing import Any

import numpy as np
from torch import Tensor

from ganaug.errors import LabelMismatchError, OptionError, TooFewImagesError

BROKEN_WEIGHTS = "Fetch the weights again (--weights FILE), or choose another network (--model)."


def refuse_fields(what: str, settings: Any, **checks: tuple[bool, str]) -> None:
    """Raise OptionError for the first field that is out of range. checks: by field, whether it is fine, and its range
    in words."""
    for name, (fine, wanted) in checks.items():
        if not fine:
            raise OptionError(f"{what} has {name}={getattr(settings, name)}.", f"Set {name} to {wanted}.")


def require_labels(labels: np.ndarray | Tensor, n_classes: int) -> None:
    """Raises LabelMismatchError for labels that are not in [0, n_classes)."""
    if len(labels) and not (labels.min() >= 0 and labels.max() < n_classes):
        found = f"{int(labels.min())}..{int(labels.max())}"
        raise LabelMismatchError(f"Labels {found} do not fit {n_classes} classes.", f"Use 0..{n_classes - 1}.")


def require_share(ratio: float, synthetic: Sized | None, what: str = "images") -> None:
    """Raises TooFewImagesError for a share of synthetic items where there are none."""
    if ratio > 0 and not (synthetic is not None and len(synthetic)):
        raise TooFewImagesError(
            f"A synthetic share of {ratio} needs synthetic {what}.", "Pass synthetic=, or set ratio=0."
        )
