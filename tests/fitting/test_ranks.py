"""A fit that two processes share: the bytes of one, and one end for both."""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch

import ganaug
from ganaug.__main__ import main
from ganaug.device import resolve_device
from ganaug.errors import OptionError
from ganaug.fitting import play
from ganaug.fitting import play as fitting
from ganaug.generator.interventions import Intervention
from ganaug.generator.state import load_state
from tests.toys.ranks import together

TIMED = ("metrics.jsonl", "states.json", ".lock")
SMALL = {"width": 4, "widest": 8, "latent": 8, "batch": 8}


def arrays(seed=0):
    rng = np.random.default_rng(seed)
    return rng.integers(0, 256, (24, 8, 8), dtype=np.uint8), np.arange(24) % 2


def rank():
    return int(os.environ.get("RANK", "0"))


def contents(run: Path) -> dict[str, str]:
    """Hashes of what a fit leaves, but for how fast it was: of its states, the last one."""
    files = sorted(file for file in run.rglob("*") if file.is_file() and file.name not in TIMED)
    *_, state = (file for file in files if file.parent.name == "state")
    files = [file for file in files if file.parent.name != "state" or file == state]
    return {str(file.relative_to(run)): hashlib.sha256(file.read_bytes()).hexdigest() for file in files}


def lines(run: Path) -> list[dict]:
    told = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    return [{name: value for name, value in line.items() if name not in ("steps_per_second", "sum")} for line in told]


def fit(out, steps=10, report=lambda *what: None, **options):
    fitting.GRIDS = 2  # pictures take as long as rounds; in a process of its own
    return ganaug.fit(arrays(), out, steps=steps, options=SMALL, slices=2, report=report, **options).path


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """What one process makes of two slices. Do not write to it."""
    [end] = together(1, fit, tmp_path_factory.mktemp("whole") / "run")
    return end.value


def same(run, whole):
    assert contents(run) == contents(whole)
    assert lines(run) == lines(whole)
    return True


def reported(out):
    said = []
    return fit(out, report=lambda *what: said.append(what)), len(said)


def test_two_processes_leave_what_one_leaves_and_the_first_one_alone_reports(tmp_path, whole):
    ends = [end.value for end in together(2, reported, tmp_path / "run")]
    assert same(ends[0][0], whole)
    assert ends[0][1] > 10
    assert ends[1] == (tmp_path / "run", 0)
    card = ganaug.Run(whole).load().card
    assert (card.slices, card.slicewise) == (2, ())


def stopping(out, who, at):
    """Process `who` is asked to stop during round `at`."""
    from ganaug.fitting import follow

    def watched(module):
        real = module.train

        def watching(*arguments, **options):
            for progress in real(*arguments, **options):
                if progress.step == at and rank() == who:
                    signal.raise_signal(signal.SIGINT)
                yield progress

        module.train = watching

    watched(play)
    watched(follow)
    return fit(out)


@pytest.mark.parametrize("who", [0, 1])
def test_whoever_is_asked_to_stop_both_stop_after_the_same_round(tmp_path, whole, who):
    out = tmp_path / "run"
    for end in together(2, stopping, out, who, 6):
        assert (end.error, end.said) == ("KeyboardInterrupt", "stopped at step 6 of 10; the state is saved")
    assert load_state(out / "state").step == 6
    world = 1 + who  # on one process, or on two again
    ends = together(world, resumed, out)
    assert [end.said for end in ends] == [""] * world
    assert same(out, whole)


def resumed(out):
    return fit(out, resume=True)


def killed(out, at):
    from ganaug.fitting import follow

    real = follow.train

    def dying(*arguments, **options):
        for progress in real(*arguments, **options):
            if progress.step == at:
                os.kill(os.getpid(), signal.SIGKILL)
            yield progress

    follow.train = dying
    play.SAVE_SECONDS = -1.0
    return fit(out)


def test_a_killed_process_ends_the_other_and_the_fit_resumes_to_the_same_bytes(tmp_path, whole):
    out = tmp_path / "run"
    first, second = together(2, killed, out, 5)
    assert (first.error, second.error) == ("RankError", "killed")
    assert "Another process of the fit has ended" in first.said
    assert "--resume" in first.said
    assert 3 <= load_state(out / "state").step <= 5
    for world in (1, 2):
        copy = shutil.copytree(out, tmp_path / f"on {world}")
        assert [end.error for end in together(world, resumed, copy)] == [""] * world
        assert same(copy, whole)


def spoiled(out, times, who):
    """So many moves of the generator meet a number that is not finite, in a slice of process `who`."""
    from ganaug.game import train as game

    real, left = game._Game._play, [times]

    def play(self, loss, weights, progress, key):
        values = real(self, loss, weights, progress, key)
        if left[0] and key[0] >= 6 and key[1] == 1 and rank() == who:
            left[0] -= 1
            return values * float("nan")
        return values

    game._Game._play = play
    return fit(out)


def test_a_number_that_is_not_finite_is_met_by_all_which_go_back_together(tmp_path, whole):
    out = tmp_path / "run"
    assert [end.error for end in together(2, spoiled, out, 1, 1)] == ["", ""]
    assert [one.kind for one in ganaug.Run(out).load().card.interventions] == ["retry"]
    ends = together(2, spoiled, tmp_path / "other", 3, 1)
    assert [end.error for end in ends] == ["DivergedError", "RankError"]
    assert load_state(tmp_path / "other" / "state").step == 6


def mended(out):
    """The doctor turns a knob after round 5."""

    def look(self, progress):
        self.course.interventions += (Intervention("fix", 5, 5, "no convergence"),)
        return True

    fitting.Watch.due = lambda self, step: step == 5
    play.Play._look = look
    return fit(out)


def test_a_knob_that_the_first_one_turns_is_turned_for_all(tmp_path, whole):
    [alone] = together(1, mended, tmp_path / "alone")
    assert [end.error for end in together(2, mended, tmp_path / "run")] == ["", ""]
    assert same(tmp_path / "run", alone.value)
    assert contents(alone.value) != contents(whole)


def drifting(out):
    """The weights of process 1 are changed a little after round 4, as by a processor that rounds otherwise."""
    from ganaug.game import train as game

    real = game._Game.round

    def round(self, step):
        losses = real(self, step)
        if step == 4 and rank() == 1:
            next(self.nets["generator"].parameters()).data.view(-1)[0] += 1e-3
        return losses

    game._Game.round = round
    return fit(out)


def test_processes_that_drift_apart_are_stopped(tmp_path):
    for end in together(2, drifting, tmp_path / "run"):
        assert end.error == "RankError"
        assert "Process 1 of the fit differs from process 0: state after step 5 is" in end.said
        assert "processors of one kind" in end.said


def budgeted(out):
    return ganaug.fit(arrays(), out, budget=0.01, options=SMALL, slices=2).path


def test_a_budget_that_is_over_ends_the_fit_for_all(tmp_path):
    assert [end.error for end in together(2, budgeted, tmp_path / "run")] == ["", ""]
    assert 1 <= ganaug.Run(tmp_path / "run").load().card.steps < 20


def test_each_process_of_a_machine_takes_a_gpu_of_its_own(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    taken = []
    for local in ("0", "1", "2", ""):  # more than there are, as where each process is shown one only; alone
        monkeypatch.setenv("LOCAL_RANK", local)
        taken.append(str(resolve_device("auto")))
    assert taken == ["cuda:0", "cuda:1", "cuda:0", "cuda"]
    monkeypatch.undo()
    assert str(resolve_device("cpu")) == "cpu"


def differing(out, **options):
    data = arrays(1 if rank() and "data" in options else 0)
    options = {name: values[rank()] for name, values in options.items() if name != "data"}
    return ganaug.fit(data, out, **{"steps": 4, "options": SMALL, "slices": 2, **options})


def disagree(out):
    """What is said of one difference after the other."""
    said = []
    for options in ({"seed": (0, 1)}, {"data": ()}, {"steps": (4, 5)}, {"resume": (False, True)}):
        with pytest.raises(ganaug.GanaugError) as refused:
            differing(out, **options)
        said.append((type(refused.value).__name__, str(refused.value)))
    return said


def test_processes_that_were_given_different_things_are_told_before_the_first_round(tmp_path):
    first, second = (end.value for end in together(2, disagree, tmp_path / "run"))
    assert first == second
    for (kind, said), words in zip(first, ("seed is 1 there", "data is", "steps is 5", "resume is True"), strict=True):
        assert kind == "RankError"
        assert words in said
    assert not (tmp_path / "run").exists()


def typed(out, *options):
    """Exit code of a command, and what it prints."""
    printed, told = io.StringIO(), io.StringIO()
    sys.argv = ["ganaug", "fit", "digits", "--limit", "10", "--steps", "3", "--out", str(out), *options]
    with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(told):
        try:
            main()
        except SystemExit as end:
            return end.code, printed.getvalue(), told.getvalue()
    return 0, printed.getvalue(), told.getvalue()


def test_the_command_is_told_once_and_refuses_processes_without_slices(tmp_path):
    first, second = (end.value for end in together(2, typed, tmp_path / "run", "--slices", "2", "--json"))
    assert first[0] == second[0] == 0
    assert json.loads(first[1])["steps"] == 3
    assert second[1:] == ("", "")
    for code, _, told in (end.value for end in together(2, typed, tmp_path / "other")):
        assert code == 2
        assert "2 processes were started for a fit of one slice" in told
        assert "--slices 2" in told
    assert not (tmp_path / "other").exists()


def test_a_dry_run_is_told_once_and_refuses_processes_without_slices(tmp_path):
    first, second = (end.value for end in together(2, typed, tmp_path / "run", "--slices", "2", "--json", "--dry-run"))
    assert first[0] == second[0] == 0
    assert json.loads(first[1])["steps"] == 3
    assert second[1:] == ("", "")
    for code, _, told in (end.value for end in together(2, typed, tmp_path / "run", "--dry-run")):
        assert code == 2
        assert "2 processes were started for a fit of one slice" in told
    assert not (tmp_path / "run").exists()


def measured(out):
    """The batches of what a dry run measures, and what it gives."""
    from ganaug.fitting import estimate

    sizes = []
    real = estimate.warm_up
    estimate.warm_up = lambda recipe, *more, world, **others: (
        sizes.append(recipe.batch // world) or real(recipe, *more, world=world, **others)
    )
    found = estimate.dry_run(arrays(seed=rank() if out.name == "apart" else 0), out, steps=3, options=SMALL, slices=2)
    return sizes, found is not None


def test_a_dry_run_compares_what_processes_were_given(tmp_path):
    assert [end.value for end in together(2, measured, tmp_path / "run")] == [([4], True), ([], False)]
    assert [end.value for end in together(1, measured, tmp_path / "run")] == [([8], True)]
    for end in together(2, measured, tmp_path / "apart"):
        assert end.error == "RankError"
        assert "data is" in end.said


@pytest.mark.soak
def test_torchrun_starts_them_and_ends_the_others_where_one_is_killed(tmp_path):
    def started(out, *options):
        command = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2", "-m", "ganaug", "fit"]
        command += ["digits", "--limit", "10", "--slices", "2", "--steps", "200", "--out", str(out), *options]
        return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    with started(tmp_path / "whole") as whole:
        assert "200 steps" in whole.communicate()[0]
    with started(tmp_path / "run", "--quiet") as run:
        while not (tmp_path / "run" / "metrics.jsonl").exists():
            time.sleep(0.05)
        child = subprocess.run(["pgrep", "-P", str(run.pid)], capture_output=True, text=True).stdout.split()[-1]
        os.kill(int(child), signal.SIGKILL)
        began = time.monotonic()
        assert "Another process of the fit has ended" in run.communicate()[0]
        assert time.monotonic() - began < 10
    with started(tmp_path / "run", "--resume") as again:
        again.communicate()
    assert contents(tmp_path / "run") == contents(tmp_path / "whole")


def occupied(out):
    with pytest.raises(ganaug.GanaugError) as refused:
        fit(out)
    return type(refused.value).__name__


def test_a_folder_that_is_refused_ends_both(tmp_path):
    (tmp_path / "thesis.tex").write_text("years of work")
    ends = [end.value for end in together(2, occupied, tmp_path)]
    assert ends == ["OutputInUseError", "RankError"]


def test_a_batch_that_slices_do_not_divide_is_refused(tmp_path):
    with pytest.raises(OptionError, match="batch of 8 items cannot be divided into 3"):
        ganaug.fit(arrays(), tmp_path / "run", steps=1, options=SMALL, slices=3)
    with pytest.raises(OptionError, match="slices is 0"):
        ganaug.fit(arrays(), tmp_path / "run", steps=1, slices=0)
