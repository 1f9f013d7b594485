"""`compare` says of predictions from anywhere what a bench would say of them."""

import doctest

import numpy as np
import pytest
import torch

from ganaug import compare
from ganaug.errors import LabelMismatchError, OptionError
from ganaug.evaluation.bench import comparison
from ganaug.evaluation.bench.verdict import paired_interval

N, K = 400, 6
LABELS = np.arange(N) % 4


def said(share: float, labels: np.ndarray = LABELS, seeds: int = K, seed: int = 0) -> np.ndarray:
    """Predictions (K, N) of which this share is right."""
    right = np.random.default_rng([seed, int(100 * share)]).random((seeds, len(labels))) < share
    return np.where(right, labels, (labels + 1) % 4)


def test_its_words_are_those_of_an_interval():
    low, high = said(0.7), said(0.8)
    assert compare(low, high, LABELS).verdict == "helps"
    assert compare(high, low, LABELS).verdict == "harms"
    assert compare(low, low, LABELS).verdict == "no evidence"
    gain = (high == LABELS).astype(float) - (low == LABELS)
    assert compare(low, high, LABELS).interval == paired_interval(gain, LABELS, balanced=False)


def test_chance_is_rarely_called_a_change():
    words = [compare(said(0.7, seed=i), said(0.7, seed=1000 + i), LABELS, seed=i).verdict for i in range(60)]
    assert words.count("no evidence") >= 54


def test_labels_names_and_probabilities_say_the_same():
    low, high = said(0.7), said(0.8)
    names = np.array(["ant", "bee", "cow", "dog"])
    by_number = compare(low, high, LABELS)
    assert compare(names[low], names[high], names[LABELS]) == by_number
    assert compare(names[low].tolist(), high, names[LABELS].tolist(), classes=names) == by_number
    assert compare(np.eye(4)[low], np.eye(4)[high], LABELS) == by_number
    order = names[::-1]
    turned = [np.eye(4)[3 - side] for side in (low, high)]
    assert compare(*turned, names[LABELS], classes=order).interval.mean == pytest.approx(by_number.interval.mean)


def test_unequal_classes_count_alike():
    labels = np.repeat([0, 1], [380, 40])
    low = np.where(np.random.default_rng(0).random((K, 420)) < 0.5, labels, 0)
    found = compare(low, np.tile(labels, (K, 1)), labels)
    assert found.metric == "balanced accuracy"
    assert found.interval.mean == pytest.approx(0.25, abs=0.05)
    assert compare(low, low, labels, metric="accuracy").metric == "accuracy"


def test_groups_widen_the_interval():
    groups = np.arange(N) // 20
    low = np.tile(np.where(groups % 2 == 0, LABELS, (LABELS + 1) % 4), (K, 1))  # whole groups are right or wrong
    high = said(0.6)
    alone, kin = compare(low, high, LABELS), compare(low, high, LABELS, groups=groups)
    assert kin.interval.unseen > alone.interval.unseen


@pytest.mark.parametrize(
    ("keep", "reason"), [(slice(40), "too few"), (slice(None), "One seed")], ids=["few images", "one training"]
)
def test_it_is_silent_where_nothing_can_be_said(keep, reason):
    low = said(0.5)[:1] if reason == "One seed" else said(0.5)
    found = compare(low[:, keep], np.tile(LABELS[keep], (len(low), 1)), LABELS[keep])
    assert found.verdict == "withheld"
    assert reason in str(found)
    assert "--" not in str(found)
    assert found.to_json()["verdict"] == "withheld"


def test_labels_of_one_class_tell_nothing_apart_and_a_seed_is_a_number():
    alone = compare(np.zeros((K, N), int), np.zeros((K, N), int), np.zeros(N, int))
    assert alone.verdict == "withheld"
    assert any("nothing to tell apart" in reason for reason in alone.reasons)
    assert not any("validation" in reason for reason in alone.reasons)
    for wrong in (None, 1.5):
        with pytest.raises(OptionError, match="seed is"):
            compare(said(0.5), said(0.6), LABELS, seed=wrong)


@pytest.mark.parametrize(
    "bad",
    [
        lambda: compare(said(0.5)[0], said(0.5), LABELS),
        lambda: compare(said(0.5), said(0.5, seeds=3), LABELS),
        lambda: compare(said(0.5), said(0.5), LABELS[:50]),
        lambda: compare(np.eye(4)[said(0.5)] * 2, said(0.5), LABELS),
        lambda: compare(np.eye(3)[said(0.5) % 3], said(0.5), LABELS),
        lambda: compare(np.full((K, N), np.nan), said(0.5), LABELS),
        lambda: compare(said(0.5).astype(str), said(0.5), np.array(list("abcd"))[LABELS]),
        lambda: compare(said(0.5), said(0.5), LABELS, groups=[1, 2]),
        lambda: compare(said(0.5), said(0.5), np.eye(4)[LABELS]),
        lambda: compare(said(0.5), said(0.5), LABELS - 1),
    ],
)
def test_what_cannot_be_compared_is_refused_with_the_fix(bad):
    with pytest.raises(LabelMismatchError) as told:
        bad()
    assert told.value.fix


NAMES = np.array(["dog", "ant", "bee", "cow"])[LABELS]


@pytest.mark.parametrize(
    ("given", "options", "words"),
    [
        ((said(0.5), said(0.5) + 1, LABELS), {}, "with_ have 4, which is no class"),
        ((said(0.5) - 1, said(0.5), LABELS), {}, "without have -1"),
        ((np.full((K, N), 99), said(0.5), LABELS), {"classes": list("abcd")}, "without have 99"),
        ((np.full((K, N, 2), 0.5), said(0.5), LABELS), {}, "labels have 2"),
        ((said(0.5), said(0.5), NAMES), {}, "which means which class is not known"),
        ((np.eye(4)[said(0.5)], NAMES[None], NAMES), {}, "columns of probabilities"),
        ((said(0.5), said(0.5), LABELS), {"classes": list("aabc")}, "repeat: a"),
        ((said(0.5), said(0.5), LABELS), {"classes": "abcd"}, "no list of names"),
        (([LABELS, LABELS[1:]], said(0.5), LABELS), {}, "no array of one shape"),
        ((said(0.5), said(0.5), LABELS), {"groups": [[1], [1, 2]]}, "groups"),
        ((np.full((K, N, 4), "a"), said(0.5), LABELS), {}, "no probabilities, but"),
        ((np.full((K, N, 4), 0.25 + 0j), said(0.5), LABELS), {}, "no probabilities, but"),
    ],
)
def test_what_means_no_class_is_refused_by_name(given, options, words):
    with pytest.raises(LabelMismatchError, match=words):
        compare(*given, **options)


@pytest.mark.parametrize("numbers", [np.arange(1, 5), np.array([3, 1050, 33999, 10**9])], ids=["from 1", "ids"])
def test_classes_may_have_any_numbers(numbers):
    low, high = said(0.7), said(0.8)
    found = compare(numbers[low], numbers[high], numbers[LABELS])
    assert found == compare(low, high, LABELS)
    assert len(str(found)) < 300


def test_tensors_of_a_training_are_taken_as_they_are():
    low, high = (torch.eye(4)[said(share)].mul(4).requires_grad_() for share in (0.7, 0.8))
    right = compare(said(0.7), said(0.8), LABELS)
    assert compare(low.softmax(2), list(high.softmax(2).bfloat16()), torch.tensor(LABELS)) == right


def test_many_missing_classes_are_listed_in_short():
    found = compare(said(0.5), said(0.8), LABELS, classes=range(1000))
    assert "and 991 more" in str(found)


def test_another_metric_is_refused():
    with pytest.raises(OptionError, match="no metric"):
        compare(said(0.5), said(0.5), LABELS, metric="f1")


def test_the_example_of_the_docstring():
    tests = doctest.DocTestFinder().find(comparison.compare, "compare", globs=vars(comparison))
    assert [doctest.DocTestRunner().run(one).failed for one in tests] == [0]
