"""Which images of a set show one subject: near-duplicates within it, and groups made of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ganaug.data.duplicates.likeness import read_likenesses
from ganaug.data.duplicates.near_duplicates import find_within
from ganaug.data.duplicates.views import Reduced, reduced
from ganaug.data.sources.source import ImageSource
from ganaug.data.split import joined, with_first
from ganaug.data.survey import Seen, Survey, survey
from ganaug.errors import DataError, OutputInUseError
from ganaug.files.integrity import csv_text
from ganaug.reporting import Report, silent

MARK = 16  # hexadecimal digits of a fingerprint, by which a group without a name is called
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


def survey_with_pairs(
    source: ImageSource, *, limit: int | None = None, seed: int = 0, report: Report = silent
) -> tuple[Survey, tuple[NearPair, ...] | None]:
    """Every image read once (see `survey`), and the pairs of the set; None where it has too many images."""
    here: dict[int, Reduced] = {}

    def keep(seen: Seen, pixels: np.ndarray) -> None:
        if len(here) <= MOST:
            here[seen.index] = reduced(pixels)

    found = survey(source, visit=keep, limit=limit, seed=seed, report=report)
    if len(found.images) > MOST:
        return found, None
    return found, near_pairs(source, found, [here[image.index] for image in found.images], report)


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


def copies(source: ImageSource, found: Survey) -> list[tuple[tuple[str, ...], int]]:
    """(names of identical pictures, number of classes they are in)."""
    by_print: dict[str, list[int]] = {}
    for image in found.images:
        by_print.setdefault(image.fingerprint, []).append(image.index)
    sets = [indices for indices in by_print.values() if len(indices) > 1]
    return [(tuple(source.names[i] for i in s), len({int(source.labels[i]) for i in s})) for s in sets]


def alike(source: ImageSource, found: Survey, pairs: Sequence[NearPair]) -> dict[str, str]:
    """Item -> group, where copies, near-duplicates and the images of each known group are together."""
    sets = [*(names for names, _ in copies(source, found)), *((pair.first, pair.second) for pair in pairs)]
    marks = dict(zip(found.rows.tolist(), short_marks(found), strict=True))
    known = [marks.get(row, name) for row, name in enumerate(source.names)] if source.groups is None else source.groups
    return grouped(source.names, known, sets)


def short_marks(found: Survey) -> list[str]:
    """Of each image that was read, what tells pictures apart."""
    return [mark[:MARK] for mark in found.images.fingerprints]


def grouped(names: Sequence[str], groups: Sequence[str], sets: Sequence[Sequence[str]]) -> dict[str, str]:
    """Name -> group, where the items of each set, and of each group that is known, are together, also by a chain; it
    has the name of the first that was known. groups: fingerprints where none are, so that two lists call none alike."""
    at = {name: row for row, name in enumerate(names)}
    pairs = [(names[one], names[other]) for one, other in with_first(groups)]
    pairs += [(name, together[0]) for together in sets for name in together[1:]]
    roots = joined(len(names), ((at[one], at[other]) for one, other in pairs))
    called: dict[int, str] = {}
    return {name: called.setdefault(roots[at[name]], group) for name, group in zip(names, groups, strict=True)}


def groups_csv(groups: dict[str, str]) -> str:
    """The file that `--groups` reads. Raises DataError where all items are one group."""
    if len(set(groups.values())) < 2:
        raise DataError(
            "All images are alike, directly or by a chain: they make one group.",
            "Name the subjects by hand: item, group.",
        )
    return csv_text([("item", "group"), *groups.items()], "\n")


def require_no_file(path: str | Path) -> None:
    """Raises OutputInUseError where a file of groups would overwrite another."""
    if Path(path).exists():
        raise OutputInUseError(f"{path} is there already.", "Choose another name, or remove it.")
