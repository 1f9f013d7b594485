"""What a user's own `predict` gives: of any kind, if it is probabilities, and named where it is not."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
import torch
from sklearn.metrics import log_loss

from ganaug.classifier.answers import probabilities
from ganaug.classifier.own import Unlabelled
from ganaug.errors import OwnTrainingError
from ganaug.mixing.picture_set import PictureSet
from tests.toys.own import CLASSES, Levels, answering, levels, nearest, pictures, run


@pytest.mark.parametrize(
    "form", [torch.tensor, lambda p: torch.tensor(p, requires_grad=True), np.float32, np.ndarray.tolist,
             lambda p: torch.tensor(p).bfloat16()],
    ids=["tensor", "with a gradient", "float32", "list", "bfloat16"],
)  # fmt: skip
def test_probabilities_may_be_of_any_kind(form):
    right = nearest(pictures(), validation=None, seed=0, device=None)
    found = run(answering(lambda data: form(right(data))))
    assert found.argmax(1).tolist() == pictures().targets


def test_rounding_is_no_fault():
    exact = torch.linspace(0, 2, 12)[:, None] * torch.linspace(-3, 1, 10)
    half = exact.bfloat16().softmax(1)
    assert (half.double().sum(1) - 1).abs().max() > 1e-3
    found = probabilities("it", half, 12, 10)
    assert np.allclose(found, exact.softmax(1), atol=0.01)
    assert np.allclose(found.sum(1), 1, atol=1e-12)
    assert probabilities("it", [[1 + 1e-9, -1e-9, 0.0]], 1, 3).tolist() == [[1.0, 0.0, 0.0]]


def test_hard_answers_lose_as_much_as_in_scikit_learn():
    labels, hard = np.array(pictures().targets), np.eye(3)[[0] * 12]
    found = run(answering(lambda data: hard[: len(data)]))
    assert -found[np.arange(12), labels].mean() == pytest.approx(log_loss(labels, hard))


def test_predict_sees_no_labels():
    seen = []

    def predict(data):
        seen.append(([label for _, label in data], data.classes, hasattr(data, "targets")))
        return nearest(pictures(), validation=None, seed=0, device=None)(data)

    run(answering(predict))
    assert seen[0] == ([0] * 12, list(CLASSES), False)
    with pytest.raises(AttributeError, match="predict is asked for the labels"):
        Unlabelled(pictures(), range(3)).targets  # noqa: B018
    with pytest.raises(IndexError):
        Unlabelled(pictures(), range(3))[3]


def test_what_predict_is_asked_for_can_be_sent_to_workers():
    sent = pickle.loads(pickle.dumps(Unlabelled(pictures(), [3, 1])))
    assert [(image.size, label) for image, label in sent] == [((8, 9), 0), ((8, 9), 0)]


P = np.full((12, 3), 1 / 3)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (None, r"returns None\. Return one array .* \(12, 3\)"),
        ("yes", "returns str"),
        ([[1, 0], [0]], "returns list"),
        (P.astype(complex), "returns ndarray"),
        (np.arange(12) % 3, r"returns \(12,\) in place of \(12, 3\)\. .*not a label: softmax"),
        (P[:, :1], r"\(12, 1\).*probability of every class"),
        (P[:8], r"\(8, 3\) in place of \(12, 3\)\. .*drop_last"),
        (np.full((12, 1000), 1e-3), r"\(12, 1000\).*last layer len\(dataset.classes\)"),
        (P * [1, 1, np.nan], "not finite for 12 of 12 pictures.*learning rate"),
        (P * [3, -2, 5], r"no probabilities: values from -0.667 to 1.67, of which a row sums to 2\. .*softmax\(1\)"),
        (P * 1.02, r"sums to 1.02"),
        (P * [1.5, 1.501, -1e-3], r"values from -0.000333"),
        (np.log(P), r"no probabilities.*logs.exp\(\)"),
    ],
)
def test_what_is_no_probabilities_is_named(answer, words):
    with pytest.raises(OwnTrainingError, match=words) as raised:
        run(answering(lambda data: answer))
    assert raised.value.fix
    assert raised.value.exit_code == 3


def test_one_output_for_two_classes_is_told_how_to_become_two():
    two = PictureSet(Levels(6), [0, 1] * 3, CLASSES[:2])
    with pytest.raises(OwnTrainingError, match=r"\[1 - p, p\]"):
        run(answering(lambda data: np.full(6, 0.5)), evaluate=two)


def test_answers_in_another_order_than_the_pictures_are_refused():
    right = nearest(pictures(), validation=None, seed=0, device=None)
    with pytest.raises(OwnTrainingError, match="in another order: .*Do not shuffle"):
        run(answering(lambda data: np.random.permutation(right(data))), n=48)  # noqa: NPY002


def test_answers_that_depend_on_which_others_are_asked_for_are_refused():
    """As of a network that was left in training mode: its batches hold one class each, as folders are read."""

    def train(dataset, *, validation, seed, device):
        model = torch.nn.Sequential(torch.nn.BatchNorm1d(1), torch.nn.Linear(1, 3))
        model[1].weight.data = torch.tensor([[-4.0], [0.0], [4.0]])
        return lambda data: torch.cat(
            [model(x.float()[:, None]).softmax(1) for x in torch.from_numpy(levels(data)).split(8)]
        )

    shown = Levels(48)
    shown.images = [image for label in range(3) for image in shown.images[label::3]]
    sorted_by_class = PictureSet(shown, sorted([0, 1, 2] * 16), CLASSES)
    with pytest.raises(OwnTrainingError, match=r"in another order: .*model\.eval\(\)"):
        run(train, evaluate=sorted_by_class)
