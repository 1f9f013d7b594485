"""What the groups of a set are: how many, and what is odd about them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import torch

from ganaug.data.labelled import Labelled
from ganaug.data.sources.source import ImageSource
from ganaug.data.split import groups_in_words, hold_out
from ganaug.data.survey import Survey
from ganaug.errors import DataError


@dataclass(frozen=True)
class GroupFacts:
    """words: "22 groups, 5 held out"; least, most: images of a group; a_class: class -> its groups; in_classes: groups
    with images of several classes; problem: why nothing can be held out, or an empty text."""

    words: str
    least: int
    most: int
    a_class: dict[str, int]
    in_classes: tuple[str, ...]
    problem: str = ""


def group_facts(source: ImageSource, found: Survey) -> GroupFacts | None:
    """Of the readable images; None where no groups are known."""
    if source.groups is None or not found.images:
        return None
    rows = [image.index for image in found.images]
    groups, labels = tuple(source.groups[row] for row in rows), source.labels[rows]
    pairs = sorted(set(zip(groups, (source.classes[int(label)] for label in labels), strict=True)))
    images = Labelled(
        labels=torch.from_numpy(labels.copy()), classes=source.classes, groups=groups,
        fingerprints=found.images.fingerprints, names=tuple(source.names[row] for row in rows),
    )  # fmt: skip
    try:
        words, problem = groups_in_words(*hold_out(images)), ""
    except DataError as error:
        words, problem = f"{len(set(groups))} groups, none held out", str(error)
    sizes = Counter(groups).values()
    many = tuple(group for group, classes in Counter(group for group, _ in pairs).items() if classes > 1)
    return GroupFacts(words, min(sizes), max(sizes), dict(Counter(name for _, name in pairs)), many, problem)
