"""A user's own training as the classifier: read from a file, called under a seed, and all that it gives checked.

    def train(dataset, *, validation, seed, device):
        ...
        return predict                # predict(dataset) -> probabilities (N, K)

Data sets are map-style, of items (PIL image, int), with `classes` and `targets`; synthetic images are in `dataset`
already. Whoever is asked for predictions sees no labels: every item has the label 0, and there are no `targets`.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from PIL import Image
from torch.utils.data import Dataset

from ganaug.classifier.answers import kind, probabilities
from ganaug.data.sources.steady import global_streams
from ganaug.defaults import usual_defaults
from ganaug.device import out_of_memory
from ganaug.errors import GanaugError, OutOfMemoryError, OwnTrainingError
from ganaug.files.functions import beside, code_digest, function_in, in_words, staying
from ganaug.files.in_memory import otherwise_in_memory
from ganaug.keys import key

FORM = "def train(dataset, *, validation, seed, device), which returns predict(dataset) -> probabilities (N, K)"
FLOOR = float(np.finfo(np.float64).eps)  # least probability, as in scikit-learn's log_loss
AGAIN = 16  # pictures that are asked for twice
MOVED = 0.1  # probability that may move between the two


class Offered(Protocol):
    """What a training is given: a `ganaug.mixing.picture_set.PictureSet`."""

    classes: list[str]
    targets: list[int]

    def __len__(self) -> int: ...
    def __getitem__(self, index: int) -> tuple[Image.Image, int]: ...
    def sample(self) -> str: ...


class Unlabelled(Dataset):
    """Pictures of a data set, as `predict` sees them: items are (PIL image, 0)."""

    def __init__(self, dataset: Offered, rows: Sequence[int]):
        self.classes = list(dataset.classes)
        self._dataset, self._rows = dataset, rows

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, index: int) -> tuple[Image.Image, int]:
        return self._dataset[self._rows[index]][0], 0

    @property
    def targets(self) -> list[int]:
        raise AttributeError("predict is asked for the labels, so it is given none: these pictures have no targets.")


@dataclass(frozen=True)
class OwnTraining:
    """A training function. name: for people. digest: SHA-256 of its code, by which results of it may be kept; None
    where they may not, and `reason` says why. file: in which it is defined, if that is known; named: by the user, so
    that it is run as a script is, with its folder on the path."""

    function: Callable[..., Any]
    name: str
    digest: str | None
    reason: str
    file: Path | None
    named: bool = False

    @staticmethod
    def of(function: Callable[..., Any]) -> OwnTraining:
        """Of a function in Python. Raises OwnTrainingError for what cannot be called as agreed."""
        name = getattr(function, "__qualname__", type(function).__qualname__)
        file, reason = _source(function)
        if not reason and file is not None:
            reason = otherwise_in_memory(file, function.__globals__)
        digest = None if reason or file is None else code_digest(file, name)
        if reason:
            reason = f"Nothing of {name} is kept on disk: {reason}. Give it as FILE.py:function to go on later."
        return _agreed(OwnTraining(function, name if file is None else f"{file.name}:{name}", digest, reason, file))


def load_function(name: str) -> OwnTraining:
    """The training function that FILE.py:function names; the file is run.

    The digest is of the function's name, and of the file with all that it imports from beside it. Raises
    OwnTrainingError where there is no such file or function, where the file fails, or where the function cannot be
    called as agreed.
    """
    function, file = function_in(name, "a training function", OwnTrainingError)
    reason = otherwise_in_memory(file)
    digest = None if reason else code_digest(file, name.rpartition(":")[2])
    reason = f"Nothing of {name} is kept on disk: {reason}." if reason else ""
    return _agreed(OwnTraining(function, Path(name).name, digest, reason, file, named=True))


@usual_defaults()
def run_own(
    training: OwnTraining,
    dataset: Offered,
    validation: Offered,
    evaluate: Offered,
    *,
    seed: int,
    device: torch.device,
) -> np.ndarray:
    """Train once, and ask for the pictures of `evaluate`, whose labels are hidden.

    Parameters
    ----------
    training
        The function.
    dataset, validation
        What it is given. It may change neither.
    evaluate
        What it is asked for; its order is that of the answer.
    seed
        Given to the function, 0 to 2**32 - 1. The global random streams of Python, numpy and torch are seeded by it
        too; afterwards they are as they were.
    device
        Given to the function.

    Returns
    -------
    numpy.ndarray
        Log-probabilities float64 (N, K), none below log 2.2e-16; each row's probabilities sum to 1.

    Raises
    ------
    OwnTrainingError
        Where the function fails, changes what it was given, or returns no `predict`; where that fails, gives no
        probabilities (N, K), or others for the same pictures in another order. What it raised is the cause.
    OutOfMemoryError
        Where the memory does not suffice for it.
    """
    before = _state(dataset), _state(validation)
    with _apart(seed, device), beside(training.file if training.named else None):
        told = {"validation": validation, "seed": seed, "device": device}
        predict = _call("train", training, training.function, dataset, **told)
        if not callable(predict):
            raise OwnTrainingError(f"{training.name} returns {kind(predict)}, not a function predict.", f"{FORM}.")
        for what, given, was in zip(("dataset", "validation"), (dataset, validation), before, strict=True):
            _refuse_changed(training, what, was, _state(given))
        found = _asked(training, predict, evaluate, range(len(evaluate)))
        _refuse_moving(training, predict, evaluate, found)
    return np.log(np.maximum(found, FLOOR))


# --- the function


def _source(function: Callable[..., Any]) -> tuple[Path | None, str]:
    """The file of a function; and why its results may not be known by that file alone, or ""."""
    try:
        file = Path(inspect.getsourcefile(function) or "")
    except TypeError:  # of an object, or of no Python
        return None, "what it is made of is not in a file"
    if not file.is_file():
        return None, "it is in no file, but was typed into a session"
    if not inspect.isfunction(function) or function.__closure__ or "<" in function.__qualname__:
        return file.resolve(), "it holds more than is in its file, being a lambda, a method or an inner function"
    return file.resolve(), ""


def _agreed(training: OwnTraining) -> OwnTraining:
    if not callable(training.function):
        raise OwnTrainingError(f"{kind(training.function)} is no training function.", f"Give {FORM}.")
    try:
        signature = inspect.signature(training.function)
    except (TypeError, ValueError):  # of no Python: calling it will tell
        return training
    try:
        signature.bind(object(), validation=object(), seed=0, device=object())
    except TypeError as error:
        cause = f"{training.name}{signature} cannot be called as agreed: {error}."
        raise OwnTrainingError(cause, f"Write {FORM}.") from error
    return training


@contextmanager
def _apart(seed: int, device: torch.device) -> Iterator[None]:
    """With the global random streams seeded and gradients on. They, torch's defaults and the working directory are
    afterwards as before."""
    dtype, default = torch.get_default_dtype(), torch.get_default_device()
    number, gpus = key(seed, "own training") % 2**32, [device] if device.type == "cuda" else []
    try:
        with staying(), torch.random.fork_rng(gpus), global_streams(number), torch.enable_grad():
            for gpu in gpus:
                with torch.cuda.device(gpu):
                    torch.cuda.manual_seed(number)
            yield
    finally:
        torch.set_default_dtype(dtype)
        if torch.get_default_device() != default:
            torch.set_default_device(None if default.type == "cpu" else default)


def _call(what: str, training: OwnTraining, function: Callable[..., Any], *given: Any, **named: Any) -> Any:
    """Whatever the user's code raises is an error of ours that says where; what it raised is the cause."""
    try:
        return function(*given, **named)
    except GanaugError:
        raise
    except (Exception, SystemExit) as error:
        cause = f"{what} of {training.name} fails: {in_words(error, training.file)}."
        if out_of_memory(error):
            raise OutOfMemoryError(cause, "Take smaller batches or a smaller network, or another device.") from error
        fix = "Mend it; ganaug.bench(..., train=...) in Python shows the whole traceback."
        raise OwnTrainingError(cause, fix) from error


# --- what it was given


def _state(dataset: Offered) -> dict[str, Any]:
    labels = list(dataset.targets)
    return {"length": len(dataset), "classes": list(dataset.classes), "targets": labels, "pictures": dataset.sample()}


def _refuse_changed(training: OwnTraining, what: str, before: dict[str, Any], after: dict[str, Any]) -> None:
    changed = [name for name, value in before.items() if after[name] != value]
    if changed:
        raise OwnTrainingError(
            f"{training.name} changed the {' and the '.join(changed)} of its {what}, which others are given too.",
            f"Change a copy: items = [{what}[i] for i in ...], or torch.utils.data.Subset({what}, ...).",
        )


# --- what it gives


def _asked(training: OwnTraining, predict: Callable[..., Any], evaluate: Offered, rows: Sequence[int]) -> np.ndarray:
    """Probabilities float64 (N, K) of these pictures."""
    given = _call("predict", training, predict, Unlabelled(evaluate, rows))
    return probabilities(f"predict of {training.name}", given, len(rows), len(evaluate.classes))


def _refuse_moving(training: OwnTraining, predict: Callable[..., Any], evaluate: Offered, found: np.ndarray) -> None:
    """Refuse answers that are in another order than the pictures, or depend on which others are asked for."""
    rows = np.unique(np.linspace(0, len(found) - 1, min(AGAIN, len(found))).astype(int))[::-1].tolist()
    again = _asked(training, predict, evaluate, rows)
    moved = float(np.abs(again - found[rows]).sum(1).mean() / 2)
    if moved > MOVED:
        raise OwnTrainingError(
            f"predict of {training.name} gives the same pictures other probabilities in another order: {moved:.0%} of "
            "the probability moves.",
            "Do not shuffle in predict, and call model.eval() before it.",
        )
