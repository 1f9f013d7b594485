"""What people read is plain: no word twice in a row, no empty phrase, no word that was never explained."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
MODULES = sorted(ROOT.glob("ganaug/**/*.py"))
EMPTY = (  # phrase -> what is meant is left when it is gone, or there is a shorter word for it
    "leave it away", "in order to be", "utilise", "utilize", "leverage", "simply ", "of course", "please note",
    "it should be noted", "as well as also", "respectively", "state-of-the-art", "seamless", "powerful", "e.g.", "i.e.",
    "etc.", "a number of different", "due to the fact", "at this point in time", "whilst", "thereof",
)  # fmt: skip
OURS = ("contender", "rung", "arena", "laboratory")  # words of the code, which no page and no message may use


def prose(path: Path) -> str:
    """A page without code, links and tables of tests."""
    text = re.sub(r"```.*?```|^    .*?$", " ", path.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)
    return re.sub(r"\]\([^)]*\)|<[^>]*>", " ", re.sub(r"`[^`]*`", "X", text))


def messages(path: Path) -> Iterator[str]:
    """Texts of errors that a user can cause, and of the help of options."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.Call):
            continue
        called = ast.unparse(node.func).rsplit(".", 1)[-1]
        given = node.args if called.endswith("Error") else [one.value for one in node.keywords if one.arg == "help"]
        for one in given:
            yield "".join(
                part.value if isinstance(part, ast.Constant) and isinstance(part.value, str) else " x "
                for part in (one.values if isinstance(one, ast.JoinedStr) else [one])
            )


def odd(text: str, words: tuple[str, ...]) -> list[str]:
    """What is not plain in a text."""
    text = " ".join(text.split())
    twice = re.findall(r"\b((?:[a-z]{2,}) (?=[a-z]))(?=\1)", text)
    return [*twice, *(word for word in words if re.search(rf"(?<![\w-]){re.escape(word)}", text, re.IGNORECASE))]


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_pages(page: Path):
    generated = page.name in ("recipes.md", "reference.md", "study.md")  # from docstrings and names of classifiers
    assert not odd(prose(page), EMPTY if generated else EMPTY + OURS)


def test_messages_and_help():
    said = [(path.name, text) for path in MODULES for text in messages(path)]
    assert len(said) > 500
    assert not [(where, text, words) for where, text in said if (words := odd(text, EMPTY + OURS))]


def test_the_check_can_fail():
    assert odd("This is is simply wrong, a rung.", EMPTY + OURS) == ["is ", "simply ", "rung"]
