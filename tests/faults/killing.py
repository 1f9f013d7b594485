"""Work that is killed (SIGKILL) at random instants, goes on, and must end with the bytes of work that never was.

`python -m tests.faults.killing KIND KILLS SEED FOLDER` prints counts as JSON. One process imports everything once and
forks a child
for each attempt, so that a kill costs no imports. Tests call it for a few kills, a soak for many.
"""

from __future__ import annotations

import hashlib
import json
import os
import signal
import sys
import time
import traceback
import warnings
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
import torch

import ganaug
from ganaug.errors import FewImagesWarning
from ganaug.fitting import play
from ganaug.fitting import play as fitting
from ganaug.generator.state import load_state
from ganaug.samples.blocks import Renderer
from ganaug.samples.pool import Pool

STEPS = 56
LOCKS = (".out.lock", "-of-00004.lock")
SMALL = {"width": 16, "latent": 8, "batch": 16, "norm": True}
torch.set_num_threads(1)


def data() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    return rng.integers(0, 256, (24, 8, 8), dtype=np.uint8), np.arange(24) % 2


@dataclass
class Counts:
    """kills: attempts that were killed. advanced: those that left something to go on from. chains: works that were
    brought to their end, each after one or more kills or none; wrong: those with other bytes, by number."""

    kills: int = 0
    advanced: int = 0
    chains: int = 0
    wrong: list[int] = field(default_factory=list)


def in_child(work: Callable[[], None], after: float | None = None) -> bool:
    """Run `work` in a forked child, killed `after` so many seconds; gives whether it was killed."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            work()
            code = 0
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(code)
    if after is not None:
        time.sleep(after)
        os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        return True
    if os.WEXITSTATUS(status):
        raise AssertionError("an attempt failed by itself")
    return False


def chains(
    kills: int,
    seed: int,
    folder: Path,
    work: Callable[[Path], None],
    result: Callable[[Path], object],
    advanced: Callable[[Path], bool],
    tick: Callable[[Counts], None] = lambda counts: None,
) -> Counts:
    """Chains of attempts, each until it ends by itself, until there were enough kills."""
    rng, counts = np.random.default_rng(seed), Counts()
    ganaug.fit(data(), folder / "warm", recipe="gan", options=SMALL, steps=2)  # whatever is imported late
    threads = {task.read_text().strip() for task in Path("/proc/self/task").glob("*/comm")}
    own = Path("/proc/self/comm").read_text().strip()
    assert threads <= {own, "jemalloc_bg_thd"}, threads  # a fork takes no other thread along
    whole = folder / "whole"
    began = time.monotonic()
    in_child(lambda: work(whole))
    expected, takes = result(whole), time.monotonic() - began
    while counts.kills < kills:
        place = folder / f"chain {counts.chains}"
        while in_child(lambda place=place: work(place), after=rng.uniform(0, 1.2 * takes)):
            counts.kills += 1
            counts.advanced += advanced(place)
        if result(place) != expected:
            counts.wrong.append(counts.chains)
        counts.chains += 1
        tick(counts)
    return counts


def digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def files(folder: Path) -> dict[str, str]:
    """Every file of a folder, leftovers included, with its hash; but not the lock of samples, which a kill in its last
    instant, after the result was put into place, leaves."""
    found = (file for file in sorted(folder.rglob("*")) if file.is_file() and not file.name.endswith(LOCKS))
    return {str(file.relative_to(folder)): digest(file) for file in found}


def fit(place: Path) -> None:
    play.SAVE_SECONDS = 0.05  # often, so that many kills fall into a save
    fitting.GRIDS = 7  # pictures, of which each takes as long as two rounds
    ganaug.fit(data(), place / "run", recipe="gan", options=SMALL, steps=STEPS, seed=3, resume=True)


def fitted(place: Path) -> object:
    """Weights, averages and moments, the generator, 64 samples, pictures, settings; lines of the log but for speed.

    Not how they came about: the state before the last one, and the list of both.
    """
    run = place / "run"
    found = files(run)
    last = {name for name in found if name.startswith(f"state/step-{STEPS:09d}-")}
    found = {name: value for name, value in found.items() if not name.startswith("state/") or name in last}
    assert last
    assert found.pop("metrics.jsonl")
    assert found.pop(".lock")
    lines = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    for line in lines:
        if line.pop("steps_per_second", None):
            del line["sum"]
    generator = ganaug.load(run)
    samples = [Renderer(generator).rows(label, range(32)).tobytes() for label in range(2)]
    return found, lines, samples


def fit_advanced(place: Path) -> bool:
    """Whether the next attempt resumes from a step above 0; reads the state, which must be whole at any instant."""
    saved = load_state(place / "run" / "state")
    return saved is not None and saved.step > 0


def kill_fits(kills: int, seed: int, folder: Path, tick: Callable[[Counts], None] = lambda counts: None) -> Counts:
    return chains(kills, seed, folder, fit, fitted, fit_advanced, tick)


def kill_augments(kills: int, seed: int, folder: Path, tick: Callable[[Counts], None] = lambda counts: None) -> Counts:
    """A folder of images; a killed attempt starts anew, and nothing of it may remain."""
    run = ganaug.fit(data(), folder / "source", recipe="gan", options=SMALL, steps=2)

    def work(place: Path) -> None:
        if not (place / "out").exists():
            ganaug.augment(run, {"0": 150, "1": 50}, place / "out", seed=1)

    return chains(kills, seed, folder, work, files, lambda place: (place / ".out.part").exists(), tick)


def kill_shards(kills: int, seed: int, folder: Path, tick: Callable[[Counts], None] = lambda counts: None) -> Counts:
    """Shards of PNG files; those that are whole are kept, and the others made again."""
    run = ganaug.fit(data(), folder / "source", recipe="gan", options=SMALL, steps=2)

    def work(place: Path) -> None:
        ganaug.augment(run, {"0": 150, "1": 50}, place / "out", seed=1, shards=4)

    return chains(kills, seed, folder, work, files, lambda place: any(place.glob("out/synthetic*.manifest")), tick)


def kill_pools(kills: int, seed: int, folder: Path, tick: Callable[[Counts], None] = lambda counts: None) -> Counts:
    """A rendered pool; whatever a killed attempt left is not believed."""
    run = ganaug.fit(data(), folder / "source", recipe="gan", options=SMALL, steps=2)

    def work(place: Path) -> None:
        Pool.open(run, {"0": 3000, "1": 1000}, seed=1, folder=place)

    return chains(kills, seed, folder, work, files, lambda place: any(place.glob(".pool.*")), tick)


def kill_benches(kills: int, seed: int, folder: Path, tick: Callable[[Counts], None] = lambda counts: None) -> Counts:
    """A bench without plots, with a classifier that takes little time: every trial is trained once, and the verdict is
    the same."""
    from ganaug.evaluation.bench import figures
    from ganaug.evaluation.trials import small
    from tests.toys.bench import NearestMean, images

    class Slow(NearestMean):
        def __call__(self, *args, **options):
            time.sleep(0.02)
            return super().__call__(*args, **options)

    small.train_classifier = Slow()
    figures._svg = lambda figure: "data:image/svg+xml;base64,"  # plots take longer than all the rest

    def work(place: Path) -> None:
        ganaug.bench(
            images(20, 0),
            test=images(40, 1),
            synthetic=images(30, 2),
            out=place,
            quick=True,
            ratios=(0.25, 0.5),
            seeds=3,
            model="small",
            remedies=("augmentation",),
        )

    def result(place: Path) -> object:
        found = json.loads((place / "results.json").read_bytes())
        trials = {file.name: json.loads(file.read_bytes())["logs"] for file in (place / "trials").glob("*.json")}
        return trials, [found[name] for name in ("verdict", "ratio", "difference", "validation", "arms", "dropped")]

    work(folder / "warm bench")  # whatever is imported late
    return chains(kills, seed, folder, work, result, lambda place: any((place / "trials").glob("*.json")), tick)


KINDS = {"fit": kill_fits, "augment": kill_augments, "shards": kill_shards, "pool": kill_pools, "bench": kill_benches}


def main() -> None:
    warnings.simplefilter("ignore", FewImagesWarning)
    kind, kills, seed, folder = sys.argv[1:5]
    print(json.dumps(asdict(KINDS[kind](int(kills), int(seed), Path(folder)))))


if __name__ == "__main__":
    main()
