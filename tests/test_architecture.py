"""Who may import whom: the truest diagram of the project."""

from __future__ import annotations

import ast
from pathlib import Path

import ganaug

ROOT = Path(ganaug.__file__).parent
BASE = {"errors", "keys", "reporting"}  # anyone may import these

# A room may import the rooms named here, itself, BASE, and other people's packages. "*": anything but cli.
MAY: dict[str, set[str] | str] = {
    "__init__": "*",
    "__main__": "*",
    "classifier": {"data", "metrics"},
    "cli": "*",
    "data": set(),
    "device": {"__init__"},
    "errors": set(),
    "evaluation": {
        "classifier",
        "data",
        "device",
        "files",
        "fitting",
        "game",
        "generator",
        "metrics",
        "networks",
        "options",
        "recipes",
        "samples",
    },
    "files": set(),
    "fitting": {"data", "device", "files", "game", "generator", "options", "recipes", "samples"},
    "game": {"data"},
    "generator": {"data", "files", "game", "recipes"},
    "keys": set(),
    "losses": {"game"},
    "metrics": set(),
    "mixing": {"classifier", "data", "game", "generator", "samples"},
    "networks": set(),
    "options": set(),
    "recipes": {"data", "game", "losses", "networks"},
    "reporting": set(),
    "samples": {"classifier", "data", "files", "game", "generator", "metrics", "networks"},
}


def room(module: str) -> str:
    parts = module.split(".")
    return parts[1] if len(parts) > 1 else "__init__"


def imports(file: Path):
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "ganaug":
            yield node.module
        elif isinstance(node, ast.Import):
            yield from (name.name for name in node.names if name.name.split(".")[0] == "ganaug")


def files():
    for file in ROOT.rglob("*.py"):
        parts = file.relative_to(ROOT).with_suffix("").parts
        yield file, parts[0]


def test_every_room_imports_only_what_it_may():
    for file, here in files():
        assert here in MAY, f"{file}: give the room {here} a line in MAY"
        allowed = MAY[here]
        for module in imports(file):
            there = room(module)
            assert there not in ("cli", "__main__") or here in ("cli", "__main__"), f"{file} imports {module}"
            if allowed != "*":
                assert there in allowed | BASE | {here}, f"{file} imports {module}"


def test_no_recipe_is_named_in_the_loop_and_no_file_is_a_drawer():
    from ganaug.recipes import RECIPES

    for file in (ROOT / "game").glob("*.py"):
        words = set(file.read_text().replace("(", " ").replace("`", " ").split())
        assert not words & (set(RECIPES) - {"small"}), file
    assert not list(ROOT.rglob("utils.py"))


def test_files_are_short_enough_to_be_read():
    for file, _ in files():
        assert len(file.read_text().splitlines()) <= 300, file


FORBIDDEN = {"pickle", "dill", "joblib", "marshal", "shelve"}


def test_nothing_unpickles_or_evaluates():
    for file, here in files():
        for node in ast.walk(ast.parse(file.read_text())):
            names = [n.name for n in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert not {n.split(".")[0] for n in names} & FORBIDDEN, file
            if isinstance(node, ast.Call):
                called = ast.unparse(node.func)
                assert called not in ("eval", "exec", "torch.load", "yaml.load", "os.system"), f"{file}: {called}"
            if isinstance(node, ast.keyword) and node.arg == "allow_pickle":
                assert ast.unparse(node.value) == "False", file
            if isinstance(node, ast.Name) and node.id == "hasattr":
                assert here in ("data", "mixing"), f"{file} asks hasattr"
