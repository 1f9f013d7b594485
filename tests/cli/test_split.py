"""`ganaug split`, and the places that advise it: what they say can be typed, and goes on."""

from __future__ import annotations

import json
import shlex

import numpy as np
import pytest
from click.testing import CliRunner

import ganaug
from ganaug.cli.group import cli
from ganaug.data.beside import found_beside, lacks_test
from ganaug.data.check import check
from ganaug.data.sources.source import brings_test_part
from ganaug.errors import FewImagesWarning, LabelMismatchError, OptionError
from tests.toys.bench import NearestMean
from tests.toys.images import noise_folder


def typed(line: str):
    """What happens when a line is typed."""
    done = CliRunner().invoke(cli, shlex.split(line)[1:])
    assert done.exit_code == 0, (done.output, done.exception)
    return done.stdout


def lines_after(text: str, words: str) -> list[str]:
    return [line[line.index("ganaug ") :].strip() for line in text.splitlines() if words in line]


@pytest.mark.long
def test_what_it_says_can_be_typed_up_to_the_verdict(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    noise_folder(tmp_path / "my photos", {"ant": 24, "bee": 24})
    advice = check("my photos").advice[-1]
    assert advice.endswith("divide these images: ganaug split 'my photos' --test 0.25")
    said = typed(advice[advice.index("ganaug ") :])
    assert "36 images to train on, 12 to test on" in said
    first, fit = lines_after(said, "ganaug ")
    assert first.endswith("--out runs/what_helps")
    small = "--steps 2 --size 8 --device cpu --set width=8 --set widest=16 --set batch=8"
    [bench] = lines_after(typed(f"{fit} {small} -q"), "Find out whether it helps")
    run, data = (shlex.split(fit)[place] for place in (-1, 2))
    assert shlex.split(fit)[-2] == "--out"
    [doctor] = lines_after(
        typed(shlex.join(["ganaug", "doctor", run, data, "--device", "cpu", "-q"])), "help a classifier"
    )
    assert set(shlex.split(doctor)) == set(shlex.split(bench))
    monkeypatch.setattr("ganaug.evaluation.trials.small.train_classifier", NearestMean())
    monkeypatch.setattr("ganaug.evaluation.bench.figures._svg", lambda figure: "data:image/svg+xml;base64,")
    for line in (first, bench):
        assert "Report: " in typed(f"{line} --quick --augmentation none --device cpu -q")


@pytest.mark.filterwarnings("error")
def test_it_says_what_it_did_as_lines_and_as_json(tmp_path):
    data = noise_folder(tmp_path / "photos", {"ant": 8, "bee": 4, "lone": 1})
    (data / "bee" / "bad.png").write_bytes(b"no picture")
    with pytest.warns(FewImagesWarning, match="no test image of lone"):
        said = json.loads(typed(f"ganaug split {data} --out {tmp_path / 'parts'} --seed 3 --json"))
    assert said["counts"] == {"ant": [6, 2], "bee": [3, 1], "lone": [1, 0]}
    assert [name for name, _ in said["unreadable"]] == ["bee/bad.png"]
    assert all("--skip-small 2" in step for step in said["next"])
    assert said["files"] == [str(tmp_path / "parts" / f"{part}.csv") for part in ("train", "test")]
    with pytest.warns(FewImagesWarning):
        text = typed(f"ganaug split {data} --out {tmp_path / 'again'} --seed 3")
    assert "unreadable, in neither part (1)" in text
    assert (tmp_path / "again" / "test.csv").read_text() == (tmp_path / "parts" / "test.csv").read_text()


def test_what_is_no_share_and_no_images(tmp_path):
    (tmp_path / "table.csv").write_text("a,b,c\n" + "".join(f"{i},{i % 3},{i % 2}\n" for i in range(12)))
    done = CliRunner().invoke(cli, ["split", str(tmp_path / "table.csv")])
    assert "is a table: images are divided here" in str(done.exception)
    told = CliRunner().invoke(cli, ["split", "--help"]).output
    assert "DATA: " in told
    assert "a table is" not in told
    for share in ("0", "1", "1.5"):
        assert CliRunner().invoke(cli, ["split", "digits", "--test", share]).exit_code == 2
    assert not list(tmp_path.glob("*-split"))


def test_data_that_have_a_test_part_keep_it_and_are_told_of_it(tmp_path):
    x, y = np.random.default_rng(0).integers(0, 256, (8, 8, 8), dtype=np.uint8), np.arange(8) % 2
    np.savez(tmp_path / "two.npz", x_train=x, y_train=y, x_test=x, y_test=y)
    said = typed(f"ganaug split {tmp_path / 'two.npz'} --out {tmp_path / 'parts'} -q")
    assert "two.npz has a test part already, which was not touched" in said
    assert (tmp_path / "parts" / "test.npz").exists()


def test_a_bench_without_a_test_set_says_how_to_come_by_one(tmp_path, digits_run):
    data, parts = noise_folder(tmp_path / "photos", {"0": 2, "1": 2}), tmp_path / "parts"
    shown = {
        (str(data), ()): rf"To make one, before the fit: ganaug split {data} --test 0.25",
        (
            str(data),
            (("depth", 2), ("follow_links", True)),
        ): f"ganaug split {data} --depth 2 --follow-links --test 0.25",
    }
    for (one, how), words in shown.items():
        with pytest.raises(OptionError, match=f"There is no test set.*{words}"):
            ganaug.bench(one, run=digits_run, out=tmp_path / "out", **dict(how))
    with pytest.raises(OptionError, match=r"To make one, before the fit: ganaug.split\(data, test=0.25\)"):
        ganaug.bench((np.zeros((4, 8, 8), np.uint8), [0, 0, 1, 1]), run=digits_run, out=tmp_path / "out")
    ganaug.split(data, parts, test=0.5)
    with pytest.raises(OptionError, match=f"Give the one beside the data, --test {parts / 'test.csv'}"):
        ganaug.bench(parts / "train.csv", run=digits_run, out=tmp_path / "out")


def test_a_test_set_that_is_there_is_known(tmp_path):
    train, test = (noise_folder(tmp_path / "set" / part, {"ant": 2, "bee": 2}) for part in ("train", "test"))
    assert found_beside(train) == test
    assert not lacks_test(train)
    assert not lacks_test(test)
    assert lacks_test(noise_folder(tmp_path / "photos", {"ant": 2, "bee": 2}))
    assert not [note for one in (train, test) for note in check(one).advice if "test set" in note]
    x, y = np.zeros((4, 8, 8), np.uint8), np.array([0, 0, 1, 1])
    np.savez(tmp_path / "one.npz", x=x, y=y)
    np.savez(tmp_path / "two.npz", x_train=x, y_train=y, x_test=x, y_test=y)
    assert [brings_test_part(tmp_path / name) for name in ("one.npz", "two.npz")] == [False, True]
    assert [brings_test_part(name) for name in ("EuroSAT", "cifar10", "digits")] == [False, True, True]
    assert found_beside(tmp_path / "one.npz") is None


def test_a_fit_without_a_test_set_says_what_a_split_is_for(tmp_path):
    data = noise_folder(tmp_path / "photos", {"ant": 6, "bee": 6})
    line = f"ganaug fit {data} --out {tmp_path / 'run'} --steps 1 --size 8 --device cpu --recipe cgan -q"
    assert typed(line).splitlines()[-1].endswith(f"before a fit, ganaug split {data} --test 0.25")


SMALL = "--steps 1 --size 8 --device cpu -q"
OWN = "from ganaug.recipes import make\n\n\ndef mine():\n    return make('cgan', {'batch': 8})\n"


@pytest.mark.parametrize("recipe", ["bigan", "infogan"])
def test_a_fit_without_labels_recommends_no_bench(recipe, tmp_path):
    data = noise_folder(tmp_path / "set" / "train", {"ant": 6, "bee": 6})
    noise_folder(tmp_path / "set" / "test", {"ant": 2, "bee": 2})
    said = typed(f"ganaug fit {data} --out {tmp_path / 'run'} --recipe {recipe} {SMALL}")
    assert "1 step, no labels, " in said
    assert "ganaug bench" not in said
    typed(next(iter(lines_after(said, "Look at it"))) + " --frames 1")
    [features] = lines_after(said, "What it knows about images")
    typed(f"{features} --no-probe")
    with pytest.raises(LabelMismatchError, match=f"The recipe {recipe} plays without labels"):
        ganaug.bench(data, run=tmp_path / "run", test=tmp_path / "set" / "test", out=tmp_path / "out")


def test_what_a_fit_says_names_a_recipe_of_ones_own(tmp_path):
    (tmp_path / "my recipes.py").write_text(OWN)
    data = noise_folder(tmp_path / "set" / "train", {"ant": 6, "bee": 6})
    noise_folder(tmp_path / "set" / "test", {"ant": 2, "bee": 2})
    recipe = shlex.quote(f"{tmp_path / 'my recipes.py'}:mine")
    said = typed(f"ganaug fit {data} --out {tmp_path / 'run'} --recipe {recipe} {SMALL}")
    [look], [bench] = lines_after(said, "Look at it"), lines_after(said, "Find out whether it helps")
    assert f"--recipe {recipe}" in look
    assert f"--recipe {recipe}" in bench
    typed(f"{look} --frames 1")
    [doctor] = lines_after(typed(f"ganaug doctor {tmp_path / 'run'} --recipe {recipe} -q"), "help a classifier")
    assert f"--recipe {recipe}" in doctor


def test_a_fit_of_series_with_a_test_part_asks_for_no_other(tmp_path):
    x, y = np.random.default_rng(0).standard_normal((12, 8)), np.arange(12) % 2
    np.savez(tmp_path / "both.npz", x_train=x, y_train=y, x_test=x + 1, y_test=y)
    np.savez(tmp_path / "one.npz", x=x, y=y)
    for name, tested in (("both", True), ("one", False)):
        line = f"ganaug fit {tmp_path / name}.npz --out {tmp_path / name} --steps 1 --device cpu -q"
        [bench] = lines_after(typed(line), "Find out whether it helps")
        assert ("--test TEST" not in bench) == tested
