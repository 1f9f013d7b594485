"""What a measurement found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from torch import Tensor

from ganaug.data.load import LabelledImages
from ganaug.data.rows.vectors import LabelledVectors
from ganaug.evaluation.measuring.figures import (
    HEADER,
    ClassFigures,
    Figure,
    cells,
    heads,
    lines_alike,
    number,
    plain,
    shown,
)
from ganaug.metrics import CopyReport
from ganaug.reporting import counted
from ganaug.reporting.notebook import block


@dataclass(frozen=True)
class Measurement:
    """What `ganaug.measure` found. `measurement["FID"]` is the figure of this name.

    Attributes
    ----------
    figures : tuple of Figure
        In the order in which they are printed; each has a name and an interval.
    per_class : dict of str to ClassFigures
        Class name -> its own figures, None where there is none.
    copies : CopyReport or None
        None where the images of the fit are not in the data. Its pairs name rows of `samples` and of `seen`.
    samples : (Tensor, Tensor)
        Pixels uint8 (N, C, H, W), or values float32 (N, F), and labels int64 (N,).
    seen : LabelledImages or LabelledVectors
        The items of the fit.
    classes : tuple of str
        The names of the classes.
    judge : dict
        How the own classifier was trained, and how good it is on the items compared with.
    notes : tuple of str
        What to know of the figures.
    names : tuple of str
        Of the samples, where they were made elsewhere.
    """

    figures: tuple[Figure, ...]
    per_class: dict[str, ClassFigures]
    copies: CopyReport | None
    samples: tuple[Tensor, Tensor]
    seen: LabelledImages | LabelledVectors
    classes: tuple[str, ...]
    judge: dict[str, Any]
    notes: tuple[str, ...]
    names: tuple[str, ...] = ()

    def __repr__(self) -> str:
        first = ", ".join(f"{figure.name} {shown(figure.interval.value)}" for figure in self.figures[:4])
        return f"Measurement({len(self.samples[1])} samples of {counted(len(self.classes), 'class')}: {first}, ...)"

    def _repr_html_(self) -> str:
        head = f"Measurement of {len(self.samples[1])} samples of {counted(len(self.classes), 'class')}"
        return block(head, table="\n".join(self.lines()))

    def __getitem__(self, name: str) -> Figure:
        """The figure of this name."""
        return next(figure for figure in self.figures if figure.name == name)

    def to_json(self) -> dict[str, Any]:
        """Give the figures as plain data.

        Returns
        -------
        dict
            Figures, figures of each class, nearest pairs, judge and notes.
        """
        report = self.copies
        pairs = [] if report is None else [
            {
                "class": self.classes[pair.label],
                "sample": self.names[pair.sample] if self.names else self._row(pair.sample),
                "training": self.seen.names[pair.training],
                "distance": pair.distance,
                "ratio": number(pair.ratio),
            }
            for pair in report.pairs
        ]  # fmt: skip
        return {
            "figures": {figure.name: figure.to_json() for figure in self.figures},
            "per_class": {name: plain(values) for name, values in self.per_class.items()},
            "nearest_pairs": pairs,
            "judge": self.judge,
            "notes": list(self.notes),
        }

    def lines(self) -> list[str]:
        """Give the figures as lines for a terminal.

        Returns
        -------
        list of str
            A line for each figure and for each class.
        """
        lines = [HEADER, *(figure.line() for figure in self.figures), *lines_alike(self.figures), ""]
        lines.append(f"{'class':<16}{heads(next(iter(self.per_class.values())))}")
        lines += [f"{name[:15]:<16}{cells(values)}" for name, values in self.per_class.items()]
        accuracy, augmentation = self.judge["accuracy"], self.judge["augmentation"]
        lines += [
            "",
            f"The own classifier: {accuracy:.3f} of the reference images right ({augmentation} augmentation).",
        ]
        return lines + [f"Note: {note}" for note in self.notes]

    def _row(self, sample: int) -> int:
        """Row within its class, as `ganaug.samples.pool` counts."""
        labels = self.samples[1]
        return int((labels[:sample] == labels[sample]).sum())
