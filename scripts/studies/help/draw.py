"""One draw of a subset: its images, its generator, and the trainings of every cell on them."""

from __future__ import annotations

import json
import shutil
import time
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

import ganaug
from ganaug.classifier.small import Training, train_classifier
from ganaug.data.duplicates.seen import Known, seen_as
from ganaug.data.load import LabelledImages, load_images
from ganaug.data.split import hold_out
from ganaug.errors import DataError
from ganaug.evaluation.bench.design import EVERY_POLICY, Design, design_for, policies
from ganaug.evaluation.bench.room import QUICK_POLICIES, small_menu
from ganaug.evaluation.bench.sets import rendered
from ganaug.evaluation.bench.settings import RATIOS, BenchSettings
from ganaug.evaluation.trials.arms import Arm
from ganaug.evaluation.trials.small import SmallLearner
from ganaug.files.integrity import write_atomically
from ganaug.generator.folder import save
from ganaug.keys import numpy_stream, permutation, torch_stream
from ganaug.metrics.classification import scores
from ganaug.reporting import Report, silent
from ganaug.samples.choose import Judged
from ganaug.samples.run import load
from scripts.studies.help.cells import CHOICES, TAILS, Cell, Protocol, Subset
from scripts.studies.help.kept import DRAW, keep
from scripts.studies.lib.facts import image_set, machine, now
from scripts.studies.lib.results import pack_flags

MEASURES = ("accuracy", "balanced accuracy", "macro-F1")


@lru_cache(maxsize=1)
def test_images(data: str, side: int, channels: int) -> LabelledImages:
    """The whole test part; the last one is kept, as draws of one data set follow each other."""
    return load_images(image_set(data), split="test", size=side, channels=channels, at_least=0)


def tail_classes(subset: Subset, n_classes: int) -> list[int]:
    """The classes that are made small: drawn once for a subset, so that every draw has the same."""
    return sorted(numpy_stream("study", subset.images_name, "tail").choice(n_classes, TAILS, replace=False).tolist())


def images_of(subset: Subset, draw: int) -> LabelledImages:
    """The images of a draw, of which a fifth will be held out."""
    seed = subset.seed(draw)
    images = load_images(image_set(subset.data), size=subset.side, limit=subset.limit, seed=seed)
    if not subset.tail:
        return images
    order, small = permutation(len(images), seed, "study", "tail"), tail_classes(subset, len(images.classes))
    labels, kept = images.labels.numpy(), np.ones(len(images), dtype=bool)
    for label in small:
        kept[order[labels[order] == label][subset.tail :]] = False
    return images.take(np.flatnonzero(kept))


def unseen(subset: Subset, drawn: LabelledImages) -> tuple[Tensor, Tensor]:
    """Pixels and labels of the training part without the images of a draw, in an order that no seed changes."""
    channels, side, _ = drawn.pixels.shape[1:]
    whole = load_images(image_set(subset.data), size=side, channels=channels)
    known = set(drawn.fingerprints)
    rest = whole.take([row for row, mark in enumerate(whole.fingerprints) if mark not in known])
    return rest.pixels, rest.labels


@dataclass(frozen=True)
class Answers:
    """What one classifier says. validation: right answers of each class, (K,). test: predictions, (N,)."""

    validation: tuple[int, ...]
    test: np.ndarray
    seconds: float


class Draw:
    """Everything of one draw is made when it is first needed, and once for all cells of the subset.

    number: of the draw. folder: for its generators, which can be thrown away. device: of generators and classifiers.
    """

    def __init__(self, subset: Subset, number: int, folder: Path, report: Report = silent, device: str = "cpu"):
        self.subset, self.number, self.folder, self.report, self.device = subset, number, folder, report, device
        self.seed = subset.seed(number)
        self.seconds: dict[str, float | None] = {}
        self._pools: dict[str, tuple[Tensor, Tensor]] = {}
        self._answers: dict[tuple[Training, str], Answers] = {}

    @cached_property
    def images(self) -> LabelledImages:
        return images_of(self.subset, self.number)

    @cached_property
    def parts(self) -> tuple[LabelledImages, LabelledImages]:
        """Training and validation part: the same as the fit of the generator makes."""
        return hold_out(self.images, seed=self.seed)

    @cached_property
    def test(self) -> LabelledImages:
        channels, side, _ = self.images.pixels.shape[1:]
        test = test_images(self.subset.data, side, channels)
        if test.classes != self.images.classes:
            raise DataError(f"The test part of {self.subset.data} has other classes.", "Give both parts the same.")
        return test

    @cached_property
    def seen(self) -> np.ndarray:
        """Which test images are among the images of this draw, exactly or nearly: bool (N,)."""
        pictures = list(self.test.pixels.permute(0, 2, 3, 1).squeeze(-1).numpy())
        known = Known.of(self.images)
        marks = seen_as(self.test.fingerprints, self.test.likenesses, pictures, known, self.report)
        return np.array([bool(mark) for mark in marks])

    def asked(self, cell: Cell, protocol: Protocol) -> BenchSettings:
        """What the bench would be asked."""
        return BenchSettings(
            quick=protocol.quick, ratios=cell.ratios, uses=cell.uses, steps=protocol.steps,
            augmentations=None if cell.augmented else (),
        )  # fmt: skip

    def design(self, cell: Cell, protocol: Protocol) -> Design:
        """What it would try on these images."""
        return design_for(list(self.parts[0].counts().values()), self.asked(cell, protocol))

    def learner(self, cell: Cell, protocol: Protocol) -> SmallLearner:
        """The small network as it would be tuned."""
        asked, design = self.asked(cell, protocol), self.design(cell, protocol)
        menu = small_menu(design, *policies(asked, QUICK_POLICIES if asked.quick else EVERY_POLICY), thorough=True)
        return SmallLearner(self.images.pixels.shape[2], menu, design.steps, self.device)

    @cached_property
    def run(self) -> ganaug.Run:
        """The generator, fitted with the default recipe on the images of this draw and no others."""
        timing, started, steps = self.folder / "seconds.json", time.monotonic(), self.subset.steps
        first: list[int] = []  # the rounds that were played before, if an earlier process was stopped

        def watching(phase: str, done: int, total: int, detail: str = "") -> None:
            if phase == "fit" and total == steps and not first:
                first.append(done - 1)
            self.report(phase, done, total, detail)

        run = ganaug.fit(
            self.images, self.folder / "run", options=self.subset.options, steps=steps, seed=self.seed,
            device=self.device, resume=True, report=watching,
        )  # fmt: skip
        if first and first[0] < steps and not timing.exists():
            seconds = (time.monotonic() - started) * steps / (steps - first[0])
            write_atomically(timing, json.dumps(round(seconds, 1)).encode())
        self.seconds["fit"] = json.loads(timing.read_bytes()) if timing.exists() else None
        return run

    @cached_property
    def judged(self) -> Judged:
        """The run with its judges, for every choice of the cell."""
        return Judged(self.run, self.images, seed=self.seed, report=self.report)

    def synthetic(self, spoiled: str, design: Design) -> tuple[Tensor, Tensor]:
        """Pixels and labels of the synthetic images, as the bench renders them. spoiled: as of `Cell`, or a choice."""
        if spoiled == "unseen" and spoiled not in self._pools:
            self._pools[spoiled] = unseen(self.subset, self.images)
        if spoiled not in self._pools:
            draws, train = int(design.steps * design.batch * max(RATIOS)), self.parts[0]
            run, started = self.run, time.monotonic()
            served = broken(run, self.folder / "broken") if spoiled == "broken" else run.path
            if spoiled in CHOICES:
                served = self.judged.choose(CHOICES[spoiled]).folder
            pixels, labels = rendered(served, train, draws, self.seed, design.unequal, self.device, self.report)
            if spoiled == "labels":
                labels = torch.from_numpy(numpy_stream(self.seed, "study", "labels").permutation(labels.numpy()))
            self.seconds.setdefault("render", round(time.monotonic() - started, 1))
            self._pools[spoiled] = pixels, labels
        return self._pools[spoiled]

    def answers(self, training: Training, spoiled: str, design: Design) -> Answers:
        """One training, asked about validation and test images alike."""
        spoiled = spoiled if training.ratio else ""
        if (training, spoiled) not in self._answers:
            synthetic = self.synthetic(spoiled, design) if training.ratio else None
            if synthetic is not None and not len(synthetic[1]):  # a choice withholds every class
                return self.answers(replace(training, ratio=0.0), "", design)
            train, validation = self.parts
            started = time.monotonic()
            classifier = train_classifier(
                train.pixels, train.labels, len(train.classes), training=training, seed=self.seed, synthetic=synthetic,
                device=self.device, report=self.report,
            )  # fmt: skip
            right = classifier.predict(validation.pixels).argmax(1) == validation.labels
            counts = torch.bincount(validation.labels[right], minlength=len(train.classes))
            test = classifier.predict(self.test.pixels).argmax(1).numpy()
            seconds = round(time.monotonic() - started, 2)
            self._answers[training, spoiled] = Answers(tuple(counts.tolist()), test, seconds)
        return self._answers[training, spoiled]

    def remove(self) -> None:
        """Throw the generators and their pools away."""
        shutil.rmtree(self.folder, ignore_errors=True)


def broken(run: ganaug.Run, folder: Path) -> Path:
    """The same generator with a last convolution of other weights, as large as its own: a run folder that shows noise
    in faint outlines."""
    fitted = load(run)
    *_, last = (module for module in fitted.generator.modules() if isinstance(module, torch.nn.Conv2d))
    spread = last.weight.std()
    last.weight.copy_(torch.randn(last.weight.shape, generator=torch_stream("study", "broken")) * spread)
    save(folder / "generator", fitted.networks, fitted.card)
    return folder


def arms_of(cell: Cell, tuned: dict[str, Any]) -> list[tuple[Arm, str]]:
    """The tuned baseline, and then every synthetic arm on top of it; each with its choice among the samples."""
    base = Arm(**tuned["arm"])
    return [
        (base, ""),
        *((replace(base, ratio=ratio, use=use), choice) for ratio, use, choice in cell.synthetic_arms),
    ]


def play(cell: Cell, draw: Draw, tuned: dict[str, Any], protocol: Protocol) -> dict[str, Any]:
    """All trainings of one draw of a cell: what is kept of them."""
    began = now()
    design, learner = replace(draw.design(cell, protocol), metric=tuned["metric"]), draw.learner(cell, protocol)
    knobs = (("lr", tuned["lr"]), ("weight decay", tuned["weight decay"]))
    labels, n_classes, unseen = draw.test.labels.numpy(), len(draw.images.classes), ~draw.seen
    fitted = load(draw.run)
    arms, seconds = [], []
    for arm, choice in arms_of(cell, tuned):
        training = learner.training(arm, knobs)
        found = draw.answers(training, cell.spoiled or choice, design)
        on_test = scores(labels[unseen], found.test[unseen], n_classes)
        arms.append({
            "ratio": arm.ratio,
            "use": arm.use,
            "choice": choice,
            "validation right": list(found.validation),
            "test": {name: on_test[name] for name in MEASURES},
            "right": pack_flags(found.test == labels),
        })  # fmt: skip
        seconds.append(found.seconds)
    train, validation = draw.parts
    return {
        "cell": cell.name,
        "draw": draw.number,
        "seed": draw.seed,
        "baseline": {name: tuned[name] for name in ("arm", "lr", "weight decay")},
        "steps": protocol.steps,
        "generator": {
            "hash": fitted.hash,
            "recipe": fitted.card.recipe,
            "steps": fitted.card.steps,
            "device": fitted.card.versions["device"],
        },
        "train": list(train.counts().values()),
        "validation": list(validation.counts().values()),
        "seen": np.flatnonzero(draw.seen).tolist(),
        "arms": arms,
        "seconds": {"fit": draw.seconds.get("fit"), "render": draw.seconds.get("render"), "trainings": seconds},
        "machine": machine(draw.device),
        "began": began,
        "ended": now(),
    }


def play_and_keep(cell: Cell, draw: Draw, tuned: dict[str, Any], protocol: Protocol, out: Path) -> None:
    """`play`, kept as a line of the cell."""
    found = play(cell, draw, tuned, protocol)
    keep(out, cell, DRAW, found)
    base, *others = (arm["test"][tuned["metric"]] for arm in found["arms"])
    changes = " ".join(f"{100 * (value - base):+.2f}" for value in others)
    print(f"{cell.name} draw {draw.number}: {tuned['metric']} {base:.4f}, with synthetic images {changes} points",
          flush=True)  # fmt: skip
