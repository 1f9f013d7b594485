"""Labels for unlabelled images before anything else is trained, by judges of two kinds where that is possible.

Where the weights of a pretrained network are installed, the judges are a linear probe on its features and the graph of
near features; else small networks, each trained without a part of the labelled images.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch
from scipy.special import log_softmax

from ganaug.classifier.features import Backbone
from ganaug.classifier.judge import crosswise, folds
from ganaug.classifier.pictures import BLOCK
from ganaug.classifier.pretrained import usual
from ganaug.classifier.probe import ProbeTraining, train_probe
from ganaug.classifier.pseudo import Pseudo, pseudo_labels
from ganaug.classifier.spread import spread_labels
from ganaug.data.load import LabelledImages
from ganaug.reporting import Report, silent

MOST_JUDGED_BY = 4000  # training images that the judges learn from, and validation images, at most; as many each class


def label_images(
    training: LabelledImages,
    validation: LabelledImages,
    unlabelled: LabelledImages,
    *,
    seed: int,
    device: torch.device,
    report: Report = silent,
) -> tuple[Pseudo, str]:
    """Labels of those unlabelled images on which the judges agree, surely enough by the validation images.

    All three at one size, from whose pixels they are judged. seed: of the small networks, and of which images are
    judged by where there are many. Gives who the judges were, too, in words. Raises TooFewImagesError where a class has
    too few images for small networks that each know some of them.
    """
    shares = np.array(list(training.counts().values())) / len(training)
    each = max(1, MOST_JUDGED_BY // len(training.classes))
    training, validation = training.limited(each, seed), validation.limited(each, seed)
    name = usual()
    if name is not None:
        with torch.random.fork_rng(devices=[]):  # weights are drawn before they are read
            backbone = Backbone(name, device=device)
        said = _by_features(backbone, training, [validation, unlabelled], seed, report)
        judges = f"a linear probe and the graph of near features, both of {name}"
    else:
        networks = crosswise(training, folds(training, seed), seed, report)
        said = [np.stack([log_softmax(net.predict(part.pixels).double().numpy(), axis=1) for net in networks])
                for part in (validation, unlabelled)]  # fmt: skip
        judges = f"{len(networks)} small networks, each of which knows other images"
    return pseudo_labels(said[1], said[0], validation.labels.numpy(), shares), judges


def _by_features(
    backbone: Backbone, training: LabelledImages, others: Sequence[LabelledImages], seed: int, report: Report
) -> list[np.ndarray]:
    """What the probe and the graph say of other images: log-probabilities (2, N, K) of each part."""
    own, *seen = (_features(backbone, part, report) for part in (training, *others))
    labels, classes = training.labels.numpy(), len(training.classes)
    probe = train_probe(own, labels, classes, training=ProbeTraining(), seed=seed)
    spread = np.split(spread_labels(own, labels, classes, np.concatenate(seen)), [len(seen[0])])
    return [np.stack([probe.predict(part), graph]) for part, graph in zip(seen, spread, strict=True)]


def _features(backbone: Backbone, images: LabelledImages, report: Report) -> np.ndarray:
    """float32 (N, D)."""
    codec = replace(images.codec, size=None)
    found = [np.empty((0, backbone.width), np.float32)]
    for start in range(0, len(images), BLOCK):
        report("features", start, len(images), "")
        some = images.stored[start : start + BLOCK].numpy()
        laid_out = np.stack([backbone.frame.pixels(codec.to_image(pixels)) for pixels in some])
        found.append(backbone.features(laid_out))
    return np.concatenate(found)
