"""What check-ups mean: each planted figure makes the finding that it should, and a healthy one none."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import replace

import pytest

from ganaug.errors import ArtefactError
from ganaug.files.integrity import sealed_line
from ganaug.fitting.doctor.ailments import Past
from ganaug.fitting.doctor.checkup import Checkup
from ganaug.fitting.doctor.findings import findings, unanswered
from ganaug.fitting.doctor.history import read_history
from ganaug.generator.interventions import Intervention

CLASSES = ("ant", "bee", "cat")
COUNTS = dict.fromkeys(CLASSES, 50)
STEPS = 1000
NAN = float("nan")


def healthy(step: int) -> Checkup:
    return Checkup(
        step, (0.9, 0.8, 1.0), (0.9, 0.9, 0.8), (0.9, 0.95, 0.85), (1, 0, 0), (0.1, 0.05, 0.1), 0.01, 0.55, 0.8, 0.1,
        (1.0, 0.9, 1.1), 0.02, ((0.0, 0.1),) * 3, 1.0,
    )  # fmt: skip


def names(past, losses=(), interventions=(), counts=COUNTS):
    return [f.name for f in findings(Past(CLASSES, counts, past, losses, STEPS, interventions))]


def past(**changes) -> list[Checkup]:
    return [replace(healthy(step), **changes) for step in range(100, STEPS + 1, 100)]


def test_a_healthy_past_has_no_finding():
    assert names(past()) == []


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"spread": (0.05, 0.1, 0.02)}, "mode collapse"),
        ({"spread": (0.9, 0.1, 0.9)}, "mode collapse within classes"),
        ({"prefers_seen": 0.99}, "discriminator overfits"),
        ({"prefers_real": 1.0}, "discriminator saturated"),
        ({"agreement": (0.9, 0.05, 0.8), "mistaken": (0.1, 0.9, 0.1)}, "labels swapped"),
        ({"agreement": (0.9, 0.35, 0.8), "mistaken": (0.1, 0.6, 0.1)}, "labels leak"),
        ({"agreement": (0.9, 0.05, 0.8), "mistaken": (0.1, 0.3, 0.1)}, "unrealistic samples"),
        ({"copies": 0.4}, "copies of training images"),
        ({"leaking": 1.0}, "augmentation leaks"),
        ({"contrast": (0.9, 0.05, 1.0)}, "flat samples"),
        ({"chequered": 0.9}, "chequered or noisy samples"),
    ],
)
def test_a_planted_figure_is_named(changes, name):
    (finding,) = findings(Past(CLASSES, COUNTS, past(**changes), (), STEPS))
    assert finding.name == name
    assert finding.knob
    whole = ("mode collapse", "discriminator overfits", "discriminator saturated", "copies of training images",
             "augmentation leaks", "chequered or noisy samples")  # fmt: skip
    assert finding.classes == (() if name in whole else ("bee",))


def test_what_was_not_measured_is_not_found():
    assert names(past(prefers_seen=NAN, prefers_real=NAN, leaking=NAN, copies=NAN)) == []
    assert names(past(agreement_of_unseen=(NAN,) * 3, agreement=(0.0,) * 3)) == []


def test_classes_that_real_items_are_not_told_apart_by_are_not_judged():
    unsure = past(agreement_of_unseen=(0.6, 0.6, 0.6), agreement=(0.5, 0.5, 0.5))
    assert names(unsure) == []
    (left,) = [one for one in unanswered(Past(CLASSES, COUNTS, unsure, (), STEPS)) if one.classes]
    assert left.names == ("labels swapped", "labels leak", "unrealistic samples")
    assert left.classes == CLASSES
    assert "60% of their held-out items" in str(left)
    assert unanswered(Past(CLASSES, COUNTS, past(), (), STEPS)) == ()


def test_a_class_is_judged_by_as_many_items_as_were_held_out():
    swapped = past(agreement=(0.9, 0.05, 0.8), mistaken=(0.1, 0.9, 0.1))
    few = Past(CLASSES, COUNTS, swapped, (), STEPS, held_out=0.02)  # one of each class
    assert "labels swapped" not in [one.name for one in findings(few)]
    assert any("of too few items" in one.why for one in unanswered(few))


def test_a_judge_that_guesses_says_so():
    assert names(past(agreement_of_unseen=(0.4, 0.4, 0.4), agreement=(0.05, 0.05, 0.05))) == ["judge at chance"]


def test_samples_of_no_class_are_found_by_a_judge_too_poor_for_any_one_class():
    """As on photographs after 20 steps: it is right more often than by guessing, and samples are not."""
    poor = past(agreement_of_unseen=(0.6, 0.5, 0.55), agreement=(0.0, 0.08, 0.9), mistaken_for=(2, 2, 0))
    assert names(poor) == ["samples at chance"]
    assert names(past(agreement_of_unseen=(0.6, 0.5, 0.55), agreement=(0.5, 0.4, 0.6))) == []


def test_far_too_few_steps_are_found_without_a_check_up():
    def found(steps, checkups=()):
        return [f.name for f in findings(Past(CLASSES, COUNTS, checkups, (), steps, advised=3000))]

    assert found(20) == ["far too few steps"]
    assert found(20, [replace(healthy(20), chequered=1.0, agreement=(0.0,) * 3)]) == ["far too few steps"]
    assert found(1000) == []


def test_a_figure_that_was_not_taken_is_a_question_left():
    none = past(prefers_seen=NAN, prefers_real=NAN, leaking=NAN, copies=NAN, agreement_of_unseen=(NAN,) * 3)
    left = [name for one in unanswered(Past(CLASSES, COUNTS, none, (), STEPS)) for name in one.names]
    assert {"discriminator overfits", "discriminator saturated", "augmentation leaks", "copies of training images",
            "labels swapped", "labels leak", "unrealistic samples"} == set(left)  # fmt: skip
    assert unanswered(Past(CLASSES, COUNTS, (), (), STEPS)) == ()


def test_a_start_is_not_judged_as_an_end():
    early = [replace(healthy(step), agreement=(0, 0, 0), prefers_real=1.0, copies=0.5) for step in (100, 200, 300)]
    assert names(early) == []
    assert names([replace(healthy(200), spread=(0.01,) * 3)]) == ["mode collapse"]  # this is told at once


def test_players_that_chase_each_other():
    centres = [((2.0, 0.0),) * 3, ((0.0, 2.0),) * 3]
    turning = [replace(one, centres=centres[i % 2]) for i, one in enumerate(past())]
    assert names(turning) == ["oscillation"]


def test_losses_that_do_not_converge():
    def lines(d, g, loss="nonsaturating"):
        return [
            {"step": 10 * i, f"discriminator/{loss}.discriminator": d(i), f"generator/{loss}.generator": g(i)}
            for i in range(1, 101)
        ]

    assert names((), lines(lambda i: 1 / i, lambda i: i / 10)) == ["no convergence"]
    assert names((), lines(lambda i: 1.2, lambda i: 0.9)) == []
    assert names((), lines(lambda i: 1 / i, lambda i: -1 / i, "minimax")) == ["no convergence"]
    assert names((), lines(lambda i: 1.3, lambda i: -0.6, "minimax")) == []
    assert names((), lines(lambda i: 1 / i, lambda i: i / 10, "relativistic")) == ["no convergence"]
    assert names((), lines(lambda i: 0.01, lambda i: -i, "wasserstein")) == []  # of which neither is a cross-entropy


def test_labels_of_two_classes_are_judged_too():
    two = [replace(one, spread=(1.0,) * 2, agreement=(0.0,) * 2, agreement_of_unseen=(0.95,) * 2, mistaken_for=(1, 0),
                   mistaken=(1.0,) * 2, centres=one.centres[:2]) for one in past()]  # fmt: skip
    found = findings(Past(("a", "b"), {"a": 50, "b": 50}, two, (), 500))
    assert [finding.name for finding in found] == ["labels swapped"]
    assert found[0].classes == ("a", "b")


def test_a_class_is_named_after_what_it_was_taken_for_and_not_after_the_last_moment():
    three = past()[-3:]
    three[0] = replace(three[0], agreement=(0.9, 0.0, 0.8), mistaken=(0.1, 1.0, 0.1), mistaken_for=(1, 0, 0))
    three[1] = replace(three[1], agreement=(0.9, 0.0, 0.8), mistaken=(0.1, 1.0, 0.1), mistaken_for=(1, 0, 0))
    three[2] = replace(three[2], agreement=(0.9, 0.95, 0.8), mistaken=(0.1, 0.0, 0.1), mistaken_for=(1, -1, 0))
    (finding,) = findings(Past(CLASSES, COUNTS, three, (), STEPS))
    assert finding.name == "labels leak"
    assert "'bee' looks like 'ant'" in finding.text


def test_what_comes_with_a_cause_is_told_with_it():
    collapsed = past(spread=(0.01,) * 3, agreement=(0.0,) * 3, mistaken=(0.9,) * 3)
    (finding,) = findings(Past(CLASSES, COUNTS, collapsed, (), STEPS))
    assert finding.name == "mode collapse"
    assert "With it come: samples at chance, unrealistic samples" in finding.text
    one = past(spread=(0.9, 0.01, 0.9), agreement=(0.9, 0.0, 0.8), mistaken=(0.1, 1.0, 0.1))
    assert set(names(one)) == {"mode collapse within classes", "labels swapped"}  # either may be the cause
    apart = past(spread=(0.9, 0.9, 0.01), agreement=(0.9, 0.0, 0.8), mistaken=(0.1, 1.0, 0.1))
    assert set(names(apart)) == {"mode collapse within classes", "labels swapped"}  # in other classes


def test_a_generator_that_has_learned_no_class_is_not_called_swapped():
    nothing = past(agreement=(0.0, 0.1, 0.0), mistaken=(0.9, 0.9, 0.9), mistaken_for=(2, 2, 1))
    assert names(nothing) == ["samples at chance"]
    rotated = past(agreement=(0.0, 0.1, 0.0), mistaken=(0.9, 0.9, 0.9), mistaken_for=(1, 2, 0))
    assert names(rotated) == ["labels swapped"]


def test_counts_and_interventions():
    assert names((), counts=COUNTS | {"cat": 5}) == ["too few images"]
    went_back = Intervention("retry", 40, 0, "The loss term d became nan at step 40.")
    assert names((), interventions=[went_back, Intervention("environment", 50, 50, "threads")]) == ["not finite"]


def test_faults_come_first():
    both = names(past(prefers_real=1.0, copies=0.5))
    assert both == ["copies of training images", "discriminator saturated"]


def test_a_past_is_read_back(tmp_path):
    one = replace(healthy(100), prefers_seen=NAN)
    lines = [
        {"step": 50, "discriminator/loss": 1.0},
        {"step": 100, "checkup": one.to_json()},
        {"step": 100, "intervention": Intervention("retry", 100, 0, "nan").to_json()},
    ]
    file = tmp_path / "metrics.jsonl"
    file.write_text("".join(map(sealed_line, lines)) + '{"step": 12')  # the last line is cut off
    history = read_history(tmp_path)
    assert history.losses == (lines[0],)
    assert [c.to_json() for c in history.checkups] == [one.to_json()]
    assert history.interventions[0].kind == "retry"
    assert read_history(tmp_path / "nowhere").checkups == ()


@pytest.mark.parametrize(
    "line",
    ["[]", '{"step": "1"}', '{"step": 1, "checkup": {}}', '{"step": 1, "checkup": {"spread": "x"}}', "{", "[" * 100_000,
     '{"step": 1, "intervention": {"kind": "rm"}}'],
)  # fmt: skip
def test_a_damaged_past_is_refused(tmp_path, line):
    with suppress(ValueError, RecursionError):
        line = sealed_line(dict(json.loads(line))).strip()
    (tmp_path / "metrics.jsonl").write_text(line + "\n")
    with pytest.raises(ArtefactError, match="cannot be read"):
        read_history(tmp_path)


def test_no_bit_of_a_past_changes_unseen(tmp_path):
    file = tmp_path / "metrics.jsonl"
    file.write_text(sealed_line({"step": 50, "loss": 1.0}) + sealed_line({"step": 100, "checkup": past()[0].to_json()}))
    whole = file.read_bytes()
    assert len(read_history(tmp_path).checkups) == 1
    for place in range(len(whole) - 1):  # without its last byte, a line was cut off
        file.write_bytes(whole[:place] + bytes([whole[place] ^ 1 << place % 8]) + whole[place + 1 :])
        with pytest.raises(ArtefactError, match="metrics.jsonl cannot be read"):
            read_history(tmp_path)
    file.write_bytes(whole.replace(b'"checkup"', b'"checkuq"'))
    with pytest.raises(ArtefactError, match="line 2: it was altered"):
        read_history(tmp_path)


@pytest.mark.parametrize("what", ["rows", "series"])
def test_findings_of_rows_and_series_do_not_speak_of_images(what):
    few = {name: 9 for name in CLASSES}
    for changes in ({"spread": (0.9, 0.1, 0.9)}, {"copies": 0.4}, {"agreement_of_unseen": (0.3,) * 3},
                    {"prefers_seen": 0.99}):  # fmt: skip
        found = findings(Past(CLASSES, few, past(**changes), (), STEPS, what=what))
        assert len(found) > 1
        assert not [one for one in found if "image" in one.text + one.knob or "preview" in one.knob]
    assert found[0].text.endswith(f"there are 9 {what}.") or found[1].text.endswith(f"there are 9 {what}.")
    assert not [
        one for one in unanswered(Past(CLASSES, few, past(leaking=NAN), (), STEPS, what=what)) if "eye" in str(one)
    ]
