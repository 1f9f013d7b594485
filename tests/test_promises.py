"""What pages name exists, and the counts on the page of promises are those of the tests."""

from __future__ import annotations

import pkgutil
import re
from pathlib import Path

import pytest

from tests.faults.test_diverging import number_of_places
from tests.fuzz.attacks import ATTACKS
from tests.fuzz.test_folders import COUNT, YAML
from tests.fuzz.test_images import READ, REFUSED

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "promises.md").read_text()


def test_every_file_that_is_named_exists():
    named = re.findall(r"`((?:tests|scripts)/[^`]+)`", PAGE)
    assert len(named) > 30
    assert [name for name in named if not (ROOT / name).exists()] == []
    assert "docs/promises.md" in (ROOT / "SECURITY.md").read_text()


@pytest.mark.parametrize("page", sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")]), ids=lambda page: page.name)
def test_what_a_page_names_exists(page: Path):
    """Files, links, modules of ours that are run, and public names."""
    text = page.read_text()
    files = [ROOT / name for name in re.findall(r"`((?:ganaug|tests|scripts|examples)/[\w/-]+\.(?:py|sh|md))`", text)]
    files += [page.parent / link for link in re.findall(r"\]\(((?!http)[^)#]+)\)", text)]
    assert [str(file) for file in files if not file.exists()] == []
    for module in re.findall(r"python -m (scripts[\w.]*\w)", text):
        path = ROOT / module.replace(".", "/")
        assert path.with_suffix(".py").exists() or (path / "__main__.py").exists(), module
    for name in re.findall(r"ganaug\.\w+(?:\.\w+)*", text):
        try:
            pkgutil.resolve_name(name)
        except AttributeError:
            pytest.fail(name)


@pytest.mark.parametrize(("page", "least"), [("data.md", 30), ("stacks.md", 15), ("scale.md", 4)])
def test_every_line_of_these_pages_is_held_by_a_test(page: str, least: int):
    text = (ROOT / "docs" / page).read_text()
    tests: dict[str, str] = {}
    for file in (ROOT / "tests").rglob("test_*.py"):
        tests[file.name] = tests.get(file.name, "") + file.read_text()
    named = re.findall(r"`(test_\w+\.py)(?:::(test_\w+))?`", text)
    assert [pair for pair in named if (f"def {pair[1]}(" if pair[1] else "def ") not in tests.get(pair[0], "")] == []
    rows = [line for line in text.splitlines() if line.startswith("| ") and "held by" not in line]
    assert len(rows) > least
    assert [row for row in rows if "`test_" not in row] == []


def test_counts_are_those_of_the_tests():
    for count, what in (
        (len(ATTACKS), "folders, each twice"),
        (len(YAML), "files"),
        (len(REFUSED) + len(READ), "oddities"),
        (number_of_places(), "places in six recipes"),
    ):
        assert f"{count} {what}" in PAGE, (count, what)
    assert f"{COUNT:,} mutants" in PAGE
