"""What `split` did, as lines for people and as plain values for programs."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ganaug.reporting import aligned, counted, printable, shortened
from ganaug.reporting.notebook import block

UNREADABLE = 10  # names that are shown


@dataclass(frozen=True, eq=False)
class Split:
    """Two parts of a data set, and what was kept together. `lines()` is for people, `to_json()` for programs.

    Attributes
    ----------
    train, test : ndarray
        The rows of the data in each part, int64, ascending.
    counts : dict of str to (int, int)
        Class name -> images in both parts.
    groups : (int, int) or None
        Groups in both parts; None where none are known.
    together : (int, int)
        How many sets of copies and near-duplicates there are, and images in them.
    compared : bool
        Whether near-duplicates were looked for.
    unreadable : tuple of (str, str)
        Name and reason of what is in no part.
    files : tuple of Path
        Of both parts, where they were written.
    steps : tuple of str
        Commands that go on with them.
    remark : str
        On a test part that the data have already.
    """

    train: np.ndarray
    test: np.ndarray
    counts: dict[str, tuple[int, int]]
    groups: tuple[int, int] | None
    together: tuple[int, int]
    compared: bool
    unreadable: tuple[tuple[str, str], ...] = ()
    files: tuple[Path, ...] = ()
    steps: tuple[str, ...] = ()
    remark: str = ""

    def __repr__(self) -> str:
        return f"Split({counted(len(self.train), 'image')} to train on, {len(self.test)} to test on)"

    def _repr_html_(self) -> str:
        return block(repr(self), table="\n".join(self.lines()))

    @property
    def train_only(self) -> tuple[str, ...]:
        """Classes without a test image."""
        return tuple(name for name, (train, test) in self.counts.items() if train and not test)

    def to_json(self) -> dict[str, Any]:
        """Everything but the rows as plain lists, dicts, strings and numbers, ready for `json.dump`."""
        return {
            "train": len(self.train), "test": len(self.test),
            "counts": {name: list(both) for name, both in self.counts.items()},
            "groups": None if self.groups is None else list(self.groups), "train_only": list(self.train_only),
            "together": dict(zip(("sets", "images"), self.together, strict=True)), "compared": self.compared,
            "unreadable": [list(one) for one in self.unreadable], "files": [str(file) for file in self.files],
            "next": list(self.steps), "remark": self.remark,
        }  # fmt: skip

    def lines(self, most: int = 30) -> list[str]:
        """The report as lines of plain text; of many classes the first `most`, and how many more there are."""
        lines = [
            f"{counted(len(self.train), 'image')} to train on, {len(self.test)} to test on",
            "",
            "images per class",
        ]
        lines += aligned({printable(name): f"{n:>7}   to test on {m:>7}" for name, (n, m) in self.counts.items()}, most)
        if self.groups is not None:
            lines += ["", f"{self.groups[0]} groups to train on, {self.groups[1]} to test on; none is divided"]
        sets, images = self.together
        if sets:
            lines += ["", f"{images} images are copies or nearly identical, in {sets} sets; none is divided"]
        if not self.compared:
            lines += ["", f"Nearly identical pictures were not looked for among {len(self.train) + len(self.test)} "
                      "images. If several show one subject, name the subjects: --groups FILE.csv."]  # fmt: skip
        if self.unreadable:
            bad = [f"  {printable(name)}: {why}" for name, why in self.unreadable]
            lines += ["", f"unreadable, in neither part ({len(bad)})", *shortened(bad, UNREADABLE)]
        lines += ["", self.remark] if self.remark else []
        lines += ["", *(f"written: {file}" for file in self.files)] if self.files else []
        lines += ["", "Ask what helps, then fit a generator:"] if self.steps else []
        return [*lines, *(f"  {step}" for step in self.steps)]
