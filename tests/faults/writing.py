"""Writers and readers of one folder at once. `python writing.py TRIALS SEED FOLDER` prints counts as JSON."""

from __future__ import annotations

import json
import os
import re
import signal
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch

from ganaug.errors import ArtefactError, OutputInUseError
from ganaug.files.lock import LOCK, sole_writer
from ganaug.generator.state import SavedState, load_state, save_state

WRITERS, READERS = 3, 2
torch.set_num_threads(1)


@dataclass
class Counts:
    """won: writers that got the folder. refused: those that were told who has it, a process of the trial. killed:
    writers that were killed. reclaimed: trials in which the folder was free after everybody had gone. reads: whole
    versions that readers met. wrong: two writers at once, readers of half a version, refusals without a holder."""

    trials: int = 0
    won: int = 0
    refused: int = 0
    killed: int = 0
    reclaimed: int = 0
    reads: int = 0
    wrong: int = 0


def write(place: Path, outcome: Path, number: int) -> None:
    try:
        with sole_writer(place):
            began = time.monotonic()
            for step in range(1, 10):
                value = float(10 * number + step)
                save_state(place / "state", SavedState(10 * number + step, {"a": torch.full((3000,), value)}))
            ended = time.monotonic()
        found = {"won": [began, ended]}
    except OutputInUseError as error:
        found = {"refused": error.cause}
    outcome.write_text(json.dumps(found))


def read(place: Path, outcome: Path, seconds: float) -> None:
    reads, torn, until = 0, 0, time.monotonic() + seconds
    while time.monotonic() < until:
        try:
            saved = load_state(place / "state")
        except ArtefactError:
            torn += 1
            continue
        if saved is not None:
            reads += 1
            torn += not bool((saved.tensors["a"] == saved.step).all())
    outcome.write_text(json.dumps({"reads": reads, "torn": torn}))


def at_once(gate: tuple[int, int], work, *arguments) -> None:
    """Work when every process has closed its writing end of the gate, a pipe."""
    os.close(gate[1])
    os.read(gate[0], 1)
    work(*arguments)


def child(work, *arguments) -> int:
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            work(*arguments)
            code = 0
        finally:
            os._exit(code)
    return pid


def trial(place: Path, rng: np.random.Generator, counts: Counts) -> None:
    place.mkdir()
    outcomes = [place / f"outcome {i}" for i in range(WRITERS + READERS + 1)]
    gate = os.pipe()  # forks take longer than writers do: without it a victim may be done before it can be killed
    writers = [child(at_once, gate, write, place / "run", outcomes[i], i) for i in range(WRITERS)]
    readers = [child(at_once, gate, read, place / "run", outcomes[WRITERS + i], 0.05) for i in range(READERS)]
    victim = writers[rng.integers(WRITERS)] if rng.integers(2) else None
    for end in gate[::-1]:
        os.close(end)
    if victim:
        time.sleep(0.02 * rng.uniform(0, 1) ** 3)  # early ones too: a fast writer is done in milliseconds
        os.kill(victim, signal.SIGKILL)
    for pid in (*writers, *readers):
        _, status = os.waitpid(pid, 0)
        counts.killed += os.WIFSIGNALED(status)
        counts.wrong += os.WIFEXITED(status) and os.WEXITSTATUS(status) != 0
    last = child(write, place / "run", outcomes[-1], WRITERS)
    os.waitpid(last, 0)
    counts.reclaimed += "won" in json.loads(outcomes[-1].read_text())
    spans = []
    for outcome in outcomes:
        found = json.loads(outcome.read_text() or "{}") if outcome.exists() else {}
        if "won" in found:
            spans.append(found["won"])
        elif "refused" in found:
            named = re.search(r"process (\d+) on", found["refused"])
            if named and int(named[1]) in writers:
                counts.refused += 1
            else:
                # Between getting the lock and signing, for an instant, nobody is named yet.
                counts.wrong += "another process" not in found["refused"]
                counts.refused += "another process" in found["refused"]
        counts.reads += found.get("reads", 0)
        counts.wrong += found.get("torn", 0)
    spans.sort()
    counts.won += len(spans)
    counts.wrong += sum(later[0] < earlier[1] for earlier, later in zip(spans, spans[1:], strict=False))
    counts.trials += 1
    assert (place / "run" / LOCK).exists()


def run(trials: int, seed: int, folder: Path) -> Counts:
    rng, counts = np.random.default_rng(seed), Counts()
    save_state(folder / "warm", SavedState(1, {"a": torch.ones(3)}))
    for number in range(trials):
        trial(folder / f"trial {number}", rng, counts)
    return counts


if __name__ == "__main__":
    print(json.dumps(asdict(run(int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3])))))
