"""What `check` found, as lines for people and as plain values for programs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, NamedTuple

from ganaug.data.group_facts import GroupFacts
from ganaug.data.subjects import NearPair
from ganaug.data.unlabelled_facts import UnlabelledFacts
from ganaug.reporting import aligned, counted, printable, shortened
from ganaug.reporting.notebook import block

CLASSES = 30  # that are listed
SIDES = (32, 64, 128, 256)  # px of fits whose needs are told


class Needs(NamedTuple):
    """steps: that good samples take. seconds: that these take here. memory: bytes, about, that a fit holds at most.
    before: those of the process without a fit; 0 where that is not known."""

    steps: int
    seconds: float
    memory: int = 0
    before: int = 0

    def at(self, times: float) -> Needs:
        """For images of so many times the area, by which time and memory grow."""
        memory = round(self.before + times * (self.memory - self.before))
        return self._replace(seconds=times * self.seconds, memory=memory)

    def __str__(self) -> str:
        held = f", {self.memory / 2**30:.1f} GiB of memory" if self.memory else ""
        return f"about {_duration(self.seconds)} here ({self.steps} steps{held})"


@dataclass(frozen=True)
class Check:
    """What `ganaug.check` found. `lines()` is for people, `to_json()` for programs.

    Attributes
    ----------
    counts : dict of str to int
        Class name -> readable images.
    sizes, modes : dict of str to int
        "height x width" in px -> images, and "L" or "RGB" -> images.
    shape : tuple of int
        (C, H, W) that a fit would choose.
    unreadable : tuple of (str, str)
        Name and reason.
    ignored : dict of str to tuple of str
        Reason -> names that were passed over.
    duplicates_within, duplicates_across : tuple of tuple of str
        Names of identical pictures, in one class and in several.
    duplicates_between, near_duplicates_between : tuple of (str, str)
        Name here and name in the other set, of identical pictures, and of copies that are flipped, slightly shifted,
        recompressed, brighter or resized.
    other_counts : dict of str to int
        Counts of the other set; empty if there is none.
    problems, advice : tuple of str
        What would stop a fit or a bench, and what would make it better.
    needs : Needs or None
        What good samples take.
    read_as : dict of str to int
        What the reader does to some images, in words -> how many.
    grey : int
        Images without any colour, however they are stored.
    nested : str
        A sentence on folders below the class folders.
    groups : GroupFacts or None
        Of the subjects; None where none are known.
    near_duplicates : tuple of NearPair
        Pairs within this set.
    compared : bool
        Whether these were looked for.
    alike_between : tuple of (str, str)
        Pairs of both sets that are no more alike than different pictures of this set may be.
    budget : float or None
        Seconds after which a fit stops by itself.
    unlabelled : UnlabelledFacts or None
        Of images without labels.
    grouping : dict of str to str
        Item -> group, where what is alike is together (not part of `to_json`).
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
    needs: Needs | None = None
    read_as: dict[str, int] = field(default_factory=dict)
    grey: int = 0
    nested: str = ""
    groups: GroupFacts | None = None
    near_duplicates: tuple[NearPair, ...] = ()
    compared: bool = True
    alike_between: tuple[tuple[str, str], ...] = ()
    budget: float | None = None
    unlabelled: UnlabelledFacts | None = None
    grouping: dict[str, str] = field(default_factory=dict, repr=False)

    def __repr__(self) -> str:
        wrong = len(self.problems)
        of = f"{counted(self.total, 'image')} of {counted(len(self.counts), 'class')}"
        return f"Check({of}, {counted(wrong, 'problem') if wrong else 'no problems'})"

    def _repr_html_(self) -> str:
        return block(repr(self), table="\n".join(self.lines()))

    @property
    def total(self) -> int:
        """Number of readable images."""
        return sum(self.counts.values())

    def to_json(self) -> dict[str, Any]:
        """Everything as plain lists, dicts, strings and numbers, ready for `json.dump`."""
        return {"total": self.total, **asdict(replace(self, grouping={}))}

    def lines(self, most: int = 10) -> list[str]:
        """The report as lines of plain text; of long lists, the first `most` entries and how many more there are."""
        lines = [
            f"{counted(self.total, 'image')}, {counted(len(self.counts), 'class')}",
            "",
            *self._classes(),
        ]
        lines += ["", "sizes (height x width, px)", *self._sizes(most), "", "modes", *aligned(self.modes)]
        if self.groups is not None:
            lines += ["", f"{self.groups.words}; {self.groups.least} to {self.groups.most} images a group"]
        lines += _section("how files are read", [f"{n} {words}" for words, n in self.read_as.items()], 1000)
        lines += ["", f"a fit would use {' x '.join(map(str, self.shape))} (channels x height x width)", *self._time()]
        lines += _section("unreadable, skipped", [f"{printable(name)}: {why}" for name, why in self.unreadable], most)
        for reason, names in self.ignored.items():
            lines += _section(f"passed over, {reason}", list(map(printable, names)), most)
        lines += _section("identical pictures in one class", _joined(self.duplicates_within), most)
        lines += _section("identical pictures in different classes", _joined(self.duplicates_across), most)
        lines += _section("nearly identical pictures in different classes", self._pairs(one_class=False), most)
        lines += _section("nearly identical pictures in one class", self._pairs(one_class=True), most)
        alike = [_pair(pair) for pair in self.near_duplicates if not pair.sure]
        lines += _section("pairs as much alike as others of this set: one subject or two? not judged", alike, most)
        lines += _section("identical pictures in both sets", _joined(self.duplicates_between), most)
        lines += _section("nearly identical pictures in both sets", _joined(self.near_duplicates_between), most)
        alike = _joined(self.alike_between)
        lines += _section("in both sets as much alike as others here: one subject or two? not judged", alike, most)
        lines += [] if self.unlabelled is None else self._unlabelled(self.unlabelled, most)
        lines += _section("problems that stop a fit or a bench", self.problems, 1000)
        return lines + _section("advice", self.advice, 1000)

    def _classes(self) -> list[str]:
        """Images of each class; of many classes, the smallest."""
        names = [*self.counts, *(name for name in self.other_counts if name not in self.counts)]
        title = "images per class"
        if len(names) > CLASSES:
            title += f" (the {CLASSES} smallest of {len(names)}; the largest has {max(self.counts.values())})"
            names = sorted(names, key=lambda name: self.counts.get(name, 0))[:CLASSES]
        return [title, *aligned({printable(name): self._count(name) for name in names}, most=CLASSES)]

    def _unlabelled(self, found: UnlabelledFacts, most: int) -> list[str]:
        looked = found.read + len(found.unreadable)
        some = "" if looked == found.total else f", of which {looked}, chosen by the seed, are looked at"
        lines = ["", f"{found.total} unlabelled images{some}"]
        unreadable = [f"{printable(name)}: {why}" for name, why in found.unreadable]
        lines += _section("unlabelled images that are unreadable, skipped", unreadable, most)
        copies = "unlabelled images that are labelled ones, or nearly: left out"
        lines += _section(copies, _joined(found.labelled), most)
        return lines + _section("unlabelled images that are test images, or nearly", _joined(found.tested), most)

    def _time(self) -> list[str]:
        """How long good samples take, and what a fit does by itself."""
        if self.needs is None:
            return []
        line = f"good samples take {self.needs}"
        if self.budget is not None and self.needs.seconds > self.budget:
            minutes = round(self.needs.seconds / 60)
            line += f": --budget {minutes}m; without it, ganaug fit stops after {_duration(self.budget)}"
        largest = max((int(side) for size in self.sizes for side in size.split(" x ")), default=0)
        here = self.shape[-1]
        others = [side for side in SIDES if side != here and side <= max(largest, here)]
        return [line, *(f"  --size {side}: {self.needs.at((side / here) ** 2)}" for side in others)]

    def _sizes(self, most: int) -> list[str]:
        if len(self.sizes) <= most:
            return aligned(self.sizes, most=most)
        heights, widths = zip(*(map(int, size.split(" x ")) for size in self.sizes), strict=True)
        return [f"  {len(self.sizes)} different ones, {min(heights)} to {max(heights)} high, "
                f"{min(widths)} to {max(widths)} wide"]  # fmt: skip

    def _pairs(self, *, one_class: bool) -> list[str]:
        return [_pair(pair) for pair in self.near_duplicates if pair.sure and pair.one_class == one_class]

    def _count(self, name: str) -> str:
        here = str(self.counts.get(name, 0))
        return here if not self.other_counts else f"{here:>7}   other set {self.other_counts.get(name, 0):>7}"


def _joined(sets: Sequence[Sequence[str]]) -> list[str]:
    return [" = ".join(map(printable, names)) for names in sets]


def _pair(pair: NearPair) -> str:
    named = zip((pair.first, pair.second), pair.classes, strict=True)
    return " = ".join(
        printable(name if name.startswith(f"{kind}/") else f"{name} ({kind})") for name, kind in named
    ) + (" (two groups)" if pair.apart else "")


def _section(title: str, entries: Sequence[str], most: int) -> list[str]:
    return ["", f"{title} ({len(entries)})", *(f"  {line}" for line in shortened(entries, most))] if entries else []


def _duration(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 100 else f"{seconds / 60:.0f} min"
