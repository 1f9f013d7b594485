"""`ganaug check` of a table or series: what is in them, what stops a fit, and what to do about it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from ganaug.data.advice import WHAT_HELPS
from ganaug.data.beside import found_beside, to_bench
from ganaug.data.rows.columns import MISSING
from ganaug.data.rows.kinds import find_column, spellings
from ganaug.data.rows.series import load_series
from ganaug.data.rows.table import class_names, labelled_cells, row_fingerprints
from ganaug.data.sources.kinds import is_text
from ganaug.data.sources.source import brings_test_part
from ganaug.errors import DataError
from ganaug.options import Reading, as_text
from ganaug.reporting import aligned, counted, listed, printable

FEW_ROWS = 50  # of a class: below, expect little


@dataclass(frozen=True)
class _Check:
    """What was found in a table or series. `to_json()` is for programs.

    counts: class -> rows or series. duplicates: those that repeat an earlier one, the target aside; contradictions: how
    many of these have another label. problems: what would stop a fit. advice: what would make it better.
    """

    counts: dict[str, int]
    duplicates: int
    contradictions: int
    problems: tuple[str, ...]
    advice: tuple[str, ...]

    @property
    def total(self) -> int:
        return sum(self.counts.values())

    def to_json(self) -> dict[str, Any]:
        """Everything as plain values, ready for `json.dump`."""
        return {"total": self.total, **asdict(self)}


@dataclass(frozen=True)
class TableCheck(_Check):
    """`lines()` is for people. columns: name -> what it holds. missing: name -> cells without a value, where there are
    any. width: numbers that a row has in model space."""

    target: str
    columns: dict[str, str]
    missing: dict[str, int]
    width: int

    def lines(self) -> list[str]:
        """The report as lines of plain text."""
        lines = [
            f"{counted(self.total, 'row')}, {counted(len(self.counts), 'class')} in the column "
            f"{printable(self.target)!r}", "", "rows per class",
        ]  # fmt: skip
        lines += aligned({printable(name): n for name, n in self.counts.items()})
        lines += ["", "columns", *(f"  {printable(name)}: {printable(what)}" for name, what in self.columns.items())]
        missing = [f"{printable(name)}: {n} of {self.total} rows" for name, n in self.missing.items()]
        return lines + _sections(
            {"missing values": missing, "problems that stop a fit": self.problems, "advice": self.advice}
        )


@dataclass(frozen=True)
class SeriesCheck(_Check):
    """`lines()` is for people. steps: of each series. channels: what each holds."""

    steps: int
    channels: tuple[str, ...]

    def lines(self) -> list[str]:
        """The report as lines of plain text."""
        classes = counted(len(self.counts), "class")
        lines = [f"{self.total} series of {self.steps} steps, {classes}", "", "series per class"]
        lines += aligned({printable(name): n for name, n in self.counts.items()})
        lines += ["", "channels", *(f"  {i}: {what}" for i, what in enumerate(self.channels))]
        return lines + _sections({"problems that stop a fit": self.problems, "advice": self.advice})


def _sections(entries: Mapping[str, Sequence[str]]) -> list[str]:
    """Lines of what there is, by title."""
    return [line for title, some in entries.items() if some
            for line in ("", f"{title} ({len(some)})", *(f"  {entry}" for entry in some))]  # fmt: skip


def check_table(data: Any, target: str | None, *, drop: Sequence[str] = ()) -> TableCheck:
    """Read a CSV file or a DataFrame and say what its columns hold. Raises as `load_table` does where the file or the
    target cannot be read at all; columns that cannot be learned are listed in `problems`."""
    cells = labelled_cells(data, target, drop)
    labels = cells.columns[cells.place(str(target))]
    rest = cells.without([str(target)])
    tally = Counter(labels)
    counts = {name: tally[name] for name in class_names(labels)}
    columns: dict[str, str] = {}
    problems: list[str] = []
    notes = spellings(f"The target {target!r}", list(counts))
    width = 0
    for name, column in zip(rest.header, rest.columns, strict=True):
        try:
            found = find_column(name, column)
        except DataError as error:
            columns[name] = "cannot be learned"
            problems.append(str(error))
            continue
        columns[name] = found.column.words
        width += sum(found.column.blocks)
        notes += found.notes
    missing = {n: sum(cell.lower() in MISSING for cell in c) for n, c in zip(rest.header, rest.columns, strict=True)}
    duplicates, contradictions = _copies(row_fingerprints(rest), labels)
    problems += _class_problems(counts, "rows")
    advice = [*map(printable, notes), *_advice(counts, duplicates, contradictions, "rows")]
    return TableCheck(
        target=str(target),
        counts=counts,
        columns=columns,
        missing={name: n for name, n in missing.items() if n},
        width=width,
        duplicates=duplicates,
        contradictions=contradictions,
        problems=tuple(problems),
        advice=(*advice, *_next(data, Reading(target=target), problems, advice, {"drop": drop})),
    )


def check_series(data: Any, kind: str, split: str = "train") -> SeriesCheck:
    """Read series and say what they hold. kind: as it was asked for. Raises as `load_series` does where they cannot be
    read at all."""
    series = load_series(data, split=split, tested=True)
    counts = series.counts()
    labels = [series.classes[label] for label in series.labels.tolist()]
    duplicates, contradictions = _copies(series.fingerprints, labels)
    channels = tuple(
        f"always {low:g}" if low == high else f"from {low:g} to {high:g}"
        for low, high in zip(series.codec.low, series.codec.high, strict=True)  # type: ignore[union-attr]
    )
    problems = _class_problems(counts, "series")
    advice = _advice(counts, duplicates, contradictions, "series")
    given = {} if kind == "auto" else {"kind": [kind]}
    return SeriesCheck(
        counts=counts,
        steps=series.items.shape[-1],
        channels=channels,
        duplicates=duplicates,
        contradictions=contradictions,
        problems=tuple(problems),
        advice=(*advice, *_next(data, Reading(split=split), problems, advice, given)),
    )


def _class_problems(counts: dict[str, int], what: str) -> list[str]:
    one, other, ask = ("series", "other labels", "Are these classes?")
    if what == "rows":
        one, other, ask = "row", "another target", "Is this the column of classes?"
    if len(counts) < 2:
        return [f"There is one class only, {next(iter(counts))!r}. Give {what} of two classes, or {other}."]
    few = [name for name, n in counts.items() if n < 2]
    return [f"{len(few)} of {len(counts)} classes have one {one}. {ask}"] if few else []


def _copies(fingerprints: Sequence[str], labels: Sequence[str]) -> tuple[int, int]:
    first: dict[str, str] = {}
    duplicates = contradictions = 0
    for mark, label in zip(fingerprints, labels, strict=True):
        if mark in first:
            duplicates += 1
            contradictions += first[mark] != label
        else:
            first[mark] = label
    return duplicates, contradictions


def _advice(counts: dict[str, int], duplicates: int, contradictions: int, what: str) -> list[str]:
    advice = []
    few = [name for name, n in counts.items() if n < FEW_ROWS]
    if few:
        have = f"Class {printable(few[0])} has" if len(few) == 1 else f"Classes {listed(few, 10)} have"
        each, whose = ("", "its") if len(few) == 1 else (" each", "their")
        advice.append(f"{have} fewer than {FEW_ROWS} {what}{each}. Expect little of {whose} samples.")
    if len(counts) > 1 and max(counts.values()) >= 3 * min(counts.values()):
        target = " --target COLUMN" if what == "rows" else ""
        bench = f"ganaug bench DATA{target} --test TEST --out {WHAT_HELPS}"
        advice.append(f"Classes are unequal. Ask what helps: {bench} (it tries class weights and SMOTE).")
    if duplicates:
        other = f", {contradictions} of them with another label" if contradictions else ""
        advice.append(
            f"{what.capitalize()} that repeat an earlier one: {duplicates}{other}. Copies are held out together."
        )
    return advice


def _next(
    data: Any, reading: Reading, problems: Sequence[str], advice: Sequence[str], given: Mapping[str, Sequence[str]]
) -> list[str]:
    """What to type next. given: other options of the bench, by name."""
    if problems or not is_text(data):
        return []
    test = found_beside(data) or (None if reading.target is None and brings_test_part(data) else "TEST")
    typed = to_bench(data, reading, WHAT_HELPS, test)
    options = "".join(f" --{name} {as_text(value)}" for name, values in given.items() for value in values)
    return [f"{'' if advice else 'No problem found. '}Next: {typed}{options}"]
