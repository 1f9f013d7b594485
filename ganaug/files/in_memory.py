"""Whether code that was imported is still what its file says: a session outlives its files."""

from __future__ import annotations

import ast
import itertools
import os
import sys
import types
from collections import Counter
from collections.abc import Iterator
from importlib.machinery import SourceFileLoader
from pathlib import Path
from typing import Any

from ganaug.files.functions import sources


def otherwise_in_memory(file: Path, own: dict[str, Any] | None = None) -> str:
    """Why what runs may not be what is in the file, and in those that it imports from beside it; or "". own: the names
    of the file's module; None if it was run just now."""
    for path in sources(file):
        name = os.path.realpath(path)
        modules = [vars(one).copy() for one in [*sys.modules.values()] if _lies_at(one, name)]
        if path == file:
            modules = [] if own is None else [own]
        if not modules:
            continue
        try:
            text = path.read_bytes()
            code, tree = SourceFileLoader(path.stem, name).source_to_code(text, name), ast.parse(text)
        except (SyntaxError, ValueError):
            return f"{path.name} is no Python any more"
        changed = [*_other_code(modules, name, [*_all_code(code)]), *_other_values(modules, _plain_values(tree))]
        if changed:
            return f"{changed[0]} is not what {path.name} says: one of the two was changed after the import"
    return ""


def _lies_at(module: Any, name: str) -> bool:
    file = getattr(module, "__file__", None)
    return isinstance(file, str) and os.path.realpath(file) == name


def _all_code(code: types.CodeType) -> Iterator[types.CodeType]:
    """With that of what is defined in it."""
    yield code
    for one in code.co_consts:
        if isinstance(one, types.CodeType):
            yield from _all_code(one)


def _other_code(modules: list[dict[str, Any]], name: str, written: list[types.CodeType]) -> Iterator[str]:
    """Functions and methods whose code, or whose line, is another."""
    for held in modules:
        classes = (vars(value).values() for value in held.values() if isinstance(value, type))
        for one in itertools.chain(held.values(), *classes):
            own = one.__code__ if isinstance(one, types.FunctionType) else None
            if own is not None and os.path.realpath(own.co_filename) == name and own not in written:
                yield f"{own.co_qualname}()"


def _plain_values(tree: ast.Module) -> dict[str, Any]:
    """Of variables that one line gives a number, a text, or some of these; not those that begin empty, to be filled."""
    named = [node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)]
    times, found = Counter(named), {}
    for node in tree.body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and times[node.targets[0].id] == 1:
            try:
                value = ast.literal_eval(node.value)
            except (ValueError, TypeError):  # it is worked out
                continue
            if value or not isinstance(value, (list, dict, set)):
                found[node.targets[0].id] = value
    return found


def _other_values(modules: list[dict[str, Any]], values: dict[str, Any]) -> Iterator[str]:
    for held in modules:
        for name, value in values.items():
            if name in held and type(held[name]) is type(value) and held[name] == value:
                continue
            if name in held:
                yield name
