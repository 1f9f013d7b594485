"""The ladder of remedies, with classifiers that know how good they are: what is tried, kept, averaged and compared."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from ganaug.errors import DivergedError
from ganaug.evaluation.bench.contenders import Arena, Contender, Member, seeds_of
from ganaug.evaluation.bench.design import design_for
from ganaug.evaluation.bench.ladder import AS_IT_IS, Ladder, climb_all, copied
from ganaug.evaluation.bench.played import _in_the_best, failures
from ganaug.evaluation.bench.settings import BenchSettings
from ganaug.evaluation.trials.arms import Arm
from ganaug.evaluation.trials.learner import Menu
from ganaug.evaluation.trials.parts import TEST, VALIDATION, Part, Parts
from ganaug.evaluation.trials.trial import Laboratory
from tests.toys.oracle import Oracle, OracleTraining

MENU = Menu(
    {"lr": (0.1, 0.2)}, augmentations=("flips", "crops"), blends=("mixup",), uses=("plain", "light"), longer=True,
    copies=4,
)  # fmt: skip


def part(counts: tuple[int, ...], seed: int) -> Part:
    labels = torch.from_numpy(np.repeat(np.arange(len(counts)), counts))
    pixels = torch.randint(0, 256, (len(labels), 1, 8, 8), generator=torch.Generator().manual_seed(seed))
    return Part.of(pixels.to(torch.uint8), labels)


def parts(counts: tuple[int, ...] = (100, 100, 100), **changed: Any) -> Parts:
    fold = np.arange(sum(counts)) % 3
    made = {"run": part((60, 60, 60), 3)}
    return Parts(part(counts, 0), part(counts, 1), part(counts, 2), 3, **{"made": made, "fold": fold, **changed})


def arena(
    folder: Path, *learners: Oracle, of: Parts | None = None, remedies: Any = None, quick: bool = False
) -> Arena:  # fmt: skip
    of = of or parts()
    counts = torch.bincount(of.train.labels).tolist()
    design = design_for(counts, BenchSettings(remedies=remedies, quick=quick, ratios=(0.25, 0.5)))
    known = {learner.name: learner for learner in learners}
    return Arena(Laboratory(of, folder, known), known, design)


def climbed(played: Arena) -> Ladder:
    return climb_all(played, list(played.laboratory.parts.made), {})


def skill(training: OracleTraining) -> float:
    """Flips help, longer training harms, synthetic images at 50 % help a little."""
    gain = {"flips": 0.8, "crops": 0.3}.get(training.augmentation, 0.0) - 0.8 * training.longer
    gain += 0.4 * (training.ratio == 0.5) - 0.4 * (training.ratio == 0.25) - 0.3 * (training.use == "light")
    return 1.0 + gain - (training.blend == "mixup") - 0.4 * (training.lr == 0.2)


def test_what_helps_is_kept_and_what_harms_is_told_of_and_left(tmp_path):
    ladder = climbed(arena(tmp_path, Oracle(skill, MENU), remedies=("augmentation", "longer", "mean")))
    assert [rung.remedy for rung in ladder.rungs] == [AS_IT_IS, "augmentation", "longer", "mean"]
    assert ladder.rest.arm.augmentation == "flips"
    assert ladder.rest.arm.blend == "none"
    assert not ladder.rest.arm.longer
    assert len(ladder.rest.contender.members) == 4
    assert ladder.rest.contender.remedies == ("augmentation", "mean")
    longer = ladder.rungs[2].tried
    assert longer is not None
    assert longer.arm.longer
    assert longer.score < ladder.rest.score
    mixed = ladder.mixed["run"]
    assert {(one.arm.ratio, one.arm.use, one.arm.made) for one in mixed.contender.members} == {(0.5, "plain", "run")}
    assert len(mixed.contender.members) == 4


def test_only_what_is_asked_for_is_tried(tmp_path):
    ladder = climbed(arena(tmp_path, Oracle(skill, MENU), remedies=()))
    assert [rung.remedy for rung in ladder.rungs] == [AS_IT_IS]
    assert {one.arm.augmentation for one in ladder.candidates} == {"none"}
    bare = climbed(arena(tmp_path, Oracle(skill, MENU), of=parts(made={}), remedies=("longer",)))
    assert not bare.mixed
    assert bare.rest is bare.as_it_is


def test_a_remedy_that_was_named_and_is_none_of_this_classifier_is_told_of(tmp_path):
    bare = Oracle(skill, Menu({"lr": (0.1,)}), "probe")
    names = ("augmentation", "longer", "mean", "probe")
    played = arena(tmp_path, bare, remedies=names)
    why = {rung.remedy: rung.why_not for rung in climb_all(played, [], {}, names).rungs[1:]}
    assert set(why) == set(names)
    assert all(why.values())
    assert len(climb_all(played, [], {"longer": "No time."}, names).rungs) == 5
    assert [rung.remedy for rung in climb_all(played, [], {}).rungs] == [AS_IT_IS]  # nobody named them


def test_that_no_change_is_allowed_is_why_none_was_tried(tmp_path):
    played = arena(tmp_path, Oracle(skill, replace(MENU, augmentations=(), blends=())), remedies=("augmentation",))
    played.design = replace(played.design, allow=())
    [rung] = climb_all(played, [], {}, ("augmentation",)).rungs[1:]
    assert "--allow none" in rung.why_not


def test_the_selection_asks_for_no_test_image(tmp_path):
    oracle = Oracle(skill, MENU)
    climbed(arena(tmp_path, oracle))
    assert {name for trial in oracle.asked for name in trial.on} == {VALIDATION}


def test_a_mean_is_that_of_the_probabilities_of_networks_of_other_seeds(tmp_path):
    played = arena(tmp_path, Oracle(skill, MENU), Oracle(skill, MENU, "probe"))
    small, probe = (Member(Arm(classifier=name), MENU.start) for name in ("small", "probe"))
    four = copied(Contender((small,)), 4)
    [answers] = played.on(TEST, [four], [7])[0]
    alone = [played.on(TEST, [Contender((one,))], [7])[0][0].logs for one in four.members]
    assert np.allclose(np.exp(answers.logs), np.exp(alone).mean(0), atol=1e-6)
    assert all(not np.allclose(alone[0], other) for other in alone[1:])
    both = Contender((*four.members, probe))  # each kind counts the same, however many networks it has
    said = played.on(TEST, [both, Contender((probe,))], [7])
    wanted = (np.exp(answers.logs) + np.exp(said[1][0].logs)) / 2
    assert np.allclose(np.exp(said[0][0].logs), wanted, atol=1e-6)


def test_the_best_of_several_kinds_of_classifiers_is_found_and_the_mean_of_all_is_tried(tmp_path):
    weak, strong = Oracle(lambda training: 1.0, MENU), Oracle(lambda training: 3.0, MENU, "probe", cost=5.0)
    ladder = climbed(arena(tmp_path, weak, strong, remedies=("probe", "mean")))
    assert [rung.remedy for rung in ladder.rungs] == [AS_IT_IS, "mean", "probe", "mean"]
    assert ladder.rest.contender.kinds == ("probe",)
    assert ladder.rungs[-1].tried.contender.kinds == ("small", "probe")
    assert ladder.as_it_is.contender.kinds == ("small",)


def test_what_is_part_of_the_choice_is_told_by_kind_of_classifier(tmp_path):
    def strong(training: OracleTraining) -> float:
        return 3.0 + (training.augmentation == "flips")

    def marked(*learners: Oracle, remedies: tuple[str, ...]) -> list[tuple[str, str]]:
        ladder = climbed(arena(tmp_path / "-".join(remedies), *learners, of=parts(made={}), remedies=remedies))
        said = SimpleNamespace(rest=SimpleNamespace(contender=ladder.rest.contender), ladder=ladder)
        rungs = [(rung.remedy, rung.tried.contender) for rung in ladder.rungs if rung.tried is not None]
        return [(name, " and ".join(one.kinds)) for name, one in rungs if _in_the_best(said, name, one)]

    weak, probe = Oracle(skill, MENU), Oracle(strong, replace(MENU, copies=1), "probe", cost=5.0)
    assert marked(weak, probe, remedies=("augmentation", "probe")) == [("probe", "probe")]
    ladder = climbed(arena(tmp_path / "l", weak, probe, of=parts(made={}), remedies=("augmentation", "probe")))
    assert ladder.rest.contender.remedies == ("probe", "augmentation")
    assert marked(weak, remedies=("augmentation", "mean")) == [("augmentation", "small"), ("mean", "small")]
    one, other = (Oracle(skill, replace(MENU, copies=1), name) for name in ("small", "probe"))
    every = [("augmentation", "small"), ("probe", "probe"), ("mean", "small and probe")]
    assert marked(one, other, remedies=("augmentation", "probe", "mean")) == every


def test_a_shift_gives_back_what_unequal_classes_took_and_is_fitted_on_training_images(tmp_path):
    of = parts((300, 30, 30), made={})
    oracle = Oracle(lambda training: 1.5, MENU, prior=np.log([0.9, 0.05, 0.05]))
    played = arena(tmp_path, oracle, of=of, remedies=("shift",))
    ladder = climbed(played)
    assert ladder.rest.score > ladder.as_it_is.score + 0.05
    on_folds = [trial for trial in oracle.asked if trial.on == ("fold",)]
    assert [trial.leave for trial in on_folds] == [0, 1, 2]
    even = Oracle(lambda training: 1.5, MENU)
    straight = climbed(arena(tmp_path / "even", even, of=of, remedies=("shift",)))
    assert straight.rest.contender.strength <= 0.25 < ladder.rest.contender.strength


@pytest.mark.parametrize("quick", [True, False])
def test_synthetic_images_stand_on_top_of_the_best_of_the_rest_and_differ_in_nothing_else(tmp_path, quick):
    two = {"run": part((60, 60, 60), 3), "folder": part((60, 60, 60), 4)}
    learners = Oracle(skill, MENU), Oracle(skill, MENU, "probe")
    played = arena(tmp_path, *learners, of=parts(made=two), remedies=("augmentation", "mean", "probe"), quick=quick)
    ladder = climbed(played)
    assert ladder.mixed.keys() == two.keys()
    for name, mixed in ladder.mixed.items():
        assert {one.arm.made for one in mixed.contender.members} == {name}
        plain = mixed.contender.with_arms(ratio=0.0, use="plain", made="")
        assert plain == ladder.rest.contender


def test_seeds_of_the_test_are_those_that_the_selection_has_not_seen(tmp_path):
    played = arena(tmp_path, Oracle(skill, MENU))
    one, other = (set(seeds_of(played.design, name, 50)) for name in ("selection", "test"))
    assert not one & other
    assert len(one) == len(other) == 50


def test_probes_are_told_apart_by_training_images_too_each_judged_by_those_that_have_not_seen_it(tmp_path):
    probe = Oracle(skill, MENU, "probe")
    probe.shares = probe.swift = True
    played = arena(tmp_path, probe, remedies=("augmentation",))
    ladder = climbed(played)
    every = [one for one in ladder.candidates if not one.contender.mixed]
    assert all(one.crosswise is not None for one in every)
    assert all(one.crosswise is None for one in ladder.candidates if one.contender.mixed)  # its maker saw them all
    assert ladder.rest.crosswise == max(one.crosswise for one in every)
    one = every[0]
    said = [played.answers(one.contender, seed, VALIDATION) for seed in seeds_of(played.design, "selection", 3)]
    logs, labels = played.crosswise(one.contender), played.laboratory.parts.train.labels.numpy()
    right = [np.concatenate([logs.argmax(1) == labels, each.predictions == each.labels]).mean() for each in said]
    assert one.crosswise == pytest.approx(np.mean(right))
    alone = climbed(arena(tmp_path / "two", Oracle(skill, MENU), probe, remedies=("probe",)))
    assert alone.rest.validation == max(one.validation for one in (alone.rest, alone.as_it_is))


def test_a_training_that_diverges_loses_its_arm_and_not_the_bench(tmp_path):
    class Brittle(Oracle):
        def run(self, trial, parts):
            if trial.training.lr == 0.2:
                raise DivergedError("The loss is nan in step 3.", "Choose a lower learning rate.")
            return super().run(trial, parts)

    played = arena(tmp_path, Brittle(skill, MENU), remedies=("augmentation",))
    ladder = climbed(played)
    assert ladder.rest.arm.augmentation == "flips"
    assert dict(ladder.rest.contender.knobs)["lr"] == 0.1
    [notes, reasons] = failures(played)
    assert "The loss is nan in step 3" in notes[0]
    assert reasons == []  # nothing that is compared failed
    again = arena(tmp_path, Oracle(skill, MENU), remedies=("augmentation",))
    assert climbed(again).rest.contender == ladder.rest.contender
    assert again.laboratory.trained == 0  # what failed is known to fail, too
    worst = next(one for one in ladder.candidates if dict(one.contender.knobs)["lr"] == 0.2)
    played.on(TEST, [worst.contender], [1])
    assert "1 trainings of what is compared" in failures(played)[1][0]


def test_a_shift_of_a_probe_is_judged_on_training_images_by_the_strength_that_suits_the_others(tmp_path):
    probe = Oracle(lambda training: 1.5, MENU, "probe", prior=np.log([0.9, 0.05, 0.05]))
    probe.shares = probe.swift = True
    ladder = climbed(arena(tmp_path, probe, of=parts((300, 30, 30), made={}), remedies=("shift",)))
    shift = next(rung.tried for rung in ladder.rungs if rung.remedy == "shift")
    assert ladder.rest is shift
    assert shift.crosswise > ladder.as_it_is.crosswise + 0.05
    assert shift.contender.strength > 0.25
