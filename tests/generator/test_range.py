"""The range of a run's pictures: on its card, and asked of nobody again."""

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

import ganaug
from ganaug.cli.group import cli
from ganaug.errors import ArtefactError, OptionError
from ganaug.generator.card import Card
from ganaug.generator.parts import images_like
from ganaug.options import Reading, typed
from tests.toys.images import write_classes

FIT = {"recipe": "cgan", "steps": 1, "size": 8}


def values(c: int, i: int) -> np.ndarray:
    return np.rint(np.random.default_rng([c, i]).uniform(-1000, 1400, (8, 8))).astype(np.int16)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with signed pictures in train and test, and a run on the first, over -1024 to 1500."""
    folder = tmp_path_factory.mktemp("range")
    write_classes(folder / "train", values, ".tif", n=12)
    write_classes(folder / "test", lambda c, i: values(c, 50 + i), ".tif", n=4)
    ganaug.fit(folder / "train", folder / "run", range=(-1024, 1500), **FIT)
    return folder


def test_the_card_keeps_it_and_data_are_read_by_it(place):
    card = ganaug.load(place / "run").card
    assert card.codec.range == (-1024, 1500)
    assert Card.from_json(card.to_json()) == card
    images = images_like(card, place / "train")
    assert set(images.fingerprints) == {*card.fingerprints, *card.held_out}
    ganaug.measure(place / "run", place / "train", test=place / "test", steps=1, per_class=4, device="cpu")
    assert len(ganaug.features(place / "run", place / "test").images) == 8


def test_another_range_is_refused_everywhere(place):
    card = ganaug.load(place / "run").card
    for use in (
        lambda **how: ganaug.measure(place / "run", place / "train", device="cpu", **how),
        lambda **how: ganaug.features(place / "run", place / "train", **how),
        lambda **how: ganaug.bench(place / "train", run=place / "run", out=place / "b", test=place / "test", **how),
        lambda **how: images_like(card, ganaug.load_images(place / "train", size=8, at_least=0, **how)),
    ):
        with pytest.raises(OptionError, match="0 to 4095 is not that of the run, -1024 to 1500"):
            use(range=(0, 4095))


def test_a_run_of_full_16_bits_takes_the_whole_range_as_its_own(tmp_path):
    root = write_classes(tmp_path / "data", lambda c, i: (values(c, i) + 1000).astype(np.uint16) * 27, ".tif", n=6)
    run = ganaug.fit(root, tmp_path / "run", **FIT)
    card = run.load().card
    assert card.codec.range is None
    assert images_like(card, root, Reading(range=(0, 65535))).fingerprints == images_like(card, root).fingerprints


@pytest.mark.parametrize("bad", [[1, 0], [0], [0, 1, 2], ["a", "b"], [0, True], "0 1", {}, [0, 1e400]])
def test_a_card_with_what_is_no_range_is_refused(place, bad):
    card = json.loads(ganaug.load(place / "run").card.to_json())
    card["codec"]["range"] = bad
    with pytest.raises(ArtefactError):
        Card.from_json(json.dumps(card))


def said(*arguments: object, code: int = 0) -> str:
    done = CliRunner().invoke(cli, [str(one) for one in arguments], env={"COLUMNS": "400", "TERMINAL_WIDTH": "400"})
    assert done.exit_code == code, (done.output, done.exception)
    return done.output


def test_the_command_line_and_its_file_take_it(place, tmp_path):
    assert "--range -" in said("check", place / "train", "--no-timing", code=3)
    span = ("--range", -1024, 1500)
    assert "-1024 to 1500 is black to white" in said("check", place / "train", "--no-timing", *span)
    fit = ("fit", place / "train", "--recipe", "cgan", "--steps", 1, "--size", 8, "--device", "cpu", *span)
    config = tmp_path / "fit.yaml"
    config.write_text(said(*fit, "--out", tmp_path / "run", "--print-config"))
    assert "range:\n- -1024.0\n- 1500.0\n" in config.read_text()
    said("fit", "--config", config)
    assert ganaug.load(tmp_path / "run").card.codec.range == (-1024, 1500)
    for bad in ("range: 3", "range: [1]", "range: [a, b]"):
        config.write_text(bad)
        said("fit", place / "train", "--out", tmp_path / "x", "--config", config, code=2)
    out = said("augment", place / "run", "--per-class", 1, "--out", tmp_path / "made")
    assert "0 to 255 stand for -1024 to 1500" in out
    lines = (tmp_path / "made" / "metadata.jsonl").read_text().splitlines()
    assert all(json.loads(line)["range"] == [-1024, 1500] for line in lines)


def test_it_is_shown_as_one_types_it():
    assert typed(ganaug.FitSettings(range=(-80, 0.5)))[0] == ["--range -80 0.5"]
