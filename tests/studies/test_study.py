"""The study in small: two draws of toy cells on the embedded digits; its statistics are in test_study_numbers.py."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from ganaug.data.load import load_images
from scripts.studies.help import __main__ as study
from scripts.studies.help.cells import CELLS, UNJUDGED, Cell, Protocol, Subset, by_subset, chosen
from scripts.studies.help.draw import Draw, broken, images_of, tail_classes
from scripts.studies.help.kept import HELP, cell_file, kept
from scripts.studies.help.page import write
from scripts.studies.help.summary import read_cell, summarise
from scripts.studies.lib.results import claimed, read, unpack_flags, unpack_numbers

SUBSET = Subset("digits", 12, steps=3)
TOY = Cell("toy", "closed", SUBSET, ratios=(0.25, 0.5), uses=("plain",))
SHUFFLED = replace(TOY, name="toy-shuffled", group="planted", spoiled="labels")
PROTOCOL = Protocol(steps=6, quick=True)


def toy(folder: Path, *cells: Cell, **options) -> study.Study:
    return study.Study(cells or (TOY, SHUFFLED), 2, PROTOCOL, folder / "out", folder / "work", **options)


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with two finished toy cells."""
    folder = tmp_path_factory.mktemp("study")
    toy(folder).play()
    return folder


def findings(folder: Path, cell: Cell, number: int) -> dict:
    """What a draw found, without when and how long."""
    (values,) = (draw for draw in kept(folder / "out", cell)[1] if draw["draw"] == number)
    return {name: values[name] for name in ("seed", "baseline", "generator", "train", "validation", "seen", "arms")}


def no_training(*_, **__):
    raise AssertionError("something is trained that is there already")


@pytest.mark.long
def test_every_draw_leaves_one_short_line_and_no_generator(played):
    assert {file.name for file in (played / "out").iterdir()} == {"toy.jsonl", "toy-shuffled.jsonl"}
    for cell in (TOY, SHUFFLED):
        lines = read(cell_file(played / "out", cell))
        assert [(line["kind"], line.get("draw")) for line in lines] == [("tuned", None), ("draw", 0), ("draw", 1)]
        assert cell_file(played / "out", cell).stat().st_size < 20_000
    assert not any((played / "work" / "draws").iterdir())


def test_cells_of_one_subset_share_the_generator_and_the_baseline(played):
    for number in (0, 1):
        own, shuffled = (findings(played, cell, number) for cell in (TOY, SHUFFLED))
        assert own["generator"] == shuffled["generator"]
        assert own["arms"][0] == shuffled["arms"][0]
        assert own["arms"][1:] != shuffled["arms"][1:]
        assert [(arm["ratio"], arm["use"]) for arm in own["arms"]] == [(0, "plain"), (0.25, "plain"), (0.5, "plain")]


def test_what_is_there_is_not_trained_again(played, tmp_path, monkeypatch):
    shutil.copytree(played, tmp_path, dirs_exist_ok=True)
    monkeypatch.setattr("scripts.studies.help.draw.train_classifier", no_training)
    monkeypatch.setattr("ganaug.evaluation.trials.small.train_classifier", no_training)
    monkeypatch.setattr("ganaug.fit", no_training)
    toy(tmp_path).play()
    with pytest.raises(AssertionError, match="trained"):
        toy(tmp_path, replace(TOY, name="another")).play()


def test_a_lost_draw_is_played_again_alone_and_comes_out_the_same(played, tmp_path):
    shutil.copytree(played / "out", tmp_path / "out")
    tuned, first, _ = (file := cell_file(tmp_path / "out", TOY)).read_bytes().splitlines(keepends=True)
    file.write_bytes(tuned + first)
    toy(tmp_path).play()
    assert findings(tmp_path, TOY, 1) == findings(played, TOY, 1)
    again = file.read_bytes().splitlines(keepends=True)
    assert (again[:2], len(again)) == ([tuned, first], 3)


@pytest.mark.long
def test_a_study_stopped_in_a_fit_goes_on_to_the_same_results(played, tmp_path):
    def stop(phase: str, done: int, total: int, detail: str = "") -> None:
        if phase == "fit" and done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        toy(tmp_path, TOY, report=stop).play()
    tuned, draws = kept(tmp_path / "out", TOY)
    assert tuned is not None
    assert not draws
    toy(tmp_path, TOY).play()
    for number in (0, 1):
        assert findings(tmp_path, TOY, number) == findings(played, TOY, number)


def test_a_draw_that_another_process_has_claimed_is_left_to_it(played, tmp_path, monkeypatch):
    shutil.copytree(played / "out", tmp_path / "out")
    tuned, _, second = (file := cell_file(tmp_path / "out", TOY)).read_bytes().splitlines(keepends=True)
    file.write_bytes(tuned + second)
    waiting = toy(tmp_path)
    with claimed(tmp_path / "work" / "locks" / f"{SUBSET.name}-00") as mine:
        assert mine
        with claimed(tmp_path / "work" / "locks" / f"{SUBSET.name}-00") as again:
            assert not again
        assert not waiting._play(SUBSET, 0)
    assert waiting.left() == [(SUBSET, 0)]
    assert waiting._play(SUBSET, 0)
    assert waiting.left() == []


@pytest.mark.long
def test_a_draw_that_fails_does_not_stop_the_others(tmp_path, monkeypatch):
    monkeypatch.delenv("GANAUG_DATA", raising=False)
    stuck = toy(tmp_path, replace(TOY, name="absent", subset=replace(SUBSET, data="mnist")), TOY)
    stuck.play()
    assert set(stuck.failed) == {("mnist-12", 0), ("mnist-12", 1)}
    assert [draw["draw"] for draw in kept(tmp_path / "out", TOY)[1]] == [0, 1]


def test_the_generator_sees_what_the_classifier_gets_and_nothing_else(tmp_path):
    draw = Draw(SUBSET, 0, tmp_path)
    train, validation = draw.parts
    card = draw.run.load().card
    assert (card.fingerprints, card.held_out) == (train.fingerprints, validation.fingerprints)
    design = draw.design(TOY, PROTOCOL)
    pixels, labels = draw.synthetic("", design)
    same, shuffled = draw.synthetic("labels", design)
    assert torch.equal(pixels, same)
    assert (labels != shuffled).float().mean() > 0.5
    assert torch.equal(labels.bincount(), shuffled.bincount())
    real, kinds = draw.synthetic("unseen", design)
    whole = load_images("digits")
    assert len(real) == len(kinds) == len(whole) - len(draw.images)
    assert not {bytes(image.numpy()) for image in real} & {bytes(image.numpy()) for image in draw.images.pixels}
    noise, _ = draw.synthetic("broken", design)
    assert (noise.float() - pixels.float()).abs().mean() > 10
    assert broken(draw.run, tmp_path / "again") == tmp_path / "again"
    other, own = ((tmp_path / name / "generator" / "manifest.json").read_bytes() for name in ("again", "broken"))
    assert other == own


def test_each_draw_has_other_images_but_the_same_tail():
    subset = Subset("digits", 20, steps=3, tail=5)
    first, second = images_of(subset, 0), images_of(subset, 1)
    assert set(first.fingerprints) != set(second.fingerprints)
    small = tail_classes(subset, 10)
    assert len(small) == 3
    for images in (first, second):
        assert [n for n in images.counts().values()] == [5 if label in small else 20 for label in range(10)]


def test_the_table_of_cells():
    names = [cell.name for cell in CELLS]
    assert len(set(names)) == len(names)
    assert [cell.group for cell in CELLS].count("closed") == 15
    assert all(cell.tier == "core" for cell in CELLS if cell.group not in UNJUDGED)
    shared = by_subset(CELLS)
    kinds = {cell.name for cell in shared[next(c.subset for c in CELLS if c.name == "fashion_mnist-50")]}
    assert kinds == {"fashion_mnist-50", *(f"fashion_mnist-50-{kind}" for kind in ("broken", "shuffled", "ceiling"))}
    assert len({cell.subset.name for cell in CELLS}) == len(shared)  # folders and seeds go by the name
    assert [cell.name for cell in chosen(CELLS, ["mnist-*"], "core")][:3] == ["mnist-20", "mnist-50", "mnist-200"]
    assert len(chosen(CELLS, [], "full")) == len(CELLS) > len(chosen(CELLS, [], "core"))
    with pytest.raises(ValueError, match="No cell is called imagenet"):
        chosen(CELLS, ["imagenet"], "core")


def test_the_page_of_what_was_played(played, tmp_path):
    shutil.copytree(played / "out", tmp_path / "out")
    page = write((TOY, SHUFFLED), tmp_path / "out", "make it", 2).read_text()
    assert "## Planted harm" in page
    assert "Fewer than" not in page
    for cell in (TOY, SHUFFLED):
        lines = read_cell(cell, played / "out")
        assert lines is not None
        one = summarise(cell, *lines)
        assert f"| {cell.name} | 12 | accuracy |" in page
        draw, arm = lines[1][0], lines[1][0]["arms"][0]
        answers = unpack_flags(arm["right"], len(unpack_numbers(one.tuned["test labels"])))
        unseen = np.setdiff1d(np.arange(len(answers)), draw["seen"])
        assert answers[unseen].mean() == pytest.approx(arm["test"]["accuracy"])


def test_the_command_line_lists_cells_and_writes_a_page(tmp_path, capsys):
    assert study.main(["--list", "--cells", "mnist-*"]) == 0
    listed = capsys.readouterr().out
    assert "mnist-50-no-transform" in listed
    assert "8 cells, 10 draws each" in listed
    assert study.main(["--page", "--quick", "--quiet", "--out", str(tmp_path / "study")]) == 0
    assert "digits-20-broken" in (tmp_path / "study.md").read_text()
    with pytest.raises(SystemExit, match="No cell is called imagenet"):
        study.main(["--list", "--cells", "imagenet"])


def test_a_trial_with_other_steps_never_goes_among_the_results():
    assert study.place(study.parsed(["--fit-steps", "5"])) != study.place(study.parsed([]))
    assert study.place(study.parsed(["--quick"])) != study.place(study.parsed([]))
    assert study.place(study.parsed([])) == HELP
    assert study.place(study.parsed(["--quick", "--out", "here"])) == Path("here")
