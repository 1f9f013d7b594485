"""Judges are trained with the changes that keep the label, and with no others."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from ganaug.classifier import judge
from ganaug.classifier.judge import crosswise, folds, judge_of
from ganaug.data.load import load_images
from ganaug.evaluation.bench.design import design_for
from ganaug.evaluation.bench.room import small_menu
from ganaug.evaluation.bench.settings import BenchSettings
from ganaug.evaluation.measuring import cas
from ganaug.reporting import silent

ALLOWED = [(None, "affine", "randaugment"), ((), "none", ""), (("turn", "noise"), "turn+noise", "turn+noise")]


class Guesses:
    def predict(self, pixels):
        return torch.zeros(len(pixels), 10)


@pytest.mark.parametrize(("allow", "augmentation", "strong"), ALLOWED)
def test_only_allowed_changes_are_made(monkeypatch, allow, augmentation, strong):
    images = replace(load_images("digits", limit=9), allow=allow)
    used = []

    def trained(*given, training, **options):
        used.append(training.augmentation)
        return Guesses()

    for module in (judge, cas):
        monkeypatch.setattr(module, "train_classifier", trained)
    judge_of(images, seed=0, device=torch.device("cpu"))
    assert {*used} == {"none", augmentation}
    used.clear()
    crosswise(images, folds(images, 0), 0, silent)
    made = images.pixels, images.labels
    cas.classification_accuracy_scores(made, images, images, steps=1, seed=0, device=torch.device("cpu"))
    assert used == [augmentation] * 5
    design = design_for([20, 20], BenchSettings(allow=allow))
    assert small_menu(design, (), (), thorough=True).fixmatch == strong
