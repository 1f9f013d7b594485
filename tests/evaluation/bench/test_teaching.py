"""What unlabelled images and better classifiers teach: pseudo-labels, FixMatch, distillation, and what may not leak."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ganaug.classifier.pseudo import Pseudo
from ganaug.data.sources.arrays import from_arrays
from ganaug.errors import FewImagesWarning, LeakError, OptionError, TooFewImagesError
from ganaug.evaluation.bench.contenders import Arena
from ganaug.evaluation.bench.design import design_for
from ganaug.evaluation.bench.ladder import Ladder, climb_all
from ganaug.evaluation.bench.run import bench
from ganaug.evaluation.bench.sets import gather
from ganaug.evaluation.bench.settings import BenchSettings
from ganaug.evaluation.trials.arms import DISTILLED, FIXMATCH, PSEUDO
from ganaug.evaluation.trials.learner import Menu
from ganaug.evaluation.trials.parts import FOLD, TRAIN, UNLABELLED, Parts
from ganaug.evaluation.trials.trial import Laboratory
from ganaug.fitting.fit import fit
from tests.evaluation.bench.test_ladder import part
from tests.toys.bench import NearestMean, images
from tests.toys.oracle import Oracle

MENU = Menu({"lr": (0.1,)}, fixmatch=True, longer=True)
FROZEN = Menu({"lr": (0.1,)})
FEW = {
    "quick": True, "seeds": 2, "steps": 4, "device": "cpu", "model": "small",
    "search": False,
}  # fmt: skip


def oracle(sure: float, menu: Menu = MENU, name: str = "small", **given: Any) -> Oracle:
    return Oracle(lambda training: sure - 0.5 * training.longer, menu, name, **given)


def climbed(folder: Path, *learners: Oracle, remedies: Any, **asked: Any) -> tuple[Ladder, Arena]:
    fold = np.arange(300) % 3
    equal = (100, 100, 100)
    of = Parts(part(equal, 0), part(equal, 1), part(equal, 2), 3, {"run": part(equal, 3)}, part(equal, 4), fold=fold)
    design = design_for(equal, BenchSettings(remedies=remedies, quick=True, unlabelled="there", **asked))
    known = {learner.name: learner for learner in learners}
    arena = Arena(Laboratory(of, folder, known), known, design)
    return climb_all(arena, list(of.made), {}), arena


def test_images_on_which_classifiers_agree_that_have_not_seen_all_labels_are_learned(tmp_path):
    learner = oracle(3.0, taught={PSEUDO: 1.0})
    ladder, arena = climbed(tmp_path, learner, remedies=(PSEUDO,))
    assert ladder.rest.arm.taught == PSEUDO
    assert ladder.rest.contender.remedies == (PSEUDO,)
    assert ladder.mixed["run"].arm.taught == PSEUDO  # synthetic images are shown beside those alone
    taught, there = arena.laboratory.parts.taught[PSEUDO], arena.laboratory.parts.unlabelled
    assert there is not None
    assert len(taught.rows) > 100
    assert (taught.labels == there.labels.numpy()[taught.rows]).mean() > 0.9
    judges = [trial for trial in learner.asked if trial.on == (UNLABELLED,)]
    assert [trial.leave for trial in judges] == [0, 1, 2]
    assert [note for note in arena.notes if note.startswith(f"Pseudo-labels: {len(taught.rows)} of 300 unlabelled")]


def test_answers_that_are_no_better_than_chance_are_not_learned(tmp_path):
    ladder, arena = climbed(tmp_path, oracle(-4.0, taught={PSEUDO: 1.0}), remedies=(PSEUDO,))
    rung = ladder.rungs[-1]
    assert (rung.remedy, rung.tried) == (PSEUDO, None)
    assert "no more than half is right" in rung.why_not
    assert len(arena.laboratory.parts.taught[PSEUDO].rows) == 0


def test_fixmatch_is_for_classifiers_that_are_trained_by_batches(tmp_path):
    ladder, _ = climbed(
        tmp_path, oracle(1.0, taught={FIXMATCH: 1.0}), oracle(1.2, FROZEN, "probe"), remedies=("probe", FIXMATCH)
    )
    assert ladder.rest.arm.taught == FIXMATCH
    assert ladder.rest.contender.kinds == ("small",)
    frozen, _ = climbed(tmp_path / "frozen", oracle(1.0, FROZEN), remedies=(FIXMATCH,))
    assert [rung.why_not for rung in frozen.rungs if rung.remedy == FIXMATCH][0].startswith("It trains a network")


def test_what_is_deployed_is_one_network_that_better_ones_have_taught(tmp_path):
    student, teacher = oracle(1.0, taught={DISTILLED: 0.8}), oracle(3.0, FROZEN, "probe", taught={DISTILLED: 0.0})
    ladder, arena = climbed(tmp_path, student, teacher, remedies=("probe", "mean", "distillation"), deploy="small")
    assert ladder.rest.arm.taught == DISTILLED
    assert not ladder.rest.arm.longer
    assert (ladder.rest.contender.kinds, len(ladder.rest.contender.members)) == (("small",), 1)
    assert {rung.remedy for rung in ladder.rungs} == {"as it is", "probe", "mean", DISTILLED}
    taught = arena.laboratory.parts.taught[DISTILLED]
    assert {name: len(said) for name, said in taught.soft.items()} == {TRAIN: 300, UNLABELLED: 300, "run": 300}
    for said in taught.soft.values():
        assert np.allclose(said.sum(1), 1, atol=1e-6)
    labels = arena.laboratory.parts.train.labels.numpy()
    assert (taught.soft[TRAIN][np.arange(300), labels] >= 0.5).all()
    said = [trial for trial in teacher.asked if trial.on == (FOLD,)]
    assert {trial.leave for trial in said} == {0, 1, 2}  # nothing is taught by networks that have seen the answer


def test_who_knows_best_learns_nothing_from_others(tmp_path):
    ladder, _ = climbed(
        tmp_path, oracle(3.0, FROZEN), oracle(-1.0, FROZEN, "probe"), remedies=("probe", DISTILLED), deploy="small"
    )
    assert [rung.why_not for rung in ladder.rungs if rung.remedy == DISTILLED][0].startswith("Nothing that was tried")
    assert ladder.rest is ladder.as_it_is


def pool(count: int, seed: int) -> np.ndarray:
    source = images(count, seed)
    return np.stack([np.asarray(source.read(i)) for i in range(len(source))])


def test_unlabelled_images_are_learned_and_their_labels_are_left_for_the_user(
    tmp_path: Path, quick_classifier: NearestMean
):
    own = pool(12, 0)
    given = {"test": images(30, 1), "unlabelled": np.concatenate([pool(40, 2), own[:5]]), **FEW}
    results = bench(images(12, 0), out=tmp_path / "out", remedies=(PSEUDO,), **given)
    data = results.data
    assert data["data"]["unlabelled"] == {"images": 120, "unreadable": 0}
    assert any(note.startswith("5 unlabelled images are copies of labelled images") for note in data["notes"])
    [rung] = [rung for rung in data["ladder"] if rung["rung"] == PSEUDO]
    assert "pseudo-labelled images" in rung["name"]
    with (tmp_path / "out" / "pseudo_labels.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) > 10
    truth = [int(row["image"].split()[-1]) % 3 for row in rows]
    assert np.mean([("ant", "bee", "cat")[right] == row["label"] for right, row in zip(truth, rows, strict=True)]) > 0.9
    assert bench(images(12, 0), out=tmp_path / "out", remedies=(PSEUDO,), **given).data["trained"] == 0
    bench(images(12, 0), out=tmp_path / "out", remedies=("longer",), test=given["test"], **FEW)
    assert not (tmp_path / "out" / "pseudo_labels.csv").exists()  # it is of another bench


def test_a_network_to_deploy_is_taught(tmp_path: Path, quick_classifier: NearestMean):
    given = {"test": images(30, 1), **FEW, "model": None}
    data = bench(images(12, 0), out=tmp_path, deploy="small", remedies=("mean", DISTILLED), **given).data
    assert [rung["rung"] for rung in data["ladder"]] == ["as it is", DISTILLED, "mean"]
    assert "by itself" in data["ladder"][2]["why not"]  # a mean of one network is none
    assert data["most"]["arms"]["best"]["networks"] == 1
    with pytest.raises(OptionError, match="--deploy names the classifier"):
        bench(images(12, 0), out=tmp_path / "two", deploy="small", **{**given, "model": "small"})


def test_unlabelled_images_may_not_be_test_images(tmp_path: Path, quick_classifier: NearestMean):
    tested = pool(30, 1)
    given = {"test": images(30, 1), "out": tmp_path, "remedies": (PSEUDO,), **FEW}
    with pytest.raises(LeakError, match="1 of 90 test images are among the unlabelled images: item 40 is like item 3"):
        bench(images(12, 0), unlabelled=np.concatenate([pool(40 // 3 + 1, 2)[:40], tested[3:4]]), **given)
    with pytest.raises(TooFewImagesError, match="All 36 unlabelled images are among the labelled ones"):
        bench(images(12, 0), unlabelled=pool(12, 0), **given)
    assert not list(tmp_path.rglob("*.json"))


def test_unlabelled_images_that_only_the_generator_gets_withhold_the_verdict(tmp_path: Path, monkeypatch):
    """They count as seen, too; and of many, a bench looks at those that the fit looked at, whatever its own seed."""
    known, unknown, test = images(12, 0), pool(12, 2), images(12, 1)
    taken = Pseudo(np.arange(30), np.arange(30) % 3, np.ones(30), 0.9, 0.9, "they are sure")
    monkeypatch.setattr("ganaug.classifier.labelling.label_images", lambda *of, **how: (taken, "judges"))
    options = {"width": 4, "widest": 8, "latent": 8, "batch": 8}
    for name, module in (("fitting.unlabelled", "MOST"), ("evaluation.bench.sets", "UNLABELLED")):
        monkeypatch.setattr(f"ganaug.{name}.{module}", 32)
    with pytest.warns(FewImagesWarning):
        run = fit(known, tmp_path / "run", unlabelled=unknown, steps=1, seed=5, options=options, device="cpu").load()
    assert len(run.card.unlabelled) == 30

    def doubts(**given: Any) -> list[str]:
        found = gather(known, BenchSettings(**{"test": test, **given}), fitted=run)
        return [doubt for doubt in found.doubts if "unlabelled" in doubt]

    [alone] = doubts()
    assert "learned from 30 unlabelled images that the classifier is not given" in alone
    assert "Give them: --unlabelled FOLDER" in alone
    assert not doubts(unlabelled=unknown)
    [few] = doubts(unlabelled=unknown[:20])
    assert "learned from " in few
    monkeypatch.setattr("ganaug.evaluation.bench.sets.QUICKLY_UNLABELLED", 10)
    [quick] = doubts(unlabelled=unknown, quick=True)
    assert quick.endswith("A bench that is not quick looks at more of them.")
    seen = from_arrays(np.concatenate([test.array, unknown]), np.arange(72) % 3, classes=test.classes)
    with pytest.raises(LeakError, match="30 of 72 test images"):
        doubts(test=seen)


@pytest.mark.parametrize(
    ("remedy", "needed"), [(PSEUDO, "--unlabelled"), (FIXMATCH, "--unlabelled"), (DISTILLED, "--deploy")]
)
def test_what_a_remedy_needs_is_said(tmp_path: Path, remedy: str, needed: str):
    with pytest.raises(OptionError, match=needed):
        bench(images(12, 0), test=images(30, 1), out=tmp_path, remedies=(remedy,), **FEW)


def test_real_networks_learn_what_they_are_taught(tmp_path: Path, real_plots: None):
    """The small network by batches, in this process."""
    rng = np.random.default_rng(0)
    data = from_arrays(rng.integers(0, 256, (24, 8, 8), dtype=np.uint8), np.arange(24) % 2, classes=("a", "b"))
    test = from_arrays(rng.integers(0, 256, (40, 8, 8), dtype=np.uint8), np.arange(40) % 2, classes=("a", "b"))
    unlabelled = rng.integers(0, 256, (20, 8, 8), dtype=np.uint8)
    found = bench(
        data, test=test, unlabelled=unlabelled, out=tmp_path, deploy="small", remedies=("small", FIXMATCH, DISTILLED),
        **{**FEW, "model": None},
    ).data  # fmt: skip
    assert [rung["rung"] for rung in found["ladder"]] == ["as it is", FIXMATCH, DISTILLED, "small"]
    assert {trial["taught"] for trial in found["trials"]} >= {FIXMATCH}


def test_unlabelled_images_that_nobody_would_learn_from_are_refused(tmp_path: Path):
    with pytest.raises(OptionError, match="would change nothing"):
        bench(images(12, 0), test=images(30, 1), unlabelled=pool(9, 2), out=tmp_path, remedies=("longer",), **FEW)
