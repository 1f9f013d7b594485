"""Does it help? The study behind the verdict: cells of several data sets and sizes, draw by draw.

    GANAUG_DATA=FOLDER python -m scripts.studies.help                   # the core tier, 10 draws of each cell
    GANAUG_DATA=FOLDER python -m scripts.studies.help --cells 'mnist-*' eurosat-50
    GANAUG_DATA=FOLDER python -m scripts.studies.help --tier full       # uses of synthetic images as well
    python -m scripts.studies.help --list                               # the cells, and about how long each takes
    python -m scripts.studies.help --page                               # the page, from what is there
    python -m scripts.studies.help --quick                              # a toy on the embedded digits: does it run?

A cell is a data set, a number of images a class and a kind; `cells.py` is the table of them, and what is done in a draw
stands at the top of the page. One file a cell, OUT/CELL.jsonl: the tuned baseline, and a line a draw; what is there is
not played again. It can be stopped at any moment, and loses at most the trainings of one draw: a fit goes on where it
was. Several processes may work on the same cells (or on others) at the same time, with the same --out and --work. Cells
of one subset share their generators, which are thrown away once the cells that were asked for are played, so name such
cells together.
"""

from __future__ import annotations

import argparse
import sys
import time
import warnings
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import torch

from ganaug.device import resolve_device
from ganaug.errors import FewImagesWarning, GanaugError
from ganaug.reporting import Report, silent
from ganaug.reporting.console import terminal
from scripts.studies.help.cells import CELLS, QUICK_CELLS, Cell, Protocol, Subset, by_subset, chosen, minutes
from scripts.studies.help.draw import Draw, play_and_keep
from scripts.studies.help.kept import HELP, TUNED, keep, kept
from scripts.studies.help.page import DRAWS, MODULE, write
from scripts.studies.help.tuning import TUNED_ON, baseline
from scripts.studies.lib.command import count, options
from scripts.studies.lib.results import claimed

WAIT = 5.0  # seconds until looking again whether another process has finished


class Study:
    """Plays cells, and knows what is left of them. out: of results; work: for generators, locks and tuning trials."""

    def __init__(
        self, cells: Sequence[Cell], draws: int, protocol: Protocol, out: Path, work: Path, *,
        keep: bool = False, device: str = "cpu", report: Report = silent,
    ):  # fmt: skip
        self.cells, self.draws, self.protocol, self.out, self.work = cells, draws, protocol, out, work
        self.keep, self.device, self.report = keep, device, report
        self.failed: dict[tuple[str, int], str] = {}  # subset and draw -> why; not tried again by this process

    def left(self) -> list[tuple[Subset, int]]:
        """Draws that some cell lacks, in the order of the table."""
        there = {cell.name: {draw["draw"] for draw in kept(self.out, cell)[1]} for cell in self.cells}
        return [
            (subset, number)
            for subset, cells in by_subset(self.cells).items()
            for number in range(self.draws)
            if any(number not in there[cell.name] for cell in cells) and (subset.name, number) not in self.failed
        ]

    def play(self) -> None:
        """Until nothing is left, also of what other processes have claimed: theirs is ours if they die."""
        while left := self.left():
            if not any([self._play(subset, number) for subset, number in left]):
                time.sleep(WAIT)

    def _play(self, subset: Subset, number: int) -> bool:
        """One draw of all cells of a subset; False if another process has it, or tunes its baselines."""
        cells = [cell for cell in self.cells if cell.subset == subset]
        try:
            if not self._tuned(subset, cells):
                return False
            with claimed(self._lock(subset, f"{number:02d}")) as mine:
                if mine:
                    draw = self._draw(subset, number)
                    for cell in cells:
                        tuned, draws = kept(self.out, cell)
                        if tuned is not None and number not in {one["draw"] for one in draws}:
                            play_and_keep(cell, draw, tuned, self.protocol, self.out)
                    if not self.keep:
                        draw.remove()
                return mine
        except GanaugError as error:
            self.failed[subset.name, number] = str(error)
            print(f"{subset.name} draw {number} failed: {error}", file=sys.stderr, flush=True)
            return True

    def _tuned(self, subset: Subset, cells: Sequence[Cell]) -> bool:
        """Tune the baselines that are not there; False if another process does."""
        if not self._untuned(cells):
            return True
        with claimed(self._lock(subset, "tuning")) as mine:
            draws = [self._draw(subset, number) for number in TUNED_ON]
            for cell in self._untuned(cells) if mine else []:
                tuned = baseline(cell, draws, self.protocol, self.work / "trials", self.report)
                keep(self.out, cell, TUNED, tuned)
                print(f"{cell.name}: the baseline is tuned, in {tuned['seconds']:.0f} s", flush=True)
            return mine

    def _untuned(self, cells: Sequence[Cell]) -> list[Cell]:
        return [cell for cell in cells if kept(self.out, cell)[0] is None]

    def _draw(self, subset: Subset, number: int) -> Draw:
        return Draw(
            subset, number, self.work / "draws" / f"{subset.name}-{subset.steps}-{number:02d}", self.report, self.device
        )

    def _lock(self, subset: Subset, what: str) -> Path:
        return self.work / "locks" / f"{subset.name}-{what}"


def listing(cells: Sequence[Cell], draws: int, protocol: Protocol) -> list[str]:
    """One line a cell, and the sum. Generators count in the first cell of a subset."""
    lines, total = [], 0.0
    for own in by_subset(cells).values():
        for cell in own:
            time_needed = minutes(cell, draws, protocol, fits=cell is own[0])
            total += time_needed
            arms = len(cell.synthetic_arms)
            lines.append(f"{cell.name:<32}{cell.group:<14}{cell.tier:<6}{cell.subset.steps:>6} steps{arms:>4} arms"
                         f"{time_needed:>8.0f} minutes")  # fmt: skip
    return [
        *lines,
        f"{len(cells)} cells, {draws} draws each: about {total / 60:.1f} hours of one process of one thread",
    ]


def parsed(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = options(__doc__)
    parser.add_argument("--cells", nargs="+", default=[], metavar="NAME", help="names, or patterns such as 'mnist-*'")
    parser.add_argument("--tier", choices=("core", "full"), default="core", help="without --cells (default: core)")
    parser.add_argument("--draws", type=count, help="of each cell (default: 10; with --quick 2)")
    parser.add_argument("--threads", type=int, default=1, help="of torch, in this process (default: 1)")
    parser.add_argument("--device", default="cpu", help="of generators and classifiers (default: cpu)")
    parser.add_argument(
        "--out", type=Path, help="folder of results (default: help in results/, or runs/study-trial for a trial)"
    )
    parser.add_argument("--work", type=Path, default=Path("runs/study"), help="scratch folder (default: runs/study)")
    parser.add_argument("--keep", action="store_true", help="keep generators and pools in the scratch folder")
    parser.add_argument("--list", action="store_true", help="only list the cells")
    parser.add_argument("--page", action="store_true", help="only write the page from the results that are there")
    parser.add_argument("--quick", action="store_true", help="a toy on the embedded digits")
    parser.add_argument("--fit-steps", type=count, help="other steps of every generator: a trial, not the study")
    parser.add_argument("--steps", type=count, help="other steps of every classifier: a trial, not the study")
    parser.add_argument("--quiet", action="store_true", help="no progress")
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> int:
    asked = parsed(arguments)
    warnings.filterwarnings("ignore", category=FewImagesWarning)
    table = [
        replace(cell, subset=replace(cell.subset, steps=asked.fit_steps or cell.subset.steps))
        for cell in (QUICK_CELLS if asked.quick else CELLS)
    ]
    protocol = Protocol(asked.steps or (6 if asked.quick else Protocol.steps), asked.quick)
    draws = asked.draws or (2 if asked.quick else DRAWS)
    out = place(asked)
    try:
        cells = chosen(table, asked.cells, asked.tier)
    except ValueError as error:
        sys.exit(str(error))
    if asked.list:
        print("\n".join(listing(cells, draws, protocol)))
        return 0
    with terminal(asked.quiet) as report:
        asked.device = str(resolve_device(asked.device))
        study = Study(cells, draws, protocol, out, asked.work, keep=asked.keep, device=asked.device, report=report)
        try:
            if not asked.page:
                torch.set_num_threads(asked.threads)
                study.play()
        except KeyboardInterrupt as stop:
            print(f"stopped: {stop or 'by hand'}. Run the same command to go on.", file=sys.stderr)
            return 130
    page = write(table, out, command(asked, draws), draws)
    print(page)
    return int(bool(study.failed))


def place(asked: argparse.Namespace) -> Path:
    """The folder of results: a trial never goes among the results of the study unless told to."""
    if asked.out is not None:
        return asked.out
    trial = asked.quick or asked.fit_steps or asked.steps
    return asked.work.parent / f"{asked.work.name}-trial" if trial else HELP


def command(asked: argparse.Namespace, draws: int) -> str:
    """What makes the whole page anew, with these draws and steps."""
    parts = [f"{MODULE} --quick" if asked.quick else f"GANAUG_DATA=FOLDER {MODULE} --tier full", f"--draws {draws}"]
    parts += [f"--fit-steps {asked.fit_steps}"] if asked.fit_steps else []
    parts += [f"--steps {asked.steps}"] if asked.steps else []
    return " ".join([*parts, f"--threads {asked.threads}"])


if __name__ == "__main__":
    sys.exit(main())
