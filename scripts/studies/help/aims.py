"""What the study should reach, and whether its numbers do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ganaug.evaluation.bench.results import points
from scripts.studies.help.cells import UNJUDGED, Cell
from scripts.studies.help.summary import Change, Result

GAIN = 0.01  # over the tuned baseline, in a third of the closed-set cells
F1_GAIN = 0.02  # of macro-F1 on unequal classes
HEAD_LOSS = 0.005  # of the recall of the head classes, at most
MINUTES = 10.0  # of a fit and of rendering its images


@dataclass(frozen=True)
class Aim:
    """reached: None where the cells that decide it are not there. found: in a sentence."""

    text: str
    reached: bool | None
    found: str

    @property
    def word(self) -> str:
        return "not measured" if self.reached is None else "reached" if self.reached else "not reached"


def aims(results: Sequence[Result], cells: Sequence[Cell], draws: int) -> list[Aim]:
    """Every aim, by the cells of the core tier. Uses of synthetic images are tried apart, and decide nothing.

    draws: below which a cell is not finished.
    """
    core = [one for one in results if one.cell.group not in UNJUDGED]
    judged = [one for one in core if one.verdict != "withheld"]
    of = {group: [one for one in judged if one.cell.group == group] for group in {cell.group for cell in cells}}
    honest = [one for one in judged if one.cell.group != "planted"]
    aside = [one for one in results if one.cell.group in UNJUDGED]
    found = [
        _no_harm(honest, aside), _worst(honest), _planted(of.get("planted", [])), _gain(of.get("closed", [])),
        _unequal(of.get("unequal", [])), _cost(core),
    ]  # fmt: skip
    wanted = [cell for cell in cells if cell.group not in UNJUDGED]
    finished = {one.cell.name for one in core if len(one.draws) >= draws}
    rest = [cell.name for cell in wanted if cell.name not in finished]
    if not rest:
        return found
    partial = f" So far: {len(wanted) - len(rest)} of {len(wanted)} cells are finished."
    return [Aim(aim.text, aim.reached, aim.found + ("" if aim.reached is None else partial)) for aim in found]


def _no_harm(results: Sequence[Result], aside: Sequence[Result]) -> Aim:
    text = "No cell's interval lies wholly below 0 (planted harm apart)."
    if not results:
        return Aim(text, None, "No cell has a verdict.")
    below = [one.cell.name for one in results if one.interval.high < 0]
    said = f"That of the arm chosen on validation does in {len(below)} of {_cells(len(results))}"
    others = [one.cell.name for one in aside if one.interval.high < 0]
    told = f" Among those that decide no aim, it does in {', '.join(others)}." if others else ""
    return Aim(text, not below, f"{said}{': ' + ', '.join(below) if below else ''}.{told}")


def _worst(results: Sequence[Result]) -> Aim:
    text = (
        '`ratio="auto"` does no harm: where it is 0, it is the baseline itself, and the difference is exactly 0. '
        "No cell's interval lies below 0 where half of the draws decides whether to follow it, on half of the test "
        "images, and the other draws measure on the other images."
    )
    if not results:
        return Aim(text, None, "No cell has a verdict.")
    off = [one for one in results if one.auto_ratio == 0]
    worst = min(results, key=lambda one: one.mean)
    lowest = min(results, key=lambda one: one.auto.mean)
    said = (
        f"It is 0 in {len(off)} of {_cells(len(results))}. The worst gain by halves is {in_words(lowest.auto)} points "
        f"({lowest.cell.name}); that of an arm chosen on validation is {points(worst.mean)} points ({worst.cell.name})."
    )
    return Aim(text, all(one.auto.high is None or one.auto.high >= 0 for one in results), said)


def _planted(results: Sequence[Result]) -> Aim:
    text = "Planted harm always gets ratio 0."
    if not results:
        return Aim(text, None, "No such cell has a verdict.")
    used = [one for one in results if one.auto_ratio > 0]
    listed = "".join(f" {one.cell.name} gets {one.auto_ratio:g}." for one in used)
    return Aim(text, not used, f"{len(results) - len(used)} of {_cells(len(results))} get ratio 0.{listed}")


def _gain(results: Sequence[Result]) -> Aim:
    text = f"At least {points(GAIN)} points with an interval above 0 in a third of the closed-set cells."
    if not results:
        return Aim(text, None, "No such cell has a verdict.")
    gained = [one.cell.name for one in results if one.mean >= GAIN and one.interval.low > 0]
    listed = f": {', '.join(gained)}" if gained else ""
    return Aim(text, 3 * len(gained) >= len(results), f"{len(gained)} of {_cells(len(results))}{listed}.")


def _unequal(results: Sequence[Result]) -> Aim:
    text = (
        f"At least {points(F1_GAIN)} points of macro-F1 on unequal classes with an interval above 0, over the tuned "
        "baseline (which was tried with balanced sampling, class weights and neither), head classes losing at most "
        f"{100 * HEAD_LOSS:g}."
    )
    results = [one for one in results if "head recall" in one.changes]
    if not results:
        return Aim(text, None, "No such cell has a verdict.")
    listed, reached = [], []
    for one in results:
        f1, head = one.changes["macro-F1"], one.changes["head recall"].mean
        reached.append(f1.mean >= F1_GAIN and f1.low is not None and f1.low > 0 and head >= -HEAD_LOSS)
        listed.append(f"{one.cell.name} {in_words(f1)}, head recall {points(head)}")
    return Aim(text, all(reached), f"{sum(reached)} of {_cells(len(results))}: {'; '.join(listed)}.")


def _cost(results: Sequence[Result]) -> Aim:
    text = f"Fitting a generator and rendering its images takes at most {MINUTES:g} minutes on 2 cores."
    times = {}
    for one in results:
        fit, render = (one.seconds(name, device="cpu") for name in ("fit", "render"))
        if fit is not None:
            times[one.cell.name] = (fit + (render or 0)) / 60
    if not times:
        return Aim(text, None, "No time was kept.")
    slowest = max(times, key=lambda name: times[name])
    draws = [draw for one in results for draw in one.draws if draw["generator"]["device"] == "cpu"]
    threads = sorted({draw["machine"]["threads"] for draw in draws})
    said = (
        f"The slowest cell, {slowest}, took {times[slowest]:.1f} minutes a draw (median) with "
        f"{' or '.join(threads)} thread(s) of a CPU."
    )
    return Aim(text, times[slowest] <= MINUTES, said)


def in_words(change: Change) -> str:
    """Mean and interval, in points."""
    if change.low is None or change.high is None:
        return points(change.mean)
    return f"{points(change.mean)} ({points(change.low)} to {points(change.high)})"


def _cells(n: int) -> str:
    return f"{n} cell" if n == 1 else f"{n} cells"
