"""Which class a label means, by name: labels of a data set, of a batch, and one by itself."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from torch import Tensor
from torch.utils.data import Subset

from ganaug.data.sources.classes import named_labels, names_by_label
from ganaug.data.sources.labels import labels_of
from ganaug.data.sources.unwrap import innermost, private
from ganaug.errors import LabelMismatchError
from ganaug.reporting import Report

MOST_LABELS = 100_000  # without names, every number up to the largest one is a class


def named_labels_of(
    dataset: Any, classes: Sequence[str] | None, targets: Any, report: Report
) -> tuple[np.ndarray, tuple[str, ...], bool]:
    """Labels before `target_transform`, int64 (n,); the name of each label; whether names were given.

    Labels without names name themselves.
    """
    base, index_map = innermost(dataset)
    if targets is None and getattr(base, "target_transform", None) is not None:
        base = private(base)
        base.target_transform = None
        dataset = Subset(base, index_map.tolist())
    found = labels_of(dataset, targets, report=report)
    given = found.classes if classes is None else classes
    names = given
    if given is None:
        largest = int(found.targets.max(initial=-1))
        if largest >= MOST_LABELS:
            raise LabelMismatchError(
                f"The label {largest} is no number of a class.",
                "Give targets= with labels from 0 on, and classes=, their names.",
            )
        names = [str(label) for label in range(largest + 1)]
    labels, known, _ = named_labels(found.targets, names)
    return labels, known, given is not None


def class_of(label: Any, known: Sequence[str], classes: Sequence[str] | None) -> str:
    """The generator's name of one label: a name, an integer, or an array of one of these.

    known: the classes of the generator. classes: as in `names_by_label`. Raises LabelMismatchError for another label.
    """
    names = names_by_label(known, classes)
    name = label.item() if hasattr(label, "item") else label
    if isinstance(name, int) and 0 <= name < len(names):
        name = names[name]
    elif isinstance(name, bytes):
        name = name.decode()
    if name not in known:
        raise LabelMismatchError(
            f"The generator has no class for the label {name!r}.",
            f"Its classes are {', '.join(map(repr, known))}: give classes=[...], the name of each label.",
        )
    return name


def require_named(labels: Tensor, classes: Sequence[str | None]) -> None:
    """Raises LabelMismatchError for labels without a name."""
    nameless = [label for label in labels.unique().tolist() if not 0 <= label < len(classes) or classes[label] is None]
    if nameless:
        named = [f"{label}: {name!r}" for label, name in enumerate(classes) if name is not None]
        raise LabelMismatchError(
            f"The batch has the label {nameless[0]}, which names no class of the generator ({', '.join(named)}).",
            "Give classes=[...], the name of each label, in its order.",
        )
