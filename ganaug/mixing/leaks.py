"""Evaluation images must not be among those that the generator was made from."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from torch.utils.data import DataLoader

from ganaug.data import fingerprint, open_source
from ganaug.errors import LeakError, UnreadableImageError
from ganaug.generator import Card
from ganaug.reporting import Report, silent


def refuse_overlap(card: Card, evaluation: Iterable[Any], report: Report = silent) -> None:
    """Raises LeakError if an item of an evaluation set was seen by the fit, be it by gradients or by its validation
    part.

    evaluation: DataLoaders, or anything that `ganaug.fit` reads (data sets, folders, npz files, (X, y)). Items are
    compared by content, before transforms.
    """
    known = set(card.fingerprints) | set(card.held_out)
    for number, part in enumerate(evaluation):
        source = open_source(part.dataset if isinstance(part, DataLoader) else part)
        overlap = []
        for index in range(len(source)):
            try:
                if fingerprint(source.read(index)) in known:
                    overlap.append(source.names[index])
            except UnreadableImageError:
                continue  # whoever evaluates on it will find out
            finally:
                report("compare", index + 1, len(source), "")
        if overlap:
            raise LeakError(
                f"{len(overlap)} of {len(source)} images of evaluation set {number} were used to fit the generator, "
                f"the first is {overlap[0]!r}.",
                "Fit on images that are not used for evaluation.",
            )
