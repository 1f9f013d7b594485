"""The page of promises names tests that exist, and counts that are theirs."""

from __future__ import annotations

import re
from pathlib import Path

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


def test_counts_are_those_of_the_tests():
    for count, what in (
        (len(ATTACKS), "folders, each twice"),
        (len(YAML), "files"),
        (len(REFUSED) + len(READ), "oddities"),
        (number_of_places(), "places in six recipes"),
    ):
        assert f"{count} {what}" in PAGE, (count, what)
    assert f"{COUNT:,} mutants" in PAGE
