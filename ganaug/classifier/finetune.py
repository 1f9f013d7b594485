"""Fine-tuning of a network of timm on few images, or training of the same network from scratch.

First the last layer, where it is a single linear one: it begins as the linear probe of what the network makes of the
images, so that the first steps do not spoil the layers below it (Kumar et al. 2022, 2202.10054). Then all layers, those
near the pictures the least. The statistics of batch norm stay as they are, since few images say little of them. From
scratch all layers are trained from the start, and batch norm with them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch
from timm.optim import create_optimizer_v2
from timm.scheduler import CosineLRScheduler
from torch import Tensor
from torch.nn.functional import log_softmax

from ganaug.classifier.augmentation import augmentation_named, blend_named
from ganaug.classifier.finetuned import PHASE, Best, Finetuned, on_top
from ganaug.classifier.fixmatch import FixMatch
from ganaug.classifier.pretrained import LITE, NONE, PRETRAINED, network
from ganaug.classifier.probe import Probe, ProbeTraining, train_probe
from ganaug.classifier.refusals import BROKEN_WEIGHTS, refuse_fields, require_labels, require_share
from ganaug.classifier.small import Training, class_weights, schedule, soft_targets
from ganaug.classifier.soft import require_soft, shown
from ganaug.classifier.use import USES
from ganaug.defaults import usual_defaults
from ganaug.device import as_memory_allows
from ganaug.errors import DataError, DivergedError, TooFewImagesError, WeightsError
from ganaug.keys import seed_layers
from ganaug.reporting import Report, silent

VERSION = 2  # changes whenever the same call would give another network: cached trials are then trained again
FAST = (LITE,)  # trained with channels last on CPUs, too: known to be safe, and 1.4 to 1.9 times as fast
WARM_UP = 0.1  # of the steps, in which the learning rate rises

Labelled = tuple[np.ndarray, np.ndarray]  # images and labels


@dataclass(frozen=True)
class FinetuneTraining:
    """How a network is fine-tuned: AdamW under one cosine cycle with warm-up.

    epochs: in each, as many images are drawn as there are real ones, and at least a batch. batch: images per step.
    lr: peak learning rate, of the last layer. layer_decay: the learning rate of each layer is that of the next one
    times this, in (0, 1]. augmentation, blend: names of `augmentation.AUGMENTATIONS` and `augmentation.BLENDS`.
    label_smoothing: in [0, 1). balanced: every class is drawn equally often. class_weights: every class weighs the same
    in the loss, however often it is drawn. ratio: share of synthetic images in every batch, in [0, 1]; they replace
    real images of the same class. use: how they are used, see `ganaug.classifier.use`. patience: epochs without a gain
    on the validation images after which the training stops. scratch: from weights drawn at random. strong: of
    FixMatch's views, where it learns from unlabelled images.
    """

    epochs: int = 10
    batch: int = 16
    lr: float = 1e-4
    weight_decay: float = 0.05
    layer_decay: float = 0.85
    augmentation: str = "none"
    blend: str = "none"
    label_smoothing: float = 0.0
    balanced: bool = False
    class_weights: bool = False
    ratio: float = 0.0
    use: str = "plain"
    patience: int = 5
    scratch: bool = False
    strong: str = ""

    def __post_init__(self):
        refuse_fields(
            "A fine-tuning",
            self,
            epochs=(self.epochs >= 1, "1 or more"),
            patience=(self.patience >= 1, "1 or more"),
            layer_decay=(0 < self.layer_decay <= 1, "a number above 0 and at most 1"),
            label_smoothing=(0 <= self.label_smoothing < 1, "a number from 0 to below 1"),
        )
        self.batches(1)  # refuses what means nothing

    def batches(self, count: int) -> Training:
        """What decides which of so many images are in which batch, and what the loss is told of them."""
        return Training(
            steps=self.epochs * -(-count // max(1, self.batch)), batch=self.batch, lr=self.lr, ratio=self.ratio,
            use=self.use, augmentation=self.augmentation, blend=self.blend, label_smoothing=self.label_smoothing,
            balanced=self.balanced, class_weights=self.class_weights,
        )  # fmt: skip


SCRATCH = FinetuneTraining(epochs=40, lr=1e-3, layer_decay=1.0, patience=10, scratch=True)


@usual_defaults()
def train_finetuned(
    images: np.ndarray,
    labels: np.ndarray,
    n_classes: int,
    *,
    training: FinetuneTraining,
    seed: int,
    name: str,
    weights: str | Path = PRETRAINED,
    synthetic: Labelled | None = None,
    soft: Tensor | None = None,
    made_soft: Tensor | None = None,
    unlabelled: FixMatch | None = None,
    validation: Labelled | None = None,
    device: torch.device | str = "cpu",
    report: Report = silent,
) -> Finetuned:
    """Fine-tune a network of timm.

    Parameters
    ----------
    images
        Real ones, uint8 (N, H, W, C), for instance a memory map, as the network's `Frame` lays them out.
    labels
        int64 (N,), in [0, n_classes). A class may have no image: it is then hardly ever predicted.
    n_classes
        Number of classes.
    training
        How.
    seed
        Decides the batches, the augmentation, which synthetic images are seen, and from scratch the first weights. The
        batches of real images do not depend on the share of synthetic ones, so that trainings are compared in pairs.
    name, weights
        Of the network, see `ganaug.classifier.pretrained.network`. From scratch no weights are read.
    synthetic
        Images and labels of the same kind, from which the share `training.ratio` of every batch is taken.
    soft, made_soft
        Probabilities of the classes of each real and of each synthetic image, float (N, K) and (M, K), that are learned
        in place of their labels, see `ganaug.classifier.small.train_classifier`.
    unlabelled
        Images to learn from beside these.
    validation
        Images and labels of the same kind. The network is kept as it was at the start, or after the epoch, where its
        balanced accuracy on them was best; of equals, where its loss was. Without them all epochs are trained.
    device
        Where it is trained.
    report
        Is told each step, and where memory is short. Fewer pictures are then in the network at a time, and the
        gradients of a batch are added up: it means the same, but for batch norm that is trained from scratch.

    Returns
    -------
    Finetuned
        The same for the same arguments, on one machine, torch build and number of threads; torch's global random
        streams are left as they are.

    Raises
    ------
    LabelMismatchError
        For labels out of range.
    TooFewImagesError
        Without images, and for a synthetic share without synthetic images.
    DataError
        For pictures that are not uint8 (N, H, W, C), of different shapes, or that the network cannot take.
    OptionError, WeightsError
        For a network that does not exist; where there are no weights of it.
    OutOfMemoryError
        Where not even one picture has room.
    DivergedError
        When the loss is not finite any more.
    """
    device, labels = torch.device(device), np.asarray(labels, dtype=np.int64)
    synthetic = synthetic if training.ratio else None
    given = _Given(images, labels, n_classes, training, seed, synthetic, soft, made_soft, unlabelled, report)
    _check(given, validation)
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        seed_layers(torch.device("cpu"), seed, "finetune", "init")
        model = network(name, NONE if training.scratch else weights, classes=n_classes)
        tuned = Finetuned.of(model, device, training.batch, safely=name not in FAST)
        tuned.refuse_other_than(images.shape[1:])
        if not training.scratch and not tuned.end_in(_probe(tuned, given)):
            report(PHASE, 0, 0, f"{name} has no single linear last layer: it begins with a new one, drawn at random")
        best = None if validation is None else Best(tuned, *validation, n_classes, report)
        seed_layers(device, seed, "finetune", "augment")
        losses, descent, steps = [], _descent(tuned, given), training.batches(len(labels)).steps
        for epoch in range(1, training.epochs + 1):
            tuned.learns(statistics=training.scratch)
            for _ in range(steps // training.epochs):
                losses.append(next(descent))
                report(PHASE, len(losses), steps, "")
            tuned.kept = epoch
            if best is not None and best.look(epoch) >= training.patience:
                break
        if best is not None:
            best.restore()
    tuned.losses = np.array(losses, dtype=np.float32)
    return tuned


@dataclass(frozen=True, eq=False)
class _Given:
    """What there is to learn from, and how; the arguments of `train_finetuned`."""

    images: np.ndarray
    labels: np.ndarray
    n_classes: int
    training: FinetuneTraining
    seed: int
    synthetic: Labelled | None
    soft: Tensor | None
    made_soft: Tensor | None
    unlabelled: FixMatch | None
    report: Report


def _probe(tuned: Finetuned, given: _Given) -> Probe:
    """Of the features as they are, with the same share and balance."""
    training, synthetic = given.training, given.synthetic
    use = "+".join(word for word in training.use.split("+") if "finish" not in USES[word]) or "plain"
    how = ProbeTraining(class_weights=training.balanced or training.class_weights, ratio=training.ratio, use=use)
    features = tuned.features(given.images, given.report)
    if not np.isfinite(features).all():
        raise WeightsError("The network gives features that are not finite.", BROKEN_WEIGHTS)
    made = None if synthetic is None else (tuned.features(synthetic[0], given.report), np.asarray(synthetic[1]))
    return train_probe(features, given.labels, given.n_classes, training=how, seed=given.seed, synthetic=made)


def _descent(tuned: Finetuned, given: _Given) -> Iterator[float]:
    """Trains all layers; the loss of each step."""
    training, labels = given.training, torch.from_numpy(given.labels)
    batches = training.batches(len(labels))
    extra = None if given.synthetic is None else np.asarray(given.synthetic[1])
    real_rows, synthetic_rows = schedule(given.labels, extra, batches, given.seed)
    by_class = class_weights(labels, given.n_classes) if training.class_weights else torch.ones(given.n_classes)
    augmentation, blend = augmentation_named(training.augmentation), blend_named(training.blend)
    optimiser = create_optimizer_v2(
        tuned.network, "adamw", training.lr, training.weight_decay, layer_decay=training.layer_decay, fused=True
    )
    warm_up = round(WARM_UP * batches.steps)
    cycle = CosineLRScheduler(optimiser, batches.steps + 1, warmup_t=warm_up, t_in_epochs=False)
    for step, (real, rows) in enumerate(zip(real_rows, synthetic_rows, strict=True), 1):
        x, made = np.array(given.images[real]), np.flatnonzero(rows >= 0)
        if given.synthetic is not None:
            x[made] = given.synthetic[0][rows[made]]
        learned = shown(
            labels[real], given.n_classes, made, None if given.soft is None else given.soft[torch.from_numpy(real)],
            None if given.made_soft is None else given.made_soft[torch.from_numpy(rows[made])],
        )  # fmt: skip
        targets, total = soft_targets(learned, labels[real], made, by_class, batches)
        pixels, targets = blend(augmentation(on_top(x).to(tuned.device)), (targets / total).to(tuned.device))
        if given.unlabelled is not None:
            weak, strong = given.unlabelled.views(augmentation, len(real), given.seed, step, tuned.device).chunk(2)
            said = torch.cat([part.float() for part in _said(tuned, weak)])
            pixels, targets = torch.cat([pixels.float(), strong]), torch.cat([targets, given.unlabelled.targets(said)])
        loss, tuned.batch = as_memory_allows(
            partial(_gradients, tuned, pixels, targets), tuned.batch, partial(given.report, PHASE, step, batches.steps)
        )
        if not np.isfinite(loss):
            raise DivergedError(f"The loss is {loss} in step {step}.", "Choose a lower learning rate.")
        cycle.step_update(step)
        optimiser.step()
        yield loss


@torch.no_grad()
def _said(tuned: Finetuned, pixels: Tensor) -> list[Tensor]:
    """Logits of each part of some images."""
    return [tuned.logits(part) for part in pixels.split(tuned.batch)]


def _gradients(tuned: Finetuned, pixels: Tensor, targets: Tensor, batch: int) -> float:
    """Of the loss of all pixels, added up over parts of `batch` of them; and that loss."""
    tuned.network.zero_grad(set_to_none=True)
    losses = []
    for x, wanted in zip(pixels.split(batch), targets.split(batch), strict=True):
        loss = -(wanted * log_softmax(tuned.logits(x), 1)).sum()
        loss.backward()
        losses.append(loss.detach())
    return float(torch.stack(losses).sum())


def _check(given: _Given, validation: Labelled | None) -> None:
    shape, extra = given.images.shape, None if given.synthetic is None else given.synthetic[1]
    require_soft(given.soft, given.labels, given.n_classes)
    require_soft(given.made_soft, extra, given.n_classes)
    require_share(given.training.ratio, extra)
    sides = {"real": (given.images, given.labels), "synthetic": given.synthetic, "validation": validation}
    for what, side in sides.items():
        if side is None:
            continue
        images, labels = side[0], np.asarray(side[1])
        if not len(labels):
            raise TooFewImagesError(f"There are no {what} images.", "Give at least one image a class.")
        if images.dtype != np.uint8 or images.ndim != 4 or images.shape != (len(labels), *shape[1:]):
            cause = f"{images.dtype} {images.shape} are not the pictures of {len(labels)} {what} images"
            raise DataError(f"{cause}, beside {shape}.", "Give uint8 (N, H, W, C), all of one shape.")
        require_labels(labels, given.n_classes)
