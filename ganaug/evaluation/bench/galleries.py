"""What is wrong with the synthetic images, shown: the least believed, the most alike, the nearest to training images,
and the real images that none of them resembles. Distances are root mean squares of pixel differences, in grey levels.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from ganaug.errors import TooFewImagesError
from ganaug.evaluation.bench.figures import strip
from ganaug.evaluation.trials.parts import Part, Parts
from ganaug.evaluation.trials.trial import Answers
from ganaug.metrics import copy_report

SHOWN = 12  # items of a gallery
LOOKED_AT = 300  # synthetic images of each class, the first ones, that are compared with others
Item = dict[str, Any]


def galleries(parts: Parts, made: Part, judged: Answers, side: int) -> dict[str, Any]:
    """unrealistic, unvaried, copied, missing: each a list of {"picture", "label", ...}, the worst first; copies: their
    share, what it would be of unseen real images, and of how many; None where nothing could be judged.

    judged: what a classifier trained on real images alone says of every synthetic image. side: of pictures, in px.
    """
    some = _first_of_each(made, LOOKED_AT)
    nearest, copies = copied(some, parts.train, parts.validation, side)
    return {
        "unrealistic": unrealistic(made, judged, side),
        "unvaried": unvaried(some, side),
        "copied": nearest,
        "copies": copies,
        "missing": missing(parts.train, some, side),
    }


def unrealistic(synthetic: Part, judged: Answers, side: int) -> list[Item]:
    """Those to whose label the classifier gives the lowest probability: label, what it sees instead, probability."""
    worst = np.argsort(-judged.surprise, kind="stable")[:SHOWN]
    return [
        {
            "picture": strip(synthetic.items[i : i + 1], side),
            "label": int(synthetic.labels[i]),
            "seen as": int(judged.predictions[i]),
            "probability": float(np.exp(-judged.surprise[i])),
        }
        for i in worst.tolist()
    ]


def unvaried(synthetic: Part, side: int) -> list[Item]:
    """The pair of synthetic images of each class that is most alike, the closest classes first.

    compared: the median distance of two images of the class.
    """
    found = []
    for label in synthetic.labels.unique().tolist():
        x = _flat(synthetic.items[synthetic.labels == label])
        if len(x) < 3:
            continue
        pairs = _distances(x, x)
        upper = torch.triu_indices(len(x), len(x), 1)
        between = pairs[upper[0], upper[1]]
        nearest = int(between.argmin())
        rows = upper[:, nearest].tolist()
        images = synthetic.items[synthetic.labels == label][rows]
        found.append({"picture": strip(images, side), "label": label, "distance": float(between[nearest]),
                      "compared": float(between.median())})  # fmt: skip
    return sorted(found, key=lambda item: item["distance"] / max(item["compared"], 1e-9))[:SHOWN]


def copied(synthetic: Part, train: Part, unseen: Part, side: int) -> tuple[list[Item], dict[str, float] | None]:
    """The synthetic images that are nearest to a training image, beside it, and the share that count as copies.

    ratio: of the distance to the limit below which one of 100 unseen real images of the class lies; below 1 it counts
    as a copy. Nothing where no class has both training and unseen images.
    """
    try:
        report = copy_report(
            synthetic.items, synthetic.labels, train.items, train.labels, unseen.items, unseen.labels, show=SHOWN
        )
    except TooFewImagesError:
        return [], None
    scale = float(np.prod(train.items.shape[1:])) ** 0.5
    items = [
        {
            "picture": strip(torch.stack([synthetic.items[pair.sample], train.items[pair.training]]), side),
            "label": pair.label,
            "distance": pair.distance / scale,
            "ratio": pair.ratio if np.isfinite(pair.ratio) else None,
        }
        for pair in report.pairs
    ]
    return items, {"share": report.share, "expected": report.expected, "judged": report.judged}


def missing(real: Part, synthetic: Part, side: int) -> list[Item]:
    """Real images farthest from every synthetic image of their class.

    compared: the median over the class of the distance to the nearest synthetic image.
    """
    found = []
    for label in synthetic.labels.unique().tolist():
        mine, made = real.items[real.labels == label][:LOOKED_AT], synthetic.items[synthetic.labels == label]
        if not len(mine):
            continue
        nearest = _distances(_flat(mine), _flat(made)).min(1).values
        compared = float(nearest.median())
        for i in nearest.argsort(descending=True)[:3].tolist():
            found.append({"picture": mine[i : i + 1], "label": label, "distance": float(nearest[i]),
                          "compared": compared})  # fmt: skip
    worst = sorted(found, key=lambda item: -item["distance"] / max(item["compared"], 1e-9))[:SHOWN]
    return [item | {"picture": strip(item["picture"], side)} for item in worst]


def _first_of_each(part: Part, count: int) -> Part:
    rows = torch.cat([(part.labels == label).nonzero()[:count, 0] for label in part.labels.unique()])
    return Part(part.items[rows], part.labels[rows], part.digest, part.codec)


def _flat(pixels: Tensor) -> Tensor:
    return pixels.flatten(1).float()


def _distances(a: Tensor, b: Tensor) -> Tensor:
    """Root mean square differences, (N, M)."""
    exact = "donot_use_mm_for_euclid_dist"  # copies must come out at distance 0
    return torch.cdist(a, b, compute_mode=exact) / a.shape[1] ** 0.5
