"""Trials: one classifier trained and evaluated once, kept as one JSON file, so that an interrupted bench goes on."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import torch

from ganaug.defaults import torch_threads
from ganaug.errors import DivergedError
from ganaug.evaluation.trials.parts import FOLD, UNLABELLED, Parts, Taught
from ganaug.files.integrity import read_whole, sealed, unsealed, write_atomically
from ganaug.metrics.classification import calibration, scores
from ganaug.reporting import Report, silent

if TYPE_CHECKING:
    from ganaug.evaluation.trials.learner import Learner

FORMAT = 4  # of the files
CURVE = 40  # points kept of a training curve
WORTH = 30.0  # seconds of trials from which on helpers are worth their start, which takes some five
LIBRARIES = {name: version(name) for name in ("timm", "torchvision")}  # on which an outcome depends, besides torch
LEAST = -20.0  # log-probability, below which it does not matter; in half precision it has three digits


@dataclass(frozen=True)
class Trial:
    """One training of one classifier.

    learner: name of the kind of classifier. training: how, a dataclass of that kind. on: names of the parts that it
    says something of, see `Parts`. made: the synthetic part of which `training.ratio` is taken. leave: a fold of the
    training part that is left out. taught: what is learned besides, see `Arm`.
    """

    learner: str
    training: Any
    seed: int
    on: tuple[str, ...]
    made: str = ""
    leave: int | None = None
    taught: str = ""

    def __str__(self) -> str:
        return f"{self.learner}, seed {self.seed}, {' and '.join(self.on)}"


@dataclass(frozen=True)
class Said:
    """What a trained classifier says: log-probabilities (N, K) of every image that it was asked about, one part after
    the other. losses: of its training, in time. watched: accuracy on some validation images, in time. seconds: of the
    training, without what is prepared once for all of them."""

    logs: np.ndarray
    seconds: float
    losses: np.ndarray = field(default_factory=lambda: np.zeros(0))
    watched: tuple[float, ...] = ()


@dataclass(frozen=True, eq=False)
class Answers:
    """Log-probabilities (N, K) of images, and what follows from them. labels: int64 (N,), the true ones."""

    logs: np.ndarray
    labels: np.ndarray

    @cached_property
    def predictions(self) -> np.ndarray:
        """int64 (N,)."""
        return self.logs.argmax(1)

    @cached_property
    def surprise(self) -> np.ndarray:
        """Minus the log-probability of the label, (N,)."""
        return -np.take_along_axis(self.logs, self.labels[:, None], 1)[:, 0]

    @cached_property
    def scores(self) -> dict[str, Any]:
        """See `ganaug.metrics.classification`."""
        found: dict[str, Any] = scores(self.labels, self.predictions, self.logs.shape[1])
        confidence = np.exp(self.logs.max(1))
        return found | calibration(self.predictions == self.labels, confidence, self.surprise)


@dataclass(frozen=True, eq=False)
class Outcome:
    """What came of a trial. logs: of every image, one part after the other. curve: training loss, at most 40 means in
    time; watched: accuracy on validation images in time; nothing is selected by either. diverged: why the training
    failed, in a sentence, or ""; of a failed one nothing is known, and every class is as likely."""

    trial: Trial
    key: str
    logs: np.ndarray
    curve: tuple[float, ...]
    watched: tuple[float, ...]
    seconds: float
    diverged: str = ""

    def to_json(self) -> dict[str, Any]:
        """Without what it says of each image."""
        return {
            "key": self.key, "learner": self.trial.learner, "training": asdict(self.trial.training),
            "seed": self.trial.seed, "on": list(self.trial.on), "made": self.trial.made, "leave": self.trial.leave,
            "taught": self.trial.taught, "seconds": self.seconds, "diverged": self.diverged,
        }  # fmt: skip


class Helpers(Protocol):
    """What trains trials elsewhere and leaves their outcomes in the folder, see `ganaug.evaluation.trials.workers`.
    eager: they are at hand already, so that even a short row of trials is worth it."""

    learner: str
    eager: bool

    def run(self, trials: Sequence[Trial], parts: Parts) -> Iterator[Trial]: ...


class Laboratory:
    """Runs trials on fixed parts, or reads what an earlier run of the same trial left in `folder`.

    `outcomes` holds every one, in order; `trained` counts those that were not read from disk. learners: the kinds of
    classifiers, by name. total: trials that will be run, about. helpers: train several trials of one kind at a time,
    once the first one has shown that it is worth their start; such a trial is then trained with one thread here, too,
    so that no outcome tells where it was trained.
    """

    def __init__(
        self, parts: Parts, folder: Path, learners: Mapping[str, Learner], *, total: int = 0,
        helpers: Helpers | None = None, report: Report = silent,
    ):  # fmt: skip
        self.parts, self.folder, self.learners = parts, folder, learners
        self.total, self.helpers, self.report = total, helpers, report
        self.outcomes: dict[Trial, Outcome] = {}
        self.trained = 0
        self._seconds = 0.0  # that the last trial took which was trained here and helpers could have trained

    def run_all(self, trials: Sequence[Trial]) -> list[Outcome]:
        """The outcomes, in the order of the trials, of which none waits for another one; the same trial is trained only
        once per folder."""
        wanted = [trial for trial in dict.fromkeys(trials) if trial not in self.outcomes]
        for trial in wanted:
            self._keep(self._read(trial))
        for trial in wanted:
            if trial in self.outcomes:
                continue
            self.report("trials", len(self.outcomes), max(self.total, len(self.outcomes)), str(trial))
            lacking = [other for other in wanted if other not in self.outcomes and self._for_helpers(other)]
            if self.helpers is not None and trial in lacking[:-1] and self._worth(len(lacking)):
                for done in self.helpers.run(lacking, self.parts):
                    self.trained += self._keep(self._read(done))
            if trial not in self.outcomes:
                with torch_threads(1) if self._for_helpers(trial) else nullcontext():
                    outcome = self._train(trial)
                if self._for_helpers(trial):
                    self._seconds = outcome.seconds
                write_atomically(self._file(outcome.key), _to_json(outcome))
                self.trained += self._keep(outcome)
        return [self.outcomes[trial] for trial in trials]

    def _keep(self, outcome: Outcome | None) -> bool:
        """Whether there is one."""
        if outcome is not None:
            self.outcomes[outcome.trial] = outcome
            done = len(self.outcomes)
            self.report("trials", done, max(self.total, done), str(outcome.trial))
        return outcome is not None

    def _for_helpers(self, trial: Trial) -> bool:
        return self.helpers is not None and self.helpers.learner == trial.learner

    def _worth(self, lacking: int) -> bool:
        """Whether what is left would take longer than WORTH, as far as one knows from a trial that was trained here."""
        if self.helpers is not None and self.helpers.eager:
            return True
        return self._seconds * max(lacking, self.total - len(self.outcomes)) > WORTH

    def teach(self, name: str, taught: Taught) -> None:
        """What later trials learn that are taught so."""
        self.parts = replace(self.parts, taught={**self.parts.taught, name: taught})

    def spread(self) -> np.ndarray | None:
        """Log-probabilities of the validation images and then of the unlabelled ones, along a graph of near features;
        None where no classifier knows features."""
        for learner in self.learners.values():
            found = learner.spread(self.parts)
            if found is not None:
                return found
        return None

    def key(self, trial: Trial) -> str:
        """Hash of everything that determines the outcome, up to the machine (and, without helpers, its threads)."""
        parts = [
            self.parts.train,
            self.parts.validation,
            *(self.parts.named(name) for name in trial.on if name != FOLD),
        ]
        parts += [self.parts.named(trial.made)] if trial.training.ratio else []
        parts += [self.parts.named(UNLABELLED)] if trial.taught and self.parts.unlabelled else []
        identity = {
            "format": FORMAT,
            "torch": torch.__version__,
            **LIBRARIES,
            "learner": self.learners[trial.learner].identity,
            "training": asdict(trial.training),
            "seed": trial.seed,
            "on": trial.on,
            "parts": [part.digest for part in parts],
            "classes": self.parts.n_classes,
        }
        if trial.leave is not None and self.parts.fold is not None:
            identity["without"] = hashlib.sha256((self.parts.fold == trial.leave).tobytes()).hexdigest()
        if trial.taught:
            known = self.parts.taught.get(trial.taught)
            identity["taught"] = [trial.taught, known and known.digest]
        return hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()[:24]

    def _file(self, key: str) -> Path:
        return self.folder / f"{key}.json"

    def _train(self, trial: Trial) -> Outcome:
        try:
            said, diverged = self.learners[trial.learner].run(trial, self.parts), ""
        except DivergedError as error:  # it ends this training, and not all the others
            count, diverged = self._asked(trial), str(error)
            said = Said(np.full((count, self.parts.n_classes), -np.log(self.parts.n_classes)), 0.0)
        pieces = np.array_split(said.losses, min(CURVE, len(said.losses))) if len(said.losses) else []
        return Outcome(
            trial,
            self.key(trial),
            np.maximum(said.logs, LEAST).astype(np.float16).astype(np.float64),
            tuple(round(float(piece.mean()), 5) for piece in pieces),
            tuple(round(value, 5) for value in said.watched),
            round(said.seconds, 3),
            diverged,
        )

    def trained_anew(self, trial: Trial) -> bytes:
        """The file of its outcome."""
        return _to_json(self._train(trial))

    def _asked(self, trial: Trial) -> int:
        """How many images it says something of."""
        return sum(len(self.parts.asked(name, trial.leave)[1]) for name in trial.on)

    def _read(self, trial: Trial) -> Outcome | None:
        """The stored outcome; None if there is none or it is not whole (then the trial is trained again)."""
        key = self.key(trial)
        try:
            stored = unsealed(read_whole(self._file(key)), self._file(key))
            logs = np.frombuffer(base64.b64decode(stored["logs"], validate=True), dtype="<f2").astype(np.float64)
            curve, watched = (tuple(map(float, stored[name])) for name in ("curve", "watched"))
            seconds, diverged = float(stored["seconds"]), str(stored["diverged"])
        except (OSError, ValueError, KeyError, TypeError, OverflowError, RecursionError):
            return None
        count = self._asked(trial)
        if stored.get("key") != key or logs.size != count * self.parts.n_classes or not (logs <= 0).all():
            return None
        return Outcome(trial, key, logs.reshape(count, self.parts.n_classes), curve, watched, seconds, diverged)

    def answers(self, outcome: Outcome, name: str) -> Answers:
        """What an outcome says of one of the parts that it was asked about."""
        start = 0
        for asked in outcome.trial.on:
            part, rows = self.parts.asked(asked, outcome.trial.leave)
            if asked == name:
                return Answers(outcome.logs[start : start + len(rows)], part.labels.numpy()[rows])
            start += len(rows)
        raise KeyError(name)


def _to_json(outcome: Outcome) -> bytes:
    said = base64.b64encode(outcome.logs.astype("<f2").tobytes()).decode()
    return sealed({**outcome.to_json(), "curve": outcome.curve, "watched": outcome.watched, "logs": said})
