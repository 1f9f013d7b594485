"""Words: what a run learned of them, and classes that are described by them."""

from __future__ import annotations

import json
import shlex
from dataclasses import replace

import numpy as np
import pytest
import torch
from click.testing import CliRunner

import ganaug
from ganaug.cli.group import cli
from ganaug.data.sources.arrays import from_arrays
from ganaug.data.words import Words, words_in, words_told
from ganaug.errors import (
    ArtefactError,
    DataError,
    LabelMismatchError,
    NumberingWarning,
    OptionError,
    OutputInUseError,
)
from ganaug.generator.card import Card
from ganaug.generator.folder import save

TINY = {"width": 8, "widest": 16, "latent": 8, "batch": 16}
CLASSES = ("red 0", "red 1", "blue 0")


def arrays(n=12):
    rng = np.random.default_rng(0)
    return rng.integers(0, 256, (3 * n, 8, 8, 3), dtype=np.uint8), np.arange(3 * n) % 3


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    out = tmp_path_factory.mktemp("words") / "run"
    return ganaug.fit(arrays(), out, recipe="stackgan", classes=CLASSES, options=TINY, steps=3, device="cpu")


def test_words_are_letters_and_digits_of_any_script_without_order():
    assert words_in("Red_small-7, RED") == ("7", "red", "small")
    assert words_in("Straße ñandú 日本") == words_in("STRASSE Ñandú 日本")
    assert words_in("लाल लील") == ("लाल", "लील")
    assert words_in("heart \u2764\ufe0f") == ("heart",), "a sign that selects a form of another is no word"
    words = Words.of_classes(["b a", "c"])
    assert words.vocabulary == ("a", "b", "c")
    assert words.rows(["c", "b a"]).tolist() == [[0, 0, 1], [1, 1, 0]]


@pytest.mark.parametrize(("classes", "told", "error", "said"), [
    (["a b", "b-a"], None, DataError, "'a b' and 'b-a' have the same words: a b"),
    (["a", "!"], None, DataError, "no words in '!'"),
    (["a", "b"], {"a": "x"}, LabelMismatchError, "No words are given of 'b'"),
    (["1"], {"01": "x"}, LabelMismatchError, "There are some of '01'"),
])  # fmt: skip
def test_classes_that_words_cannot_tell_apart_are_refused(classes, told, error, said):
    with pytest.raises(error, match=said):
        Words.of_classes(classes, told)


def test_a_file_of_words_has_a_column_of_classes(tmp_path):
    file = tmp_path / "attributes.csv"
    file.write_text("class;colour;digit\nx;red;seven\n\ny;blue, dark;one\n", encoding="utf-8-sig")
    assert words_told(file) == {"x": "red seven", "y": "blue, dark one"}
    for text, said in (
        ("name,colour\nx,red\n", "no column 'class'"), ("class,colour\nx,red\nx,blue\n", "there twice"),
        ("class,colour\nx\n", "line 2 has 1 cells"), ("", "cannot be read"), ("class,colour\n", "cannot be read"),
        ("class\nx\n", "not a list of classes and words"), ("class,c\ncaf\u00e9,r\ncafe\u0301,b\n", "there twice"),
    ):  # fmt: skip
        file.write_text(text)
        with pytest.raises(OptionError, match=said):
            words_told(file)
    with pytest.raises(OptionError, match="cannot be read"):
        words_told(tmp_path / "none.csv")
    for given in ({}, {"x": 1}, 5, {"caf\u00e9": "red", "cafe\u0301": "blue"}):
        with pytest.raises(OptionError):
            words_told(given)


def test_a_run_keeps_its_words_and_other_classes_are_drawn_from_them(run, tmp_path):
    assert run.load().card.words == Words.of_classes(CLASSES)
    folder = ganaug.describe(run, ["1 blue", "red 1"], tmp_path / "unseen")
    new, old = ganaug.load(folder), run.load()
    assert new.classes == ("1 blue", "red 1")
    assert new.hash != old.hash
    assert new.card.fingerprints == old.card.fingerprints
    z = old.prior.draw(4, torch.Generator().manual_seed(0))
    one = torch.ones(4, dtype=torch.int64)
    assert torch.equal(new.generator(z, one), old.generator(z, one)), "the same words, the same images"
    assert not torch.equal(new.generator(z, 0 * one), old.generator(z, 2 * one))
    pictures = ganaug.SyntheticDataset(folder, per_class=2)
    assert [pictures.classes[label] for _, label in pictures] == ["1 blue", "1 blue", "red 1", "red 1"]
    with pytest.raises(OutputInUseError):
        ganaug.describe(run, ["1 blue"], folder)


@pytest.mark.parametrize(("given", "error", "said"), [
    (["green 1"], OptionError, "not learned the word 'green'"),
    (["blu 1"], OptionError, "Near ones are: blue"),
    ([], OptionError, "Nothing is described"),
    (["red 1", "red 1"], OptionError, "described twice"),
    (["red 1", "1 red"], DataError, "the same words"),
    (["..."], DataError, "no words"),
    (["blue 1\udcff"], DataError, "not valid UTF-8"),
    ({" ": "blue 1"}, DataError, "empty name"),
    (None, OptionError, "not a list"),
    ({"red 1"}, OptionError, "not a list"),
])  # fmt: skip
def test_what_cannot_be_described_is_refused_and_leaves_nothing(run, tmp_path, given, error, said):
    with pytest.raises(error, match=said):
        ganaug.describe(run, given, tmp_path / "out")
    assert not list(tmp_path.iterdir())


def test_words_are_of_recipes_that_draw_from_them(tmp_path):
    with pytest.raises(OptionError, match="does not draw from words"):
        ganaug.fit(arrays(), tmp_path / "run", words={"0": "a", "1": "b", "2": "c"}, steps=1)
    with pytest.raises(OptionError, match="does not draw from words"):
        ganaug.describe(ganaug.fit(arrays(), tmp_path / "small", options={"batch": 16}, steps=1), ["0"], tmp_path / "x")


def test_words_of_a_file_are_part_of_what_a_resumed_fit_agrees_with(tmp_path):
    said, words = [], {"0": "red nought", "1": "red one", "2": "blue nought", "9": "nine"}
    how = {"recipe": "stackgan", "options": TINY, "steps": 2, "device": "cpu"}
    run = ganaug.fit(arrays(), tmp_path / "run", words=words, report=lambda *told: said.append(told), **how)
    assert run.load().card.words.vocabulary == ("blue", "nought", "one", "red")
    assert any("not in the data: 9" in told[-1] for told in said)
    with pytest.raises(ganaug.GanaugError, match="words"):
        ganaug.fit(arrays(), tmp_path / "run", words={**words, "1": "red two"}, resume=True, **how)


def test_names_of_classes_are_found_in_whatever_way_their_accents_are_written():
    told = {"caf\u00e9": "red", "the\u0301": "blue"}
    assert Words.of_classes(["cafe\u0301", "th\u00e9"], told).of == (("cafe\u0301", ("red",)), ("th\u00e9", ("blue",)))


def test_a_fork_draws_from_the_words_that_its_networks_hold(tmp_path):
    words = {"0": "red nought", "1": "red one", "2": "blue nought"}
    how = {"recipe": "stackgan", "options": TINY, "device": "cpu"}
    run = ganaug.fit(arrays(), tmp_path / "run", words=words, steps=2, **how)
    for others in (None, {"0": "red one", "1": "red nought", "2": "blue nought"}):
        with pytest.raises(OptionError, match="other words"):
            ganaug.fit(arrays(), tmp_path / "fork", words=others, steps=3, fork=run.path, **how)
    with pytest.raises(OptionError) as refused:
        ganaug.fit(arrays(), tmp_path / "run", words={**words, "0": "red nil"}, steps=2, resume=True, **how)
    assert "a fork takes over the words, fit anew" in refused.value.fix
    fork = ganaug.fit(arrays(), tmp_path / "fork", words=words, steps=3, fork=run.path, **how)
    assert fork.load().card.words == run.load().card.words


def test_weights_of_other_words_than_the_card_are_refused(run, tmp_path):
    fitted = run.load()
    card = replace(fitted.card, words=Words.of_classes(CLASSES, dict(zip(CLASSES, reversed(CLASSES), strict=True))))
    save(tmp_path / "other", fitted.networks, card)
    with pytest.raises(ArtefactError, match="other words"):
        ganaug.load(tmp_path / "other")


@pytest.mark.parametrize("change", [
    lambda words: words["of"].pop(), lambda words: words["vocabulary"].append("red"), lambda words: words.pop("of"),
    lambda words: words["of"][0][1].append("green"), lambda words: words["of"][0].append(1),
    lambda words: words.update(of="red"), lambda words: words["of"][0].__setitem__(1, []),
])  # fmt: skip
def test_a_card_with_other_words_is_refused(run, change):
    values = json.loads(run.load().card.to_json())
    assert Card.from_json(json.dumps(values)) == run.load().card
    change(values["words"])
    with pytest.raises(ArtefactError):
        Card.from_json(json.dumps(values))


def typed(*parts):
    return CliRunner().invoke(cli, list(map(str, parts)))


def test_the_command_writes_a_folder_and_says_what_to_do_next(run, tmp_path):
    unseen, other = tmp_path / "un seen", tmp_path / "other"
    assert json.loads(typed("describe", run.path, "1 blue", "--out", unseen, "--json").stdout) == {
        "out": str(unseen), "classes": ["1 blue"],
    }  # fmt: skip
    (tmp_path / "words.csv").write_text("class,words\nindigo,blue 1\n")
    done = typed("describe", run.path, "--words", tmp_path / "words.csv", "--out", other)
    assert ganaug.load(other).classes == ("indigo",)
    assert typed(*shlex.split(done.stdout.splitlines()[-1].removeprefix("Next: ganaug "))).exit_code == 0
    refused = typed("describe", run.path, "--out", tmp_path / "none")
    assert refused.exit_code == 2 or isinstance(refused.exception, OptionError)


def test_a_described_class_is_augmented_like_any_other(run, tmp_path):
    folder = ganaug.describe(run, ["1 blue"], tmp_path / "unseen")
    with pytest.warns(NumberingWarning, match="they are described"):
        out = ganaug.augment(folder, {"1 blue": 3}, tmp_path / "images")
    assert len(list(out.glob("1 blue/*.png"))) == 3
    for counting in (["--balance"], ["--ratio", "0.25"]):
        refused = typed("augment", folder, *counting, "--out", tmp_path / "none")
        assert isinstance(refused.exception, OptionError)
        assert "--per-class N" in refused.exception.fix


def test_what_a_described_generator_was_fitted_on_is_not_asked_for(run, tmp_path):
    folder = ganaug.describe(run, ["1 blue", "red 1"], tmp_path / "unseen")
    with pytest.raises(DataError) as refused:
        ganaug.doctor(folder)
    assert "images of its classes" in refused.value.fix
    pixels, labels = arrays()
    new = from_arrays(pixels[labels < 2], labels[labels < 2], classes=["1 blue", "red 1"])
    assert "too few images" not in [one.name for one in ganaug.doctor(folder, new).findings]
    with pytest.raises(LabelMismatchError) as refused:
        ganaug.doctor(folder, from_arrays(pixels, labels, classes=list(CLASSES)))
    assert "fitted on" not in refused.value.cause
    with pytest.raises(OptionError, match="keeps a choice"):
        ganaug.describe(run, ["1 blue"], run.path / "choice")


def test_a_recipe_of_the_users_own_is_described_by_the_command(tmp_path):
    file = tmp_path / "own.py"
    file.write_text(f"from ganaug.recipes import make\n\n\ndef mine():\n    return make('stackgan', {TINY!r})\n")
    own = f"{file}:mine"
    run = ganaug.fit(arrays(), tmp_path / "run", recipe=own, classes=CLASSES, steps=2, device="cpu")
    assert "--recipe" in typed("describe", run.path, "1 blue", "--out", tmp_path / "none").exception.fix
    done = typed("describe", run.path, "1 blue", "--out", tmp_path / "out", "--recipe", own)
    assert done.exit_code == 0, done.output
    assert typed(*shlex.split(done.stdout.splitlines()[-1].removeprefix("Next: ganaug "))).exit_code == 0
