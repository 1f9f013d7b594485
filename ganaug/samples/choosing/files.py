"""RUN/choice: what a choice knows, as a folder that can be named in place of the run.

It holds classifiers and training images, so it stays with the run and is not what one shares.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from ganaug.classifier.small import Classifier, network
from ganaug.errors import ArtefactError, OptionError
from ganaug.files.checked import bounded, fields_of, finite, is_, strict_json, text
from ganaug.files.integrity import read_verified, reading, write_manifest
from ganaug.files.tensors import from_bytes, load_strictly, to_bytes
from ganaug.generator.card import Card
from ganaug.samples.choosing.choice import Choice
from ganaug.samples.choosing.rules import SCORES, Rules
from ganaug.samples.choosing.scorers import Agreement, Nearness, Newness, Realism, Scorer

CHOICE, TENSORS = "choice.json", "choice.safetensors"
SCHEMA = 1
_NONE = np.empty(0, dtype=np.float32)  # losses of a training that is not remembered
_ROWS = ("features", "feature_labels", "pixels", "labels")


@dataclass(frozen=True)
class Known:
    """What scorers are made from. features, feature_labels: of what the first judge was trained on. pixels, labels: of
    all training images. discriminator: None where the rule is not used."""

    judges: tuple[Classifier, ...]
    discriminator: nn.Module | None
    features: Tensor
    feature_labels: Tensor
    pixels: Tensor
    labels: Tensor

    def without(self, out: int, fold: Tensor) -> Known:
        """What does not know the images of this fold."""
        rest = fold != out
        return replace(self, judges=(self.judges[out],), pixels=self.pixels[rest], labels=self.labels[rest])


def scorers_of(rules: Rules, known: Known) -> dict[str, Scorer]:
    """Those that the rules use, in the order in which they are named."""
    made: dict[str, Scorer] = {
        "label": Agreement(known.judges),
        "manifold": Nearness(known.judges[0], known.features, known.feature_labels),
        "copies": Newness(known.pixels, known.labels),
    }
    if known.discriminator is not None:
        made["realism"] = Realism(known.discriminator, known.pixels, known.labels)
    return {name: made[name] for name in SCORES if rules.share(name) > 0}


def keep(folder: Path, generator: str, choice: Choice, known: Known) -> None:
    """Write RUN/choice."""
    tensors = {
        "features": known.features, "feature_labels": known.feature_labels, "pixels": known.pixels,
        "labels": known.labels,
    }  # fmt: skip
    for i, judge in enumerate(known.judges):
        tensors |= {f"judge{i}/{name}": value for name, value in judge.network.state_dict().items()}
    if known.discriminator is not None:
        tensors |= {f"discriminator/{name}": value for name, value in known.discriminator.state_dict().items()}
    values = {
        "schema": SCHEMA,
        "generator": generator,
        "judges": len(known.judges),
        "rules": {name: float(value) for name, value in asdict(choice.rules).items()},
        "classes": list(choice.classes),
        # JSON has no infinity; a class without a limit accepts all.
        "limits": {
            name: [None if np.isneginf(one) else float(one) for one in limit] for name, limit in choice.limits.items()
        },
        "accepted": list(choice.accepted),
    }
    content = json.dumps(values, indent=1, sort_keys=True, allow_nan=False).encode()
    write_manifest(folder, {CHOICE: content, TENSORS: to_bytes(tensors)})


def read_choice(folder: Path, generator: str, card: Card, role: Callable[[str], nn.Module]) -> tuple[Choice, str]:
    """The choice in a folder, and its hash. generator: hash of the one that it must be about; role: makes an untrained
    network of its recipe.

    Raises ArtefactError for anything missing or altered, and for a choice among the samples of another generator.
    """
    contents, digest = read_verified(folder, (CHOICE, TENSORS))
    with reading(folder / CHOICE, "Run `ganaug choose` again."):
        values = is_(strict_json(contents[CHOICE]), dict)
        choice, judges = _checked(values, generator, card)
    known = _known(from_bytes(contents[TENSORS]), judges, choice.rules, card, role, str(folder / TENSORS))
    return replace(choice, scorers=scorers_of(choice.rules, known)), digest


def _checked(values: dict[str, Any], generator: str, card: Card) -> tuple[Choice, int]:
    """The choice, yet without scorers, and the number of judges."""
    fields_of(values, {"schema", "generator", "judges", "rules", "classes", "limits", "accepted"})
    if values["schema"] != SCHEMA:
        raise ValueError(f"its schema is {values['schema']!r}, this version of ganaug reads {SCHEMA}")
    if text(values["generator"]) != generator:
        raise ArtefactError(
            "The choice was made among the samples of another generator: the run was fitted on since.",
            "Run `ganaug choose` again.",
        )
    if tuple(is_(values["classes"], list)) != card.classes:
        raise ValueError("it names other classes than the generator")
    given = is_(values["rules"], dict)
    fields_of(given, set(asdict(Rules())))
    try:
        rules = Rules(**{name: finite(value) for name, value in given.items()})
    except OptionError as error:
        raise ValueError(str(error)) from error
    fields_of(is_(values["limits"], dict), {name for name in SCORES if rules.share(name) > 0})
    limits = {name: _limits(limit, len(card.classes)) for name, limit in values["limits"].items()}
    accepted = tuple(finite(share) for share in is_(values["accepted"], list))
    if len(accepted) != len(card.classes) or not all(0 <= share <= 1 for share in accepted):
        raise ValueError("it does not have one share of accepted samples for each class")
    return Choice(rules, card.classes, {}, limits, accepted), bounded(values["judges"], 1, 16)


def _limits(given: Any, classes: int) -> np.ndarray:
    limits = [-np.inf if one is None else finite(one) for one in is_(given, list)]
    if len(limits) != classes:
        raise ValueError("it does not have one limit for each class")
    return np.array(limits)


def _known(
    tensors: dict[str, Tensor], judges: int, rules: Rules, card: Card, role: Callable[[str], nn.Module], what: str
) -> Known:
    def part(prefix: str) -> dict[str, Tensor]:
        return {name.removeprefix(prefix): tensors.pop(name) for name in list(tensors) if name.startswith(prefix)}

    made = []
    for i in range(judges):
        net = network(card.shape[0], min(card.shape[1:]), len(card.classes))
        load_strictly(net, part(f"judge{i}/"), what)
        made.append(Classifier(net.to(memory_format=torch.channels_last), torch.device("cpu"), _NONE))
    discriminator = None
    if rules.realism:
        try:
            discriminator = role("discriminator")
        except KeyError:
            raise ArtefactError(f"{what} wants a discriminator, which the run has not.", "Choose again.") from None
        load_strictly(discriminator, part("discriminator/"), what)
        discriminator.eval().requires_grad_(False)
    _check_rows(tensors, made, card, what)
    return Known(tuple(made), discriminator, *(tensors[name] for name in _ROWS))


def _check_rows(tensors: dict[str, Tensor], judges: Sequence[Classifier], card: Card, what: str) -> None:
    """Raise ArtefactError unless these are features and pixels of training images, with labels."""
    n, m = (len(tensors[name]) if name in tensors and tensors[name].ndim else 0 for name in ("features", "pixels"))
    width = judges[0].network.num_features
    expected = {
        "features": ((n, width), torch.float32), "feature_labels": ((n,), torch.int64),
        "pixels": ((m, *card.shape), torch.uint8), "labels": ((m,), torch.int64),
    }  # fmt: skip
    found = {name: (tuple(value.shape), value.dtype) for name, value in tensors.items()}
    good = found == expected and bool(tensors["features"].isfinite().all())
    for name in ("feature_labels", "labels"):
        good = good and bool(((tensors[name] >= 0) & (tensors[name] < len(card.classes))).all())
    if not good:
        raise ArtefactError(f"{what} does not hold what its choice needs.", "Run `ganaug choose` again.")
