"""A figure with all that belongs to it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from torch import Tensor

from ganaug.metrics import CopyReport, Interval, share_interval

ClassFigures = dict[str, int | Interval | None]  # of one class, by name: numbers of images and figures


@dataclass(frozen=True)
class Figure:
    """One figure of the samples, with its interval over the images (not over fits or extractors).

    Attributes
    ----------
    name : str
        What it is called.
    best : str
        What it is for perfect samples.
    interval : Interval
        Value and edges.
    extractor : str
        The network whose features or scores it is of ("pixels" if none).
    synthetic, reference : int
        Images of each side; 0 where the figure does not look at that side.
    real : float or None
        The same figure of real images in the samples' place.
    alike : (float, int, int) or None
        Where real images in the samples' place were fewer than in the figure: the samples' value with as few, which is
        what to compare `real` with, and how many samples and reference images those are. Fewer images alone make a
        distance between features larger.
    """

    name: str
    best: str
    interval: Interval
    extractor: str
    synthetic: int
    reference: int
    real: float | None = None
    alike: tuple[float, int, int] | None = None

    def to_json(self) -> dict[str, Any]:
        edges = {name: number(getattr(self.interval, name)) for name in ("value", "low", "high", "level")}
        alike = None
        if self.alike is not None:
            value, n, m = self.alike
            alike = {"value": number(value), "synthetic_images": n, "reference_images": m}
        return {
            **edges,
            "at_the_numbers_of_real": alike,
            "real": None if self.real is None else number(self.real),
            "best": self.best,
            "extractor": self.extractor,
            "synthetic_images": self.synthetic,
            "reference_images": self.reference,
        }

    def line(self) -> str:
        i = self.interval
        interval = f"{shown(i.low)} to {shown(i.high)}"
        real = "" if self.real is None or self.alike is not None else shown(self.real)
        images = f"{self.synthetic or '-'} / {self.reference or '-'}"
        return f"{self.name:<24}{shown(i.value):>9}   {interval:<20}{real:>9}  {images:<15}{self.extractor}"


def lines_alike(figures: Sequence[Figure]) -> list[str]:
    """For a terminal: samples and real images where these have to be compared at smaller numbers."""
    lines = []
    for figure in figures:
        if figure.alike is not None and figure.real is not None:
            value, n, m = figure.alike
            images = f"{n} / {m}"
            lines.append(f"{figure.name:<24}{shown(value):>9}{shown(figure.real):>12}  {images}")
    head = f"{'with as many of each':<24}{'samples':>9}{'real':>12}  N samples or real in their place / ref."
    return ["", head, *lines] if lines else []


def copy_figure(
    copies: CopyReport, labels: Tensor, against: int, per_class: dict[str, ClassFigures], of: str
) -> Figure:
    """The share of copies; that of each class is put into `per_class`, in the order of the labels (N,).

    against: how many unseen items set the limit. of: what was compared.
    """
    for label, values in enumerate(per_class.values()):
        own = copies.distances[labels.numpy() == label]
        judged = label < len(copies.limits) and np.isfinite(copies.limits[label]) and len(own)
        values["copies"] = share_interval(int((own < copies.limits[label]).sum()), len(own)) if judged else None
    interval = share_interval(copies.copies, copies.judged)
    return Figure("copies", "as real", interval, of, copies.judged, against, copies.expected)


HEADER = f"{'figure':<24}{'samples':>9}   {'95 % interval':<20}{'real':>9}  {'N syn. / ref.':<15}features of"


def number(value: float) -> float | None:
    """NaN and infinity are null in JSON."""
    return float(value) if math.isfinite(value) else None


def plain(values: ClassFigures) -> dict[str, Any]:
    """For JSON: the value of each under its name, and the interval beside it, [low, high]."""
    found: dict[str, Any] = {}
    for name, value in values.items():
        found[name] = number(value.value) if isinstance(value, Interval) else value
        if isinstance(value, Interval):
            found[f"{name} interval"] = [number(value.low), number(value.high)]
    return found


def cells(values: ClassFigures) -> str:
    """One line of a table, without the class."""
    return "".join(f"{_cell(value):>{_wide(name)}}" for name, value in values.items())


def heads(values: ClassFigures) -> str:
    """What stands above `cells`."""
    return "".join(f"{name:>{_wide(name)}}" for name in values)


def _wide(name: str) -> int:
    return 11 if name in ("samples", "reference") else 21


def _cell(value: int | Interval | None) -> str:
    if value is None:
        return "-"
    if isinstance(value, int):
        return str(value)
    edges = f" {shown(value.low)}-{shown(value.high)}" if math.isfinite(value.low) else ""
    return shown(value.value) + edges


def shown(value: float) -> str:
    """Three digits or so; a dash for what is not known."""
    if not math.isfinite(value):
        return "-"
    if abs(value) >= 10:
        return f"{value:.2f}"
    return f"{value:.3f}" if abs(value) >= 0.001 or value == 0 else f"{value:.1e}"
