"""The study of remedies: what a bench found is kept, and told in one table."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ganaug.evaluation.bench.run import bench
from scripts.studies import remedies
from scripts.studies.lib.results import put, read
from scripts.studies.lib.words import interval
from tests.toys.bench import CLASSES, NearestMean, images


def arrays(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    source = images(n, seed)
    return np.stack([np.asarray(source.read(i)) for i in range(len(source))]), np.asarray(source.labels)


def line(cell: str, draw: int, change: float, **changed) -> dict:
    rungs = [
        {"rung": "as it is", "name": "small: real", "validation": 0.5, "test": 0.5, "change": 0.0},
        {"rung": "probe", "name": "probe: real", "validation": 0.6, "test": 0.5 + change, "change": change},
        {"rung": "mean", "name": "mean of (small: real; probe: real)", "validation": 0.4, "test": 0.4, "change": -0.1},
    ]
    return {
        "cell": cell, "draw": draw, "metric": "accuracy", "train": [20, 20], "test": 100, "rungs": rungs,
        "best": "probe: real", "change": change, "seconds": 120.0, "machine": {"cpu": "abacus"}, "date": "2026-11-29",
        **changed,
    }  # fmt: skip


def test_the_table_tells_of_every_draw_and_how_sure_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(remedies, "RESULTS", tmp_path)
    assert remedies.render() == ""
    for draw, change in enumerate((0.2, 0.3, -0.05)):
        put(tmp_path / "remedies.jsonl", line("mnist-20", draw, change), "cell", "draw")
    put(tmp_path / "remedies.jsonl", line("trashnet-all", 0, 0.1), "cell", "draw")
    page = remedies.render()
    [row] = [one for one in page.splitlines() if one.startswith("| mnist-20")]
    cells = [cell.strip() for cell in row.split("|")]
    assert cells[1] == "mnist-20 (digits, 28 px; 3 draws)"
    assert cells[2] == "50.0"
    assert cells[9] == cells[13] == "+15.0 ± 44.8"  # Student's interval of 20, 30 and -5 points
    assert cells[12].startswith("-10.0")
    assert "better than the small network as it is in 3 of 4 draws (worst -5.0 points" in page
    assert "trashnet-all (photographs of waste, 384 x 512 px; 1 draw)" in page


def test_the_readme_has_the_figures_of_the_study():
    lines = read(remedies.RESULTS / "remedies.jsonl")
    shown = (Path(__file__).parents[2] / "README.md").read_text().splitlines()
    for data, kind in remedies.KINDS.items():
        own = [one for one in lines if one["cell"] == f"{data}-20"]
        assert len(own) == 4
        found = {
            name: [remedies._rung(one, name) for one in own] for name in ("as it is", "augmentation", "mean", "probe")
        }
        means = [100 * np.mean([rung["test" if name == "as it is" else "change"] for rung in rungs])
                 for name, rungs in found.items()]  # fmt: skip
        cells = [kind, f"{means[0]:.1f}", *(f"{mean:+.1f}" for mean in means[1:])]
        assert f"| {' | '.join(cells)} | **{interval([one['change'] for one in own])}** |" in shown


def test_a_draw_is_a_bench_of_which_the_rungs_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("ganaug.evaluation.trials.small.train_classifier", NearestMean())
    monkeypatch.setattr("ganaug.evaluation.bench.figures._svg", lambda figure: "")
    monkeypatch.setenv("GANAUG_DATA", str(tmp_path))
    for name, seed in (("mnist", 0), ("fashion_mnist", 2)):
        (x, y), (x_test, y_test) = arrays(30, seed), arrays(40, seed + 1)
        file = tmp_path / f"{name}.npz"
        np.savez(file, x_train=x, y_train=y, x_test=x_test, y_test=y_test, classes=np.array(CLASSES))
    asked: dict = {}

    def toy(data, **given):
        asked.update(given)
        few = [name for name in given["remedies"] if name in ("augmentation", "mean", "pseudo-labels")]
        return bench(data, **{**given, "remedies": few})

    monkeypatch.setattr(remedies, "bench", toy)
    pool = remedies.play(remedies.Cell("fashion_mnist", 10, "foreign"), 3, tmp_path / "pool", tmp_path / "cache")
    assert pool["cell"] == "fashion_mnist-10+foreign"
    assert len(asked["unlabelled"]) == 2 * 90
    assert {"pseudo-labels", "fixmatch"} <= set(asked["remedies"])
    assert "pseudo-labels" in [rung["rung"] for rung in pool["rungs"]]
    found = remedies.play(remedies.Cell("mnist", None), 3, tmp_path / "out", tmp_path / "cache")
    put(tmp_path / "kept.jsonl", found, "cell", "draw")
    [kept] = read(tmp_path / "kept.jsonl")
    assert (kept["cell"], kept["draw"], asked["seed"], asked["limit"]) == ("mnist-all", 3, 3, remedies.MOST)
    assert [rung["rung"] for rung in kept["rungs"]] == ["as it is", "augmentation", "mean"]
    assert kept["rungs"][0]["change"] == 0
