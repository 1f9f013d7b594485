"""`ganaug.measure` and `ganaug.preview` of images that were made elsewhere: a folder in the place of a run."""

from __future__ import annotations

import shutil

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

import ganaug
from ganaug.cli.group import cli
from ganaug.data.load import load_images
from ganaug.errors import ArtefactError, DataError, LabelMismatchError, OptionError
from tests.evaluation.measuring.test_measure import CLASSIFIERS, NearestMean
from tests.toys import elsewhere

QUICK = {"per_class": 20, "steps": 60}


@pytest.fixture(scope="module", autouse=True)
def quick_classifier():
    with pytest.MonkeyPatch.context() as patch:
        for module in CLASSIFIERS:
            patch.setattr(f"{module}.train_classifier", NearestMean)
        yield


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """250 unseen digits as images of 24 x 20 px."""
    images = load_images("digits", split="test").limited(25, 0)
    return elsewhere.write(tmp_path_factory.mktemp("made"), images)


def test_perfect_samples_of_a_folder_look_perfect_and_are_no_copies(made):
    found = ganaug.measure(made, "digits", **QUICK)
    assert found["label agreement"].interval.value > 0.85  # their upper and lower margins are cut
    assert found["precision"].interval.value > 0.75
    assert found["CAS, synthetic to real"].interval.value > 0.8
    assert found["copies"].interval.low < 0.02
    assert len(found.samples[0]) == 200
    assert any("--test" in note for note in found.notes)
    again = ganaug.measure(made, "digits", **QUICK)
    assert again.to_json() == found.to_json()
    as_objects = ganaug.measure(ganaug.open_source(made), "digits", **QUICK)
    assert as_objects.to_json() == found.to_json()


def test_copies_of_the_data_are_counted_and_named(tmp_path):
    """All data may be copied, where what samples are compared with are other images."""
    train, test = load_images("digits", limit=40), load_images("digits", split="test")
    made = elsewhere.write(tmp_path / "made", train, sizes=[(8, 8)])
    found = ganaug.measure(made, train, test=test, **QUICK)
    assert found["copies"].interval.low > 0.9
    assert not any("--test" in note for note in found.notes)
    pair = found.to_json()["nearest_pairs"][0]
    assert pair["sample"].startswith(f"{pair['class']}/")
    assert (made / pair["sample"]).is_file()
    assert pair["training"] in train.names
    flattered = ganaug.measure(made, test, test=train, **QUICK)
    assert "200 samples are images that they are compared with" in " ".join(flattered.notes)


def test_swapped_labels_are_seen(tmp_path, made):
    shutil.copytree(made / "3", tmp_path / "8")
    shutil.copytree(made / "8", tmp_path / "3")
    found = ganaug.measure(tmp_path, "digits", **QUICK)
    assert found["label agreement"].interval.high < 0.3
    note = "There are no two samples of 0, 1, 2, 4, 5, 6, 7, 9"
    assert any(note in one for one in found.notes)
    assert list(found.per_class) == ["3", "8"]


def test_what_cannot_be_measured_is_said(tmp_path, made):
    shutil.copytree(made, tmp_path / "some")
    (tmp_path / "some" / "3" / "broken.png").write_bytes(b"no image")
    found = ganaug.measure(tmp_path / "some", "digits", per_class=40, steps=60)
    assert "1 samples cannot be read and are left out, the first is 3/broken.png" in " ".join(found.notes)
    (tmp_path / "some" / "3").rename(tmp_path / "some" / "three")
    with pytest.raises(LabelMismatchError, match="three"):
        ganaug.measure(tmp_path / "some", "digits", **QUICK)
    with pytest.raises(OptionError, match="paired images would change nothing"):
        ganaug.measure(made, "digits", pairs=made)
    with pytest.raises(ArtefactError, match="does not exist"):
        ganaug.measure(tmp_path / "nothing", "digits")
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="no class folders"):
        ganaug.measure(tmp_path / "empty", "digits")


def test_commands_take_a_folder(made, tmp_path):
    done = CliRunner().invoke(cli, ["measure", str(made), "digits", "--per-class", "20", "--steps", "60", "--json"])
    assert done.exit_code == 0, done.output
    assert '"label agreement"' in done.output
    done = CliRunner().invoke(cli, ["preview", str(made), "--out", str(tmp_path / "pictures"), "--columns", "3"])
    assert done.exit_code == 0, done.output
    assert [file.name for file in (tmp_path / "pictures").glob("*.png")] == ["grid.png"]
    inside = CliRunner().invoke(cli, ["preview", str(made)])
    assert "lies in the data folder" in str(inside.exception)
    assert not (made / "preview").exists()


def test_a_preview_shows_whole_images_of_any_size_and_mode(tmp_path):
    images = load_images("digits", limit=2)
    sizes = [(300, 100), (100, 300), (8, 8)]
    made = elsewhere.write(tmp_path / "made", images, sizes=sizes, modes=["L", "RGB", "RGBA"])
    first = next((made / "0").iterdir())
    (made / "0" / "broken.png").write_bytes(first.read_bytes()[:60])
    grid, _ = ganaug.preview(made, tmp_path / "out", columns=4)
    with Image.open(grid) as picture:
        assert picture.height == 10 * 130 + 2  # cells of 128 px
        assert (np.asarray(picture)[:, -100:] == 255).all()  # there are two of each
    with pytest.raises(OptionError, match="walk"):
        ganaug.preview(made, tmp_path / "out", frames=3)
    with pytest.raises(OptionError, match="start from nothing"):
        ganaug.preview(made, tmp_path / "out", truncation=0.5)
