"""A kind of classifier and how it is trained, as a bench sees it: it fits labelled images, and predicts."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ganaug.classifier.features import Backbone
from ganaug.evaluation.trials.arms import FIXMATCH, Arm, Knobs
from ganaug.evaluation.trials.parts import TRAIN, UNLABELLED, Part, Parts
from ganaug.evaluation.trials.trial import Said, Trial
from ganaug.files.imagemap import ImageMap
from ganaug.reporting import Report

GLANCED = 16  # images by which the time of a prediction is measured


@dataclass(frozen=True)
class Menu:
    """What can be tried with a classifier.

    knobs: values of each number that is tuned, by its name; the first one is where tuning starts. augmentations,
    blends: names to try. remedies: names of those that change its training. longer: whether it can be trained for
    longer. fixmatch: the augmentation of its strong view, where it can learn from unlabelled images by itself. copies:
    networks of which a mean is taken; 1 where all are the same network."""

    knobs: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    augmentations: tuple[str, ...] = ()
    blends: tuple[str, ...] = ()
    remedies: tuple[str, ...] = ()
    uses: tuple[str, ...] = ("plain",)
    longer: bool = False
    fixmatch: str = ""
    copies: int = 1

    @property
    def start(self) -> Knobs:
        return tuple((name, values[0]) for name, values in self.knobs.items())


class Trained(NamedTuple):
    """A trained classifier. logs: log-probabilities of inputs, (N, K). losses: of its training, in time, (steps,).
    watched: accuracy on images that were looked at in the meantime."""

    logs: Callable[[Any], np.ndarray]
    losses: np.ndarray = np.zeros(0)
    watched: tuple[float, ...] = ()


@dataclass(frozen=True, eq=False)
class Lesson:
    """What one training is given: inputs as the classifier takes them, with labels int64 (N,). synthetic, watch:
    likewise; None where there are none. soft, made_soft: probabilities (N, K) and (M, K) that
    are learned in place of labels. unlabelled: inputs of images to learn from by what the classifier says of them."""

    inputs: Any
    labels: np.ndarray
    n_classes: int
    training: Any
    seed: int
    synthetic: tuple[Any, np.ndarray] | None = None
    watch: tuple[Any, np.ndarray] | None = None
    soft: np.ndarray | None = None
    made_soft: np.ndarray | None = None
    unlabelled: Any = None


class Learner(ABC):
    """name: by which arms name it. words: for people, such as "small network, 32 px". size: (height, width) in px of
    what it looks at. native: whether it sees the user's own images, and not the small ones of the generator. shares:
    several of it cost no more than one, once they are trained. swift: it is trained in no time, so that it is judged
    crosswise by the training images, too."""

    name: str
    words: str
    size: tuple[int, int]
    native: bool
    shares = swift = False
    menu: Menu

    @property
    @abstractmethod
    def identity(self) -> dict[str, Any]:
        """All that decides what it says, besides its training, seed and images: plain data."""

    @abstractmethod
    def training(self, arm: Arm, knobs: Knobs) -> Any:
        """How the classifier of an arm is trained: a frozen dataclass of plain values, with a `ratio`."""

    @abstractmethod
    def run(self, trial: Trial, parts: Parts) -> Said:
        """Train once, and say something of every image that is asked about."""

    @abstractmethod
    def seconds_an_image(self, parts: Parts) -> float:
        """That a trained classifier needs, about."""

    def spread(self, parts: Parts) -> np.ndarray | None:
        """Log-probabilities of the validation images and then of the unlabelled ones, by the labels of training images
        with near features; None where it has no features of its own."""
        return None


class ArrayLearner(Learner):
    """One that takes images, rows or series as arrays."""

    _seconds: float | None = None

    @abstractmethod
    def inputs(self, part: Part, rows: np.ndarray) -> Any:
        """What it takes of some images."""

    def joined(self, one: Any, other: Any) -> Any:
        """The inputs of both, one after the other."""
        return np.concatenate([one, other])

    def prepare(self, lesson: Lesson) -> None:
        """Make once what several trainings need."""

    @abstractmethod
    def fit(self, lesson: Lesson) -> Trained: ...

    @abstractmethod
    def glance(self, part: Part) -> None:
        """Look at some images, as a trained classifier would, for the time that it takes."""

    def seconds_an_image(self, parts: Parts) -> float:
        """That a trained classifier needs, about; measured once."""
        if self._seconds is None:
            self._seconds = self.seconds_of(parts.train)
        return self._seconds

    def seconds_of(self, part: Part) -> float:
        """That a look at an image of a part takes."""
        some = Part.of(part.items[:GLANCED], part.labels[:GLANCED], part.codec)
        self.glance(some)
        started = time.perf_counter()
        self.glance(some)
        return (time.perf_counter() - started) / len(some)

    def watching(self, trial: Trial, parts: Parts) -> np.ndarray | None:
        """Rows of the validation part that are looked at during each training, for its curve or to stop; None: none."""
        return None

    def run(self, trial: Trial, parts: Parts) -> Said:
        """Train once, and say something of every image that is asked about."""
        rows, labels = np.arange(len(parts.train)), parts.train.labels.numpy()
        if trial.leave is not None:
            assert parts.fold is not None
            rows = np.flatnonzero(parts.fold != trial.leave)
        inputs, labels = self.inputs(parts.train, rows), labels[rows]
        taught, soft, made_soft, unlabelled = parts.taught.get(trial.taught), None, None, None
        if taught is not None and len(taught.rows):
            assert parts.unlabelled is not None
            inputs = self.joined(inputs, self.inputs(parts.unlabelled, taught.rows))
            labels = np.concatenate([labels, taught.labels])
        if taught is not None and taught.soft:
            soft = np.concatenate([taught.soft[TRAIN][rows], taught.soft[UNLABELLED]])
            made_soft = taught.soft.get(trial.made)
        if trial.taught == FIXMATCH:
            assert parts.unlabelled is not None
            unlabelled = self.inputs(parts.unlabelled, np.arange(len(parts.unlabelled)))
        synthetic = watch = None
        if trial.training.ratio:
            made = parts.named(trial.made)
            synthetic = self.inputs(made, np.arange(len(made))), made.labels.numpy()
        looked = self.watching(trial, parts)
        if looked is not None:
            watch = self.inputs(parts.validation, looked), parts.validation.labels.numpy()[looked]
        lesson = Lesson(
            inputs, labels, parts.n_classes, trial.training, trial.seed, synthetic, watch, soft, made_soft, unlabelled
        )  # fmt: skip
        self.prepare(lesson)
        started = time.perf_counter()
        trained = self.fit(lesson)
        seconds = time.perf_counter() - started
        said = [trained.logs(self.inputs(*parts.asked(name, trial.leave))) for name in trial.on]
        return Said(np.concatenate(said), seconds, np.asarray(trained.losses), trained.watched)


class PictureLearner(ArrayLearner):
    """One that looks at the user's own images, at the size of a pretrained network. folder: of pictures."""

    native = True

    def __init__(self, backbone: Backbone, menu: Menu, folder: Path, report: Report):
        self.backbone, self.menu, self.folder, self.report = backbone, menu, folder, report
        height, width = backbone.frame.shape[1:]
        self.size = (height, width)
        self._pictures: dict[str, ImageMap] = {}

    def pictures(self, part: Part) -> ImageMap:
        """All of a part."""
        if part.digest not in self._pictures:
            self._pictures[part.digest] = part.pictures(self.backbone.frame, self.folder, self.report)
        return self._pictures[part.digest]

    def glance(self, part: Part) -> None:
        self.backbone.features(np.stack([self.backbone.frame.pixels(part.image(i)) for i in range(len(part))]))
