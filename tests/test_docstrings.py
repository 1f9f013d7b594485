"""Every public name says in numpydoc what it takes, gives and raises, with an example that runs."""

from __future__ import annotations

import doctest
import inspect
import shutil
from dataclasses import fields, is_dataclass, replace
from enum import Enum
from pathlib import Path
from typing import Any

import pytest
from numpydoc.docscrape import get_doc_object
from numpydoc.validate import Validator, validate

import ganaug
import ganaug.game
import ganaug.metrics
from ganaug.classifier import judge
from ganaug.mixing.dataset import MixedDataset
from scripts.site.names import RESULTS, public, value_of

RULES = {
    "GL06", "GL07", "GL08", "SS01", "SS02", "SS03", "SS04", "PR02", "PR03", "PR04", "PR05", "PR06", "PR07", "PR08",
    "PR09", "PR10", "RT01", "RT03", "RT04", "RT05", "YD01",
}  # fmt: skip
NETWORK = {"ganaug.to_hub", "ganaug.from_hub"}  # whose examples need an account


PUBLIC = {name: value_of(name) for module in (ganaug, ganaug.metrics, ganaug.game) for name in public(module)}
ALL = PUBLIC | {name: value_of(name) for name in RESULTS}


def methods(kind: type) -> dict[str, Any]:
    """Public ones that are written in this project, where they are said first: an override means the same."""
    found: dict[str, tuple[str, Any]] = {}
    for base in reversed([base for base in kind.__mro__ if base.__module__.startswith("ganaug")]):
        for name, value in vars(base).items():
            own = isinstance(value, property) or getattr(value, "__qualname__", "") == f"{base.__qualname__}.{name}"
            if own and not name.startswith("_"):
                found.setdefault(name, (f"{base.__module__}.{base.__qualname__}.{name}", value))
    return dict(found.values())


METHODS = {name: value for kind in PUBLIC.values() if inspect.isclass(kind) for name, value in methods(kind).items()}


def named_in(kind: Any) -> set[str]:
    """Parameters and attributes that a docstring names."""
    doc = get_doc_object(kind)
    entries = [entry for section in ("Parameters", "Attributes") for entry in doc[section]]
    return {name.lstrip("*") for entry in entries for name in entry.name.split(", ")}


def taken(value: Any) -> set[str]:
    """What one gives to a function or a class, or finds in a result."""
    if is_dataclass(value):
        return {field.name for field in fields(value)}
    abstract = inspect.isclass(value) and (issubclass(value, Enum) or getattr(value, "_is_protocol", False))
    if isinstance(value, property) or abstract or value is MixedDataset:  # which only `mix` makes
        return set()
    return {name.lstrip("*") for name in Validator(get_doc_object(value)).signature_parameters}


def unnamed(value: Any) -> set[str]:
    """What one takes and a docstring does not name; what a base class takes may be named there."""
    bases = [base for base in value.__mro__ if base.__module__.startswith("ganaug")] if inspect.isclass(value) else []
    said = set().union(*map(named_in, bases or [value]))
    return taken(value) - said


@pytest.mark.parametrize("name", [*ALL, *METHODS])
def test_a_docstring_is_complete(name):
    value = (ALL | METHODS)[name]
    found = validate(get_doc_object(value))
    wrong = [f"{code}: {text}" for code, text in found["errors"] if code in RULES]
    if name in ALL and inspect.isclass(value):  # results have attributes in place of parameters
        wrong = [text for text in wrong if not text.startswith("PR02")]
    assert wrong == []
    assert unnamed(value) == set()


class Finder(doctest.DocTestFinder):
    """The examples of one object alone, also of what a decorator wraps."""

    def _find(self, tests, obj, name, module, source_lines, globs, seen):
        test = self._get_test(obj, name, None, globs, None)
        if test is not None:
            tests.append(test)


def examples(name: str) -> list[doctest.DocTest]:
    return Finder(exclude_empty=True).find((ALL | METHODS)[name], name, module=False, globs={"__name__": "example"})


@pytest.mark.parametrize("name", PUBLIC)
def test_a_public_name_has_an_example(name):
    lines = [line for test in examples(name) for line in test.examples]
    run = [line for line in lines if not line.options.get(doctest.SKIP)]
    assert lines if name in NETWORK else run


@pytest.fixture
def place(tmp_path: Path, digits_run: ganaug.Run) -> Path:
    """A folder with runs/digits, a short fit, as it is before any example benched or served it."""
    shutil.copytree(digits_run.path, tmp_path / "runs" / "digits")
    return tmp_path


@pytest.mark.filterwarnings("ignore::UserWarning")  # of short fits
@pytest.mark.parametrize("name", [name for name in (*ALL, *METHODS) if examples(name)])
def test_examples_give_what_they_say(name, place, monkeypatch, capsys):
    monkeypatch.chdir(place)
    monkeypatch.setattr(judge, "CROSSWISE", replace(judge.CROSSWISE, steps=5))  # of `choose`, for seconds
    for test in examples(name):
        runner = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE)
        assert runner.run(test).failed == 0, capsys.readouterr().out
