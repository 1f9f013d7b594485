"""What `check` found, as lines for people and as plain values for programs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from ganaug.reporting import aligned, printable, shortened


@dataclass(frozen=True)
class Check:
    """What was found. `lines()` is for people, `to_json()` for programs.

    counts: class name -> readable images; sizes: "height x width" px -> images; modes: "L" or "RGB" -> images; shape:
    (C, H, W) that a fit would choose; unreadable: (name, reason); ignored: reason -> names that were passed over;
    duplicates_within, duplicates_across: names of identical pictures, in one class and in several; duplicates_between:
    (name here, name in the other set); near_duplicates_between: the same for copies that are flipped, slightly shifted,
    recompressed, brighter or resized; other_counts: counts of the other set, empty if there is none; problems: what
    would stop a fit; advice: what would make it better; seconds: estimated time of a fit, or None; read_as: what the
    reader does to some images, in words -> how many.
    """

    counts: dict[str, int]
    sizes: dict[str, int]
    modes: dict[str, int]
    shape: tuple[int, ...]
    unreadable: tuple[tuple[str, str], ...]
    ignored: dict[str, tuple[str, ...]]
    duplicates_within: tuple[tuple[str, ...], ...]
    duplicates_across: tuple[tuple[str, ...], ...]
    duplicates_between: tuple[tuple[str, str], ...]
    near_duplicates_between: tuple[tuple[str, str], ...]
    other_counts: dict[str, int]
    problems: tuple[str, ...]
    advice: tuple[str, ...]
    seconds: float | None = None
    read_as: dict[str, int] = field(default_factory=dict)

    @property
    def total(self) -> int:
        """Number of readable images."""
        return sum(self.counts.values())

    def to_json(self) -> dict[str, Any]:
        """Everything as plain lists, dicts, strings and numbers, ready for `json.dump`."""
        return {"total": self.total, **asdict(self)}

    def lines(self, most: int = 10) -> list[str]:
        """The report as lines of plain text; of long lists, the first `most` entries and how many more there are."""
        lines = [f"{self.total} images, {len(self.counts)} classes", "", "images per class"]
        lines += aligned({printable(name): self._count(name) for name in self._names()}, most=max(most, 30))
        lines += ["", "sizes (height x width, px)", *aligned(self.sizes, most=most), "", "modes", *aligned(self.modes)]
        lines += _section("how files are read", [f"{n} {words}" for words, n in self.read_as.items()], 1000)
        lines += ["", f"a fit would use {' x '.join(map(str, self.shape))} (channels x height x width)"]
        if self.seconds is not None:
            lines.append(f"estimated time of a fit: {_duration(self.seconds)}")
        lines += _section("unreadable, skipped", [f"{printable(name)}: {why}" for name, why in self.unreadable], most)
        for reason, names in self.ignored.items():
            lines += _section(f"passed over, {reason}", list(map(printable, names)), most)
        lines += _section("identical pictures in one class", _joined(self.duplicates_within), most)
        lines += _section("identical pictures in different classes", _joined(self.duplicates_across), most)
        lines += _section("identical pictures in both sets", _joined(self.duplicates_between), most)
        lines += _section("nearly identical pictures in both sets", _joined(self.near_duplicates_between), most)
        lines += _section("problems that stop a fit", self.problems, 1000)
        return lines + _section("advice", self.advice, 1000)

    def _names(self) -> list[str]:
        return [*self.counts, *(name for name in self.other_counts if name not in self.counts)]

    def _count(self, name: str) -> str:
        here = str(self.counts.get(name, 0))
        return here if not self.other_counts else f"{here:>7}   other set {self.other_counts.get(name, 0):>7}"


def _joined(sets: Sequence[Sequence[str]]) -> list[str]:
    return [" = ".join(map(printable, names)) for names in sets]


def _section(title: str, entries: Sequence[str], most: int) -> list[str]:
    return ["", f"{title} ({len(entries)})", *(f"  {line}" for line in shortened(entries, most))] if entries else []


def _duration(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 100 else f"{seconds / 60:.0f} min"
