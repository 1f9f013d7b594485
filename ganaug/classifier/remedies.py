"""What may help where images are few or classes unequal: rivals of synthetic images, in the order in which one would
try them. A remedy is data, and has a name; `ganaug bench` tries those that fit the data.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from ganaug.errors import OptionError


@dataclass(frozen=True)
class Remedy:
    """words: in the name of an arm, and in lists. training: the fields of a training that it changes, where that is all
    it does; the bench knows how to try the others. advice: how a user does the same, as the object of "train with".
    needs: without which it is not tried: "unequal" classes, "unlabelled" images, a network to "deploy". of: the kinds
    of data for which it is one."""

    words: str
    training: Mapping[str, Any] = field(default_factory=dict)
    advice: str = ""
    needs: str = ""
    of: Collection[str] = ("images",)


ROWS = ("table", "series")
EVERYTHING = ("images", *ROWS)
REMEDIES: dict[str, Remedy] = {
    "augmentation": Remedy(
        "classical augmentation",
        advice="that augmentation, drawn anew in every epoch (docs/reference.md lists them)",
    ),
    "sampling": Remedy(
        "balanced sampling",
        {"balanced": True},
        "balanced sampling (every class equally often in a batch, and the share of each class in it)",
        needs="unequal",
    ),
    "smote": Remedy(
        "SMOTE",
        {"smote": True},
        "SMOTE of imbalanced-learn (with categories: SMOTENC) on the training rows",
        needs="unequal",
        of=ROWS,
    ),
    "weights": Remedy(
        "class weights", {"class_weights": True}, "class weights in the loss", needs="unequal", of=EVERYTHING
    ),
    "shift": Remedy(
        "shifted logits",
        needs="unequal",
        advice="STRENGTH x log(class share) subtracted from the logits when it answers",
        of=EVERYTHING,
    ),
    "longer": Remedy("longer training", advice="three times the steps"),
    "mean": Remedy(
        "mean of several classifiers",
        advice="several seeds, and the mean of the probabilities that these classifiers give",
        of=EVERYTHING,
    ),
    "boosting": Remedy("gradient boosting", of=ROWS),
    "logistic": Remedy("logistic regression", of=ROWS),
    "small": Remedy("small network from scratch"),
    "probe": Remedy(
        "linear probe of a pretrained network",
        advice="logistic regression on the features of the frozen pretrained network",
    ),
    "finetune": Remedy(
        "fine-tuned pretrained network",
        advice="a small learning rate from the pretrained weights, all layers of them",
    ),
    "pseudo-labels": Remedy(
        "pseudo-labelled images",
        needs="unlabelled",
        advice="the unlabelled images under the labels of pseudo_labels.csv, which lies beside the report",
    ),
    "fixmatch": Remedy("FixMatch on unlabelled images", needs="unlabelled", advice="FixMatch on the unlabelled images"),
    "distillation": Remedy(
        "distilled from a better classifier",
        needs="deploy",
        advice="the probabilities of soft_labels.csv, which lies beside the report, in place of labels",
    ),
}


def remedy_named(name: str) -> Remedy:
    """The remedy of this name; "" changes nothing. Raises OptionError, listing the names, when there is none."""
    if not name:
        return Remedy("")
    if name not in REMEDIES:
        raise OptionError(f"There is no remedy {name!r}.", f"Choose from: {', '.join(REMEDIES)}, none.")
    return REMEDIES[name]
