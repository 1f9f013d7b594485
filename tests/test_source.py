"""What the source may not do, read from its syntax trees: nothing in it turns data into code."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import ganaug

ROOT = Path(ganaug.__file__).parent
FILES = sorted(ROOT.rglob("*.py"))

MODULES = """
pickle cPickle dill cloudpickle joblib marshal shelve code codeop runpy imp ctypes subprocess pty telnetlib ftplib
xmlrpc requests httpx aiohttp urllib3 hydra omegaconf jsonpickle tarfile webbrowser
"""
CALLS = """
eval exec compile __import__ input breakpoint execfile builtins.eval builtins.exec types.FunctionType types.CodeType
os.system os.popen os.execv os.fork os.spawnv os.startfile pydoc.locate pkgutil.resolve_name shutil.unpack_archive
torch.load torch.jit.load torch.hub.load torch.package.PackageImporter torch.serialization.add_safe_globals
yaml.load yaml.unsafe_load yaml.full_load yaml.load_all yaml.unsafe_load_all yaml.full_load_all
pd.read_pickle pd.read_hdf pandas.read_pickle urllib.request.urlopen socket.create_connection
"""
METHODS = """
exec_module load_module import_module find_spec spec_from_file_location extractall read_pickle from_pretrained
load_state_dict_from_url hub_download download_url download_url_to_file
"""
MODULES, CALLS, METHODS = (set(names.split()) for names in (MODULES, CALLS, METHODS))
LOADERS = ("np.load", "numpy.load", "np.lib.format.read_array")
FALSE = ("allow_pickle", "trust_remote_code", "shell")  # said, these must be False
NOT_TRUE = ("download", "pretrained")

# What is done on purpose: (file, call) -> why it is no danger.
ALLOWED = {
    ("files/functions.py", "exec_module"): "runs file.py:function, which only the user can name",
    ("files/functions.py", "spec_from_file_location"): "the same",
    ("recipes/__init__.py", "import_module"): "the modules of our own folder",
    ("data/sources/__init__.py", "import_module"): "the same",
    ("samples/exports/__init__.py", "import_module"): "the same",
    ("__init__.py", "import_module"): "the modules of our own public names, a table in that file",
    ("cli/group.py", "import_module"): "the modules of our own commands, a table in that file",
    ("classifier/pretrained.py", "find_spec"): "whether that package, a constant, is installed",
}
TENSORS_ALONE = "classifier/pretrained.py"
ALLOWED_IMPORTS = {
    (
        "evaluation/trials/workers.py",
        "subprocess",
    ): "runs a program that is a constant of that file, see the test below",
    ("samples/exports/tar.py", "tarfile"): "writes samples; what unpacks files is refused by name",
    ("data/sources/tar.py", "tarfile"): "reads where files begin and end; nothing is unpacked",
}


def trees():
    for file in FILES:
        yield file.relative_to(ROOT).as_posix(), ast.parse(file.read_text())


def imported(tree: ast.AST):
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""
            yield from (f"{node.module}.{name.name}" for name in node.names)


def calls(tree: ast.AST):
    """Calls, and uses as a value (`map(eval, texts)`), by the text of what is called; without the import of a module
    that is named right there, which is like any other import."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            called = ast.unparse(node.func)
            if not (called == "importlib.import_module" and isinstance(node.args[0], ast.Constant)):
                yield called
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and node.id in CALLS:
            yield node.id


def offences(tree: ast.AST, file: str) -> list[str]:
    found = []
    for name in imported(tree):
        bad = name.split(".")[0] in MODULES or name in CALLS or name.split(".")[-1] in METHODS
        if bad and (file, name) not in ALLOWED_IMPORTS:
            found.append(f"{file} imports {name}")
    for called in calls(tree):
        last = called.split(".")[-1]
        if called == "torch.load" and file == TENSORS_ALONE:  # see the test below
            continue
        if (called in CALLS or last in METHODS) and (file, last) not in ALLOWED:
            found.append(f"{file} calls {called}")
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func) in LOADERS:
            given = {k.arg: ast.unparse(k.value) for k in node.keywords}
            if given.get("allow_pickle") != "False":
                found.append(f"{file}: {ast.unparse(node)[:80]} does not say allow_pickle=False")
        if isinstance(node, ast.keyword):
            value = ast.unparse(node.value)
            if (node.arg in FALSE and value != "False") or (node.arg in NOT_TRUE and value == "True"):
                found.append(f"{file}: {node.arg}={value}")
    return found


def test_nothing_turns_data_into_code():
    assert len(FILES) > 100
    assert [offence for file, tree in trees() for offence in offences(tree, file)] == []


def test_what_is_allowed_is_there_and_nothing_else_is():
    present = {(file, called.split(".")[-1]) for file, tree in trees() for called in calls(tree)}
    assert set(ALLOWED) <= present
    assert set(ALLOWED_IMPORTS) <= {(file, name) for file, tree in trees() for name in imported(tree)}


def test_the_only_program_that_is_run_is_our_own():
    for file, tree in trees():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and ast.unparse(node.func).startswith("subprocess."):
                assert ast.unparse(node.func) == "subprocess.Popen", file
                program, option, text, *paths = node.args[0].elts
                assert (ast.unparse(program), option.value) == ("sys.executable", "-c"), file
                assert isinstance(text, ast.Constant), file  # not made from anything that is given
                assert [ast.unparse(path) for path in paths] == ["file", "folder"], file


def test_the_one_file_of_torch_is_read_as_tensors_alone():
    """torch.load of a file inside an installed package, whose name is a constant."""
    found = [
        (file, {k.arg: ast.unparse(k.value) for k in node.keywords})
        for file, tree in trees()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "torch.load"
    ]
    assert [(file, given["weights_only"]) for file, given in found] == [(TENSORS_ALONE, "True")]


BAD = """
import pickle
from pickle import loads
import torch; torch.load(f)
from torch import load
import torch.hub; torch.hub.load(x)
from torch.hub import load_state_dict_from_url
eval(x)
list(map(eval, x))
exec(x)
__import__(name)
import importlib; importlib.import_module(name)
from importlib import import_module
spec.loader.exec_module(m)
import yaml; yaml.load(x)
import numpy as np; np.load(f)
np.load(f, allow_pickle=True)
import os; os.system(x)
import subprocess
tar.extractall(p)
timm.create_model(x, pretrained=True)
CIFAR10(root, download=True)
""".strip().split("\n")


@pytest.mark.parametrize("code", BAD)
def test_the_reader_of_trees_sees_what_it_should(code):
    """A reader that sees nothing would pass."""
    assert offences(ast.parse(code), "somewhere.py"), code


def test_what_it_allows_is_allowed_in_its_own_file_only():
    for file, call in ALLOWED:
        assert offences(ast.parse(f"x.{call}(y)"), file) == []
        assert offences(ast.parse(f"x.{call}(y)"), "generator/folder.py")
    for file, name in ALLOWED_IMPORTS:
        assert offences(ast.parse(f"import {name}"), file) == []
        assert offences(ast.parse(f"import {name}"), "generator/folder.py")
