"""Networks of timm get weights from a file or a package, exactly, or say why not."""

import pytest
import timm
import torch
from safetensors.torch import save_file
from timm.models import load_checkpoint

from ganaug.classifier import pretrained
from ganaug.classifier.pretrained import LITE, NONE, config_of, network, usual
from ganaug.errors import OptionError, WeightsError


def test_the_network_of_the_package_knows_what_it_was_trained_on():
    """Every tensor of the package has its place in timm's network, and batch norm agrees with what flows through."""
    assert usual() == LITE
    found = network(LITE)
    assert config_of(found)["mean"] == (0.5, 0.5, 0.5)
    stream = torch.Generator().manual_seed(0)
    images = torch.nn.functional.interpolate(torch.rand(8, 3, 7, 7, generator=stream) * 2 - 1, 64, mode="bicubic")
    seen = {}
    hook = found.bn1.register_forward_pre_hook(lambda _, given: seen.update(before=given[0]))
    with torch.inference_mode():
        said = found(images)
        other = network("efficientnet_lite0", NONE)
        other.load_state_dict(found.state_dict())
        padded = other(images)
    hook.remove()
    assert said.shape == (8, 1000)
    assert (said - padded).abs().max() > 0.1  # the twin with other padding takes the same weights, and is wrong
    spread = seen["before"].var((0, 2, 3)) / found.bn1.running_var
    assert 0.001 < spread.median() < 100


def test_renaming_is_one_to_one():
    weights = torch.load(pretrained._package(), weights_only=True)
    renamed = pretrained._renamed(weights)
    assert len(renamed) == len(weights)
    assert {name: value.shape for name, value in renamed.items()} == {
        name: value.shape for name, value in timm.create_model(LITE).state_dict().items()
    }


def test_one_altered_bit_of_the_package_is_refused(tmp_path, monkeypatch):
    data = bytearray(pretrained._package().read_bytes())
    data[len(data) // 2] ^= 1
    (tmp_path / "altered.pth").write_bytes(data)
    monkeypatch.setattr(pretrained, "_package", lambda: tmp_path / "altered.pth")
    with pytest.raises(WeightsError, match="not the file that is known"):
        network(LITE)


def test_a_file_of_weights_is_loaded_strictly(tmp_path):
    made = timm.create_model("test_resnet")
    save_file({name: value.contiguous() for name, value in made.state_dict().items()}, tmp_path / "w.safetensors")
    found = network("test_resnet", tmp_path / "w.safetensors")
    assert all(torch.equal(a, b) for a, b in zip(found.parameters(), made.parameters(), strict=True))
    theirs = timm.create_model("test_resnet")
    load_checkpoint(theirs, str(tmp_path / "w.safetensors"))
    assert all(torch.equal(a, b) for a, b in zip(found.parameters(), theirs.parameters(), strict=True))
    with pytest.raises(WeightsError, match="resnet18"):
        network("resnet18", tmp_path / "w.safetensors")
    assert network("test_resnet", NONE, classes=5)(torch.zeros(1, 3, 32, 32)).shape == (1, 5)


def test_what_cannot_be_had_is_said_with_ways_on(monkeypatch):
    with pytest.raises(OptionError, match="Did you mean") as told:
        network("resnet81")
    assert told.value.fix
    monkeypatch.setattr(pretrained, "_package", lambda: None)
    assert usual() is None

    def no_network(*args, **kwargs):
        raise OSError("no network")

    monkeypatch.setattr(timm, "create_model", no_network)
    with pytest.raises(WeightsError, match="no network") as told:
        network(LITE)
    assert "ganaug[lite]" in told.value.fix
