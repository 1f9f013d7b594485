"""Trials: one classifier trained and evaluated once, kept as one JSON file, so that an interrupted bench goes on."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor

from ganaug.classifier.remedies import remedy_of
from ganaug.classifier.small import VERSION, Training, train_classifier
from ganaug.evaluation.bench.arms import Arm
from ganaug.files.integrity import read_whole, sealed, unsealed, write_atomically
from ganaug.metrics.classification import calibration, scores
from ganaug.reporting import Report, silent

CURVE = 40  # points kept of a training curve
WORTH = 30.0  # seconds of trials from which on helpers are worth their start, which takes some five
LIBRARIES = {name: version(name) for name in ("timm", "torchvision")}  # on which an outcome depends, besides torch
WATCHED = 500  # validation images, at most, that are looked at during a training


@dataclass(frozen=True)
class Part:
    """Labelled pixels: uint8 (N, C, H, W), int64 (N,). digest: SHA-256 of both, the identity of the part."""

    pixels: Tensor
    labels: Tensor
    digest: str

    @staticmethod
    def of(pixels: Tensor, labels: Tensor) -> Part:
        hashed = hashlib.sha256(repr((tuple(pixels.shape), str(pixels.dtype))).encode())
        hashed.update(pixels.contiguous().numpy().tobytes())
        hashed.update(labels.contiguous().numpy().tobytes())
        return Part(pixels.contiguous(), labels.contiguous(), hashed.hexdigest())


@dataclass(frozen=True)
class Parts:
    """What trials train on and are evaluated on. Label i is the same class in all of them; n_classes in all."""

    train: Part
    validation: Part
    test: Part
    synthetic: Part
    n_classes: int


@dataclass(frozen=True)
class Trial:
    """One training of one classifier. on: "validation", "test" or "synthetic", the part it is evaluated on."""

    training: Training
    seed: int
    on: str

    @property
    def arm(self) -> Arm:
        given = self.training
        return Arm(given.augmentation, given.ratio, given.blend, remedy_of(given), given.use)


@dataclass(frozen=True)
class Outcome:
    """What one classifier says of every image of the part.

    predictions: int64 (N,). confidence: the probability of the prediction; surprise: minus the logarithm of that of the
    label, both float (N,). scores: of these, see `scores` and `calibration`. curve: training loss, at most 40 means in
    time. watched: accuracy on validation images in time, for trials on the test set (those of earlier versions have
    none); nothing is selected by it.
    """

    trial: Trial
    key: str
    predictions: np.ndarray
    confidence: np.ndarray
    surprise: np.ndarray
    scores: dict[str, Any]
    curve: tuple[float, ...]
    watched: tuple[float, ...]
    seconds: float

    def to_json(self) -> dict[str, Any]:
        """Without what it says of each image."""
        return {
            "key": self.key, "arm": str(self.trial.arm), "training": asdict(self.trial.training),
            "seed": self.trial.seed, "on": self.trial.on, "scores": self.scores, "seconds": self.seconds,
        }  # fmt: skip


class Helpers(Protocol):
    """What trains trials elsewhere and leaves their outcomes in the folder, see `ganaug.evaluation.bench.workers`."""

    def run(self, trials: Sequence[Trial]) -> Iterator[Trial]: ...


class Laboratory:
    """Runs trials on fixed parts, or reads what an earlier run of the same trial left in `folder`.

    `log` holds every outcome in order; `trained` counts the ones that were not read from disk. total: trials that will
    be run. helpers: train several trials at a time, once the first one has shown that it is worth their start; a trial
    is then trained with one thread here, too, so that no outcome tells where it was trained.
    """

    def __init__(
        self, parts: Parts, folder: Path, *, total: int = 0, device: torch.device | str = "cpu",
        helpers: Helpers | None = None, report: Report = silent,
    ):  # fmt: skip
        self.parts, self.folder, self.device = parts, folder, torch.device(device)
        self.total, self.helpers, self.report = total, helpers, report
        self.log: list[Outcome] = []
        self.trained = 0
        self._seconds = 0.0  # that the last trial took which was trained here

    def run(self, trial: Trial) -> Outcome:
        """The outcome of a trial; the same trial is trained only once per folder."""
        return self.run_all([trial])[0]

    def run_all(self, trials: Sequence[Trial]) -> list[Outcome]:
        """The outcomes, in the order of the trials, of which none waits for another one."""
        found: dict[Trial, Outcome] = {}

        def keep(trial: Trial, outcome: Outcome) -> None:
            found[trial] = outcome
            self._tell(trial, len(found))

        wanted = list(dict.fromkeys(trials))
        for trial in wanted:
            if (outcome := self._read(trial)) is not None:
                keep(trial, outcome)
        for trial in wanted:
            if trial in found:
                continue
            self._tell(trial, len(found))
            lacking = [other for other in wanted if other not in found]
            if self.helpers is not None and len(lacking) > 1 and self._worth_helpers(len(found)):
                for done in self.helpers.run(lacking):
                    if (outcome := self._read(done)) is not None:
                        self.trained += 1
                        keep(done, outcome)
            if trial not in found:
                with nullcontext() if self.helpers is None else one_thread():
                    outcome = self._train(trial)
                self._seconds = outcome.seconds
                write_atomically(self._file(outcome.key), _to_json(outcome))
                self.trained += 1
                keep(trial, outcome)
        self.log += (outcomes := [found[trial] for trial in trials])
        return outcomes

    def _tell(self, trial: Trial, found: int) -> None:
        done = len(self.log) + found
        self.report("trials", done, self.total, f"{trial.arm}, seed {trial.seed}, {trial.on}")

    def _worth_helpers(self, found: int) -> bool:
        """Whether what is left would take longer than WORTH, as far as one knows from a trial that was trained here."""
        return self._seconds * (self.total - len(self.log) - found) > WORTH

    def key(self, trial: Trial) -> str:
        """Hash of everything that determines the outcome, up to the machine (and, without helpers, its threads).

        A GPU and the CPU have trials of their own.
        """
        parts = [self.parts.train, self._evaluation(trial)] + ([self.parts.synthetic] if trial.training.ratio else [])
        identity = {
            "classifier": VERSION,
            "torch": torch.__version__,
            **LIBRARIES,
            "training": asdict(trial.training),
            "seed": trial.seed,
            "on": trial.on,
            "parts": [part.digest for part in parts],
            "classes": self.parts.n_classes,
        }
        if self.device.type != "cpu":
            identity["device"] = self.device.type
        return hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()[:24]

    def _evaluation(self, trial: Trial) -> Part:
        return getattr(self.parts, trial.on)

    def _file(self, key: str) -> Path:
        return self.folder / f"{key}.json"

    def _train(self, trial: Trial) -> Outcome:
        started = time.perf_counter()
        train, part, extra = self.parts.train, self._evaluation(trial), self.parts.synthetic
        classifier = train_classifier(
            train.pixels, train.labels, self.parts.n_classes, training=trial.training, seed=trial.seed,
            synthetic=(extra.pixels, extra.labels) if trial.training.ratio else None,
            watch=self._watched() if trial.on == "test" and len(self.parts.validation.labels) else None,
            device=self.device,
        )  # fmt: skip
        logs = torch.log_softmax(classifier.predict(part.pixels).double(), 1)
        best = logs.max(1)
        pieces = np.array_split(classifier.losses, min(CURVE, len(classifier.losses)))
        return self._outcome(
            trial,
            best.indices.numpy(),
            best.values.exp().numpy().round(5),
            (-logs.gather(1, part.labels[:, None])[:, 0]).numpy().round(5),
            tuple(round(float(piece.mean()), 5) for piece in pieces),
            tuple(round(value, 5) for value in classifier.watched),
            round(time.perf_counter() - started, 3),
        )

    def _watched(self) -> tuple[Tensor, Tensor]:
        """Validation images from all over the part, which holds some."""
        part = self.parts.validation
        every = -(-len(part.labels) // WATCHED)
        return part.pixels[::every], part.labels[::every]

    def _outcome(
        self, trial: Trial, predictions: np.ndarray, confidence: np.ndarray, surprise: np.ndarray,
        curve: tuple[float, ...], watched: tuple[float, ...], seconds: float,
    ) -> Outcome:  # fmt: skip
        labels = self._evaluation(trial).labels.numpy()
        found = scores(labels, predictions, self.parts.n_classes)
        found |= calibration(predictions == labels, confidence, surprise)
        return Outcome(trial, self.key(trial), predictions, confidence, surprise, found, curve, watched, seconds)

    def _read(self, trial: Trial) -> Outcome | None:
        """The stored outcome; None if there is none or it is not whole (then the trial is trained again)."""
        part, key = self._evaluation(trial), self.key(trial)
        try:
            stored = unsealed(read_whole(self._file(key)), self._file(key))
            predictions = np.array(stored["predictions"], dtype=np.int64)
            confidence, surprise = (np.array(stored[name], dtype=np.float64) for name in ("confidence", "surprise"))
            curve, watched = (tuple(map(float, values)) for values in (stored["curve"], stored.get("watched", ())))
            seconds = float(stored["seconds"])
        except (OSError, ValueError, KeyError, TypeError, OverflowError, RecursionError):
            return None
        inside = (predictions >= 0) & (predictions < self.parts.n_classes)
        shapes = {values.shape for values in (predictions, confidence, surprise)}
        if stored.get("key") != key or shapes != {part.labels.shape} or not inside.all():
            return None
        if not (np.isfinite(surprise).all() and ((confidence >= 0) & (confidence <= 1)).all()):
            return None
        return self._outcome(trial, predictions, confidence, surprise, curve, watched, seconds)


@contextmanager
def one_thread() -> Iterator[None]:
    """torch works with one thread inside, and with as many as before afterwards."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _to_json(outcome: Outcome) -> bytes:
    said = {name: getattr(outcome, name).tolist() for name in ("predictions", "confidence", "surprise")}
    return sealed({**outcome.to_json(), "curve": outcome.curve, "watched": outcome.watched, **said})
