"""Generator folders and states from anywhere: mutants, and what an attacker would make."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

import ganaug
from ganaug.errors import ArtefactError, GanaugError
from tests.fuzz.attacks import ATTACKS, CANARY, load_attack, plant
from tests.fuzz.audit import watched
from tests.fuzz.folders import run, source, workplace

COUNT = 20_000


@pytest.fixture(scope="module")
def run_folder(tmp_path_factory):
    return source(tmp_path_factory.mktemp("fuzz") / "run")


@pytest.mark.long
@pytest.mark.parametrize("part", range(4))
def test_twenty_thousand_mutants_are_refused_and_run_nothing(run_folder, part):
    with workplace() as work:
        outcome = run(COUNT // 4, part, run_folder, work)
    assert outcome.executed == []
    assert outcome.silent == []
    assert outcome.crashed == []
    assert outcome.refused + outcome.loaded == COUNT // 4
    assert 0 < outcome.loaded < COUNT // 40  # sound files, made to fit their manifest; the mutants are neither too tame
    assert len(outcome.kinds) >= 18
    assert outcome.slowest < 5


def test_the_watch_sees_what_it_should(tmp_path):
    """A watch that sees nothing would pass every test."""
    inside, outside = tmp_path / "inside", tmp_path / "outside"
    inside.mkdir()
    with watched(inside) as watch:
        (inside / "fine").write_text("fine")
        outside.write_text("not fine")
    assert len(watch.seen) == 1
    for act, event in (
        (lambda: eval("1"), "compile"),
        (lambda: exec("pass"), "exec"),
        (lambda: __import__("this_module_is_not_there"), "import"),
        (lambda: os.system("true"), "os.system"),
        (lambda: subprocess.run(["true"]), "subprocess.Popen"),
        (lambda: socket.create_connection(("127.0.0.1", 1)), "socket.connect"),
        (lambda: os.remove(outside), "os.remove"),
        (lambda: __import__("pickle").loads(b"cos\nsystem\n."), "pickle.find_class"),
    ):
        with watched(inside) as watch, contextlib.suppress(ImportError, OSError):
            act()
        assert any(seen.startswith(event) for seen in watch.seen), event


@pytest.fixture(scope="module")
def planted(run_folder, tmp_path_factory):
    """All attacks, each in a folder of its own, and the canary that none of them may touch."""
    place = tmp_path_factory.mktemp("attacks")
    return place, plant(run_folder, place)


def test_there_are_enough_attacks():
    assert len(ATTACKS) >= 60


@pytest.mark.parametrize("name", ATTACKS)
def test_an_attack_is_refused_and_runs_nothing(planted, name):
    place, folders = planted
    with pytest.raises(ArtefactError):  # once, so that what is imported late is imported
        load_attack(name, folders[name])
    with watched() as watch, pytest.raises(ArtefactError) as caught:
        load_attack(name, folders[name])
    assert watch.seen == []
    assert caught.value.cause
    assert (place / CANARY).read_text() == "sings"


HOSTILE = """
import json, sys
from pathlib import Path
from tests.fuzz.attacks import ATTACKS, load_attack
from ganaug.errors import ArtefactError
import ganaug
place = Path({place!r})
ganaug.load({good!r})
loaded = []
for name in ATTACKS:
    try:
        load_attack(name, place / name)
        loaded.append(name)
    except ArtefactError:
        pass
print(json.dumps(loaded))
"""


def test_attacks_are_refused_in_a_hostile_environment_too(planted, run_folder, tmp_path):
    place, _ = planted
    for module in ("evil", "mygan", "recipe", "card"):  # within reach of an import, as none must happen
        (tmp_path / f"{module}.py").write_text(f"open({str(place / CANARY)!r}, 'w').write('dead')\nrecipe = print\n")
    environment = {
        **os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": f"{tmp_path}{os.pathsep}{Path(__file__).parents[2]}",
        "TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD": "1",
        "TORCH_FORCE_WEIGHTS_ONLY_LOAD": "0", "WDS_SECURE": "0", "HF_HUB_OFFLINE": "0", "HF_ENDPOINT": "http://evil.test",
        "HF_HUB_TRUST_REMOTE_CODE": "1", "TRUST_REMOTE_CODE": "1", "YAML_LOADER": "unsafe", "NUMPY_ALLOW_PICKLE": "1",
        "KERAS_SAFE_MODE": "0", "TORCH_HOME": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path / "cache"), "LC_ALL": "C",
        "TZ": "Asia/Kathmandu", "PYTHONHASHSEED": "7", "PYTHONDONTWRITEBYTECODE": "1", "SAFETENSORS_FAST_GPU": "1",
        "http_proxy": "http://127.0.0.1:1", "https_proxy": "http://127.0.0.1:1",
    }  # fmt: skip
    environment.pop("HOME", None)
    code = HOSTILE.format(place=str(place), good=str(run_folder))
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path, env=environment, timeout=240
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert json.loads(done.stdout.splitlines()[-1]) == []
    assert (place / CANARY).read_text() == "sings"


def test_files_that_the_manifest_does_not_list_are_never_opened(run_folder, tmp_path):
    import shutil

    folder = shutil.copytree(run_folder / "generator", tmp_path / "generator")
    before = ganaug.load(folder).hash
    for name in ("model.pkl", "pytorch_model.bin", "evil.py", "__init__.py", "config.yaml"):
        os.mkfifo(folder / name)  # who opens one waits for ever
    assert ganaug.load(folder).hash == before


YAML = (
    "!!python/object/apply:os.system ['true']", "!!python/name:os.system ''", "!!python/module:os ''",
    "recipe: !!python/object/new:type [a, [], {}]", "recipe: !!python/object:os.system {}", "!!python/tuple [1, 2]",
    "a: &a [x]\nb: &b [*a, *a]\nc: [*b, *b]", "- just\n- a list", "nosuch: 1", "{" * 20_000,
    "recipe: [", "\x00", "a" * 200_000,
)  # fmt: skip


@pytest.mark.parametrize("number", range(len(YAML)))
def test_a_config_is_settings_and_nothing_else(tmp_path, number):
    from click.testing import CliRunner

    from ganaug.cli.group import cli

    config = tmp_path / "config.yaml"
    config.write_text(YAML[number])
    with watched(tmp_path, code=False) as watch:
        result = CliRunner().invoke(cli, ["fit", "digits", "--out", str(tmp_path / "run"), "--config", str(config)])
    assert result.exit_code == 2, (result.output, result.exception)
    assert watch.seen == []
    assert not (tmp_path / "run").exists()


def test_a_card_that_names_a_recipe_file_is_told_how_it_would_be_done(planted):
    _, folders = planted
    with pytest.raises(GanaugError, match="--recipe file.py:function"):
        load_attack("card names a recipe file", folders["card names a recipe file"])
