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


def _saved(change, file):
    kept = change(timm.create_model("test_resnet").state_dict())
    save_file({name: value.contiguous() for name, value in kept.items()}, file)
    return kept


@pytest.mark.parametrize(
    "change",
    [lambda own: own | {"fc.weight": torch.ones(3, 96), "fc.bias": torch.ones(3)},
     lambda own: {name: value for name, value in own.items() if not name.startswith("fc.")},
     lambda own: {f"module.{name}": value for name, value in own.items()}],
    ids=["another last layer", "no last layer", "wrapped"],
)  # fmt: skip
def test_the_last_layer_of_a_file_does_not_matter(tmp_path, change):
    kept = _saved(change, tmp_path / "w.safetensors")
    one, two = (network("test_resnet", tmp_path / "w.safetensors").state_dict() for _ in range(2))
    assert all(torch.equal(one[name], two[name]) for name in one)
    inner = next(name for name in one if not name.startswith("fc."))
    assert torch.equal(one[inner], kept.get(inner, kept.get(f"module.{inner}")))


@pytest.mark.parametrize(
    ("change", "words"),
    [(lambda own: {name: own[name] for name in list(own)[5:]}, "of another network: .* tensors of test_resnet lack"),
     (lambda own: own | {"more": torch.ones(1)}, "none of test_resnet, such as more")],
    ids=["fewer", "more"],
)  # fmt: skip
def test_weights_of_another_network_are_named(tmp_path, change, words):
    _saved(change, tmp_path / "w.safetensors")
    with pytest.raises(WeightsError, match=words) as told:
        network("test_resnet", tmp_path / "w.safetensors")
    assert str(tmp_path / "w.safetensors") in told.value.cause


@pytest.mark.parametrize(("content", "words"), [(None, "There is no file"), (b"x" * 99, "is no safetensors file")])
def test_what_is_no_file_of_weights_is_said(tmp_path, content, words):
    if content is not None:
        (tmp_path / "w.safetensors").write_bytes(content)
    with pytest.raises(WeightsError, match=words):
        network("test_resnet", str(tmp_path / "w.safetensors"))


@pytest.mark.parametrize(
    ("name", "fix"),
    [("resnet18.foo", "Did you mean resnet18."), ("qqqqq", "lists the names")],
)
def test_an_unknown_name_is_told_with_those_that_there_are(name, fix):
    with pytest.raises(OptionError, match="timm has no") as told:
        network(name, NONE)
    assert fix in told.value.fix


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
