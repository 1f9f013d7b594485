"""Budgets hold: what the warm-up finds, when a fit ends, what does not fit, and what a busy neighbour does."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from types import SimpleNamespace

import numpy as np
import pytest
import torch

import ganaug
from ganaug.data.load import load_images
from ganaug.errors import OutOfMemoryError
from ganaug.files import machine
from ganaug.fitting import budget, planned
from ganaug.fitting.budget import Pace, round_memory, steps_in, warm_up, what_it_takes
from ganaug.fitting.planned import WINDOW, Tempo
from ganaug.fitting.settings_file import Plan
from ganaug.game.batches import batches_for
from ganaug.generator.interventions import Intervention
from ganaug.generator.state import SavedState, load_state
from ganaug.recipes import make

CPU = torch.device("cpu")
TINY = {"width": 4, "widest": 8, "batch": 8}


def arrays(size=8):
    return np.random.default_rng(0).integers(0, 256, (24, size, size), np.uint8), np.arange(24) % 2


def batches(size=8):
    return batches_for(make("small", TINY), load_images(arrays(size), size=size), CPU)


def fitted(folder, **options):
    return ganaug.fit(arrays(), folder, options=TINY, budget="1h", **options)


@pytest.fixture
def quick(monkeypatch):
    """A warm-up that says what it is told to, and a budget that is over after the first round."""
    monkeypatch.setattr(planned, "warm_up", lambda *_, **__: Pace(360.0, 1, 0.0))
    monkeypatch.setattr(planned, "GRACE", 0.0)


def test_a_fit_ends_when_its_time_is_over_and_a_resume_replays_that(quick, tmp_path):
    said = []
    run = fitted(tmp_path / "run", report=lambda *what: said.append(what[-1]))
    stored = json.loads((run.path / "fit.json").read_text())
    assert (stored["planned_steps"], stored["end"], stored["threads"]) == (9, 1, 1)
    assert run.load().card.steps == 1
    assert load_state(run.path / "state").step == 1
    assert any("The time is over after step 1 of 9" in words for words in said)
    weights = (run.path / "generator" / "model.safetensors").read_bytes()
    shutil.rmtree(run.path / "generator")  # as if it was killed before the end, and from the beginning
    shutil.rmtree(run.path / "state")
    assert fitted(run.path, resume=True).load().card.steps == 1
    assert (run.path / "generator" / "model.safetensors").read_bytes() == weights
    fitted(run.path, resume=True, report=lambda *what: said.append(what[-1]))
    assert said[-1] == "already finished, 1 steps"


def test_the_threads_of_the_warm_up_are_those_of_the_fit_and_of_it_alone(monkeypatch, tmp_path):
    seen, before = [], torch.get_num_threads()
    monkeypatch.setattr(planned, "warm_up", lambda *_, **__: Pace(1800.0, 1, 0.0))
    run = fitted(tmp_path / "run", report=lambda *_: seen.append(torch.get_num_threads()))
    assert seen[-1] == 1
    assert torch.get_num_threads() == before
    assert run.load().card.versions["threads"] == "1"


def test_a_resumed_fork_has_the_share_of_the_time_that_is_left_of_its_own_rounds(monkeypatch, tmp_path):
    monkeypatch.setattr(planned, "agreed_plan", lambda *_: Plan(19, 1))
    found = SimpleNamespace(settings=ganaug.FitSettings(budget="1h"), device=CPU)
    saved = SavedState(11, interventions=(Intervention("fork", 10, 10, "forked"),))
    now = time.monotonic()
    going_on = planned.planned(tmp_path, found, "", True, saved, 1, ganaug.silent)
    assert going_on.deadline - now == pytest.approx(8 / 9 * planned.GRACE * 3600, abs=5)


def test_slices_take_the_memory_and_the_time_of_slices(monkeypatch):
    recipe, played = make("small", {**TINY, "batch": 64}), []
    whole = round_memory(recipe, batches(16), CPU)
    monkeypatch.setattr(budget, "free_memory", lambda: whole / 2)
    with pytest.raises(OutOfMemoryError, match="--slices"):
        budget.require_memory(recipe, batches(16), CPU)
    assert budget.require_memory(recipe, batches(16), CPU, slices=8) < whole / 4
    monkeypatch.setattr(budget, "timed_rounds", lambda *given: played.append((given[0].batch, given[-1])) or [1.0])
    warm_up(recipe, batches(16), CPU, slices=8, world=2)
    assert set(played) == {(32, 4)}


@pytest.mark.parametrize(("slow", "chosen"), [(2, 1), (1, 2)])
def test_the_warm_up_takes_the_number_of_threads_that_is_fastest(monkeypatch, slow, chosen):
    monkeypatch.setattr(budget, "thread_counts", lambda: [2, 1])
    pace = {slow: 10.0, chosen: 1.0}
    monkeypatch.setattr(torch, "set_num_threads", lambda n: now.append(n))
    now = [1]
    monkeypatch.setattr(budget, "timed_rounds", lambda *given: [pace[now[-1]]] * given[3])
    found = warm_up(make("small", TINY), batches(), CPU)
    assert (found.threads, found.seconds) == (chosen, 1.0)


def test_a_warm_up_without_time_plays_one_round(monkeypatch):
    played = []
    monkeypatch.setattr(budget, "thread_counts", lambda: [1])
    monkeypatch.setattr(budget.time, "monotonic", lambda: 100.0 * len(played))
    rounds = budget.timed_rounds

    def counted(*given):
        played.append(1)
        return rounds(*given)

    monkeypatch.setattr(budget, "timed_rounds", counted)
    assert warm_up(make("small", TINY), batches(), CPU, 50.0).threads == 1
    assert len(played) == 1
    monkeypatch.undo()
    assert len(rounds(make("small", TINY), batches(), CPU, 9, 0.0)) == 1


def test_steps_of_a_budget():
    assert steps_in(100, 0.096) == 1000
    assert steps_in(-3, 5.0) == 1
    words = what_it_takes(10, Pace(60.0, 2, 0.0), 3000, 3 << 29)
    assert words == (
        "10 steps in about 10 min, 2 threads, 1.5 GiB of memory; good samples took about 3000 steps in our studies: "
        "3000 min here"
    )


def test_memory_grows_with_items_and_with_their_area():
    small, twice = (make("small", {**TINY, "batch": n}) for n in (32, 64))
    assert 1.7 < round_memory(twice, batches(16), CPU) / round_memory(small, batches(16), CPU) < 2.1
    assert 3 < round_memory(small, batches(32), CPU) / round_memory(small, batches(16), CPU) < 5


MEASURED = """
import sys, ganaug
from ganaug.fitting import planned
from ganaug.fitting.doctor import watch
stated, known = [], planned.process_memory
planned.process_memory = lambda *given: stated.append(known(*given)) or stated[-1]
watch.APART = int(sys.argv[3])
ganaug.fit("digits", sys.argv[1], size=int(sys.argv[2]), budget="12s", device="cpu", report=ganaug.silent)
peak = next(line for line in open("/proc/self/status") if line.startswith("VmHWM"))  # rusage has the parent's, too
print(stated[-1] / 2**10 / int(peak.split()[1]))
"""


@pytest.mark.long
@pytest.mark.skipif(sys.platform != "linux", reason="there is no /proc")
@pytest.mark.parametrize("size", [16, 32])
@pytest.mark.parametrize("apart", [10, 10**9])
def test_the_memory_that_is_said_is_about_what_a_fit_takes(size, apart, tmp_path):
    done = subprocess.run([sys.executable, "-c", MEASURED, str(tmp_path / "run"), str(size), str(apart)],
                          capture_output=True, text=True, check=True)  # fmt: skip
    assert 0.9 < float(done.stdout.split()[-1]) < 1.3


def test_memory_that_is_said_counts_the_check_ups(monkeypatch):
    monkeypatch.setattr(budget, "resident_memory", lambda: 1 << 30)
    items = 3 * 1024 * 4 * 3 * 64 * 64
    assert budget.process_memory(1 << 20, (3, 64, 64), CPU) == (1 << 30) + budget.JUDGE + items
    assert budget.process_memory(items + 1, (3, 64, 64), CPU) == (1 << 30) + budget.JUDGE + items + 1
    assert budget.process_memory(0, (3, 64, 64), CPU) == 0
    assert budget.process_memory(5, (3, 64, 64), torch.device("cuda")) == 5


def test_what_does_not_fit_in_memory_is_refused_before_anything_is_written(monkeypatch, tmp_path):
    monkeypatch.setattr(budget, "free_memory", lambda: 1000)
    with pytest.raises(OutOfMemoryError, match=r"A round of 8 items of 1 x 8 x 8 takes about .* GiB are free"):
        fitted(tmp_path / "run")
    with pytest.raises(OutOfMemoryError):
        ganaug.fit(arrays(), tmp_path / "run", steps=1, size=64, options={**TINY, "batch": 256})
    assert not (tmp_path / "run" / "fit.json").exists()


def test_a_pace_that_falls_by_more_than_half_for_a_minute_is_told_once(tmp_path):
    now = [0.0]
    tempo = Tempo(0.5, tmp_path / "run", clock=lambda: now[0])

    def minute(seconds):
        told = []
        for _ in range(int(3 * WINDOW / seconds)):
            now[0] += seconds
            told.append(tempo.round())
        return [words for words in told if words]

    assert minute(0.5) == minute(0.75) == []
    (told,) = minute(1.5)
    assert "0.67 steps/s for a minute, 2 before" in told
    assert "--resume" in told
    assert minute(1.5) == []
    assert minute(0.5) == []
    assert len(minute(2.0)) == 1  # again, after it had recovered


def test_quotas_of_the_system_count(monkeypatch, tmp_path):
    inner = tmp_path / "groups" / "box" / "inner"
    inner.mkdir(parents=True)
    (tmp_path / "own").write_text("0::/box/inner\n")
    (tmp_path / "meminfo").write_text("MemTotal: 9000 kB\nMemAvailable:    4000 kB\n")
    monkeypatch.setattr(machine, "GROUPS", tmp_path / "groups")
    monkeypatch.setattr(machine, "OWN_GROUP", tmp_path / "own")
    monkeypatch.setattr(machine, "MEMORY", tmp_path / "meminfo")
    monkeypatch.setattr(machine.os, "sched_getaffinity", lambda _: set(range(8)))
    monkeypatch.setattr(machine.os, "cpu_count", lambda: 8)
    assert machine.usable_cores() == 8
    (inner / "cpu.max").write_text("max 100000\n")
    (inner.parent / "cpu.max").write_text("150000 100000\n")
    assert machine.usable_cores() == 2
    assert machine.free_memory() == 4000 << 10
    (inner / "memory.max").write_text("3000000\n")
    (inner / "memory.current").write_text("1000000\n")
    assert machine.free_memory() == 2_000_000
    mine: dict[str, str] = {}
    machine.share_the_cores(mine)
    assert mine == {"OMP_NUM_THREADS": "2", "GOMP_SPINCOUNT": machine.SPINS}
    set_already = {"OMP_NUM_THREADS": "7", "OMP_WAIT_POLICY": "ACTIVE"}
    machine.share_the_cores(set_already)
    assert set_already == {"OMP_NUM_THREADS": "7", "OMP_WAIT_POLICY": "ACTIVE"}
    monkeypatch.setattr(machine, "MEMORY", tmp_path / "nothing")
    assert machine.free_memory() is None
