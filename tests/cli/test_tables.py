"""Tables and series on the command line."""

from __future__ import annotations

import csv
import json
import warnings

import numpy as np
import pytest
from click.testing import CliRunner

from ganaug.__main__ import main
from ganaug.cli.group import cli
from ganaug.errors import OptionError


def run(*arguments, check=0):
    result = CliRunner().invoke(cli, list(map(str, arguments)))
    assert result.exit_code == check, (result.output, result.exception)
    return result.stdout


@pytest.fixture
def table(tmp_path):
    rng = np.random.default_rng(0)
    path = tmp_path / "t.csv"
    with path.open("w", newline="") as file:
        rows = [[f"{rng.normal():.3f}", "xyz"[i % 3], f"id-{i}", "ab"[i % 4 == 0]] for i in range(40)]
        csv.writer(file).writerows([["height", "letter", "id", "class"], *rows])
    return path


def test_check_fit_augment_of_a_table(table, tmp_path):
    found = json.loads(run("check", table, "--target", "class", "--drop", "id", "--json"))
    assert found["counts"] == {"a": 30, "b": 10}
    assert found["columns"]["letter"] == "3 categories: 'x', 'y', 'z'"
    assert "cannot be learned" in run("check", table, "--target", "class", check=3)
    common = [table, "--target", "class", "--drop", "id", "--steps", 1, "--quiet", "--out", tmp_path / "run"]
    assert "rows of 4 values" in run("fit", *common, "--dry-run")
    printed = run("fit", *common, "--print-config")
    config = tmp_path / "fit.yaml"
    config.write_text(printed)
    said = run("fit", "--config", config, "--quiet")
    assert "--out OUT.csv" in said
    out = tmp_path / "synthetic.csv"
    assert "20 rows" in run("augment", tmp_path / "run", "--balance", "--out", out, "--quiet")
    with out.open(newline="") as file:
        header, *rows = csv.reader(file)
    assert header == ["height", "letter", "class"]
    assert [row[2] for row in rows] == ["b"] * 20
    with out.open() as file:
        found = json.loads(run("check", out, "--target", "class", "--json", check=3))  # rows of one class only
        assert found["total"] == len(file.readlines()) - 1


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["fit", "{table}", "--out", "x"], 2, "height, letter, id, class"),
        (["fit", "{table}", "--target", "class", "--out", "x"], 3, "--drop id"),
        (["fit", "{table}", "--target", "class", "--drop", "id", "--recipe", "dcgan", "--out", "x"], 3, "wgan_gp"),
        (["fit", "digits", "--target", "class", "--out", "x"], 2, "tables"),
        (["check", "digits", "--target", "class"], 2, "tables"),
        (["check", "{table}"], 2, "--target"),
        (["check", "none.csv", "--test", "{table}"], 3, "There is no file or folder none.csv"),
        (["fit", "none.csv", "--size", "16", "--out", "x"], 3, "There is no file or folder none.csv"),
        (["split", "none.csv"], 3, "There is no file or folder none.csv"),
    ],
)
def test_what_a_user_does_wrong_with_a_table_is_said(arguments, code, words, table, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("warnings.showwarning", warnings.showwarning)  # main() changes it for the whole process
    monkeypatch.setattr("sys.argv", ["ganaug", *(part.format(table=table) for part in arguments)])
    with pytest.raises(SystemExit) as stop:
        main()
    assert stop.value.code == code
    assert words in " ".join(capsys.readouterr().err.split())
    assert not (tmp_path / "x").exists()


@pytest.mark.parametrize(("axes", "kind"), [(2, ()), (3, ("--kind", "series"))])
def test_check_of_series_counts_advises_and_says_what_is_next(axes, kind, tmp_path):
    x = np.random.default_rng(0).normal(size=(20, 2, 12)[:: 4 - axes]).astype(np.float32)
    x[1] = x[0]
    np.savez(tmp_path / "s.npz", x_train=x, y_train=np.arange(20) % 2, classes=np.array(["a", "b"]))
    said = run("check", tmp_path / "s.npz", *kind)
    assert "20 series of 12 steps, 2 classes" in said
    assert said.count(": from -") == axes - 1
    assert "Classes a, b have fewer than 50 series each." in said
    assert "Series that repeat an earlier one: 1, 1 of them with another label." in said
    asked = " --kind series" if kind else ""
    assert f"Next: ganaug bench {tmp_path / 's.npz'} --test TEST --out runs/what_helps{asked}" in said
    assert json.loads(run("check", tmp_path / "s.npz", *kind, "--json"))["steps"] == 12
    result = CliRunner().invoke(cli, ["check", str(tmp_path / "s.npz"), *kind, "--drop", "a"])
    assert isinstance(result.exception, OptionError)


def test_check_of_a_table_says_numbers_as_they_are_and_what_is_next(tmp_path):
    rows = [f"{78 + i % 20}.0,{i * i % 7},{'xyz'[i % 3]}" for i in range(30)]
    (tmp_path / "t.csv").write_text("\n".join(["weight,age,class", *rows]))
    said = run("check", tmp_path / "t.csv", "--target", "class")
    assert "weight: whole numbers from 78 to 97" in said
    assert "Classes x, y, z have fewer than 50 rows each." in said
    assert f"Next: ganaug bench {tmp_path / 't.csv'} --test TEST --target class --out runs/what_helps" in said


def test_the_target_of_the_run_may_be_said_again(table, tmp_path):
    run("fit", table, "--target", "class", "--drop", "id", "--steps", 2, "--quiet", "--out", tmp_path / "run")
    said = run("doctor", tmp_path / "run", table, "--target", "class", "-q")
    assert "Whether its rows help a classifier: ganaug bench" in said
    run("measure", tmp_path / "run", table, "--target", "class", "--per-class", 4, "-q")
    for command in ("doctor", "measure"):
        for more, words in (("--target letter", "'letter' is not that of the run, 'class'"),
                            ("--depth 2", "how its rows are read, so that --depth would change nothing")):  # fmt: skip
            result = CliRunner().invoke(cli, [command, str(tmp_path / "run"), str(table), *more.split()])
            assert words in str(result.exception)
