"""What a bench says to do next: it names what helped, and the command that it speaks of."""

from __future__ import annotations

from typing import Any

import pytest

from ganaug.evaluation.bench.results import most_sentence, next_step


def found(word: str = "helps", verdict: str | None = None, **changed: Any) -> dict[str, Any]:
    return {
        "reasons": [], "settings": {"quick": False, "remedies": ["augmentation"]}, "verdict": verdict, "ratio": 0.25,
        "command": "ganaug bench DATA --out O", "data": {"shape": [1, 8, 8]},
        "most": {"verdict": word, "remedies": ["augmentation"], "arms": {"best": {"name": "small: real + flips"}}},
        **changed,
    }  # fmt: skip


@pytest.mark.parametrize("verdict", [None, "no evidence", "harms"])
def test_what_helped_is_named(verdict: str | None):
    words, command = next_step(found(verdict=verdict), "RUN")
    assert words.startswith("Train as the best one was: small: real + flips")
    assert ("leave synthetic images out" in words) == (verdict is not None)
    assert command == ("ganaug doctor RUN" if verdict == "harms" else "")


@pytest.mark.parametrize("name", ["augmentation", "mean", "probe", "finetune", "shift"])
def test_how_to_do_what_helped_is_told(name: str):
    most = {"verdict": "helps", "remedies": [name], "arms": {"best": {"name": "small: real"}}}
    assert "that is, with" in next_step(found(most=most))[0]


def test_files_for_ones_own_training_are_named():
    most = {"verdict": "helps", "remedies": ["distillation"], "arms": {"best": {"name": "small: real"}}}
    assert "soft_labels.csv" in next_step(found(most=most))[0]


def test_images_that_help_are_served():
    assert next_step(found(verdict="helps"), "RUN")[1] == "ganaug augment RUN --ratio auto --out synthetic"
    assert "ratio=0.25" in next_step(found(verdict="helps"))[0]


def test_a_quick_bench_is_made_again_and_a_withheld_one_is_not_acted_on():
    quick = found(settings={"quick": True, "remedies": []}, command="ganaug bench DATA --quick --out O")
    assert next_step(quick)[1] == "ganaug bench DATA --out O"
    words, command = next_step({**quick, "command": "ganaug bench <ndarray> --quick"})
    assert ("quick=True" in words, command) == (True, "")
    assert next_step(found(reasons=["One seed says nothing."]))[1] == "ganaug bench DATA --out O"
    assert next_step(found("no evidence"))[1] == ""
    none = found(
        "no evidence", settings={"quick": False, "remedies": []}, command="ganaug bench D --remedies none --out O"
    )
    assert next_step(none)[1] == "ganaug bench D --out O"
    in_python = {**quick, "command": "ganaug bench DATA --quick --out O # in Python, with steps=5"}
    assert next_step(in_python)[1] == "ganaug bench DATA --out O # in Python, with steps=5"
    of_file = {**quick, "command": "ganaug bench DATA --config c.yaml"}
    assert next_step(of_file)[0].endswith("with quick taken out of the file of --config")
    other = {**none, "command": "ganaug bench 'a --remedies none' --remedies=none --out O"}
    assert next_step(other)[1] == "ganaug bench 'a --remedies none' --out O"


def test_where_groups_of_test_images_are_missing_the_command_that_lists_them_is_named():
    asked = found(reasons=["Name them (--test-groups)."], command="ganaug bench DATA --test 'my tests' --out O")
    assert next_step(asked)[1] == "ganaug check 'my tests' --write-groups test_groups.csv"
    assert next_step({**asked, "command": "ganaug bench <dict> --test <ndarray>"})[1] == ""


def test_that_no_remedy_was_better_is_withheld_with_its_reasons():
    most = {"verdict": "withheld", "none": True, "arms": {"as it is": {"test": {"accuracy": 0.75}}}}
    data = found(most=most, metric="accuracy", asked={"words": "small network"}, reasons=["No groups."])
    assert most_sentence(data).endswith("75.0% accuracy on the test images. No groups.")
    assert "No groups" not in most_sentence(data | {"most": most | {"verdict": "no evidence"}})
    nothing = most_sentence(data | {"settings": {"remedies": []}})
    assert nothing.startswith("No remedy was asked for. As it is, the small network has 75.0%")


@pytest.mark.parametrize(
    ("words", "said"), [("your training f.py:t", "than your training"), ("network", "than the net")]
)
def test_the_classifier_is_named_in_a_sentence(words, said):
    most = {"verdict": "no evidence", "none": True, "arms": {"as it is": {"test": {"accuracy": 0.75}}}}
    assert said in most_sentence(found(most=most, metric="accuracy", asked={"words": words}))
