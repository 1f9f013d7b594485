"""A user's own training: what may be given, what is checked, and that nothing of it stays behind."""

from __future__ import annotations

import functools
import importlib
import inspect
import os
import random
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from ganaug.classifier.own import FORM, OwnTraining, load_function
from ganaug.errors import DataError, OutOfMemoryError, OwnTrainingError
from ganaug.files.functions import code_digest
from tests.toys.own import CPU, answering, nearest, pictures, run

# --- what is given and comes back


def test_log_probabilities_come_back_in_the_order_of_the_pictures():
    found = run(nearest)
    assert (found.shape, found.dtype) == ((12, 3), np.float64)
    assert found.argmax(1).tolist() == pictures().targets
    assert np.allclose(np.exp(found).sum(1), 1, atol=1e-12)
    assert np.allclose(np.exp(found), nearest(pictures(), validation=None, seed=0, device=None)(pictures()))


# --- seeds and what stays behind


def draws(dataset, *, validation, seed, device):
    """Answers at random, once and for all, from every global stream."""
    share = 0.2 + 0.1 * np.array([random.random(), np.random.rand(), torch.rand(()).item()])  # noqa: NPY002
    torch.set_grad_enabled(False)
    torch.set_default_dtype(torch.float64)
    torch.set_default_device("meta")
    return lambda data: np.tile(share / share.sum(), (len(data), 1))


def test_the_same_seed_gives_the_same_and_another_seed_another():
    one, again, other = (run(draws, seed=seed) for seed in (3, 3, 4))
    assert np.array_equal(one, again)
    assert (one[0] != other[0]).all()


def test_nothing_of_it_stays_behind():
    def states():
        streams = random.random(), np.random.rand(), torch.rand(()).item()  # noqa: NPY002
        defaults = torch.get_default_dtype(), torch.get_default_device().type, torch.is_grad_enabled()
        return streams, defaults, sys.path[:]

    def seeded():
        random.seed(1), np.random.seed(1), torch.default_generator.manual_seed(1)  # noqa: NPY002

    seeded()
    before = states()
    assert before[1] == (torch.float32, "cpu", True)
    seeded()
    run(draws)
    assert states() == before
    seeded()
    with pytest.raises(OwnTrainingError):
        run(answering(lambda data: 1 / 0))
    assert states() == before


def test_another_working_directory_does_not_stay(tmp_path, monkeypatch):
    def train(dataset, *, validation, seed, device):
        os.chdir(tmp_path / "elsewhere")
        return nearest(dataset, validation=validation, seed=seed, device=device)

    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "mine.py").write_text(
        "import os\nos.chdir('elsewhere')\ndef train(d, *, validation, seed, device): ...\n"
    )
    monkeypatch.chdir(tmp_path)
    run(train)
    load_function("mine.py:train")
    assert Path.cwd() == tmp_path


@pytest.mark.parametrize("train", [lambda *given, **named: next(iter([])), answering(lambda data: next(iter([])))])
def test_the_end_of_an_iterator_is_an_error_of_ours(train):
    with pytest.raises(OwnTrainingError, match="StopIteration"):
        run(train)


def test_gradients_are_on_wherever_it_is_called_from():
    def train(dataset, *, validation, seed, device):
        torch.ones(1, requires_grad=True).sum().backward()
        assert (seed, device, len(dataset), len(validation)) == (7, CPU, 12, 6)
        return lambda data: np.full((len(data), 3), 1 / 3)

    with torch.no_grad():
        assert run(train, seed=7).shape == (12, 3)


# --- what is refused


def changes(what):
    def train(dataset, *, validation, seed, device):
        what(dataset, validation)
        return lambda data: np.full((len(data), 3), 1 / 3)

    return train


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda d, v: d.targets.__setitem__(0, 2), "changed the targets of its dataset"),
        (lambda d, v: d.targets.pop(), "changed the length and the targets and the pictures of its dataset"),
        (lambda d, v: v.targets.reverse(), "changed the targets of its validation"),
        (lambda d, v: d.classes.append("more"), "changed the classes of its dataset"),
        (lambda d, v: setattr(d._source, "images", d._source.images[::-1]), "changed the pictures of its dataset"),
        (lambda d, v: d._source.images[0].putpixel((0, 0), 9), "changed the pictures of its dataset"),
    ],
)
def test_a_training_may_not_change_what_it_is_given(change, words):
    with pytest.raises(OwnTrainingError, match=words):
        run(changes(change))


@pytest.mark.parametrize("returned", [None, 3, torch.nn.Linear], ids=str)
def test_what_is_no_predict_is_named(returned):
    def train(dataset, *, validation, seed, device):
        return returned

    words = "predict of .* fails: TypeError" if callable(returned) else r"returns (None|int), not a function predict"
    with pytest.raises(OwnTrainingError, match=words):
        run(train)


@pytest.mark.parametrize("function", [3, "train", None])
def test_what_cannot_be_called_is_no_training(function):
    with pytest.raises(OwnTrainingError, match="is no training function"):
        OwnTraining.of(function)


@pytest.mark.parametrize(
    ("function", "words"),
    [
        (lambda dataset, validation, seed: None, "unexpected keyword argument 'device'"),
        (lambda dataset, *, seed, device: None, "unexpected keyword argument 'validation'"),
        (lambda dataset, validation, device: None, "unexpected keyword argument 'seed'"),
        (lambda *, validation, seed, device: None, "too many positional"),
        (lambda dataset, epochs, *, validation, seed, device: None, "missing a required argument: 'epochs'"),
    ],
)
def test_a_function_of_other_arguments_is_refused_before_anything_is_done(function, words):
    with pytest.raises(OwnTrainingError, match=f"cannot be called as agreed: .*{words}") as raised:
        OwnTraining.of(function)
    assert FORM in raised.value.fix


@pytest.mark.parametrize(
    "function",
    [lambda dataset, **more: None, lambda dataset, validation, seed, device, epochs=3: None,
     functools.partial(nearest, seed=3)],
)  # fmt: skip
def test_more_than_is_agreed_may_be_taken(function):
    OwnTraining.of(function)


# --- what a user's code raises


FAILS = """
import torch


def inner(x):
    return x @ torch.ones(3, 3)


def train(dataset, *, validation, seed, device):
    {train}
    def predict(data):
        {predict}
    return predict
"""


def failing(folder: Path, train="pass", predict="pass") -> OwnTraining:
    file = folder / "own_failing.py"
    file.write_text(FAILS.format(train=train, predict=predict))
    return load_function(f"{file}:train")


def test_what_it_raises_is_the_cause_and_its_line_is_named(tmp_path):
    words = "^train of own_failing.py:train fails: RuntimeError at line 6 of own_failing.py: mat1 and mat2"
    with pytest.raises(OwnTrainingError, match=words) as raised:
        run(failing(tmp_path, train="inner(torch.ones(2, 2))"))
    assert isinstance(raised.value.__cause__, RuntimeError)
    with pytest.raises(OwnTrainingError, match="predict of .* fails: KeyError at line 12 of own_failing.py: 'x'"):
        run(failing(tmp_path, predict="{}['x']"))
    with pytest.raises(OwnTrainingError, match="SystemExit at line 10 of own_failing.py: 1"):
        run(failing(tmp_path, train="raise SystemExit(1)"))
    with pytest.raises(OwnTrainingError, match="JSONDecodeError at line 10 of own_failing.py, in line .* decoder.py"):
        run(failing(tmp_path, train="import json; json.loads('{')"))


def test_errors_of_ours_memory_and_interruptions_stay_what_they_are(tmp_path):
    with pytest.raises(DataError, match="^as it was$"):
        run(failing(tmp_path, train="from ganaug.errors import DataError; raise DataError('as it was')"))
    with pytest.raises(OutOfMemoryError, match="line 10 of .*smaller batches"):
        run(failing(tmp_path, train="raise torch.OutOfMemoryError('out of memory')"))
    with pytest.raises(KeyboardInterrupt):
        run(failing(tmp_path, train="raise KeyboardInterrupt"))


# --- by which results may be kept


def test_the_digest_is_that_of_the_code_however_it_is_given(tmp_path):
    file = Path(inspect.getfile(nearest)).resolve()
    named, given = load_function(f"{file}:nearest"), OwnTraining.of(nearest)
    assert named.digest == given.digest == code_digest(file, "nearest")
    assert named.digest != code_digest(file, "another")
    assert named.name == given.name == "own.py:nearest"
    assert (named.reason, given.reason) == ("", "")
    first = failing(tmp_path).digest
    assert first == failing(tmp_path).digest != failing(tmp_path, train="...").digest


TEXT = """
import {helper}
LEVEL = 0.5
SEEN = LEVEL * 2
KNOWN = {{}}
KNOWN["level"] = LEVEL

def train(dataset, *, validation, seed, device):
    return lambda data: [[{helper}.SHARE, 1 - {helper}.SHARE]] * len(data)
"""


def test_code_that_was_imported_before_its_file_was_changed_is_not_known_by_the_file(tmp_path, monkeypatch):
    helper, mine = f"helper_{tmp_path.name}", f"mine_{tmp_path.name}"
    monkeypatch.syspath_prepend(tmp_path)
    file, beside = tmp_path / f"{mine}.py", tmp_path / f"{helper}.py"
    text = TEXT.format(helper=helper)
    file.write_text(text)
    beside.write_text("SHARE = 0.25\n")
    module = importlib.import_module(mine)
    assert OwnTraining.of(module.train).digest == load_function(f"{file}:train").digest is not None
    module.LEVEL = 0.75
    own = OwnTraining.of(module.train)
    assert own.digest is None
    assert "LEVEL is not what" in own.reason
    assert load_function(f"{file}:train").digest is not None  # it was run anew
    module.LEVEL = 0.5
    file.write_text(text.replace("1 - ", "2 - "))
    assert "train() is not what" in OwnTraining.of(module.train).reason
    file.write_text(text)
    beside.write_text("SHARE = 0.5\n")
    for own in (OwnTraining.of(module.train), load_function(f"{file}:train")):  # both use what was imported
        assert own.digest is None
        assert f"SHARE is not what {helper}.py says" in own.reason


class Held:
    def __call__(self, dataset, *, validation, seed, device):
        return None

    def method(self, dataset, *, validation, seed, device):
        return None


def of_a_session():
    """A function that was typed."""
    import code

    names: dict = {}
    text = "def train(dataset, *, validation, seed, device):\n    return None\n\n"
    code.InteractiveInterpreter(names).runsource(text, "<input>", "single")
    return names["train"]


@pytest.mark.parametrize(
    "function",
    [lambda dataset, **more: None, functools.partial(nearest, seed=3), Held(), Held().method, answering(None),
     of_a_session()],
    ids=["lambda", "partial", "object", "method", "inner function", "typed"],
)  # fmt: skip
def test_what_is_not_all_in_a_file_has_no_digest_and_says_so(function):
    own = OwnTraining.of(function)
    assert own.digest is None
    assert own.reason.startswith(f"Nothing of {own.name.rpartition(':')[2]} is kept on disk: ")


def test_a_file_is_read_as_a_script_and_its_workers_find_what_is_in_it(tmp_path):
    (tmp_path / "own_beside.py").write_text("SHARE = 0.25\n")
    (tmp_path / "own_whole.py").write_text("""
from torch.utils.data import DataLoader, Dataset

class Seen(Dataset):
    def __init__(self, n): self.n = n
    def __len__(self): return self.n
    def __getitem__(self, i): return i

def train(dataset, *, validation, seed, device):
    from own_beside import SHARE
    loader = DataLoader(Seen(len(dataset)), 4, num_workers=1, multiprocessing_context="spawn")
    assert [i for batch in loader for i in batch.tolist()] == list(range(12))
    return lambda data: [[SHARE, SHARE, 2 * SHARE]] * len(data)
""")
    found = run(load_function(f"{tmp_path / 'own_whole.py'}:train"))
    assert np.exp(found[0]).tolist() == pytest.approx([0.25, 0.25, 0.5])
    assert str(tmp_path) not in sys.path
