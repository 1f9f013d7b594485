"""The command line on real input: every command, every exit code."""

from __future__ import annotations

import io
import json
import os
import re
import signal
import subprocess
import sys

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image
from rich.console import Console
from rich.text import Text

from ganaug.cli.group import COMMANDS, cli
from ganaug.reporting import console
from tests.commands import COMMAND, run_alone
from tests.toys.images import picture


def checked(start):
    """A function that runs a command and asserts its exit code."""

    def run(*arguments, check=0):
        done = start(COMMAND, *arguments)
        assert done.returncode == check, done.stderr[-2000:]
        assert "Traceback" not in done.stderr
        return done

    return run


@pytest.fixture
def run(programs):
    """A command in a process of its own, which starts at once."""
    return checked(programs.run)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A messy folder: mixed sizes, a hidden folder, a text file, a broken image, class names with spaces."""
    root = tmp_path_factory.mktemp("messy") / "train"
    rng = np.random.default_rng(0)
    for name in ("ok part", "scratch"):
        (root / name).mkdir(parents=True)
        for i in range(8):
            pixels = rng.integers(0, 256, (20 + i, 24, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(
                root / name / f"{i}.{'png' if i % 2 else 'JPG'}", **({} if i % 2 else {"format": "JPEG"})
            )
    (root / ".ipynb_checkpoints").mkdir()
    (root / "scratch" / "notes.txt").write_text("not an image")
    (root / "scratch" / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n but no more")
    return root


def test_the_main_job_on_a_messy_folder(run, folder, tmp_path):
    alone = checked(run_alone)  # nothing is imported before that a command has to import
    survey = json.loads(alone("check", folder, "--json", "--no-timing").stdout)
    assert survey["counts"] == {"ok part": 8, "scratch": 8}
    assert any("broken.png" in name for name, _ in survey["unreadable"])
    out = tmp_path / "run"
    told = alone("fit", folder, "--out", out, "--steps", 2, "--json")
    assert re.search(r"unreadable: 1 image is passed over, the first is .*broken.png", told.stderr)
    assert "broken.png" in (out / "unreadable.csv").read_text()
    fitted = json.loads(told.stdout)
    assert fitted["classes"] == ["ok part", "scratch"]
    assert fitted["shape"] == [3, 32, 32]
    run("preview", out, "--columns", 3, "--frames", 4)
    assert {p.name for p in (out / "preview").iterdir()} == {"grid.png", "index.html", "walk.png", "walk.gif"}
    synth = tmp_path / "synth"
    run("augment", out, "--per-class", 3, "--out", synth)
    assert sorted(p.name for p in synth.iterdir()) == ["metadata.jsonl", "ok part", "scratch"]
    with Image.open(next((synth / "ok part").iterdir())) as image:
        assert image.mode == "RGB"
    resumed = run("fit", folder, "--out", out, "--steps", 2, "--resume")
    assert "already finished" in resumed.stderr
    assert "finished already, 2 steps" in resumed.stdout


def test_progress_is_plain_lines_where_there_is_no_terminal(run, folder, tmp_path):
    done = run("fit", folder, "--out", tmp_path / "run", "--steps", 3)
    assert "fit: 3/3" in done.stderr
    assert "\x1b[" not in done.stderr


def test_the_time_left_is_that_of_this_turn(monkeypatch, capsys):
    clock = iter([0.0, 0.0, 10.0, 20.0, 30.0])
    monkeypatch.setattr(console.time, "monotonic", lambda: next(clock))
    monkeypatch.setattr(console.sys.stderr, "isatty", lambda: False, raising=False)
    with console.terminal(quiet=False) as report:
        report("fit", 80, 100)  # resumed
        report("fit", 81, 100)  # too early for a line
        report("fit", 90, 100)
        report("fit", 0, 100)  # another fit
        report("fit", 50, 100)
    lines = capsys.readouterr().err.splitlines()
    assert lines == ["fit: 80/100", "fit: 90/100, 0:10 left", "fit: 0/100", "fit: 50/100, 0:10 left"]


def test_a_narrow_terminal_cuts_the_remarks_and_never_the_numbers(monkeypatch):
    screen = io.StringIO()
    monkeypatch.setattr(console, "Console", lambda stderr: Console(file=screen, width=80, force_terminal=True))
    with console._bars() as report:
        report("set-up", 1, 1, "two classes")
        report("reading images", 1258, 1258)
        report("fit", 12, 3000, "x" * 100)
    shown = Text.from_ansi(screen.getvalue()).plain.splitlines()
    assert "set-up: two classes" in shown
    last = shown[-1]
    assert "  12/3000" in last
    assert " left xxx" in last
    assert last.rstrip().endswith("x…")
    assert len(last) <= 80


def test_an_interruption_says_what_is_kept(folder, tmp_path):
    command = [sys.executable, "-m", "ganaug", "fit", str(folder), "--out", str(tmp_path / "run"), "--steps", "100000"]
    fit = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env={**os.environ, "OMP_NUM_THREADS": "1"})
    said = iter(fit.stderr.readline, "")
    assert any(line.startswith("fit: ") for line in said)
    fit.send_signal(signal.SIGINT)
    rest = list(said)
    assert fit.wait(60) == 130
    assert "the state is saved" in rest[-1]
    assert (tmp_path / "run" / "state" / "states.json").exists()
    fit.stderr.close()


def test_config_files_and_dry_runs(run, folder, tmp_path):
    printed = run("fit", folder, "--out", tmp_path / "run", "--steps", 7, "--set", "width=16", "--print-config").stdout
    config = tmp_path / "run.yaml"
    config.write_text(printed)
    plan = json.loads(run("fit", "--config", config, "--steps", 5, "--dry-run", "--json", "--quiet").stdout)
    assert (plan["steps"], plan["recipe"]) == (5, "small")
    assert not (tmp_path / "run").exists()
    config.write_text("nosuch: 1")
    run("fit", "--config", config, check=2)
    config.write_text("!!python/object/apply:os.system ['true']")
    run("fit", "--config", config, check=2)


def test_recipes_are_listed_with_their_equations(run):
    listed = json.loads(run("recipes", "--json").stdout)
    assert "relativistic" in listed["small"]["players"]["discriminator"]["loss"]
    assert listed["cyclegan"]["starts_from"] == "an image: an image of another class"
    assert "gamma" in run("recipes", "small").stdout
    first, _, expected, *rest = run("recipes", "cyclegan").stdout.splitlines()
    assert first == "cyclegan"
    assert expected.startswith("What to expect: digits: ")
    assert not any("toy of the laws" in line for line in rest)


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["fit", "nowhere", "--out", "x"], 3, "nowhere"),
        (["fit", "digits"], 2, "--out"),
        (["fit", "digits", "--out", "x", "--recipe", "nosuch"], 3, "small"),
        (["fit", "digits", "--out", "x", "--budget", "soon"], 2, "10m"),
        (["fit", "digits", "--out", "x", "--size", "big"], 2, "big"),
        (["fit", "digits", "--out", "x", "--device", "cuda:77"], 4, "device"),
        (["preview", "nowhere"], 3, "fit"),
        (["augment", "nowhere", "--out", "x"], 2, "--balance"),
        (["augment", "nowhere", "--out", "x", "--balance"], 3, "fit"),
        (["bench", "digits", "--out", "x", "--require-gain"], 2, "--run"),
        (["nosuch"], 2, "nosuch"),
    ],
)
def test_what_a_user_does_wrong_is_said_with_its_code(run, arguments, code, words, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = run(*arguments, check=code)
    assert words in done.stderr
    assert not (tmp_path / "x").exists()


def test_balancing_equal_classes_adds_nothing_and_is_no_error(run, digits_run, tmp_path):
    done = run("augment", digits_run.path, "--balance", "--out", tmp_path / "x")
    assert "nothing to add" in done.stdout
    assert not (tmp_path / "x").exists()


def test_what_other_code_prints_does_not_spoil_the_json(run, tmp_path):
    for i in range(76):
        place = tmp_path / ("train" if i < 16 else "test") / ("ant", "bee")[i % 2]
        place.mkdir(parents=True, exist_ok=True)
        picture(i).save(place / f"{i}.png")
    (tmp_path / "loud.py").write_text(
        "import os\n\ndef train(dataset, *, validation, seed, device):\n    print('loud')\n"
        "    os.system('echo louder')\n    return lambda data: [[0.5, 0.5]] * len(data)\n"
    )
    told = run("bench", tmp_path / "train", "--test", tmp_path / "test", "--train", f"{tmp_path / 'loud.py'}:train",
               "--remedies", "none", "--quick", "--seeds", 2, "--out", tmp_path / "out", "--json")  # fmt: skip
    assert json.loads(told.stdout)["asked"]["name"] == "own"
    assert "loud\n" in told.stderr
    assert "louder\n" in told.stderr


def test_errors_are_json_too_when_json_is_asked_for(run):
    error = json.loads(run("preview", "nowhere", "--json", check=3).stdout)["error"]
    assert error["kind"] == "ArtefactError"
    assert error["fix"]


def test_a_ratio_from_a_bench_that_was_not_run_is_an_error(run, digits_run, tmp_path):
    done = run("augment", digits_run.path, "--ratio", "auto", "--out", tmp_path / "x", check=3)
    assert "bench" in done.stderr


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself_with_an_example(command):
    result = CliRunner().invoke(cli, [command, "--help"])
    assert result.exit_code == 0
    assert f"ganaug {command}" in result.output
    for option in ("--seed", "--json", "--quiet"):
        assert option in result.output


def test_a_recipe_from_a_file_is_fitted_and_named_again(tmp_path):
    file = tmp_path / "own.py"
    file.write_text(
        "from ganaug.recipes import make\n\ndef mine(width=16):\n    return make('small', {'width': width})\n"
    )
    recipe, run = f"{file}:mine", str(tmp_path / "run")
    options = ["--recipe", recipe, "--steps", "2", "--limit", "20", "-q"]
    done = CliRunner().invoke(cli, ["fit", "digits", "--out", run, *options, "--set", "width=8"])
    assert done.exit_code == 0, done.output
    assert "2 steps" in done.output
    for command in (["preview", run], ["features", run, "digits", "--out", f"{run}.npz", "--no-probe"]):
        done = CliRunner().invoke(cli, [*command, "--recipe", recipe, "-q"])
        assert done.exit_code == 0, (done.output, done.exception)
    assert "Pass the recipe" in str(CliRunner().invoke(cli, ["preview", run, "-q"]).exception)


WRONG = ("steps: abc", "steps: 1.5", "steps: true", "limit: 1", "set: foo", "set: [1]", "seed: x", "budget: [1]",
         "recipe: [5]", "drop: foo", "auto_fix: 3", "groups: [a]")  # fmt: skip


@pytest.mark.parametrize("line", WRONG)
def test_a_configuration_is_checked_like_the_options_it_stands_for(line, tmp_path):
    (tmp_path / "fit.yaml").write_text(f"data: digits\nout: {tmp_path / 'run'}\n{line}\n")
    done = CliRunner().invoke(cli, ["fit", "--config", str(tmp_path / "fit.yaml"), "--print-config", "-q"])
    assert done.exit_code == 2, done.output
    assert not isinstance(done.exception, (TypeError, AttributeError))
