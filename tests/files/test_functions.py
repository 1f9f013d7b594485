"""Functions of files that a user names: found, run as a script's neighbours would be, and known by their code."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from ganaug.errors import OwnTrainingError, RecipeError
from ganaug.files.functions import code_digest, function_in, sources


def written(folder: Path, **texts: str) -> Path:
    for name, text in texts.items():
        (folder / f"{name}.py").write_text(text)
    return folder


@pytest.fixture(autouse=True)
def as_before():
    """Modules and the path, which files that are run may change."""
    modules, path = {*sys.modules}, sys.path[:]
    yield
    assert sys.path == path
    for name in {*sys.modules} - modules:
        del sys.modules[name]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("nosuch.py:f", "no file"),
        ("here:f", "not a recipe in a file"),
        ("here.py:g", "no function 'g'"),
        ("here.py:n", "n of .*int, which cannot be called"),
        ("broken.py:f", r"runs|SyntaxError"),
        ("raises.py:f", "ZeroDivisionError at line 3 of raises.py: "),
        ("deep.py:f", "FileNotFoundError at line 2 of deep.py, in line [0-9]+ of"),
        ("quits.py:f", "SystemExit at line 2 of quits.py: 2"),
    ],
)
def test_what_cannot_be_found_or_run_is_named(tmp_path, name, words):
    written(
        tmp_path, here="f = print\nn = 3\n", broken="def f(:\n", raises="\n\n1 / 0\n", quits="\nraise SystemExit(2)\n",
        deep="from pathlib import Path\nPath('no such').read_text()\n",
    )  # fmt: skip
    for kind in (RecipeError, OwnTrainingError):
        with pytest.raises(kind, match=words) as raised:
            function_in(f"{tmp_path / name}", "a recipe", kind)
        assert raised.value.exit_code == 3


def test_what_lies_beside_a_file_is_imported_as_for_a_script(tmp_path):
    written(tmp_path, own_a="from own_b import g\n\n\ndef f():\n    return g() + 1\n", own_b="def g():\n    return 1\n")
    assert function_in(f"{tmp_path}/own_a.py:f", "it", RecipeError)[0]() == 2
    assert str(tmp_path) not in sys.path


def test_a_module_of_a_package_is_known_by_what_it_imports_from_the_package(tmp_path):
    parts = {"mine/__init__": "", "mine/deep/__init__": "", "mine/deep/train": "import other, mine.models",
             "mine/models": "from .deep import more", "mine/deep/more": "", "mine/idle": "", "other": ""}  # fmt: skip
    (tmp_path / "mine" / "deep").mkdir(parents=True)
    written(tmp_path, **parts)
    found = {str(file.relative_to(tmp_path)) for file in sources(tmp_path / "mine" / "deep" / "train.py")}
    wanted = {"mine/__init__.py", "mine/deep/__init__.py", "mine/deep/train.py", "mine/models.py", "mine/deep/more.py"}
    assert found == wanted  # what else is installed has a version


def test_a_file_is_a_module_as_others_are(tmp_path):
    """Dataclasses look their own module up, and so does pickle."""
    text = (
        "from __future__ import annotations\nfrom dataclasses import dataclass\n\n\n@dataclass\nclass C:\n    x: int\n"
    )
    function, file = function_in(f"{written(tmp_path, own_c=text)}/own_c.py:C", "it", RecipeError)
    assert function(3).x == 3
    assert sys.modules["own_c"].C is function
    assert sys.modules["own_c"].__file__ == str(file)


def test_a_file_takes_no_other_modules_name(tmp_path):
    import torch

    written(tmp_path, torch="def f():\n    return 'mine'\n", queue="def f():\n    return 'mine too'\n")
    for name, said in (("torch", "mine"), ("queue", "mine too")):
        assert function_in(f"{tmp_path}/{name}.py:f", "it", RecipeError)[0]() == said
    assert sys.modules["torch"] is torch
    assert "queue" not in sys.modules or not sys.modules["queue"].__file__.startswith(str(tmp_path))


def test_an_edited_file_is_read_anew(tmp_path):
    """Byte code is not trusted: within a second, and with as many letters, Python would take it for the same file."""
    for number in range(3):
        written(tmp_path, own_d=f"def f():\n    return {number}\n")
        assert function_in(f"{tmp_path}/own_d.py:f", "it", RecipeError)[0]() == number


def test_a_file_that_fails_leaves_the_module_that_it_was_before(tmp_path):
    where = f"{tmp_path}/own_i.py:f"
    written(tmp_path, own_i="def f():\n    return 1\n")
    function_in(where, "it", RecipeError)
    before = sys.modules["own_i"]
    written(tmp_path, own_i="import sys\n\ndel sys.modules['own_i']\nraise ValueError('halfway')\n")
    with pytest.raises(RecipeError, match="halfway"):
        function_in(where, "it", RecipeError)
    assert sys.modules["own_i"] is before


def test_the_digest_is_of_the_code_that_is_run(tmp_path):
    file = written(tmp_path, own_e="import own_f\n\n\ndef f():\n    from own_g.h import i\n", own_f="x = 1\n", other="")
    folder = (
        tmp_path / "own_e.py",
        tmp_path / "own_f.py",
        tmp_path / "own_g" / "__init__.py",
        tmp_path / "own_g" / "h.py",
    )
    folder[2].parent.mkdir()
    folder[2].write_text("from . import h\n")
    folder[3].write_text("from .j import k\nimport no_such\ni = 0\n")
    (folder[2].parent / "j.py").write_text("this is no Python\n")
    assert sources(folder[0]) == [*folder, folder[2].parent / "j.py"]
    seen = {code_digest(folder[0], "f"), code_digest(folder[0], "g")}
    for changed in sources(folder[0]):
        changed.write_text(changed.read_text() + "# more\n")
        seen.add(code_digest(folder[0], "f"))
    assert len(seen) == 7
    (file / "other.py").write_text("y = 1\n")
    assert code_digest(folder[0], "f") in seen
