"""Functions of a user's own in Python files, named as file.py:function: code that runs only because it was named."""

from __future__ import annotations

import ast
import contextlib
import hashlib
import importlib.util
import itertools
import os
import sys
import traceback
from collections.abc import Callable, Iterator
from importlib.machinery import SourceFileLoader
from pathlib import Path
from typing import Any

from ganaug.errors import GanaugError

FORM = "file.py:function"


def names_a_file(name: str) -> bool:
    """Whether it reads like file.py:function."""
    return ".py:" in name


def function_in(name: str, what: str, kind: type[GanaugError]) -> tuple[Callable[..., Any], Path]:
    """The function that file.py:function names, and its file. The file is run, under its own name and with its folder
    on the path, as a file beside it would import it. what: is given so, such as "a recipe". kind: of the error."""
    path, _, function = name.rpartition(":")
    file, fix = Path(path), f"Give {what} as {FORM}."
    if not names_a_file(name):
        raise kind(f"{name!r} is not {what} in a file.", fix)
    if not file.is_file():
        raise kind(f"There is no file {file}.", fix)
    file = file.resolve()
    try:
        with beside(file), staying():
            found = vars(_run(file)).get(function)
    except (Exception, SystemExit) as error:
        raise kind(f"{path} fails when it is run: {in_words(error, file)}.", "Mend that file.") from error
    if found is None:
        raise kind(f"{path} has no function {function!r}.", fix)
    if not callable(found):
        raise kind(f"{function} of {path} is {type(found).__name__}, which cannot be called.", fix)
    return found, file


@contextlib.contextmanager
def beside(file: Path | None) -> Iterator[None]:
    """Within it, what lies beside the file can be imported, also by loader workers that begin there."""
    added = [] if file is None or str(file.parent) in sys.path else [str(file.parent)]
    sys.path[:0] = added
    try:
        yield
    finally:
        for folder in added:
            with contextlib.suppress(ValueError):  # the file itself may add to the path, and take from it
                sys.path.remove(folder)


@contextlib.contextmanager
def staying() -> Iterator[None]:
    """The working directory is afterwards as before, from which other people's relative paths are read."""
    try:
        here = os.getcwd()
    except FileNotFoundError:  # it was removed
        here = None
    try:
        yield
    finally:
        if here is not None:
            with contextlib.suppress(OSError):
                os.chdir(here)


def in_words(error: BaseException, file: Path | None) -> str:
    """What went wrong, and at which line of the file; also where else, if that is in another one."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if file is not None and Path(frame.filename) == file]
    places = [f"line {frame.lineno} of {Path(frame.filename).name}" for frame in [*own[-1:], *frames[-1:]]]
    where = f" at {', in '.join(dict.fromkeys(places))}" if own else ""
    try:
        said = str(error).strip().rstrip(".")
    except Exception:  # other people's __str__
        said = ""
    return f"{type(error).__name__}{where}{': ' * bool(said)}{said}"


def code_digest(file: Path, function: str) -> str:
    """SHA-256 of a function's name, and of its file with all that it imports from the folder beside it."""
    parts = [function.encode(), *(hashlib.sha256(part.read_bytes()).digest() for part in sources(file))]
    return hashlib.sha256(b"\0".join(parts)).hexdigest()


def sources(file: Path) -> list[Path]:
    """The file, then the Python files in its folder and below, or in the package that it is part of, that it imports,
    directly or not, in order."""
    found: set[Path] = set()
    left, roots = [file], [file.parent]
    while (roots[-1] / "__init__.py").is_file() and roots[-1] != roots[-1].parent:
        roots.append(roots[-1].parent)
    top = roots[-2] if len(roots) > 1 else roots[0]
    while left:
        here = left.pop()
        if here not in found:
            found.add(here)
            left += (path for path in _imported(here, roots) if path.is_relative_to(top))
    return [file, *sorted(found - {file})]


def _imported(file: Path, roots: list[Path]) -> Iterator[Path]:
    """Files below these folders that a file may import, also within its functions. The last one holds the others."""
    package = list(file.parent.relative_to(roots[-1]).parts)
    with contextlib.suppress(SyntaxError, ValueError):
        for node in ast.walk(ast.parse(file.read_bytes())):
            if isinstance(node, ast.Import):
                named = [name.name.split(".") for name in node.names]
            elif isinstance(node, ast.ImportFrom):
                above = package[: len(package) + 1 - node.level] if node.level else []
                named = [[*above, *(node.module or "").split("."), name.name] for name in node.names]
            else:
                continue
            for root, parts in itertools.product(roots, named):
                for end in range(1, len(parts) + 1):
                    base = root.joinpath(*parts[:end])
                    yield from (path for path in (base.with_suffix(".py"), base / "__init__.py") if path.is_file())


class _AsItIs(SourceFileLoader):
    """Without the cache of byte code, which takes two versions of one second for one."""

    def path_stats(self, path: Any) -> Any:
        raise OSError


def _run(file: Path) -> Any:
    """The module of a file. It has the file's name, by which loader workers and dataclasses find it, unless another
    module has that."""
    name, known = file.stem, sys.modules.get(file.stem)
    if name in sys.stdlib_module_names or (known is not None and getattr(known, "__file__", None) != str(file)):
        name = f"ganaug_{name}"
    spec = importlib.util.spec_from_file_location(name, file, loader=_AsItIs(name, str(file)))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    before = sys.modules.get(name)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:  # taken back, and raised again
        sys.modules.pop(name, None)
        if before is not None:
            sys.modules[name] = before
        raise
    return module
