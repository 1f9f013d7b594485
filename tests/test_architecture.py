"""Who may import whom: the truest diagram of the project."""

from __future__ import annotations

import ast
from pathlib import Path

import ganaug

ROOT = Path(ganaug.__file__).parent
GROUND = {"defaults", "errors", "keys", "reporting"}  # anyone may import these

# A room is a folder, or a file beside the folders; a room in a room is one of its own. It may import the rooms named
# here, itself, the ground, and other people's packages. In the order in which data flow, the last one first to be read.
MAY = {
    "defaults": "",
    "errors": "",
    "keys": "",
    "reporting": "",
    "__init__": "",
    "device": "__init__",  # for the version
    "options": "",
    "files": "",
    "data.pictures": "",
    "data.labels": "data.pictures",
    "data.sources": "data.labels data.pictures files options",
    "data.duplicates": "data.pictures",
    "data": "data.duplicates data.labels data.pictures data.sources files options",
    "data.rows": "data data.labels data.pictures data.sources options",
    "networks": "",
    "game": "data data.rows",
    "losses": "game",
    "recipes": "data files game losses networks",
    "generator": "data data.duplicates data.labels data.pictures data.rows files game networks options recipes",
    "metrics": "",
    "classifier": "data data.duplicates data.labels data.sources device files metrics networks",
    "samples.choosing": "classifier data files generator metrics networks options",
    "samples.exports": "data data.pictures data.sources files generator",
    "samples": (
        "data data.duplicates data.labels data.sources files game generator options samples.choosing samples.exports"
    ),
    "fitting.doctor": "data device files game generator options samples",
    "fitting": (
        "classifier data data.duplicates data.labels data.rows device files fitting.doctor game generator networks "
        "options recipes samples"
    ),
    "mixing": "classifier data data.duplicates data.labels data.pictures data.sources game generator options samples",
    "evaluation.probing": "data files game generator networks options samples",
    "evaluation.measuring": "classifier data data.labels data.rows data.sources generator metrics options samples",
    "evaluation.trials": "classifier data data.rows data.sources files metrics mixing",
    "evaluation.bench": (
        "classifier data data.duplicates data.labels data.rows data.sources device evaluation.trials files "
        "fitting.doctor generator metrics networks options samples"
    ),
    "evaluation": "",
    "cli": (
        "__init__ data data.pictures data.rows data.sources device evaluation.bench evaluation.measuring "
        "evaluation.probing files fitting fitting.doctor game generator mixing options recipes samples "
        "samples.choosing samples.exports"
    ),
    "__main__": "cli files",
}
FILES = sorted(ROOT.rglob("*.py"))
TREES = {file: ast.parse(file.read_text()) for file in FILES}


def room(parts: tuple[str, ...]) -> str:
    """The innermost room of a module, given by its path below the package."""
    for n in range(len(parts), 0, -1):
        if ROOT.joinpath(*parts[:n], "__init__.py").is_file():
            return ".".join(parts[:n])
    return parts[0] if parts and (ROOT / f"{parts[0]}.py").is_file() else "__init__"


def own_room(file: Path) -> str:
    parts = file.relative_to(ROOT).with_suffix("").parts
    return room(parts if len(parts) == 1 or parts[-1] != "__init__" else parts[:-1])


def imports(tree: ast.AST):
    """Everything of ours that is imported, also within a function: "ganaug.room.module.name"."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "ganaug":
            yield from (f"{node.module}.{name.name}" for name in node.names)
        elif isinstance(node, ast.Import):
            yield from (name.name for name in node.names if name.name.split(".")[0] == "ganaug")


def arrows() -> dict[str, set[str]]:
    """Room -> the rooms that it imports."""
    found: dict[str, set[str]] = {own_room(file): set() for file in FILES}
    for file, tree in TREES.items():
        found[own_room(file)] |= {room(tuple(name.split(".")[1:])) for name in imports(tree)} - {own_room(file)}
    return found


def test_every_room_imports_just_what_it_may():
    """Neither more nor less, so that the table is the diagram."""
    assert {here: there - GROUND for here, there in arrows().items()} == {h: set(t.split()) for h, t in MAY.items()}


def test_no_circle_goes_through_rooms():
    """The table lists every room after those that it may import."""
    seen: set[str] = set()
    for here, there in MAY.items():
        seen.add(here)
        assert set(there.split()) <= seen, here


def test_no_private_name_crosses_a_module():
    for file, tree in TREES.items():
        for name in imports(tree):
            last = name.split(".")[-1]
            assert not last.startswith("_") or last.startswith("__"), f"{file} imports {name}"


def test_there_are_few_doors():
    doors = [one for one in ROOT.iterdir() if one.suffix == ".py" or (one / "__init__.py").is_file()]
    assert len(doors) <= 22


def test_no_recipe_is_named_in_the_loop_and_no_file_is_a_drawer():
    from ganaug.recipes import RECIPES

    for file in (ROOT / "game").glob("*.py"):
        words = set(file.read_text().replace("(", " ").replace("`", " ").split())
        assert not words & (set(RECIPES) - {"small"}), file
    assert not list(ROOT.rglob("utils.py"))


def test_files_are_short_enough_to_be_read():
    for file in [*FILES, *ROOT.rglob("*.pyi"), *ROOT.rglob("*.jinja")]:
        assert len(file.read_text().splitlines()) <= 300, file


FORBIDDEN = {"pickle", "dill", "joblib", "marshal", "shelve"}


def test_nothing_unpickles_or_evaluates():
    for file, tree in TREES.items():
        for node in ast.walk(tree):
            names = [n.name for n in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert not {n.split(".")[0] for n in names} & FORBIDDEN, file
            if isinstance(node, ast.Call):
                called = ast.unparse(node.func)
                assert called not in ("eval", "exec", "yaml.load", "os.system"), f"{file}: {called}"
            if isinstance(node, ast.keyword) and node.arg == "allow_pickle":
                assert ast.unparse(node.value) == "False", file
            if isinstance(node, ast.Name) and node.id == "hasattr":
                assert own_room(file).split(".")[0] in ("data", "mixing"), f"{file} asks hasattr"
