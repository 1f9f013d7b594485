"""Global defaults of torch change nothing in what is made, saved, loaded or served."""

import shutil

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader

import ganaug
from ganaug.defaults import usual_defaults

SMALL = {"recipe": "cgan", "steps": 3, "size": 16, "limit": 12, "seed": 1}


@pytest.fixture(params=["float64", "float16", "meta"])
def other(request):
    """Torch with another default."""
    if request.param == "meta":
        torch.set_default_device("meta")
    else:
        torch.set_default_dtype(getattr(torch, request.param))
    yield
    torch.set_default_dtype(torch.float32)
    torch.set_default_device(None)


@pytest.fixture(scope="module")
def usual(tmp_path_factory):
    return ganaug.fit("digits", tmp_path_factory.mktemp("usual") / "run", **SMALL)


def items():
    images = ganaug.open_source("digits")
    return [(np.array(images.read(i), np.float32) / 255, int(images.labels[i])) for i in range(40)]


def test_the_default_is_back_afterwards(other):
    before = torch.get_default_dtype(), torch.get_default_device()

    @usual_defaults()
    def fails():
        made = torch.zeros(1)
        raise KeyError(made.dtype, made.device.type)

    with pytest.raises(KeyError, match="torch.float32, 'cpu'"):
        fails()
    assert (torch.get_default_dtype(), torch.get_default_device()) == before


@pytest.mark.parametrize("recipe", ["cgan", "small"])
def test_a_fit_gives_the_same_bytes(tmp_path, other, recipe):
    settings = SMALL | {"recipe": recipe, "size": "auto", "steps": 2}
    if recipe == "small":
        settings["options"] = {"width": 8, "widest": 16, "batch": 8}
    here = ganaug.fit("digits", tmp_path / "here", **settings).path
    dtype = torch.get_default_dtype()
    torch.set_default_dtype(torch.float32)
    torch.set_default_device(None)
    there = ganaug.fit("digits", tmp_path / "there", **settings).path
    torch.set_default_dtype(dtype)
    file = "generator/model.safetensors"
    assert (here / file).read_bytes() == (there / file).read_bytes()


def test_what_is_served_is_the_same(usual, other):
    mixed = ganaug.mix(items(), usual, ratio=0.5, classes=list("0123456789"), seed=2)
    place = int(mixed.synthetic_indices()[0])
    assert mixed[place][0].dtype == np.float32
    assert ganaug.SyntheticDataset(usual, per_class=2)[0][0].size == (8, 8)
    x = torch.rand(8, 1, 8, 8, device="cpu", dtype=torch.float32)
    y = torch.tensor([0, 1] * 4, device="cpu")
    for live in (False, True):
        changed, labels = ganaug.SynthMix(usual, ratio=0.5, live=live, classes=list("0123456789"))(x, y)
        assert (changed.dtype, changed.device.type, labels.device.type) == (torch.float32, "cpu", "cpu")
        assert torch.isfinite(changed).all()
        assert torch.equal(labels, y)


@pytest.mark.parametrize("workers", [0, 1])
def test_loaders(usual, other, workers):
    if torch.get_default_device().type == "meta":
        pytest.skip("torch's own loader draws its seed on the default device, and meta holds no numbers")
    data = [(torch.from_numpy(image * 255).to(torch.uint8)[None], label) for image, label in items()]
    loader = DataLoader(data, 8, shuffle=True, num_workers=workers, collate_fn=list)

    def tensor(image):
        return torch.from_numpy(np.array(image))[None]

    mixed = ganaug.augment_loader(loader, usual, ratio=0.5, transform=tensor, classes=list("0123456789"))
    assert sum(len(batch) for batch in mixed) == 40


def test_looking_and_measuring(usual, other, tmp_path):
    assert ganaug.preview(usual, tmp_path / "pictures")
    assert ganaug.augment(usual, {"0": 2}, tmp_path / "out")
    images = ganaug.load_images("digits", limit=4)
    assert images.pixels.device.type == "cpu"
    assert len(images.take([1, 2])) == 2


@pytest.mark.long
def test_a_bench_and_a_measurement(usual, other, tmp_path):
    ganaug.measure(usual, "digits", per_class=4, steps=1)
    run = shutil.copytree(usual.path, tmp_path / "run")  # the verdict is the copy's: other tests serve `usual`
    ganaug.bench(
        "digits", run=run, out=tmp_path / "b", limit=12, seeds=2, steps=2, model="small", quick=True, ratios=(0.5,),
        uses=("plain",), remedies=(), device="cpu",
    )  # fmt: skip


WITHIN = {
    "no_grad": torch.no_grad,
    "inference_mode": torch.inference_mode,
    "autocast": lambda: torch.autocast("cpu", torch.bfloat16),
}


@pytest.mark.parametrize("name", WITHIN)
def test_what_a_caller_works_within_changes_nothing(usual, tmp_path, name):
    def made(place):
        fitted = ganaug.fit("digits", place / "run", **SMALL).path
        ganaug.augment(usual, {"0": 2, "1": 2}, place / "out")
        mixed = ganaug.mix(items(), usual, ratio=0.5, classes=list("0123456789"), seed=2)
        pictures = [np.array(mixed[int(i)][0]) for i in mixed.synthetic_indices()[:4]]
        files = [fitted / "generator/model.safetensors", *sorted((place / "out").glob("*/*.png"))]
        return [file.read_bytes() for file in files], pictures

    plain, served = made(tmp_path / "plain")
    with WITHIN[name]():
        states = torch.is_grad_enabled(), torch.is_inference_mode_enabled(), torch.is_autocast_enabled("cpu")
        within, pictures = made(tmp_path / "within")
        assert states == (torch.is_grad_enabled(), torch.is_inference_mode_enabled(), torch.is_autocast_enabled("cpu"))
    assert len(within) == 5
    assert within == plain
    assert np.array_equal(pictures, served)
