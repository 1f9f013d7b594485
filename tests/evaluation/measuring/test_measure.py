"""`ganaug.measure` and `ganaug measure`: planted faults are seen, perfect samples look perfect, wrong input is said."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from safetensors.torch import save_file
from torch import nn

import ganaug
from ganaug.classifier.small import train_classifier
from ganaug.cli.group import cli
from ganaug.data.load import LabelledImages, load_images
from ganaug.data.sources.arrays import from_arrays
from ganaug.data.spec import ImageCodec
from ganaug.errors import LabelMismatchError, LeakError, OptionError, TooFewImagesError
from ganaug.evaluation.measuring import extractors
from ganaug.generator.folder import Fitted
from ganaug.metrics.suite import METRICS

QUICK = {"per_class": 24, "steps": 60}
NAMES = [
    "label agreement", "Inception score", "AM score", *METRICS, "CAS, synthetic to real", "CAS, real to synthetic",
    "copies",
]  # fmt: skip

CLASSIFIERS = ("ganaug.classifier.judge", "ganaug.evaluation.measuring.cas")


class NearestMean:
    """In place of the classifier, which takes seconds: scores by the nearest class mean, pixels for features."""

    def __init__(self, pixels, labels, n_classes, **options):
        means = torch.stack([self.features(pixels[labels == c]).mean(0) for c in range(n_classes)])
        self.means = means.nan_to_num(1e6)

    def features(self, pixels):
        return pixels.flatten(1).float() / 64

    def predict(self, pixels):
        return -5 * (self.features(pixels)[:, None] - self.means).square().mean(2)


@pytest.fixture(scope="module", autouse=True)
def quick_classifier():
    with pytest.MonkeyPatch.context() as patch:
        for module in CLASSIFIERS:
            patch.setattr(f"{module}.train_classifier", NearestMean)
        yield


class Replays(nn.Module):
    """A generator that draws from given images: of the class it is asked for, or of `wrong` places further on."""

    def __init__(self, images: LabelledImages, wrong: int = 0, only: int | None = None):
        super().__init__()
        self.x, self.y = ImageCodec.encode(images.pixels), images.labels
        self.wrong, self.only = wrong, only

    def forward(self, z, y):
        out = []
        for noise, label in zip(z, y, strict=True):
            rows = torch.nonzero(self.y == (label + self.wrong) % 10).flatten()[: self.only]
            out.append(self.x[rows[int((noise.sum() * 1e4).abs()) % len(rows)]])
        return torch.stack(out)


@pytest.fixture(scope="module")
def digits() -> LabelledImages:
    return load_images("digits")


@pytest.fixture(scope="module")
def others() -> LabelledImages:
    return load_images("digits", split="test")


def played_by(digits_run, generator: nn.Module) -> Fitted:
    return replace(digits_run.load(), networks={"generator": generator})


@pytest.fixture(scope="module")
def honest(digits_run, others, quick_classifier):
    """The figures of a perfect generator: real images that no one has seen."""
    return ganaug.measure(played_by(digits_run, Replays(others)), "digits", **QUICK)


@pytest.fixture(scope="module")
def poor(digits_run, quick_classifier):
    """The figures of a generator that hardly learned anything."""
    return ganaug.measure(digits_run, "digits", **QUICK)


def test_a_perfect_generator_looks_perfect(honest):
    assert [figure.name for figure in honest.figures] == NAMES
    assert honest["label agreement"].interval.value > 0.9
    assert 0.7 < honest["within-class diversity"].interval.value < 1.3
    for name in ("precision", "recall", "coverage"):
        assert honest[name].interval.value > 0.75, name
    assert honest["copies"].interval.low < 0.02
    for name in ("FID", "intra-class FID"):
        value, n, m = honest[name].alike or (honest[name].interval.value, 0, 0)
        assert value < 2 * honest[name].real, (name, n, m)
    assert honest["CAS, synthetic to real"].interval.value > 0.8
    assert not honest.copies.share > 0.1


def test_every_figure_has_its_interval_its_numbers_and_its_extractor(poor):
    for figure in poor.figures:
        assert figure.interval.low <= figure.interval.value <= figure.interval.high, figure.name
        assert figure.extractor in ("own classifier", "pixels", "accuracy")
        assert figure.synthetic > 0
        line = figure.line()
        assert figure.name in line
        assert figure.extractor in line
        assert str(figure.synthetic) in line
    json.dumps(poor.to_json(), allow_nan=False)
    assert len(poor.to_json()["nearest_pairs"]) == 24


def test_every_figure_of_a_class_has_its_interval_and_their_mean_is_that_of_all(poor):
    values = poor.to_json()["per_class"]
    for name, own in values.items():
        assert own["samples"] == QUICK["per_class"]
        for figure in ("agreement", "FID", "diversity", "copies"):
            low, high = own[f"{figure} interval"]
            if figure == "diversity" and own["agreement"] * own["samples"] < 4:  # of hardly any right ones
                assert low is high is None
                continue
            assert low <= own[figure] <= high, (name, figure)
            assert low < high, (name, figure)
    for of_class, of_all in (("agreement", "label agreement"), ("FID", "intra-class FID"),
                             ("diversity", "within-class diversity")):  # fmt: skip
        mean = np.mean([own[of_class] for own in values.values()])
        assert mean == pytest.approx(poor[of_all].interval.value), of_class


def test_a_poor_generator_looks_poor(poor, honest):
    assert poor["FID"].interval.low > honest["FID"].interval.high
    assert poor["KID"].interval.value > honest["KID"].interval.value
    for name in ("precision", "label agreement", "CAS, synthetic to real"):
        assert poor[name].interval.value < honest[name].interval.value - 0.2, name


def test_swapped_labels_are_seen_by_what_looks_at_labels_only(digits_run, others, honest):
    swapped = ganaug.measure(played_by(digits_run, Replays(others, wrong=1)), "digits", **QUICK)
    assert swapped["label agreement"].interval.high < 0.3
    assert swapped["CAS, synthetic to real"].interval.high < 0.3
    assert swapped["CAS, real to synthetic"].interval.high < 0.3
    assert swapped["intra-class FID"].interval.low > honest["intra-class FID"].interval.high
    assert swapped["precision"].interval.value > 0.75


def test_a_generator_of_one_picture_a_class_is_not_varied(digits_run, others):
    collapsed = ganaug.measure(played_by(digits_run, Replays(others, only=1)), "digits", **QUICK)
    assert collapsed["within-class diversity"].interval.value < 0.01
    assert collapsed["recall"].interval.value < 0.2
    assert collapsed["coverage"].interval.value < 0.5


def test_a_generator_of_training_images_copies_and_the_pairs_show_it(digits_run, digits):
    saw = set(digits_run.load().card.fingerprints)
    training = digits.take([i for i, mark in enumerate(digits.fingerprints) if mark in saw])
    copier = ganaug.measure(played_by(digits_run, Replays(training)), "digits", **QUICK)
    assert copier["copies"].interval.low > 0.9
    for pair in copier.copies.pairs:
        assert torch.equal(copier.samples[0][pair.sample], copier.seen.pixels[pair.training])
    shown = copier.to_json()["nearest_pairs"][0]
    assert shown["training"] in digits.names
    assert shown["ratio"] == 0


def test_the_seed_is_all_it_depends_on(digits_run, poor):
    again = ganaug.measure(digits_run, "digits", **QUICK)
    assert again.to_json() == poor.to_json()


def test_classes_are_matched_by_name(digits_run, digits, poor):
    """The same images, the classes in another order."""
    order = np.array([3, 1, 4, 0, 5, 9, 2, 6, 8, 7])
    place = np.argsort(order)
    pixels = digits.pixels[:, 0].numpy()
    source = from_arrays(pixels, place[digits.labels.numpy()], classes=tuple(digits.classes[i] for i in order))
    again = ganaug.measure(digits_run, source, **QUICK)
    assert again.to_json()["figures"] == poor.to_json()["figures"]
    assert again.to_json()["per_class"] == poor.to_json()["per_class"]


def test_a_test_set_and_another_extractor(digits_run, others, tmp_path):
    import timm

    file = tmp_path / "weights.safetensors"
    save_file(timm.create_model("test_resnet").state_dict(), file)
    test, name = digits_only(others, range(60)), f"timm:test_resnet@{file}"
    found = ganaug.measure(digits_run, "digits", test=test, extractor=name, per_class=4)
    assert found["FID"].extractor == found["Inception score"].extractor == "timm test_resnet"
    assert found["label agreement"].extractor == "own classifier"
    assert found["intra-class FID"].reference == 60
    assert found.judge["images"] == len(load_images("digits"))


def test_what_cannot_be_measured_is_said(digits_run, digits, others, monkeypatch):
    with pytest.raises(OptionError, match="timm:NAME"):
        ganaug.measure(digits_run, "digits", extractor="vgg")
    with pytest.raises(OptionError, match="not a file"):
        ganaug.measure(digits_run, "digits", extractor="timm:test_resnet@nowhere.safetensors")
    with pytest.raises(OptionError, match="--per-class"):
        ganaug.measure(digits_run, "digits", per_class=1)
    pixels, labels = digits.pixels[:, 0].numpy(), digits.labels.numpy()
    letters = from_arrays(pixels, labels, classes=tuple("abcdefghij"))
    with pytest.raises(LabelMismatchError, match="knows the classes 0, 1"):
        ganaug.measure(digits_run, letters)
    with pytest.raises(LabelMismatchError, match="test set"):
        ganaug.measure(digits_run, digits_only(digits, range(1000)), test=letters)
    with pytest.raises(LeakError):
        ganaug.measure(digits_run, "digits", test=digits_only(digits, range(50)))
    saw = set(digits_run.load().card.fingerprints)
    seen = [i for i, mark in enumerate(digits.fingerprints) if mark in saw]
    with pytest.raises(TooFewImagesError, match="--test"):
        ganaug.measure(digits_run, digits_only(digits, seen))


def digits_only(images: LabelledImages, rows):
    rows = list(rows)
    return from_arrays(images.pixels[rows, 0].numpy(), images.labels[rows].numpy(), classes=images.classes)


def test_few_images_give_dashes_and_notes_not_a_crash(digits_run, digits, others):
    """Reference images of eight classes only, one each."""
    rows = [int(np.flatnonzero(others.labels.numpy() == label)[0]) for label in range(8)]
    found = ganaug.measure(
        digits_run, digits_only(digits, range(300)), test=digits_only(others, rows), per_class=4, steps=2
    )
    assert any("8, 9" in note for note in found.notes)
    assert np.isnan(found["intra-class FID"].interval.value)
    json.dumps(found.to_json(), allow_nan=False)
    assert "-" in "\n".join(found.lines())


def test_data_that_the_run_was_not_fitted_on(digits_run, others):
    found = ganaug.measure(digits_run, digits_only(others, range(len(others))), per_class=4, steps=2)
    assert found.copies is None
    assert any("None of these images were part of the fit" in note for note in found.notes)


def test_the_command(digits_run, monkeypatch):
    """With the real classifier; writes nothing into the run."""
    for module in CLASSIFIERS:
        monkeypatch.setattr(f"{module}.train_classifier", train_classifier)
    before = {p: p.read_bytes() for p in Path(digits_run.path).rglob("*") if p.is_file()}
    arguments = ["measure", str(digits_run.path), "digits", "--per-class", "4", "--steps", "2", "--quiet"]
    printed = CliRunner().invoke(cli, arguments)
    assert printed.exit_code == 0, printed.output
    for name in NAMES:
        assert name in printed.output
    assert f"ganaug bench digits --run {digits_run.path}" in printed.output
    values = json.loads(CliRunner().invoke(cli, [*arguments, "--json"]).output)
    assert set(values["figures"]) == set(NAMES)
    assert values["figures"]["FID"]["extractor"] == extractors.OWN
    assert set(values["per_class"]) == set("0123456789")
    assert before == {p: p.read_bytes() for p in Path(digits_run.path).rglob("*") if p.is_file()}
