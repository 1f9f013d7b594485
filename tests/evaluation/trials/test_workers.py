"""Trials in several processes: the same outcomes, whatever happens to the processes, and nothing left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from ganaug.classifier.fixmatch import STRONG
from ganaug.classifier.small import Training
from ganaug.defaults import torch_threads
from ganaug.evaluation.trials import trial as trials_module
from ganaug.evaluation.trials import workers as workers_module
from ganaug.evaluation.trials.arms import FIXMATCH, Arm
from ganaug.evaluation.trials.learner import Menu
from ganaug.evaluation.trials.parts import Part, Parts, Taught
from ganaug.evaluation.trials.small import SmallLearner
from ganaug.evaluation.trials.trial import Laboratory, Trial
from ganaug.evaluation.trials.workers import Workers, small_laboratory, workers_for
from ganaug.files.integrity import clear_parts

TRIALS = [
    Trial("small", Training(steps=3, augmentation=augmentation, ratio=ratio), seed, on, "made", leave, leave == 1)
    for augmentation, ratio, on, leave in (
        ("none", 0.0, ("validation",), None), ("affine", 0.5, ("test",), None), ("none", 0.0, ("made", "fold"), 1),
    )
    for seed in (1, 2)
]  # fmt: skip
LEARNERS = {"small": SmallLearner(8, Menu(), 3)}


def toy_parts() -> Parts:
    stream = torch.Generator().manual_seed(0)

    def part(n: int) -> Part:
        return Part.of(torch.randint(0, 256, (n, 3, 9, 8), generator=stream, dtype=torch.uint8), torch.arange(n) % 4)

    soft = {"train": np.full((40, 4), 0.25, np.float32), "unlabelled": np.eye(4, dtype=np.float32)[[0, 3]]}
    taught = {"distillation": Taught(np.array([2, 5]), np.array([0, 3]), soft)}
    return Parts(part(40), part(12), part(20), 4, {"made": part(30)}, part(9), taught, np.arange(40) % 3)


@pytest.fixture(autouse=True)
def always_worth(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(trials_module, "WORTH", 0.0)
    threads = torch.get_num_threads()
    yield
    assert torch.get_num_threads() == threads


def alone(folder: Path) -> Laboratory:
    with torch_threads(1):
        laboratory = Laboratory(toy_parts(), folder, LEARNERS)
        laboratory.run_all(TRIALS)
    return laboratory


def same(one: Laboratory, other: Laboratory) -> bool:
    return one.outcomes.keys() == other.outcomes.keys() and all(
        outcome.curve == other.outcomes[trial].curve and np.array_equal(outcome.logs, other.outcomes[trial].logs)
        for trial, outcome in one.outcomes.items()
    )


def test_workers_find_what_the_bench_itself_finds_and_leave_nothing_but_outcomes(tmp_path: Path):
    told: list[int] = []
    with Workers(tmp_path, 2) as workers:
        helped = Laboratory(
            toy_parts(), tmp_path, LEARNERS, total=100, helpers=workers,
            report=lambda what, done, total, text: told.append(done),
        )  # fmt: skip
        outcomes = helped.run_all([*TRIALS, TRIALS[0]])
        processes = list(workers.processes)
    assert len(processes) == 2
    assert all(process.returncode is not None for process in processes)
    assert outcomes[-1] is outcomes[0]
    assert helped.trained == len(TRIALS) == len(list(tmp_path.iterdir()))
    assert told == sorted(told)
    assert same(helped, alone(tmp_path / "alone"))


def test_what_workers_take_along_when_they_die_is_trained_all_the_same(tmp_path: Path):
    class Unlucky(Workers):
        def run(self, trials, parts):
            for finished in super().run(trials, parts):
                yield finished
                for process in self.processes:
                    process.kill()

    with Unlucky(tmp_path, 2) as workers:
        laboratory = Laboratory(toy_parts(), tmp_path, LEARNERS, total=100, helpers=workers)
        laboratory.run_all(TRIALS)
    assert same(laboratory, alone(tmp_path / "alone"))


def test_fixmatch_is_trained_by_workers_and_dead_ones_are_replaced(tmp_path: Path):
    training = Training(steps=3, strong=STRONG)
    learning = [Trial("small", training, seed, ("validation",), "made", None, FIXMATCH) for seed in (1, 2)]
    parts = toy_parts()
    with Workers(tmp_path, 1) as workers:
        assert list(workers.run(learning, parts)) == learning
        for process in workers.processes:
            process.kill()
            process.wait()
        assert list(workers.run(TRIALS[:2], parts)) == TRIALS[:2]
        assert len(workers.processes) == 1


def test_outcomes_have_the_keys_under_which_the_bench_looks_for_them():
    bench = SmallLearner(8, Menu(fixmatch="flip-x", knobs={"lr": (0.1,), "weight decay": (0.1,)}), 3)
    assert bench.identity == small_laboratory(toy_parts(), Path()).learners["small"].identity
    for taught, strong in (("", ""), (FIXMATCH, "flip-x")):
        assert bench.training(Arm(taught=taught), bench.menu.start).strong == strong


def test_an_outcome_is_not_read_where_the_validation_images_are_others(tmp_path: Path):
    parts = toy_parts()
    other = replace(parts, validation=Part.of(255 - parts.validation.items, parts.validation.labels))
    keys = [Laboratory(one, tmp_path, LEARNERS).key(TRIALS[2]) for one in (parts, other)]
    assert keys[0] != keys[1]


@pytest.mark.parametrize("command", ["", "no-such-python", "/bin/true"])
def test_without_any_worker_the_bench_trains_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str):
    monkeypatch.setattr(workers_module.sys, "executable", command)
    with Workers(tmp_path, 2) as workers:
        laboratory = Laboratory(toy_parts(), tmp_path, LEARNERS, total=100, helpers=workers)
        laboratory.run_all(TRIALS)
    assert laboratory.trained == len(TRIALS) == len(list(tmp_path.iterdir()))


def test_no_worker_is_started_for_a_few_seconds_of_trials(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(trials_module, "WORTH", 1000.0)
    with Workers(tmp_path, 2) as workers:
        Laboratory(toy_parts(), tmp_path, LEARNERS, total=len(TRIALS), helpers=workers).run_all(TRIALS)
        assert not workers.processes


@pytest.mark.long
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="looks at processes through /proc")
def test_workers_end_with_a_bench_that_is_killed_and_the_next_one_clears_up(tmp_path: Path):
    script = tmp_path / "script.py"  # without a main guard, as users write them
    script.write_text(
        "import sys, time\n"
        "from pathlib import Path\n"
        "from tests.evaluation.trials.test_workers import TRIALS, Workers, toy_parts\n"
        "workers = Workers(Path(sys.argv[1]), 2)\n"
        "list(workers.run(TRIALS, toy_parts()))\n"
        "print(*(process.pid for process in workers.processes), flush=True)\n"
        "time.sleep(600)\n"
    )
    root, folder = Path(__file__).parents[3], tmp_path / "trials"
    bench = subprocess.Popen(
        [sys.executable, script, folder], stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": str(root)}
    )
    assert bench.stdout is not None
    pids = [int(pid) for pid in bench.stdout.readline().split()]
    assert len(pids) == 2
    assert all(alive(pid) for pid in pids)
    bench.send_signal(signal.SIGKILL)
    bench.communicate()
    until = time.monotonic() + 60
    while any(alive(pid) for pid in pids):
        assert time.monotonic() < until
        time.sleep(0.1)
    assert len(list(folder.iterdir())) == len(TRIALS) + 1
    clear_parts(folder)
    assert len(list(folder.iterdir())) == len(TRIALS)


def alive(pid: int) -> bool:
    try:
        return "State:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False


def test_as_many_at_a_time_as_torch_has_threads(monkeypatch: pytest.MonkeyPatch):
    parts = toy_parts()
    with torch_threads(1):
        assert workers_for(parts, torch.device("cpu")) == 1
        torch.set_num_threads(3)
        assert workers_for(parts, torch.device("cpu")) == 3
        assert workers_for(parts, torch.device("cuda")) == 1
        monkeypatch.setattr(workers_module, "LARGE", 1000)
        assert workers_for(parts, torch.device("cpu")) == 1
