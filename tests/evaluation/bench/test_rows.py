"""A bench of tables and of series: the same answers, page and guards as of images."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas
import pytest
from click.testing import CliRunner
from sklearn.datasets import load_breast_cancer, load_digits, load_wine

import ganaug
from ganaug.cli.group import cli
from ganaug.errors import DataError, LabelMismatchError, LeakError, OptionError, TooFewImagesError
from ganaug.samples.verdict import verdict_of

QUICK: dict[str, Any] = {"quick": True, "seeds": 2, "ratios": (0.5,), "uses": ("plain",), "search": False}
BARE: dict[str, Any] = {
    name: value for name, value in QUICK.items() if name not in ("ratios", "uses")
}  # no images to try
pytestmark = pytest.mark.filterwarnings("ignore::ganaug.errors.NoEvidenceWarning")


@pytest.fixture(autouse=True)
def _no_plots(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ganaug.evaluation.bench.figures._svg", lambda figure: "data:image/svg+xml;base64,")


def write(path: Path, header: Sequence[str], rows: Sequence[Sequence[Any]]) -> Path:
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([header, *rows])
    return path


def tables(folder: Path, bunch: Any, each: Sequence[int], seed: int = 0) -> tuple[Path, Path]:
    """So many rows of each class to train on, and all others."""
    rng = np.random.default_rng(seed)
    own = [rng.permutation(np.flatnonzero(bunch.target == label)) for label in range(len(bunch.target_names))]
    parts = [rows[:n] for rows, n in zip(own, each, strict=True)], [rows[n:] for rows, n in zip(own, each, strict=True)]
    header = [*bunch.feature_names, "class"]
    files = [
        write(folder / f"{name}.csv", header, [
            [*(f"{value:g}" for value in bunch.data[i]), bunch.target_names[bunch.target[i]]]
            for i in np.concatenate(rows)
        ])
        for name, rows in zip(("train", "test"), parts, strict=True)
    ]  # fmt: skip
    return files[0], files[1]


@pytest.fixture(scope="module")
def wine(tmp_path_factory):
    return tables(tmp_path_factory.mktemp("wine"), load_wine(), (20, 20, 20))


@pytest.fixture(scope="module")
def run(wine, tmp_path_factory):
    return ganaug.fit(wine[0], tmp_path_factory.mktemp("run") / "run", target="class", steps=3, device="cpu")


def test_breast_cancer_ends_in_both_answers_on_the_command_line(tmp_path):
    train, test = tables(tmp_path, load_breast_cancer(), (20, 20))
    out = tmp_path / "bench"
    line = ["bench", train, "--target", "class", "--test", test, "--out", out, "--quick", "--synthetic", test]
    done = CliRunner().invoke(cli, list(map(str, line)))
    assert isinstance(done.exception, LeakError)  # its "synthetic" rows are those of the test
    done = CliRunner().invoke(cli, list(map(str, line[:-2])))
    assert done.exit_code == 0, (done.output, done.exception)
    data = json.loads((out / "results.json").read_text())
    assert data["metric"] == "accuracy"
    assert data["asked"]["words"] == "gradient boosting"
    assert [rung["rung"] for rung in data["ladder"]] == ["as it is", "logistic", "mean"]
    assert all(rung["crosswise"] is not None for rung in data["ladder"])
    assert data["most"]["verdict"] in {"helps", "no evidence", "harms"}
    assert min(rung["test"]["accuracy"] for rung in data["ladder"]) > 0.85
    assert data["data"]["test"]["images"] == 529
    assert "test rows" in done.output
    assert "image" not in done.output
    page = (out / "report.html").read_text()
    assert "I have too few rows" in page
    assert "pixel" not in page.split("</style>")[1]
    trained = data["trained"]
    done = CliRunner().invoke(cli, list(map(str, [*line[:-2], "--json"])))
    assert trained > 0
    assert json.loads(done.stdout)["trained"] == 0  # all was there already


def test_rows_of_a_run_are_tried_shown_and_judged(wine, run, tmp_path):
    train, test = wine
    found = ganaug.bench(train, test=test, run=run, out=tmp_path / "bench", model="logistic", **QUICK)
    data = found.data
    assert found.verdict in {"helps", "no evidence", "harms"}
    assert data["asked"]["words"] == "logistic regression"
    assert data["arms"]["with"]["ratio"] == 0.5
    assert data["data"]["synthetic"]["counts"] == [32, 32, 32]
    assert data["data"]["train"]["counts"] == [run.load().card.counts[name] - 4 for name in data["classes"]]
    assert "synthetic rows" in data["sentence"]
    assert ganaug.Run(run.path).verdict["sentence"] == data["sentence"]
    assert verdict_of(run.load()) is not None
    page = found.report_path.read_text()
    header = "<th>class</th><th></th><th>alcohol</th><th>malic_acid</th>"
    assert header in page
    assert "5 further columns are not shown" in page
    assert "The worst of the synthetic" not in page
    assert ganaug.compare  # the same verdict code


def test_what_was_made_elsewhere_is_tried_too_and_good_rows_help_where_real_ones_are_few(tmp_path):
    bunch = load_wine()
    train, rest = tables(tmp_path, bunch, (5, 5, 5))
    header, *rows = list(csv.reader(rest.read_text().splitlines()))
    made = write(tmp_path / "made.csv", header, rows[::2])
    test = write(tmp_path / "held.csv", header, rows[1::2])
    wrong = write(tmp_path / "wrong.csv", header, [[*row[:-1], "class_0"] for row in rows[::2]])
    given = {"test": test, "target": "class", "model": "boosting", "remedies": (), **QUICK, "ratios": (0.8,)}
    helped = ganaug.bench(train, synthetic={"good": made, "wrong": wrong}, out=tmp_path / "both", **given).data
    change = {name: one["difference"]["mean"] for name, one in helped["sources"].items()}
    assert change["good"] > change["wrong"]
    assert helped["sources"]["wrong"]["verdict"] != "helps"
    assert any("copies of" in note or "validation" in note for note in helped["notes"])


@pytest.mark.parametrize("there", [True, False])
def test_of_unequal_classes_remedies_are_tried_and_what_is_not_installed_is_told(there, tmp_path, monkeypatch):
    train, test = tables(tmp_path, load_breast_cancer(), (12, 60))
    if not there:
        for name in [name for name in sys.modules if name.split(".")[0] == "imblearn"]:
            monkeypatch.delitem(sys.modules, name)
        monkeypatch.setitem(sys.modules, "imblearn", None)
    found = ganaug.bench(train, target="class", test=test, out=tmp_path / "bench", quick=True, seeds=2)
    ladder = {rung["rung"]: rung for rung in found.data["ladder"]}
    assert found.data["metric"] == "balanced accuracy"
    assert {"weights", "shift", "logistic", "mean", "smote"} <= set(ladder)
    assert ladder["weights"]["remedy"] == "weights"
    assert (ladder["smote"]["why not"] == "") == there
    if not there:
        assert "pip install" in ladder["smote"]["why not"]
        assert "Not tried. SMOTE needs imbalanced-learn" in found.report_path.read_text()
        assert "SMOTE: not tried." in found.table()


def mixed(n: int, seed: int) -> pandas.DataFrame:
    """Numbers, categories, dates and missing cells; text labels that depend on all of them."""
    rng = np.random.default_rng(seed)
    colour = rng.choice(["red", "green", "blue"], n)
    size = rng.normal(size=n)
    label = np.where(size + (colour == "red") > 0.5, "größer", "kleiner, viel")
    day = pandas.Timestamp("2024-01-01") + pandas.to_timedelta(rng.integers(0, 300, n), "D")
    frame = pandas.DataFrame({"size": size.round(4), "colour": colour, "day": day.strftime("%d.%m.%Y"), "what": label})
    frame.loc[rng.random(n) < 0.1, "size"] = None
    return frame


def test_categories_dates_missing_cells_and_labels_that_are_texts(tmp_path):
    train, test = mixed(80, 0), mixed(120, 1)
    test.loc[[3, 4], "colour"] = "violet"
    found = ganaug.bench(train, target="what", test=test, out=tmp_path / "bench", **BARE)
    data = found.data
    assert data["classes"] == ["größer", "kleiner, viel"]
    assert data["ladder"][0]["test"][data["metric"]] > 0.75
    [note] = [note for note in data["notes"] if "no row that was learned from" in note]
    assert "2 test cells" in note
    assert "'colour': 2" in note
    assert "--test <DataFrame>" in data["command"]
    dropped = ganaug.bench(train, target="what", drop=["colour"], test=test, out=tmp_path / "other", **BARE).data
    assert dropped["data"]["shape"] != data["data"]["shape"]


@pytest.fixture(scope="module")
def waves(tmp_path_factory):
    """Digits as series: 8 channels of 8 steps."""
    images, labels = load_digits(n_class=3, return_X_y=True)
    series = images.reshape(-1, 8, 8)
    file = tmp_path_factory.mktemp("waves") / "digits.npz"
    np.savez(file, x_train=series[:90], y_train=labels[:90], x_test=series[90:400], y_test=labels[90:400])
    return file


def test_series_bring_their_test_part_and_their_run_says_what_they_are(waves, tmp_path):
    run = ganaug.fit(waves, tmp_path / "run", kind="series", steps=2, device="cpu")
    found = ganaug.bench(waves, run=run, out=tmp_path / "bench", **BARE)
    data = found.data
    assert data["data"]["shape"] == [8, 8]
    assert data["data"]["test"]["images"] == 310
    assert data["ladder"][0]["test"][data["metric"]] > 0.8
    assert "test series" in data["sentence"]
    assert "Series of 8 steps, 8 channels." in found.report_path.read_text()
    alone = ganaug.bench(waves, kind="series", out=tmp_path / "alone", **BARE).data
    assert alone["most"]["arms"] == data["most"]["arms"]
    with pytest.raises(OptionError, match="the run is of series"):
        ganaug.bench(waves, run=run, kind="images", out=tmp_path / "other", **BARE)


def test_series_of_another_length_are_refused(waves, tmp_path):
    with np.load(waves) as file:
        other = file["x_test"][:, :, :6], file["y_test"]
    with pytest.raises(LabelMismatchError, match="as 8x6"):
        ganaug.bench(waves, kind="series", test=other, out=tmp_path / "bench", **QUICK)


def test_a_test_table_in_another_order_is_the_same_and_one_with_other_columns_is_refused(wine, tmp_path):
    train, test = wine
    frame = pandas.read_csv(test)
    given = {"target": "class", "remedies": (), **BARE}
    plain = ganaug.bench(train, test=test, out=tmp_path / "plain", **given).data
    turned = ganaug.bench(train, test=frame[frame.columns[::-1]], out=tmp_path / "turned", **given).data
    assert turned["most"]["arms"] == plain["most"]["arms"]
    with pytest.raises(OptionError, match="The test set has no column 'alcohol'"):
        ganaug.bench(train, test=frame.rename(columns={"alcohol": "spirit"}), out=tmp_path / "x", **given)
    with pytest.raises(OptionError, match="The test set has no column 'class'"):
        ganaug.bench(train, test=frame.rename(columns={"class": "kind"}), out=tmp_path / "x", **given)
    with pytest.raises(LabelMismatchError, match="The test set has the class 'class_9'"):
        ganaug.bench(train, test=frame.replace("class_1", "class_9"), out=tmp_path / "x", **given)
    broken = frame.astype({"alcohol": object})
    broken.loc[7, "alcohol"] = "much"
    with pytest.raises(DataError, match="The test set holds a cell"):
        ganaug.bench(train, test=broken, out=tmp_path / "x", **given)
    assert not (tmp_path / "x").exists()


def test_what_makes_a_verdict_impossible_is_told_in_rows(wine, tmp_path):
    train, test = wine
    frame = pandas.read_csv(test)
    given = {"target": "class", "remedies": (), **BARE}
    lacking = ganaug.bench(train, test=frame[frame["class"] != "class_1"], out=tmp_path / "lacking", **given).data
    assert "The test set has no row of 'class_1'." in lacking["reasons"]
    assert lacking["most"]["verdict"] == "withheld"
    few = ganaug.bench(train, test=frame[::4], out=tmp_path / "few", **given).data
    assert any("test rows are too few to judge" in reason for reason in few["reasons"])
    rows = pandas.read_csv(train)
    with pytest.raises(DataError, match="one class only"):
        ganaug.bench(rows[rows["class"] == "class_1"], test=test, out=tmp_path / "one", **given)
    with pytest.raises(TooFewImagesError, match="at least 2 rows"):
        ganaug.bench(rows[:41], test=test, out=tmp_path / "lone", **given)
    with pytest.raises(OptionError, match="There is no test set"):
        ganaug.bench(train, out=tmp_path / "none", **given)


def test_test_rows_that_were_seen_are_dropped_or_the_bench_is_refused(wine, run, tmp_path):
    train, test = wine
    seen, fresh = pandas.read_csv(train), pandas.read_csv(test)
    given = {"remedies": (), **BARE}
    with pytest.raises(LeakError, match="20 of 138 test rows are among"):
        ganaug.bench(train, target="class", test=pandas.concat([fresh, seen[:20]]), out=tmp_path / "x", **given)
    as_text = seen[10:13].map(lambda cell: f"{cell:.4f}" if isinstance(cell, float) else cell)  # written otherwise
    test = pandas.concat([fresh.astype(str), as_text.astype(str)])
    found = ganaug.bench(train, target="class", test=test, out=tmp_path / "few", **given)
    assert found.data["dropped"] == ["row 119", "row 120", "row 121"]
    assert found.data["data"]["test"]["images"] == 118
    assert "3 test rows were seen before and are not counted" in found.table()
    held = pandas.read_csv(train)
    with pytest.raises(LeakError):  # its validation part was seen by the fit, too
        ganaug.bench(fresh, target="class", test=held, run=run, out=tmp_path / "turned", **given)


def test_of_a_table_whose_rows_repeat_each_other_copies_are_told_and_kept(tmp_path):
    rng = np.random.default_rng(0)

    def frame(n: int) -> pandas.DataFrame:
        letters = rng.choice(list("abc"), (n, 3))
        label = np.where((letters == "a").sum(1) > 1, "many", "few")
        return pandas.DataFrame(letters, columns=["x", "y", "z"]).assign(label=label)

    found = ganaug.bench(frame(100), target="label", test=frame(150), out=tmp_path / "bench", **BARE).data
    assert found["dropped"] == []
    assert any("They are kept" in note for note in found["notes"])


IDLE = {
    "steps": 10, "augmentations": ("flips",), "allow": ("noise",), "weights": "none", "tune": "scratch",
    "train": "mine.py:train", "deploy": "small", "unlabelled": "more", "test_groups": ["a"], "pairs": "masks",
    "cache": "seen", "exact_only": True, "groups": ["a"], "root": "somewhere", "depth": 2, "split": "test",
}  # fmt: skip


@pytest.mark.parametrize("setting", IDLE)
def test_options_about_images_are_refused_with_the_reason(setting, wine, tmp_path):
    with pytest.raises(OptionError, match=f"{setting} would change nothing: these data are rows of a table"):
        ganaug.bench(wine[0], target="class", test=wine[1], out=tmp_path / "bench", **{setting: IDLE[setting]})
    assert not (tmp_path / "bench").exists()


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"model": "resnet18"}, "There is no classifier of rows 'resnet18'"),
        ({"remedies": ("probe",)}, "The remedy 'probe' is for images"),
        ({"remedies": ("smote",)}, "classes of unequal size"),
        ({"uses": ("finish",)}, "no last steps"),
        ({"executor": "tcp://localhost:1"}, "executor would change nothing"),
        ({"target": None}, "needs the name of its column of classes"),
    ],
)
def test_what_is_not_for_rows_is_refused(given, words, wine, tmp_path):
    with pytest.raises(OptionError, match=words):
        ganaug.bench(wine[0], **{"target": "class", "test": wine[1], "out": tmp_path / "b", "device": "cpu", **given})


def test_of_a_run_its_own_columns_and_target_count(wine, run, tmp_path):
    for given, words in (({"drop": ["alcohol"]}, "knows its columns"), ({"target": "alcohol"}, "not that of the run")):
        with pytest.raises(OptionError, match=words):
            ganaug.bench(wine[0], test=wine[1], run=run, out=tmp_path / "bench", **given)
    with pytest.raises(OptionError, match="drop would change nothing: these data are images"):
        ganaug.bench("digits", drop=["a"], out=tmp_path / "bench")
    with pytest.raises(OptionError, match="'smote' is for table and series"):
        ganaug.bench("digits", remedies=("smote",), model="small", limit=4, out=tmp_path / "bench")
