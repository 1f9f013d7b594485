"""docs/files.md names the keys of files that were just written: no more, no fewer."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import ganaug

PAGE = (Path(__file__).parents[1] / "docs" / "files.md").read_text(encoding="utf-8")


def keys(head: str) -> list[str]:
    """First column of the table whose header begins with this."""
    rows = re.split(rf"^\| {re.escape(head)} \|.*\n\|---.*\n", PAGE, flags=re.MULTILINE)[1].split("\n\n")[0]
    return re.findall(r"^\| `([^`]+)`", rows, flags=re.MULTILINE)


def test_the_results_of_a_bench(digits_run: ganaug.Run, tmp_path: Path):
    run = shutil.copytree(digits_run.path, tmp_path / "run")  # a verdict goes into it, which other tests do not expect
    results = ganaug.bench(
        "digits", run=run, out=tmp_path / "bench", model="small", quick=True, limit=40, steps=2, seeds=2,
        remedies=(), ratios=(0.25,), uses=("plain",),
    )  # fmt: skip
    written = json.loads(results.report_path.with_name("results.json").read_text())
    named, of_a_source = keys("key"), keys("key of a source")
    assert f'"format": {written["format"]}' in PAGE
    assert sorted({*named, *of_a_source}) == sorted(written)
    assert sorted(of_a_source) == sorted(written["sources"]["run"])


def test_the_log_of_a_fit(tmp_path: Path):
    run = ganaug.fit("digits", tmp_path / "run", steps=100, limit=10)
    lines = [json.loads(line) for line in (run.path / "metrics.jsonl").read_text().splitlines()]
    found = {"PLAYER/TERM" if "/" in key else key for line in lines for key in line}
    listed = re.findall(r"^\| `([^`]+)`", PAGE.split("## metrics.jsonl")[1].split("## Others")[0], flags=re.MULTILINE)
    assert {*listed} - {"intervention"} == found
