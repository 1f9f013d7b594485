"""The long versions of the tests in tests/faults and tests/fuzz: kills, mutants, and writers at once.

    python scripts/soak.py                   # all, forty minutes of one core; stop it and go on as you like
    python scripts/soak.py --quick           # a minute or two, to see that it works
    python scripts/soak.py --only "kill fit" # one kind
    python scripts/soak.py --table           # counts of what has been done, nothing else

The work is cut into cells, each with a seed of its own and a process of its own. What a finished cell found lies in
OUT/CELL.json, so that a soak that was stopped goes on. The table at the end adds them up; exit code 1 if anything is
wrong.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import click

from ganaug.files.integrity import write_atomically

TESTS = Path(__file__).resolve().parents[1] / "tests"

# kind -> (cells, work in a cell), in a whole soak and in a quick one
KINDS: dict[str, tuple[tuple[int, int], tuple[int, int]]] = {
    "kill fit": ((20, 25), (1, 3)),
    "kill export": ((4, 25), (1, 2)),
    "kill pool": ((4, 25), (1, 2)),
    "kill bench": ((4, 10), (1, 1)),
    "writers": ((5, 100), (1, 5)),
    "folders": ((50, 20_000), (1, 500)),
    "images": ((20, 10_000), (1, 500)),
}
BAD = ("wrong", "silent", "executed", "crashed")  # counts that must be zero


def work(kind: str, count: int, seed: int, folder: Path) -> dict:
    """One cell, in this process: its counts."""
    sys.path.insert(0, str(TESTS))
    if kind.startswith("kill "):
        script = [str(TESTS / "faults" / "killing.py"), kind.removeprefix("kill ")]
        return _printed([*script, str(count), str(seed), str(folder)])
    if kind == "writers":
        return _printed([str(TESTS / "faults" / "writing.py"), str(count), str(seed), str(folder)])
    if kind == "folders":
        from fuzz import folders

        run = folders.source(folder / "run")
        with folders.workplace() as place:
            return {"mutants": count, **vars(folders.run(count, seed, run, place))}
    from fuzz import images

    return {"mutants": count, **vars(images.run(count, seed))}


def _printed(arguments: list[str]) -> dict:
    done = subprocess.run([sys.executable, *arguments], stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def cells(quick: bool, only: tuple[str, ...]) -> list[tuple[str, int, int]]:
    """(kind, work, seed) of every cell; the kinds take turns, so that a soak that is stopped early has done some of
    each."""
    found = []
    for kind, sizes in KINDS.items():
        number, count = sizes[quick]
        if not only or kind in only:
            found += [(seed / number, kind, count, seed) for seed in range(number)]
    return [(kind, count, seed) for _, kind, count, seed in sorted(found)]


def one(kind: str, count: int, seed: int, out: Path) -> bool:
    """Run a cell in a process of its own, unless it was done. Gives whether it came to its end."""
    file = out / f"{kind.replace(' ', '-')}-{count}-{seed:03d}.json"
    if file.exists():
        return True
    began = time.monotonic()
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    with tempfile.TemporaryDirectory() as folder:
        arguments = [sys.executable, __file__, "--cell", kind, str(count), str(seed), folder]
        done = subprocess.run(arguments, stdout=subprocess.PIPE, text=True, env=environment)
    took = time.monotonic() - began
    if done.returncode:
        click.echo(f"{kind} {seed}: failed after {took:.0f} s, exit code {done.returncode}", err=True)
        return False
    found = {"kind": kind, "seed": seed, "seconds": round(took, 1), "counts": json.loads(done.stdout.splitlines()[-1])}
    write_atomically(file, json.dumps(found, indent=1).encode())
    click.echo(f"{kind} {seed}: {took:.0f} s", err=True)
    return True


def table(out: Path) -> tuple[list[str], bool]:
    """Lines of a Markdown table over all finished cells, and whether nothing is wrong."""
    found = [json.loads(file.read_bytes()) for file in sorted(out.glob("*.json"))]
    lines, sound = ["| soak | cells | minutes | counts |", "|---|---|---|---|"], True
    for kind in KINDS:
        mine = [cell for cell in found if cell["kind"] == kind]
        if not mine:
            continue
        totals: dict[str, int] = {}
        for cell in mine:
            for name, value in cell["counts"].items():
                if isinstance(value, list):
                    totals[name] = totals.get(name, 0) + len(value)
                elif isinstance(value, int):
                    totals[name] = totals.get(name, 0) + value
        sound = sound and not any(totals.get(name) for name in BAD)
        minutes = sum(cell["seconds"] for cell in mine) / 60
        counts = ", ".join(f"{name} {value:,}" for name, value in totals.items())
        lines.append(f"| {kind} | {len(mine)} | {minutes:.1f} | {counts} |")
    return lines, sound


@click.command(help=__doc__)
@click.option("--out", type=click.Path(path_type=Path), default=Path("runs/soak"), show_default=True)
@click.option("--quick", is_flag=True, help="A little of everything; by default into OUT-quick.")
@click.option("--only", multiple=True, type=click.Choice(list(KINDS)), help="A kind of work; repeatable.")
@click.option("--table", "just_table", is_flag=True, help="The counts so far.")
@click.option("--cell", type=(str, int, int, click.Path(path_type=Path)), hidden=True)
def main(out: Path, quick: bool, only: tuple[str, ...], just_table: bool, cell) -> None:
    if cell is not None:
        kind, count, seed, folder = cell
        print(json.dumps(work(kind, count, seed, folder)))
        return
    out = out.with_name(f"{out.name}-quick") if quick else out
    ended = just_table or all([one(*this, out) for this in cells(quick, only)])
    lines, sound = table(out)
    click.echo("\n".join(lines))
    raise SystemExit(0 if ended and sound else 1)


if __name__ == "__main__":
    main()
