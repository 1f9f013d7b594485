"""Going on: with the same settings to the same bytes, with others only as a fork, elsewhere only with a word."""

from __future__ import annotations

import json
import shutil
import signal

import numpy as np
import pytest
import torch

import ganaug
from ganaug.device import environment
from ganaug.errors import ArtefactError, DataError, OptionError, OutputInUseError
from ganaug.fitting import play
from ganaug.fitting import play as fitting
from ganaug.fitting.course import Course
from ganaug.generator.state import SavedState, load_state, save_state

SMALL = {"width": 4, "widest": 8, "latent": 8, "batch": 8}


def arrays(seed=0):
    rng = np.random.default_rng(seed)
    return rng.integers(0, 256, (24, 8, 8), dtype=np.uint8), np.arange(24) % 2


def stopped(out, at=6, steps=10, **options):
    """A run that is interrupted at a step, by the report."""

    def report(phase, done, total, detail=""):
        if phase == "fit" and done == at and total == steps:
            signal.raise_signal(signal.SIGINT)

    with pytest.raises(KeyboardInterrupt, match=f"step {at}"):
        ganaug.fit(arrays(), out, steps=steps, options=SMALL, report=report, **options)
    return out


def test_threads_and_versions_are_kept_and_others_are_told_of(tmp_path):
    out, said = stopped(tmp_path / "run"), []
    saved = load_state(out / "state")
    assert {"torch", "numpy", "python", "threads", "device", "ganaug"} <= set(saved.environment)
    assert saved.environment["threads"] == str(torch.get_num_threads())
    there = {**saved.environment, "threads": "99", "torch": "1.0"}
    moved = SavedState(saved.step, saved.tensors, saved.log_bytes, saved.sums, (), there)
    for file in (out / "state").iterdir():
        file.unlink()
    save_state(out / "state", moved)
    run = ganaug.fit(arrays(), out, steps=10, options=SMALL, resume=True, report=lambda *what: said.append(what[-1]))
    told = next(text for text in said if "not bit-exact" in text)
    assert "threads was 99" in told
    assert "torch was 1.0" in told
    (one,) = run.load().card.interventions
    assert (one.kind, one.step) == ("environment", 6)


def test_a_gpu_promises_no_equal_bytes(tmp_path):
    said, gpu = [], torch.device("cuda")
    course = Course(tmp_path, gpu, lambda *what: said.append(what[-1]))
    course.begin(SavedState(6, environment=environment(gpu)))
    assert said == ["not bit-exact from step 6 on: a GPU adds up in no fixed order"]
    assert [(one.kind, one.step) for one in course.interventions] == [("environment", 6)]
    assert Course(tmp_path, gpu, said.append).begin(SavedState()).interventions == ()


def test_the_same_environment_says_nothing(tmp_path):
    out, said = stopped(tmp_path / "run"), []
    run = ganaug.fit(arrays(), out, steps=10, options=SMALL, resume=True, report=lambda *what: said.append(what[-1]))
    assert not any("bit-exact" in text for text in said)
    assert run.load().card.interventions == ()


def test_means_in_the_log_are_the_same_when_a_line_is_interrupted(tmp_path, monkeypatch):
    monkeypatch.setattr(play, "LOG_LINES", 2)
    logs = []
    for name in ("whole", "stopped"):
        if name == "stopped":
            stopped(tmp_path / name, at=7)
        run = ganaug.fit(arrays(), tmp_path / name, steps=10, options=SMALL, resume=True)
        lines = [json.loads(line) for line in (run.path / "metrics.jsonl").read_text().splitlines()]
        logs.append([{k: v for k, v in line.items() if k not in ("steps_per_second", "sum")} for line in lines])
    assert logs[0] == logs[1]
    assert [line["step"] for line in logs[0]] == [5, 10]


def test_a_log_that_was_altered_is_not_played_on(tmp_path, monkeypatch):
    monkeypatch.setattr(play, "LOG_LINES", 10)
    out = stopped(tmp_path / "run", at=7)
    log = out / "metrics.jsonl"
    log.write_bytes(log.read_bytes().replace(b'"step": 2', b'"step": 3'))
    with pytest.raises(ArtefactError, match="metrics.jsonl cannot be read: line 2: it was altered"):
        ganaug.fit(arrays(), out, steps=10, options=SMALL, resume=True)


def test_a_changed_setting_is_refused_and_a_fork_takes_it(tmp_path):
    out = stopped(tmp_path / "run")
    changed = {**SMALL, "lr": 1e-4}
    with pytest.raises(OptionError, match="options.*--fork"):
        ganaug.fit(arrays(), out, steps=10, options=changed, resume=True)
    before = {file: file.read_bytes() for file in out.rglob("*") if file.is_file()}
    fork = ganaug.fit(arrays(), tmp_path / "fork", steps=12, options=changed, fork=out)
    assert before == {file: file.read_bytes() for file in out.rglob("*") if file.is_file()}
    card = fork.load().card
    assert (card.steps, card.settings) == (12, changed)
    (one,) = card.interventions
    assert (one.kind, one.start) == ("fork", 6)
    assert "options" in one.cause
    lines = [json.loads(line) for line in (fork.path / "metrics.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines if "checkup" not in line] == list(range(7, 13))


def test_a_fork_with_the_same_settings_is_a_copy_that_goes_on(tmp_path):
    out = stopped(tmp_path / "run")
    fork = ganaug.fit(arrays(), tmp_path / "fork", steps=10, options=SMALL, fork=ganaug.Run(out))
    whole = ganaug.fit(arrays(), out, steps=10, options=SMALL, resume=True)
    a, b = (load_state(run.path / "state").tensors for run in (fork, whole))
    assert a.keys() == b.keys()
    assert all(torch.equal(a[name], b[name]) for name in a)


def test_an_interrupted_fork_resumes_without_its_source(tmp_path):
    out = stopped(tmp_path / "run")
    whole = ganaug.fit(arrays(), tmp_path / "whole", steps=12, options=SMALL, fork=out)
    stopped(tmp_path / "fork", at=9, steps=12, fork=out)
    for file in (out / "state").iterdir():
        file.unlink()
    run = ganaug.fit(arrays(), tmp_path / "fork", steps=12, options=SMALL, resume=True)
    a, b = ((r.path / "generator" / "model.safetensors").read_bytes() for r in (run, whole))
    assert a == b
    assert [one.kind for one in run.load().card.interventions] == ["fork"]


def test_a_fork_that_cannot_be_is_refused_and_nothing_is_written(tmp_path):
    out = stopped(tmp_path / "run")
    for error, words, options in (
        (DataError, "other data", {"data": arrays(1)}),
        (DataError, "another seed", {"seed": 5}),
        (OptionError, "6 rounds", {"steps": 6}),
        (OptionError, "resume", {"resume": True}),
        (ArtefactError, "does not fit", {"options": {**SMALL, "width": 6}}),
        (ArtefactError, "no saved state", {"fork": tmp_path}),
    ):
        arguments = {"data": arrays(), "out": tmp_path / "new", "steps": 12, "options": SMALL, "fork": out, **options}
        with pytest.raises(error, match=words):
            ganaug.fit(**arguments)
        assert not (tmp_path / "new").exists() or {p.name for p in (tmp_path / "new").iterdir()} == {".lock"}


def test_the_same_seed_and_split_are_what_a_fork_takes_over(tmp_path):
    """What the first run held out, the fork must not train on."""
    out = stopped(tmp_path / "run")
    fork = ganaug.fit(arrays(), tmp_path / "fork", steps=8, options=SMALL, fork=out).load().card
    whole = ganaug.fit(arrays(), out, steps=10, options=SMALL, resume=True).load().card
    assert (fork.fingerprints, fork.held_out) == (whole.fingerprints, whole.held_out)


@pytest.mark.parametrize("name", ["fit.json", "state/states.json"])
def test_one_altered_bit_in_what_a_resume_reads_is_refused(tmp_path, name):
    out = stopped(tmp_path / "run")
    whole = (out / name).read_bytes()
    for place in np.random.default_rng(0).integers(len(whole), size=20):
        data = bytearray(whole)
        data[place] ^= 1 << int(place) % 8
        (out / name).write_bytes(data)
        with pytest.raises(ArtefactError):
            ganaug.fit(arrays(), out, steps=10, options=SMALL, resume=True)
    (out / name).write_bytes(whole)
    ganaug.fit(arrays(), out, steps=10, options=SMALL, resume=True)


def test_the_command_line_forks_and_says_what_is_wrong(tmp_path):
    from click.testing import CliRunner

    from ganaug.cli.group import cli

    def run(*arguments):
        given = ["fit", "digits", "--limit", "10", "--quiet", *arguments]
        return CliRunner().invoke(cli, given + [f"--set={k}={v}" for k, v in SMALL.items()])

    assert run("--steps", "2", "--out", str(tmp_path / "run")).exit_code == 0
    longer = run("--steps", "3", "--out", str(tmp_path / "fork"), "--fork", str(tmp_path / "run"))
    assert longer.exit_code == 0, longer.output
    assert "3 steps" in longer.output
    same = run("--steps", "2", "--out", str(tmp_path / "none"), "--fork", str(tmp_path / "run"))
    assert isinstance(same.exception, OptionError)
    assert run("--steps", "3", "--out", "x", "--fork", str(tmp_path / "nowhere")).exit_code == 2


def test_an_interruption_in_the_middle_of_a_step_saves_the_next_one(tmp_path, monkeypatch):
    real = fitting.Course.keep

    def interrupting(self, progress, due):
        real(self, progress, due)
        if progress.step == 4:
            signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(fitting.Course, "keep", interrupting)
    with pytest.raises(KeyboardInterrupt, match="step 5"):
        ganaug.fit(arrays(), tmp_path / "run", steps=10, options=SMALL)
    assert load_state(tmp_path / "run" / "state").step == 5


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """Do not write to it."""
    return ganaug.fit(arrays(), tmp_path_factory.mktemp("finished") / "run", steps=3, options=SMALL).path


def contents(folder):
    return {file: file.read_bytes() for file in folder.rglob("*") if file.is_file()}


@pytest.mark.parametrize(
    ("words", "options"),
    [
        (r"steps \(was 3, now 9\)", {"steps": 9}),
        (r"budget \(was not given, now 60\.0\), steps \(was 3, now not given\)", {"steps": None, "budget": "1m"}),
        (r"recipe \(was small, now cgan\)", {"recipe": "cgan", "options": {}}),
        (r"options \(lr \(was not given, now 0\.01\)\)", {"options": {**SMALL, "lr": 0.01}}),
        (r"size \(was auto, now 16\)", {"size": 16}),
        (r"channels \(was auto, now 3\)", {"channels": 3}),
        (r"limit \(was not given, now 5\)", {"limit": 5}),
        (r"seed \(was 0, now 1\)", {"seed": 1}),
        (r"validation \(was 0\.2, now 0\.4\)", {"validation": 0.4}),
        (r"auto_fix \(was False, now True\)", {"auto_fix": True}),
        ("data", {"data": arrays(1)}),
        ("data", {"data": (arrays()[0], 1 - arrays()[1])}),
        ("data", {"groups": np.arange(24) // 4}),
    ],
)
def test_a_finished_run_is_resumed_with_the_same_settings_and_data_only(finished, words, options):
    before = contents(finished)
    arguments = {"data": arrays(), "out": finished, "steps": 3, "options": SMALL, "resume": True, **options}
    with pytest.raises(OptionError, match=f"is finished, and was started with other settings: .*{words}") as refused:
        ganaug.fit(**arguments)
    assert f"--fork {finished} --out NEW" in refused.value.fix
    assert ("fit anew" in refused.value.fix) == any(word in refused.value.cause for word in ("data", "seed ("))
    with pytest.raises(OutputInUseError, match="holds a finished run.*--fork"):
        ganaug.fit(**arguments | {"resume": False})
    assert contents(finished) == before


def test_a_finished_run_that_is_resumed_as_it_was_says_that_it_is_finished(finished, tmp_path):
    before, said = contents(finished), []
    again = ganaug.fit(
        arrays(),
        finished,
        steps=3,
        options=SMALL,
        device="cpu",
        resume=True,
        report=lambda *what: said.append(what[-1]),
    )
    assert again.path == finished
    assert said[-1] == "already finished, 3 steps"
    assert contents(finished) == before
    longer = ganaug.fit(arrays(), tmp_path / "longer", steps=5, options=SMALL, fork=finished)
    assert longer.load().card.steps == 5
    with pytest.raises(OptionError, match=r"steps \(was 5, now 6\)"):
        ganaug.fit(arrays(), longer.path, steps=6, options=SMALL, resume=True)


def test_what_a_finished_run_was_fitted_with_is_not_guessed(finished, tmp_path):
    shutil.copytree(finished, tmp_path / "run")
    (tmp_path / "run" / "fit.json").unlink()
    with pytest.raises(ArtefactError, match=r"holds no fit\.json"):
        ganaug.fit(arrays(), tmp_path / "run", steps=3, options=SMALL, resume=True)


def test_a_folder_of_other_things_is_not_resumed(tmp_path):
    (tmp_path / "thesis.tex").write_text("years of work")
    with pytest.raises(OutputInUseError, match=r"no run to resume, but thesis\.tex"):
        ganaug.fit(arrays(), tmp_path, steps=3, options=SMALL, resume=True)
    assert [file.name for file in tmp_path.iterdir()] == ["thesis.tex"]
