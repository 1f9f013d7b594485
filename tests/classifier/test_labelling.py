"""Labels for unlabelled images before a fit: by which judges, and how right."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from ganaug.classifier import judge, labelling
from ganaug.classifier.labelling import label_images
from ganaug.classifier.pictures import Frame
from ganaug.classifier.small import Training
from ganaug.data.load import LabelledImages, load_images
from ganaug.data.split import hold_out
from ganaug.errors import TooFewImagesError

CPU = torch.device("cpu")


class Glance:
    """Stands in for a pretrained network: sees the pixels as they are."""

    frame = Frame((3, 8, 8), "bicubic", 1.0, "center", (0.5, 0.5, 0.5))
    width = 192

    def __init__(self, name, *, device):
        torch.rand(1)  # as a network draws its weights before they are read
        self.seen: list[int] = []

    def features(self, pictures: np.ndarray) -> np.ndarray:
        return pictures.reshape(len(pictures), -1).astype(np.float32)


@pytest.fixture(scope="module")
def parts() -> tuple[LabelledImages, LabelledImages, LabelledImages]:
    """Digits: to train on, held out, and a pool whose labels nobody is told."""
    whole = load_images("digits", limit=60)
    each = [np.flatnonzero(whole.labels.numpy() == label) for label in range(10)]
    known, pool = (whole.take(np.concatenate([own[part] for own in each])) for part in (slice(30), slice(30, 60)))
    return *hold_out(known), pool


def right(found, pool: LabelledImages) -> float:
    return float((found.labels == pool.labels.numpy()[found.rows]).mean())


def test_a_frozen_network_has_two_judges(parts, monkeypatch):
    training, validation, pool = parts
    monkeypatch.setattr(labelling, "usual", lambda: "glance")
    monkeypatch.setattr(labelling, "Backbone", Glance)
    before = torch.get_rng_state()
    found, judges = label_images(*parts, seed=0, device=CPU)
    assert torch.equal(before, torch.get_rng_state())
    assert "a linear probe and the graph of near features, both of glance" in judges
    assert len(found) > 150
    assert right(found, pool) > 0.85
    blind = replace(pool, labels=torch.zeros_like(pool.labels), classes=("all",))
    again, _ = label_images(training, validation, blind, seed=0, device=CPU)
    assert np.array_equal(again.labels, found.labels)  # the labels of the pool are not looked at
    monkeypatch.setattr(labelling, "MOST_JUDGED_BY", 100)
    fewer, _ = label_images(*parts, seed=0, device=CPU)
    assert len(fewer) > 100


def test_without_one_small_networks_judge_that_know_other_images(parts, monkeypatch):
    monkeypatch.setattr(labelling, "usual", lambda: None)
    monkeypatch.setattr(judge, "CROSSWISE", Training(steps=60))
    found, judges = label_images(*parts, seed=0, device=CPU)
    assert judges.startswith("3 small networks")
    assert len(found) > 100
    assert right(found, parts[2]) > 0.7
    lone = parts[0].take([0, *np.flatnonzero(parts[0].labels.numpy() > 0)])
    with pytest.raises(TooFewImagesError, match="too few to judge"):
        label_images(lone, *parts[1:], seed=0, device=CPU)
