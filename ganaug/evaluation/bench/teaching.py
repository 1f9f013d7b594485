"""What the best classifier so far teaches others: labels of unlabelled images, and probabilities in place of labels."""

from __future__ import annotations

import numpy as np

from ganaug.classifier.pseudo import pseudo_labels
from ganaug.evaluation.bench.contenders import Arena, Contender, seeds_of
from ganaug.evaluation.bench.sets import Sets
from ganaug.evaluation.trials.arms import DISTILLED, PSEUDO
from ganaug.evaluation.trials.parts import TRAIN, UNLABELLED, VALIDATION, Parts, Taught
from ganaug.files.integrity import csv_text

PSEUDO_FILE, SOFT_FILE = "pseudo_labels.csv", "soft_labels.csv"  # in the folder of a bench
OWN = 0.5  # weight of the true label beside the teacher's probabilities, for images that have one


def label_unlabelled(arena: Arena, teacher: Contender) -> str:
    """Give labels to those unlabelled images on which the judges agree; says how many, and how good they are.

    The judges are the teacher and the graph of near features, where a frozen pretrained network is at hand; else the
    first network of the teacher, trained once without each part of the training images.
    """
    laboratory, [seed] = arena.laboratory, seeds_of(arena.design, "selection", 1)
    parts = laboratory.parts
    graph = laboratory.spread()
    if graph is not None:
        own = [arena.on(name, [teacher], [seed])[0][0].logs for name in (UNLABELLED, VALIDATION)]
        split = len(parts.validation)
        said, known = np.stack([own[0], graph[split:]]), np.stack([own[1], graph[:split]])
    else:
        said, known = (np.stack(each) for each in arena.judges(teacher, UNLABELLED, VALIDATION))
    found = pseudo_labels(said, known, parts.validation.labels.numpy(), parts.shares())
    laboratory.teach(PSEUDO, Taught(found.rows, found.labels))
    return (
        f"Pseudo-labels: {len(found)} of {len(said[0])} unlabelled images were given one by {teacher}. By the same "
        f"rule, {found.reason}."
    )


def distil(arena: Arena, teacher: Contender) -> str:
    """Have the teacher say what it makes of all images that its student will learn from: of training images by networks
    that were trained without them."""
    laboratory, [seed] = arena.laboratory, seeds_of(arena.design, "selection", 1)
    parts = laboratory.parts
    labels = parts.train.labels.numpy()
    own = OWN * np.eye(parts.n_classes)[labels] + (1 - OWN) * np.exp(arena.crosswise(teacher))
    soft = {TRAIN: own}
    for name in (*([UNLABELLED] if parts.unlabelled is not None else []), *parts.made):
        soft[name] = np.exp(arena.on(name, [teacher], [seed])[0][0].logs)
    unlabelled = soft.setdefault(UNLABELLED, np.empty((0, parts.n_classes)))
    taught = {name: (said / said.sum(1, keepdims=True)).astype(np.float32) for name, said in soft.items()}
    laboratory.teach(DISTILLED, Taught(np.arange(len(unlabelled)), unlabelled.argmax(1), taught))
    beside = f", and of {len(unlabelled)} unlabelled ones" if len(unlabelled) else ""
    return f"Distillation: {teacher} says what it makes of the training images{beside}."


def tables(parts: Parts, sets: Sets) -> dict[str, str]:
    """What was taught, for a training of the user's own: CSV texts by the names of their files."""
    found = {}
    names = () if sets.unlabelled is None else sets.unlabelled.names
    if (pseudo := parts.taught.get(PSEUDO)) is not None:
        labels = [sets.train.classes[label] for label in pseudo.labels]
        rows = [(names[row], label) for row, label in zip(pseudo.rows, labels, strict=True)]
        found[PSEUDO_FILE] = csv_text([("image", "label"), *rows], "\n")
    if (soft := parts.taught.get(DISTILLED)) is not None:
        said = [(TRAIN, name, *own) for name, own in zip(sets.train.names, soft.soft[TRAIN].tolist(), strict=True)]
        of_others = soft.soft[UNLABELLED].tolist()
        said += [(UNLABELLED, names[row], *own) for row, own in zip(soft.rows, of_others, strict=True)]
        found[SOFT_FILE] = csv_text([("set", "image", *sets.train.classes), *said], "\n")
    return found
