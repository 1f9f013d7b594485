"""What advice, errors and warnings tell people to type exists."""

import ast
import re
from pathlib import Path

import pytest

import ganaug
from ganaug.cli.group import COMMANDS
from ganaug.cli.group import cli as main

ROOT = Path(ganaug.__file__).parent
OTHERS = {"--extra-index-url", "--nproc-per-node", "--array", "--wrap"}  # of pip, of torchrun, of sbatch


def options(command: str) -> set[str]:
    found = main.get_command(None, command)
    return {name for parameter in found.params for name in (*parameter.opts, *parameter.secondary_opts)} | {"--help"}


def texts() -> list[tuple[str, str]]:
    """Every text of the package, joined where it is written in several parts, with its file."""
    found = []
    for file in sorted(ROOT.rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.JoinedStr):
                parts = [part.value if isinstance(part, ast.Constant) else "X" for part in node.values]
                found.append((str(file.relative_to(ROOT)), "".join(map(str, parts))))
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                found.append((str(file.relative_to(ROOT)), node.value))
    found += [(file.name, file.read_text()) for file in ROOT.rglob("*.jinja")]
    return [(file, " ".join(text.split())) for file, text in found]


KNOWN = {command: options(command) for command in COMMANDS}


def test_every_option_that_a_text_names_is_one_of_some_command():
    every = set().union(*KNOWN.values()) | OTHERS | {"--version"}
    wrong = [
        (file, name)
        for file, text in texts()
        for name in re.findall(r"(?<![\w-])--[a-z][a-z-]*[a-z]", text)
        if name not in every
    ]
    assert not wrong


def test_every_command_that_a_text_names_exists_and_has_the_options_named_with_it():
    wrong = []
    for file, text in texts():
        for name, rest in re.findall(r"\bganaug ([a-z]+)\b([^.;:,`]*)", text):
            given = set(re.findall(r"(?<![\w-])--[a-z][a-z-]*[a-z]", rest.split("ganaug ")[0]))
            if name not in KNOWN and not given and f"`ganaug {name}" not in text:  # prose: "as ganaug names them"
                continue
            if name not in KNOWN or not given <= KNOWN[name]:
                wrong.append((file, name, given))
    assert not wrong


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_options(command):
    assert "--json" in KNOWN[command]
