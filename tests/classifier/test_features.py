"""Features of a frozen network are those of timm, computed once, and kept by what they were made from."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import timm
import torch
from safetensors.torch import save_file
from timm.data import create_transform

from ganaug.classifier.features import Backbone, View, features_of
from ganaug.classifier.finetuned import Finetuned
from ganaug.classifier.pictures import pictures_of, rows_in
from ganaug.classifier.pretrained import LITE, NONE, config_of
from ganaug.classifier.probe import ProbeTraining, train_probe
from ganaug.data.load import load_images
from ganaug.data.sources.arrays import from_arrays
from ganaug.data.sources.source import open_source
from ganaug.errors import OutOfMemoryError, WeightsError
from ganaug.files.imagemap import ImageMap

X = np.random.default_rng(0).integers(0, 256, (10, 20, 24, 3), dtype=np.uint8)


def saved(name: str, file: Path) -> Path:
    made = timm.create_model(name)
    save_file({key: value.contiguous() for key, value in made.state_dict().items()}, file)
    return file


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return saved("test_resnet", tmp_path_factory.mktemp("weights") / "w.safetensors")


@pytest.fixture
def backbone(weights: Path) -> Backbone:
    return Backbone("test_resnet", weights)


@pytest.fixture
def pictures(backbone: Backbone, tmp_path: Path) -> ImageMap:
    return laid_out(backbone, tmp_path)


def laid_out(backbone: Backbone, folder: Path) -> ImageMap:
    source = from_arrays(X, np.arange(10) % 2)
    return pictures_of(source, range(10), [str(i) for i in range(10)], backbone.frame, folder)


@pytest.mark.parametrize("name", ["test_resnet", "test_vit", "test_efficientnet"])
def test_features_are_those_of_timm_on_its_own_transform(name, tmp_path):
    file = saved(name, tmp_path / "w.safetensors")
    found, theirs = Backbone(name, file), timm.create_model(name, checkpoint_path=str(file)).eval()
    transform = create_transform(**config_of(theirs), is_training=False)
    source = from_arrays(X, np.arange(10) % 2)
    with torch.inference_mode():
        batch = torch.stack([transform(source.read(i).convert("RGB")) for i in range(10)])
        right = theirs.forward_head(theirs.forward_features(batch), pre_logits=True)
    features = features_of(found, laid_out(found, tmp_path), tmp_path)
    assert features.dtype == np.float32
    assert features.shape == (10, found.width)
    assert np.allclose(features, right, atol=1e-4)


def test_a_picture_is_looked_at_once_whatever_set_it_comes_with(backbone, tmp_path, monkeypatch):
    def of(rows: list[int], folder: Path, view: View | None = None) -> np.ndarray:
        source = from_arrays(X, np.arange(10) % 2)
        pictures = pictures_of(source, rows, [str(i) for i in rows], backbone.frame, folder / "pictures")
        return features_of(backbone, pictures, folder, view=view)

    flips = View("flips", 1)
    whole, moved = of(list(range(10)), tmp_path / "other"), of(list(range(10)), tmp_path / "other", flips)
    some = of([3, 7, 7, 1], tmp_path)
    passes = []
    forward = Finetuned._normalised
    monkeypatch.setattr(Finetuned, "_normalised", lambda self, part: passes.append(len(part)) or forward(self, part))
    more = of([9, 1, 3, 0], tmp_path)
    assert sum(passes) == 2
    assert np.allclose(some, whole[[3, 7, 7, 1]], atol=1e-5)
    assert np.allclose(more, whole[[9, 1, 3, 0]], atol=1e-5)
    assert np.allclose(of([7, 2], tmp_path, flips), moved[[7, 2]], atol=1e-5)  # views do not depend on the set either
    assert not np.allclose(moved, whole, atol=1e-3)


def test_they_are_computed_once_and_again_where_the_file_is_damaged(backbone, pictures, tmp_path, monkeypatch):
    first = np.array(features_of(backbone, pictures, tmp_path))
    passes = []
    forward = Finetuned._normalised
    monkeypatch.setattr(Finetuned, "_normalised", lambda self, part: passes.append(len(part)) or forward(self, part))
    assert np.array_equal(features_of(backbone, pictures, tmp_path), first)
    assert not passes
    for file in tmp_path.glob("*.npy"):
        if file != pictures.path:
            data = bytearray(file.read_bytes())
            data[-9] ^= 4
            file.write_bytes(data)
    assert np.array_equal(features_of(backbone, pictures, tmp_path), first)
    assert sum(passes) == 10


def test_another_network_has_features_of_its_own(backbone, weights, pictures, tmp_path):
    assert Backbone("test_resnet", weights).digest == backbone.digest
    torch.manual_seed(1)
    other = Backbone("test_resnet", saved("test_resnet", tmp_path / "other.safetensors"))
    assert other.digest != backbone.digest
    mine = features_of(backbone, pictures, tmp_path)
    assert not np.array_equal(features_of(other, pictures, tmp_path), mine)


def test_views_are_keyed_and_kept_apart(backbone, pictures, tmp_path):
    views = [View("flips", 0), View("flips", 1), View("flips", 0, seed=1), View("affine", 0)]
    state = torch.random.get_rng_state()
    found = [np.array(features_of(backbone, pictures, tmp_path, view=view)) for view in views]
    assert torch.equal(torch.random.get_rng_state(), state)
    plain = features_of(backbone, pictures, tmp_path)
    assert len({values.tobytes() for values in (*found, plain)}) == 5
    again = tmp_path / "again"
    assert np.array_equal(features_of(backbone, pictures, again_in(again), view=views[0]), found[0])
    files = len(list(tmp_path.glob("*.npy")))
    features_of(backbone, pictures, tmp_path, view=View("none", 3, seed=9))
    assert len(list(tmp_path.glob("*.npy"))) == files


def again_in(folder: Path) -> Path:
    folder.mkdir()
    return folder


def test_a_short_memory_halves_the_batch_and_says_so(backbone, pictures, monkeypatch):
    whole = backbone.features(pictures.images)
    forward, most = Finetuned._normalised, 3

    def short(self, part):
        if len(part) > most:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return forward(self, part)

    monkeypatch.setattr(Finetuned, "_normalised", short)
    told = []
    found = backbone.features(pictures.images, lambda *given: told.append(given[-1]))
    assert np.allclose(found, whole, atol=1e-5)
    assert told == [f"memory is short: {n} pictures at a time" for n in (8, 4, 2)]
    most = 0
    with pytest.raises(OutOfMemoryError, match="Not even one picture"):
        backbone.features(pictures.images)


def test_damaged_weights_and_no_pictures(backbone, pictures):
    assert backbone.features(pictures.images[:0]).shape == (0, backbone.width)
    with torch.no_grad():
        next(iter(backbone._tuned.network.parameters())).fill_(float("nan"))
    with pytest.raises(WeightsError, match="not finite"):
        backbone.features(pictures.images)


@pytest.mark.parametrize("name", ["float64", "meta"])
def test_global_defaults_of_torch_change_nothing(weights, backbone, pictures, tmp_path, name):
    usual = np.array(features_of(backbone, pictures, tmp_path, view=View("affine")))
    try:
        torch.set_default_dtype(torch.float64) if name == "float64" else torch.set_default_device("meta")
        other = Backbone("test_resnet", weights)
        found = features_of(other, pictures, again_in(tmp_path / "again"), view=View("affine"))
    finally:
        torch.set_default_dtype(torch.float32)
        torch.set_default_device(None)
    assert np.array_equal(found, usual)


def test_the_network_of_the_package_knows_photographs(real_data, tmp_path):
    """Ten images a class, at 64 px: 35 % are right with weights drawn at random."""
    file = real_data / "eurosat.npz"
    backbone = Backbone(LITE)
    frame = replace(backbone.frame, shape=(3, 64, 64), crop_pct=1.0)
    features, labels = [], []
    for split, limit in (("train", 10), ("test", 15)):
        source, images = open_source(file, split=split), load_images(file, split=split, limit=limit)
        pictures = pictures_of(source, rows_in(source, images), images.fingerprints, frame, tmp_path)
        features.append(features_of(backbone, pictures, tmp_path))
        labels.append(images.labels.numpy())
    probe = train_probe(features[0], labels[0], 10, training=ProbeTraining(), seed=0)
    assert (probe.predict(features[1]).argmax(1) == labels[1]).mean() > 0.65


def test_weights_drawn_at_random_are_the_same_each_time_and_the_stream_stays():
    state = torch.get_rng_state()
    first = Backbone("test_resnet", NONE)
    torch.rand(3)
    second = Backbone("test_resnet", NONE)
    images = np.random.default_rng(0).integers(0, 256, (4, *first.frame.shape[1:], 3), np.uint8)
    assert first.digest == second.digest
    assert np.array_equal(first.features(images), second.features(images))
    torch.set_rng_state(state)
    before = torch.get_rng_state()
    Backbone("test_resnet", NONE)
    assert torch.equal(torch.get_rng_state(), before)


def test_weights_that_are_no_weights_are_refused(tmp_path):
    state = timm.create_model("test_resnet").state_dict()
    whole = {key: (127 * value).to(torch.int8).contiguous() for key, value in state.items()}
    save_file(whole, tmp_path / "int8.safetensors")
    with pytest.raises(WeightsError, match="holds whole numbers in place of weights.*torch.int8"):
        Backbone("test_resnet", tmp_path / "int8.safetensors")
    save_file({key: torch.zeros_like(value) for key, value in state.items()}, tmp_path / "zero.safetensors")
    nothing = Backbone("test_resnet", tmp_path / "zero.safetensors")
    images = np.random.default_rng(0).integers(0, 256, (4, *nothing.frame.shape[1:], 3), np.uint8)
    with pytest.raises(WeightsError, match="gives all pictures the same features"):
        nothing.features(images)


def test_a_network_with_weights_of_five_axes_gives_features():
    images = np.random.default_rng(0).integers(0, 256, (2, 64, 64, 3), np.uint8)
    tuned = Finetuned.of(timm.create_model("lambda_resnet26t", img_size=64), torch.device("cpu"), 2)
    assert np.isfinite(tuned.features(images)).all()
