"""Which images of a set show one subject: near-duplicates within it, and groups made of them."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ganaug.data.duplicates.likeness import read_likenesses
from ganaug.data.duplicates.near_duplicates import find_within
from ganaug.data.duplicates.views import Reduced
from ganaug.data.sources.source import ImageSource
from ganaug.data.survey import Survey
from ganaug.errors import DataError, OutputInUseError
from ganaug.reporting import Report

MOST = 10_000  # images of a set among which near-duplicates are looked for


@dataclass(frozen=True)
class NearPair:
    """Two pictures that are nearly identical. first, second: their names; classes: of both. sure: whether they are one
    picture or two shots of one subject; else others of the set are as alike. apart: whether groups are known, and these
    two are in different ones."""

    first: str
    second: str
    classes: tuple[str, str]
    sure: bool
    apart: bool = False

    @property
    def one_class(self) -> bool:
        return self.classes[0] == self.classes[1]


def near_pairs(source: ImageSource, found: Survey, pictures: Sequence[Reduced], report: Report) -> tuple[NearPair, ...]:
    """The pairs of a set: those of two classes first, then the sure ones, then the most alike. pictures: as in `found`.

    Of copies of one picture, which are told elsewhere, the first stands for all. Where groups are known, only what
    speaks against them or against a label is given.
    """
    rows = list({image.fingerprint: row for row, image in reversed(list(enumerate(found.images)))}.values())[::-1]
    if len(rows) > MOST:
        return ()
    seen = read_likenesses([found.images[row].likeness for row in rows])
    pairs = []
    for match in find_within([pictures[row] for row in rows], seen, report=report):
        here, there = (found.images[rows[number]].index for number in (match.query, match.seen))
        classes = source.classes[int(source.labels[here])], source.classes[int(source.labels[there])]
        apart = source.groups is not None and source.groups[here] != source.groups[there]
        if source.groups is not None and not (match.sure and (apart or classes[0] != classes[1])):
            continue
        pairs.append(NearPair(source.names[here], source.names[there], classes, match.sure, apart))
    return tuple(sorted(pairs, key=lambda pair: (pair.one_class, not pair.sure)))


def grouped(names: Sequence[str], groups: Sequence[str] | None, sets: Sequence[Sequence[str]]) -> dict[str, str]:
    """Name -> group, where the items of each set, and of each group that is known, are together, also by a chain."""
    parent = {name: name for name in names}

    def root(name: str) -> str:
        while parent[name] != name:
            parent[name] = parent[parent[name]]
            name = parent[name]
        return name

    known: dict[str, list[str]] = {}
    for name, group in zip(names, groups or (), strict=False):
        known.setdefault(group, []).append(name)
    for together in (*known.values(), *sets):
        for name in together[1:]:
            parent[root(name)] = root(together[0])
    numbers: dict[str, str] = {}
    return {name: numbers.setdefault(root(name), str(len(numbers) + 1)) for name in names}


def groups_csv(groups: dict[str, str]) -> str:
    """The file that `--groups` reads. Raises DataError where all items are one group."""
    if len(set(groups.values())) < 2:
        raise DataError(
            "All images are alike, directly or by a chain: they make one group.",
            "Name the subjects by hand: item, group.",
        )
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("item", "group"))
    writer.writerows(groups.items())
    return text.getvalue()


def require_no_file(path: str | Path) -> None:
    """Raises OutputInUseError where a file of groups would overwrite another."""
    if Path(path).exists():
        raise OutputInUseError(f"{path} is there already.", "Choose another name, or remove it.")
