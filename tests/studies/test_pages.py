"""The pages of docs/ are what the results give, and the results are those of the cells that there are."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ganaug.generator.interventions import Intervention
from scripts.studies import calibration, doctor, one_dimension, pages
from scripts.studies.help.cells import CELLS
from scripts.studies.help.kept import HELP
from scripts.studies.help.summary import read_cell, results, summarise
from scripts.studies.lib.results import DOCS, RESULTS, write
from scripts.studies.recipes.page import cell_file, studies


def test_no_page_is_stale():
    found = pages.rendered()
    assert {"recipes.md", "study.md"} <= set(found)
    for name, text in found.items():
        assert (DOCS / name).read_text() == text, f"docs/{name} is stale: run `python -m scripts.studies.pages`"


def test_a_stale_page_is_named(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(pages, "DOCS", tmp_path)
    monkeypatch.setattr(pages, "PAGES", {"old.md": lambda: "new", "same.md": lambda: "same", "other.md": lambda: None})
    for name, text in (("old.md", "old"), ("same.md", "same"), ("other.md", "by hand")):
        (tmp_path / name).write_text(text)
    assert pages.main(["--check"]) == 1
    assert "docs/old.md is stale" in capsys.readouterr().out
    monkeypatch.setattr(pages, "keep_bootstraps", lambda *_: None)
    assert pages.main([]) == 0
    assert pages.main(["--check"]) == 0
    assert [(tmp_path / name).read_text() for name in ("old.md", "other.md")] == ["new", "by hand"]


def test_a_kept_bootstrap_is_what_the_statistics_give():
    """Of the cell with the fewest test images; those of all take a minute."""
    cell = next(cell for cell in CELLS if cell.name == "sign_digits-20")
    (kept,), lines = results([cell], HELP), read_cell(cell, HELP)
    assert lines is not None
    anew = summarise(cell, *lines)
    assert vars(anew.auto) == pytest.approx(vars(kept.auto))
    assert (anew.interval.low, anew.interval.high) == pytest.approx((kept.interval.low, kept.interval.high))
    assert replace(anew, interval=kept.interval, auto=kept.auto, p=kept.p) == kept


MACHINE = {"cpu": "abacus", "torch": "2"}


def test_the_page_of_calibration_counts_verdicts(tmp_path, monkeypatch):
    monkeypatch.setattr(calibration, "RESULTS", tmp_path)
    assert calibration.render() is None
    verdicts = [("null", "no evidence"), ("null", "helps"), ("unseen", "helps"), ("shuffled", "harms")]
    write(tmp_path / "calibration.jsonl", [
        {"kind": kind, "classifier": "small", "number": number, "verdict": verdict,
         "mean": 0.01, "low": -0.02, "high": 0.03, "seconds": 7.0, "again": {"mean": 0.02, "low": 0.01, "high": 0.03},
         "machine": MACHINE, "date": "2026-01-01"}
        for number, (kind, verdict) in enumerate(verdicts)
    ])  # fmt: skip
    page = calibration.render()
    assert page is not None
    assert "null           2            1            1            0            0          1.00  reached" in page
    assert "Of the `null` benches 1 of 2 are not `no evidence` (9 to 91 %" in page
    assert "Of 4 `unseen` benches that were made once more, on the digits that were left, 0 differ" in page
    assert "A bench took 7 s in the median, on one thread of abacus, torch 2; 2026-01-01." in page


def test_the_page_of_the_doctor_counts_what_was_planted_and_found(tmp_path, monkeypatch):
    monkeypatch.setattr(doctor, "RESULTS", tmp_path)
    assert doctor.render() is None
    monkeypatch.setattr(doctor, "found_in", lambda cell: set(cell["found"]))
    found = {"healthy: small": ["labels leak"], "collapse": ["mode collapse"], "copies": []}
    write(tmp_path / "doctor.jsonl", [
        {"case": name, "data": data, "found": names, "seconds": 36.0, "machine": MACHINE, "date": "2026-01-01"}
        for name, names in found.items() for data in ("mnist", "fashion_mnist")
    ])  # fmt: skip
    page = doctor.render()
    assert page is not None
    assert page.count("| healthy: small | 0 | 1 | labels leak (1) |") == 2
    assert page.count("| mode collapse | 1 | 1 | 1 | 0 |") == 2
    assert page.count("Recall 1 of 2 (0.50; 0.09 to 0.91); by the name that was planted 1 of 2") == 2
    assert "6 fits of 36 s in the median, 0.1 hours of one thread of abacus, torch 2; 2026-01-01." in page


def test_what_the_doctor_found_in_a_cell_is_read_from_its_line():
    lost = {
        "classes": ["a", "b"],
        "counts": {"a": 50, "b": 50},
        "checkups": [],
        "losses": [],
        "steps": 500,
        "advised": 500,
    }
    retry = Intervention("retry", 0, 0, "A number is not finite.").to_json()
    assert doctor.found_in({**lost, "retries": [retry]}) == {"not finite"}
    assert doctor.found_in({**lost, "retries": []}) == set()


def test_the_page_of_the_line_has_a_row_a_question(tmp_path, monkeypatch):
    monkeypatch.setattr(one_dimension, "RESULTS", tmp_path)
    assert one_dimension.render() is None
    cells = [
        {"part": "optimiser", "name": "Adam", "distance": seed + 1.0, "spread": 0.5, "samples": [4.0, 4.1]}
        for seed in range(3)
    ]  # fmt: skip
    write(tmp_path / "one_dimension.jsonl", cells)
    page = one_dimension.render()
    assert page is not None
    assert "## optimiser\n\n|  | distance (worst) |" in page
    assert "| Adam | 2.00 (3.00) | 0.50 (0.50 to 0.50) | 3 |" in page
    assert "## sigma" not in page
    one_dimension.draw(tmp_path / "drawn.png", cells)
    assert (tmp_path / "drawn.png").exists()


def test_every_file_of_results_belongs_to_a_cell():
    assert {file.stem for file in HELP.iterdir()} <= {cell.name for cell in CELLS}
    assert set((RESULTS / "recipes").iterdir()) <= {cell_file(name) for name in studies()}
