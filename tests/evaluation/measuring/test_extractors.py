"""Extractors: offline by default, in evaluation mode, and clear about what is missing."""

from __future__ import annotations

import logging
import urllib.error
from pathlib import Path

import pytest
import timm
import torch
from safetensors.torch import save_file

from ganaug.classifier.small import Training, train_classifier
from ganaug.errors import MissingPackageError, OptionError, WeightsError
from ganaug.evaluation.measuring import extractors


def pixels(n: int, channels: int = 1) -> torch.Tensor:
    rng = torch.Generator().manual_seed(0)
    return torch.randint(0, 256, (n, channels, 12, 12), generator=rng, dtype=torch.uint8)


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A weights file of a tiny timm model, as a user without a network has it; its batch norm has seen data."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = timm.create_model("test_resnet").train()
        model(torch.rand(8, 3, 32, 32))
    file = tmp_path_factory.mktemp("weights") / "test_resnet.safetensors"
    save_file(model.state_dict(), file)
    return file


@pytest.mark.parametrize("channels", [1, 3])
def test_a_timm_model_from_a_file(weights, channels):
    extractor = extractors.from_timm("test_resnet", weights)
    x = pixels(5, channels)
    features = extractor.features(x)
    assert features.shape == (5, 96)
    assert extractor.scores(x).shape == (5, 1000)
    assert extractor.name == "timm test_resnet"
    assert extractor.features(x[:1]) == pytest.approx(features[:1], abs=1e-4)  # batch norm is in evaluation mode
    assert not torch.equal(features[0], features[1])


def test_grey_images_are_seen_as_their_rgb_copies(weights):
    extractor = extractors.from_timm("test_resnet", weights)
    grey = pixels(3)
    assert torch.equal(extractor.features(grey), extractor.features(grey.expand(-1, 3, -1, -1)))


def test_weights_that_cannot_be_had_are_an_error_with_a_way_out(weights, tmp_path, monkeypatch, caplog):
    level = logging.getLogger("huggingface_hub").level
    with pytest.raises(OptionError, match="resnet18"):
        extractors.from_timm("resnet81")
    broken = tmp_path / "broken.safetensors"
    broken.write_bytes(weights.read_bytes()[:1000])
    with pytest.raises(WeightsError, match="--extractor own"):
        extractors.from_timm("test_resnet", broken)
    with pytest.raises(WeightsError):
        extractors.from_timm("resnet18", weights)  # of another model

    def no_network(*args, **kwargs):
        logging.getLogger("huggingface_hub.utils").warning("Retrying in 1s [Retry 1/5].")
        raise urllib.error.URLError("no network")

    monkeypatch.setattr(timm, "create_model", no_network)
    with pytest.raises(WeightsError, match="no network"):
        extractors.from_timm("test_resnet")
    assert not caplog.records  # the hub's tries are not told one by one
    assert logging.getLogger("huggingface_hub").level == level


def test_inception_says_when_it_cannot_be_had(monkeypatch):
    import torch_fidelity.feature_extractor_inceptionv3 as theirs

    def no_network(*args, **kwargs):
        raise urllib.error.URLError("no network")

    monkeypatch.setattr(theirs, "load_state_dict_from_url", no_network)
    with pytest.raises(WeightsError, match="no network"):
        extractors.inception()
    monkeypatch.setitem(__import__("sys").modules, "torch_fidelity.feature_extractor_inceptionv3", None)
    with pytest.raises(MissingPackageError, match="pip install torch-fidelity"):
        extractors.inception()


def test_inception_is_fed_uint8_colour_and_gives_both_layers(monkeypatch):
    """With weights drawn by chance, since the real ones need a network."""
    import torch_fidelity.feature_extractor_inceptionv3 as theirs

    monkeypatch.setattr(theirs, "load_state_dict_from_url", lambda *args, **kwargs: {})
    monkeypatch.setattr(theirs.FeatureExtractorInceptionV3, "load_state_dict", lambda self, state: None)
    extractor = extractors.inception()
    assert extractor.features(pixels(2)).shape == (2, 2048)
    assert extractor.scores(pixels(2)).shape == (2, 1008)
    assert "inception" in extractor.name


def test_the_own_classifier_is_the_default_network():
    classifier = train_classifier(pixels(9), torch.arange(9) % 3, 3, training=Training(steps=1, batch=4), seed=0)
    extractor = extractors.own(classifier)
    assert torch.equal(extractor.features(pixels(4)), classifier.features(pixels(4)))
    assert torch.equal(extractor.scores(pixels(4)), classifier.predict(pixels(4)))
