"""The one small classifier of real images, shared by everything that needs to look at samples or to measure a gain.

A timm residual network (one basic block a stage) with a stem that suits 8 to 128 px, trained from scratch from one
uint8 tensor: no data loader, no download. Initial weights, batch order and augmentation are functions of `seed`, and
the first two do not depend on the augmentation or on the share of synthetic images, so that arms can be compared in
pairs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from timm.models.resnet import BasicBlock, ResNet
from torch import Tensor, nn
from torch.nn.functional import log_softmax

from ganaug.classifier.augmentation import augmentation_named, blend_named
from ganaug.classifier.fixmatch import FixMatch
from ganaug.classifier.refusals import refuse_fields, require_labels, require_share
from ganaug.classifier.soft import require_soft, shown
from ganaug.classifier.use import use_named
from ganaug.errors import OptionError, TooFewImagesError
from ganaug.keys import numpy_stream, seed_layers
from ganaug.reporting import Report, silent

VERSION = 2  # changes whenever the same call would give another classifier: cached trials are then trained again
WIDTHS = (16, 32, 48, 64)  # channels of the stem and of the three stages
CHUNK = 512  # images per forward pass in evaluation
LOOKS = 10  # times in a training at which the watched images are looked at


@dataclass(frozen=True)
class Training:
    """How a classifier is trained: AdamW under one cosine cycle with warm-up.

    steps: optimiser steps, at least 1. batch: images per step. lr: peak learning rate. augmentation: a name of
    `augmentation.AUGMENTATIONS`. ratio: share of synthetic images in every batch, in [0, 1]; they replace real images
    of the same class. balanced: draw every class equally often. label_smoothing: in [0, 1). blend: a name of
    `augmentation.BLENDS`. class_weights: every class weighs the same in the loss, however often it is drawn. mixing:
    how synthetic images are used, see `ganaug.classifier.use`. strong: of FixMatch's views, where
    it learns from unlabelled images."""

    steps: int = 300
    batch: int = 64
    lr: float = 1e-2
    weight_decay: float = 0.05
    augmentation: str = "none"
    ratio: float = 0.0
    balanced: bool = False
    label_smoothing: float = 0.0
    blend: str = "none"
    class_weights: bool = False
    use: str = "plain"
    strong: str = ""

    def __post_init__(self):
        refuse_fields(
            "A training",
            self,
            steps=(self.steps >= 1, "1 or more"),
            batch=(self.batch >= 2, "2 or more"),
            lr=(self.lr > 0, "a number above 0"),
        )
        if not 0 <= self.ratio <= 1:
            raise OptionError(f"The synthetic share is {self.ratio}.", "Give a ratio between 0 and 1.")
        augmentation_named(self.augmentation)
        blend_named(self.blend)
        use_named(self.use)


class Classifier:
    """A trained network on its device, in evaluation mode; pixels are uint8 (N, C, H, W) as in training.

    losses: float32 (steps,), the training loss of every step. watched: accuracy on the watched images, at most `LOOKS`
    times at equal distances in time, the last one at the end; empty if none were watched.
    """

    def __init__(self, network: ResNet, device: torch.device, losses: np.ndarray, watched: tuple[float, ...] = ()):
        self.network = network.eval()
        self.device = device
        self.losses, self.watched = losses, watched

    @torch.inference_mode()
    def predict(self, pixels: Tensor) -> Tensor:
        """Logits, float32 (N, K) on the CPU."""
        chunks = [self.network(encode(part, self.device)).float().cpu() for part in pixels.split(CHUNK)]
        return torch.cat(chunks) if chunks else torch.empty(0, self.network.num_classes)

    @torch.inference_mode()
    def features(self, pixels: Tensor) -> Tensor:
        """Pooled features before the last layer, float32 (N, D) on the CPU."""
        chunks = []
        for part in pixels.split(CHUNK):
            maps = self.network.forward_features(encode(part, self.device))
            chunks.append(self.network.forward_head(maps, pre_logits=True).float().cpu())
        return torch.cat(chunks) if chunks else torch.empty(0, self.network.num_features)


def encode(pixels: Tensor, device: torch.device | str = "cpu") -> Tensor:
    """Pixels on the 0..255 scale -> float32 in [-1, 1], channels last."""
    x = pixels.to(device).float().div(127.5).sub(1)
    return x.contiguous(memory_format=torch.channels_last)


def network(channels: int, size: int, n_classes: int) -> ResNet:
    """The untrained network: up to 16 px the stem keeps the size, up to 40 px it halves it, above it quarters it.

    Each of the stages halves what it gets; up to 12 px there are two stages, else three.
    """
    stem, *stages = WIDTHS
    block: Any = BasicBlock  # timm's annotation asks for an instance and means the class
    model: Any = ResNet(
        block, (1, 1, 1, 1), num_classes=n_classes, in_chans=channels, channels=(stem, *stages),
        stem_type="deep", stem_width=stem // 2, zero_init_last=False,
    )  # fmt: skip
    stride = 1 if size <= 16 else 2
    model.conv1 = nn.Conv2d(channels, stem, 5 if size > 16 else 3, stride, 2 if size > 16 else 1, bias=False)
    nn.init.kaiming_normal_(model.conv1.weight, mode="fan_out", nonlinearity="relu")
    if size <= 40:
        model.maxpool = nn.Identity()
    model.layer1 = nn.Identity()
    if size <= 12:
        model.layer4 = nn.Identity()
        model.num_features = stages[1]
        model.reset_classifier(n_classes)
    return model


def train_classifier(
    pixels: Tensor,
    labels: Tensor,
    n_classes: int,
    *,
    training: Training,
    seed: int,
    synthetic: tuple[Tensor, Tensor] | None = None,
    soft: Tensor | None = None,
    made_soft: Tensor | None = None,
    unlabelled: FixMatch | None = None,
    watch: tuple[Tensor, Tensor] | None = None,
    device: torch.device | str = "cpu",
    report: Report = silent,
) -> Classifier:
    """Train on `pixels` uint8 (N, C, H, W) and `labels` int64 (N,) in [0, n_classes).

    synthetic: pixels and labels of the same kind, from which a share `training.ratio` of every batch is taken. soft:
    probabilities of the classes of each real image, float (N, K), that are learned in place of its label; the label
    still says which class it counts for where classes are drawn, balanced and weighed. made_soft: likewise of each
    synthetic image. unlabelled: images to learn from beside these. watch: pixels and labels to look at during the
    training, for its curve; that changes nothing. The same arguments give the same classifier on one machine, torch
    build and number of threads. Raises LabelMismatchError for labels out of range and for probabilities that are none,
    TooFewImagesError for an empty set or a synthetic share without synthetic images."""
    if len(pixels) == 0:
        raise TooFewImagesError("There are no images to train a classifier on.", "Give at least one image a class.")
    require_labels(labels, n_classes)
    extra = None if synthetic is None else synthetic[1]
    if extra is not None:
        require_labels(extra, n_classes)
    require_share(training.ratio, extra)
    require_soft(soft, labels, n_classes)
    require_soft(made_soft, extra, n_classes)
    device = torch.device(device)
    augmentation, blend = augmentation_named(training.augmentation), blend_named(training.blend)
    by_class = class_weights(labels, n_classes) if training.class_weights else torch.ones(n_classes)
    real_rows, synthetic_rows = schedule(labels.numpy(), None if extra is None else extra.numpy(), training, seed)
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        seed_layers(torch.device("cpu"), seed, "classifier", "init")
        model = network(pixels.shape[1], min(pixels.shape[2:]), n_classes)
        model = model.to(device).to(memory_format=torch.channels_last).train()
        seed_layers(device, seed, "classifier", "augment")
        optimiser = torch.optim.AdamW(model.parameters(), training.lr, weight_decay=training.weight_decay, fused=True)
        warm_up = 0.2 if training.steps != 4 else 0.25  # a rise of exactly one point is divided by 0 in torch
        cycle = torch.optim.lr_scheduler.OneCycleLR(
            optimiser, training.lr, total_steps=training.steps + 1, pct_start=warm_up, cycle_momentum=False
        )
        losses = torch.empty(training.steps, device=device)
        looks = np.linspace(0, training.steps, min(LOOKS, training.steps) + 1).round()[1:] - 1
        watched: list[float] = []
        for step in range(training.steps):
            real = torch.from_numpy(real_rows[step])
            x, y = pixels[real], labels[real]
            made = np.flatnonzero(synthetic_rows[step] >= 0)
            if synthetic is not None:
                x[made] = synthetic[0][torch.from_numpy(synthetic_rows[step][made])]
            learned = shown(
                y, n_classes, made, None if soft is None else soft[real],
                None if made_soft is None else made_soft[torch.from_numpy(synthetic_rows[step][made])],
            )  # fmt: skip
            targets, total = soft_targets(learned, y, made, by_class, training)
            x, targets = blend(augmentation(x.to(device)), targets.to(device))
            if unlabelled is not None:  # in one pass, so that statistics of batches are of all that is seen
                x = torch.cat([x.float(), unlabelled.views(augmentation, len(real), seed, step, device)])
            logits = model(encode(x, device))
            loss = -(targets * log_softmax(logits[: len(real)], 1)).sum() / total
            if unlabelled is not None:
                loss = loss + unlabelled.loss(logits[len(real) :])
            optimiser.zero_grad(set_to_none=True)
            loss.backward()
            losses[step] = loss.detach()
            optimiser.step()
            cycle.step()
            if watch is not None and step in looks:
                watched.append(_right(Classifier(model, device, losses.numpy(force=True)), *watch))
                model.train()
            report("classifier", step + 1, training.steps, "")
    return Classifier(model, device, losses.numpy(force=True), tuple(watched))


def _right(classifier: Classifier, pixels: Tensor, labels: Tensor) -> float:
    """Accuracy."""
    return float((classifier.predict(pixels).argmax(1) == labels).double().mean())


def schedule(labels: np.ndarray, synthetic_labels: np.ndarray | None, training: Training, seed: int):
    """Which items every batch holds: two int64 arrays (steps, batch), rows of real and rows of synthetic images.

    The real rows depend on labels, steps, batch, balanced and seed alone. A synthetic row is -1 where the real image is
    kept; elsewhere it is an image of the same class, and round(ratio * batch) places of every batch are such, fewer
    only where a class has no synthetic image or the use of synthetic images says so. Every item is drawn once before
    any is drawn again."""
    total = training.steps * training.batch
    if training.balanced:
        present = np.unique(labels)
        wanted = present[_cycled(len(present), total, seed, "classes")]
        real = _rows_of(wanted, labels, seed, "real")
    else:
        real = _cycled(len(labels), total, seed, "real")
    synthetic = np.full((training.steps, training.batch), -1, dtype=np.int64)
    share = round(training.ratio * training.batch)
    if synthetic_labels is not None and share:
        use = use_named(training.use)
        wanted = labels[real].reshape(training.steps, training.batch)[:, -share:]
        rows = _rows_of(wanted.reshape(-1), synthetic_labels, seed, "synthetic", use.pool).reshape(wanted.shape)
        if use.rare:
            counts = np.bincount(labels)
            chance = 1 - counts / counts.max()
            drawn = numpy_stream(seed, "rare", "classifier").random(wanted.shape)
            rows = np.where(drawn < chance[wanted], rows, -1)
        rows[training.steps - round(use.finish * training.steps) :] = -1
        synthetic[:, -share:] = rows
    return real.reshape(training.steps, training.batch), synthetic


def _cycled(n: int, total: int, *parts: int | str) -> np.ndarray:
    """The first `total` of an endless row of fresh permutations of range(n), int64."""
    stream = numpy_stream(*parts, "classifier")
    return np.concatenate([stream.permutation(n) for _ in range(-(-total // n))])[:total].astype(np.int64)


def class_weights(labels: Tensor, n_classes: int) -> Tensor:
    """Weight of each class such that all weigh the same and the mean weight of an image is 1, float (K,); 0 where there
    is no image."""
    counts = torch.bincount(labels, minlength=n_classes).float()
    weights = len(labels) / ((counts > 0).sum() * counts.clamp_min(1))
    return torch.where(counts > 0, weights, torch.zeros(()))


def soft_targets(
    learned: Tensor, labels: Tensor, made: np.ndarray, by_class: Tensor, training: Training
) -> tuple[Tensor, float]:
    """What the loss of a batch is told: the weight of each class in each image, (B, K), and the sum of all.

    learned: the probabilities of the classes, (B, K). made: places in the batch of synthetic images, which weigh what
    their use says. by_class: (K,)."""
    use, classes = use_named(training.use), len(by_class)
    w = torch.ones(len(labels))
    smoothing = torch.full((len(labels), 1), training.label_smoothing)
    w[made], smoothing[made] = use.weight, max(use.smoothing, training.label_smoothing)
    w = (w * by_class[labels])[:, None]
    targets = w * (learned * (1 - smoothing) + smoothing / classes)
    return targets, w.sum().clamp_min(1e-8).item()


def _rows_of(wanted: np.ndarray, labels: np.ndarray, seed: int, purpose: str, most: int = 0) -> np.ndarray:
    """For every wanted label one row that has it (each row once before any twice); -1 where no row has it.

    most: only so many rows of a label are used, the first ones; 0 for all.
    """
    rows = np.full(len(wanted), -1, dtype=np.int64)
    for label in np.unique(wanted):
        places, members = np.flatnonzero(wanted == label), np.flatnonzero(labels == label)[: most or None]
        if len(members):
            rows[places] = members[_cycled(len(members), len(places), seed, purpose, int(label))]
    return rows
