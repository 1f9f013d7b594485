"""Every example runs as it stands."""

from __future__ import annotations

from pathlib import Path

import pytest

EXAMPLES = sorted((Path(__file__).parent.parent / "examples").glob("*.py"))


@pytest.fixture(scope="module")
def out(tmp_path_factory):
    return tmp_path_factory.mktemp("examples")


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda p: p.stem)
def test_example(example, out, programs, monkeypatch):
    monkeypatch.chdir(out)
    done = programs.run(str(example), out, 30)
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout


def test_examples_are_short():
    assert len(EXAMPLES) >= 5
    assert all(len(example.read_text().splitlines()) < 60 for example in EXAMPLES)
