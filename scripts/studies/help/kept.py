"""What is kept of a cell, OUT/CELL.jsonl: its tuned baseline, and a line a draw."""

from __future__ import annotations

from pathlib import Path

from scripts.studies.help.cells import Cell
from scripts.studies.lib.results import RESULTS, Line, put, read

HELP = RESULTS / "help"
TUNED, DRAW = "tuned", "draw"  # kinds of lines


def cell_file(out: Path, cell: Cell) -> Path:
    return out / f"{cell.name}.jsonl"


def keep(out: Path, cell: Cell, kind: str, values: Line) -> None:
    """The baseline comes first, then draws by number."""
    put(cell_file(out, cell), {"kind": kind, **values}, "draw")


def kept(out: Path, cell: Cell) -> tuple[Line | None, list[Line]]:
    """The tuned baseline, if there is one, and the draws that there are, by number."""
    lines = read(cell_file(out, cell))
    tuned = next((line for line in lines if line["kind"] == TUNED), None)
    return tuned, [line for line in lines if line["kind"] == DRAW]
