"""`ganaug check table.csv --target COL`: what is in a table, what stops a fit, and what to do about it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from ganaug.data.rows.cells import Cells
from ganaug.data.rows.columns import MISSING
from ganaug.data.rows.kinds import find_column, spellings
from ganaug.data.rows.table import class_names, labelled_cells, row_fingerprints
from ganaug.errors import DataError
from ganaug.reporting import aligned, counted, printable

FEW_ROWS = 50  # of a class: below, expect little


@dataclass(frozen=True)
class TableCheck:
    """What was found. `lines()` is for people, `to_json()` for programs.

    counts: class -> rows. columns: name -> what it holds. missing: name -> cells without a value, where there are any.
    width: numbers that a row has in model space. duplicates: rows that repeat an earlier one, the target aside;
    contradictions: how many of these have another label. problems: what would stop a fit. advice: what would make it
    better.
    """

    target: str
    counts: dict[str, int]
    columns: dict[str, str]
    missing: dict[str, int]
    width: int
    duplicates: int
    contradictions: int
    problems: tuple[str, ...]
    advice: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """Everything as plain values, ready for `json.dump`."""
        return {"total": sum(self.counts.values()), **asdict(self)}

    def lines(self) -> list[str]:
        """The report as lines of plain text."""
        total = sum(self.counts.values())
        lines = [
            f"{counted(total, 'row')}, {counted(len(self.counts), 'class')} in the column {printable(self.target)!r}",
            "",
            "rows per class",
        ]
        lines += aligned({printable(name): n for name, n in self.counts.items()})
        lines += ["", "columns", *(f"  {printable(name)}: {printable(what)}" for name, what in self.columns.items())]
        for title, entries in (
            ("missing values", [f"{printable(name)}: {n} of {total} rows" for name, n in self.missing.items()]),
            ("problems that stop a fit", self.problems),
            ("advice", self.advice),
        ):
            lines += ["", f"{title} ({len(entries)})", *(f"  {entry}" for entry in entries)] if entries else []
        return lines


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
    duplicates, contradictions = _copies(rest, labels)
    return TableCheck(
        target=str(target),
        counts=counts,
        columns=columns,
        missing={name: n for name, n in missing.items() if n},
        width=width,
        duplicates=duplicates,
        contradictions=contradictions,
        problems=(*problems, *_class_problems(counts)),
        advice=(*map(printable, notes), *_advice(counts, duplicates, contradictions)),
    )


def _class_problems(counts: dict[str, int]) -> list[str]:
    if len(counts) < 2:
        return [f"There is one class only, {next(iter(counts))!r}. Give rows of two classes, or another target."]
    few = [name for name, n in counts.items() if n < 2]
    return [f"{len(few)} of {len(counts)} classes have one row. Is this the column of classes?"] if few else []


def _copies(cells: Cells, labels: Sequence[str]) -> tuple[int, int]:
    first: dict[str, str] = {}
    duplicates = contradictions = 0
    for mark, label in zip(row_fingerprints(cells), labels, strict=True):
        if mark in first:
            duplicates += 1
            contradictions += first[mark] != label
        else:
            first[mark] = label
    return duplicates, contradictions


def _advice(counts: dict[str, int], duplicates: int, contradictions: int) -> list[str]:
    advice = []
    few = [name for name, n in counts.items() if n < FEW_ROWS]
    if few:
        listed = ", ".join(map(printable, few[:10]))
        advice.append(f"Fewer than {FEW_ROWS} rows: {listed}. Expect little of their samples.")
    if len(counts) > 1 and max(counts.values()) >= 3 * min(counts.values()):
        advice.append("Classes are unequal: after a fit, `ganaug augment RUN --balance --out OUT.csv` fills them up.")
    if duplicates:
        other = f", {contradictions} of them with another label" if contradictions else ""
        advice.append(f"{duplicates} rows repeat an earlier one{other}: copies are held out together.")
    return advice
