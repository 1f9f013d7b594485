"""The example that writes a generator as ONNX: another runtime makes the images of torch, for any number of them."""

from __future__ import annotations

import runpy
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

import ganaug
from ganaug.data.spec import DataSpec
from ganaug.recipes import make
from ganaug.samples.variants import starting_points

pytest.importorskip("onnx", reason="onnx is absent: pip install onnx onnxruntime")
onnxruntime = pytest.importorskip("onnxruntime", reason="onnxruntime is absent: pip install onnx onnxruntime")

EXAMPLE = runpy.run_path(str(Path(__file__).parents[2] / "examples" / "11_onnx.py"))
RECIPES = ("small", "dcgan", "stylegan2", "rcgan", "wgan_gp", "pix2pix", "context_encoder")
FAR = 1e-4


def fitted_by(recipe: str, folder: Path) -> ganaug.generator.folder.Fitted:
    """A generator of three classes of noise, of 12 px, or a series of 24 steps; weights are a step from random."""
    noise, shape = np.random.default_rng(0), (30, 24) if recipe == "rcgan" else (30, 12, 12, 3)
    x = noise.random(shape).astype(np.float32)
    data = {"pairs": noise.random(shape).astype(np.float32)} if recipe == "pix2pix" else {}
    return ganaug.fit((x, np.arange(30) % 3), folder / recipe, recipe=recipe, steps=1, **data).load()


def taken_by(fitted, n: int) -> tuple[torch.Tensor, ...]:
    """So many inputs of a generator, keyed by their number."""
    rng = torch.Generator().manual_seed(n)
    given = fitted.prior.draw(n, rng), torch.randint(len(fitted.classes), (n,), generator=rng)
    if fitted.starts_from is None:
        return given
    images = torch.rand(n, *(fitted.card.pair or fitted.card.shape), generator=rng) * 2 - 1
    return starting_points(fitted.networks, images, rng), *given


@pytest.mark.parametrize("recipe", RECIPES)
def test_another_runtime_makes_the_same_for_any_number(recipe, tmp_path):
    fitted = fitted_by(recipe, tmp_path)
    EXAMPLE["to_onnx"](fitted, tmp_path / "it.onnx", *taken_by(fitted, 2))
    session = onnxruntime.InferenceSession(tmp_path / "it.onnx", providers=["CPUExecutionProvider"])
    assert not any(module.training for module in fitted.generator.modules())
    names = [one.name for one in session.get_inputs()]
    assert names == ["source", "z", "y"][-len(names) :]
    for n in (1, 2, 33):
        given = taken_by(fitted, n)
        (found,) = session.run(None, {name: one.numpy() for name, one in zip(names, given, strict=True)})
        expected = (fitted.generator(*given).numpy() + 1) / 2
        assert found.shape == (n, *fitted.card.shape)
        assert abs(found - expected.clip(0, 1)).max() < FAR
        assert len(np.unique(found.reshape(n, -1), axis=0)) == n  # the inputs are looked at


def test_what_does_not_export_fails_loudly(tmp_path):
    """As docs/stacks.md says: the exporter has no word for what spectral norm computes, and CycleGAN asks of a batch
    which classes are in it."""
    found = {}
    for recipe, classes in (("biggan", 3), ("cyclegan", 2)):
        rules = make(recipe, {})
        networks = rules.networks(DataSpec((3, 12, 12), tuple("abc"[:classes])), rules.prior)
        images = (torch.rand(6, 3, 12, 12),) if rules.wiring.from_source else ()
        given = (*images, rules.prior.draw(6, torch.Generator()), torch.arange(6) % classes)
        found[recipe] = SimpleNamespace(generator=networks["generator"].eval()), given
    bare, given = found["biggan"]
    with pytest.raises(torch.onnx.errors.UnsupportedOperatorError, match="vdot"):
        EXAMPLE["to_onnx"](bare, tmp_path / "it.onnx", *given)
    bare, given = found["cyclegan"]
    EXAMPLE["to_onnx"](bare, tmp_path / "it.onnx", *given)
    session = onnxruntime.InferenceSession(tmp_path / "it.onnx", providers=["CPUExecutionProvider"])
    with pytest.raises(Exception, match="Reshape"):
        session.run(None, {"source": given[0][:1].numpy(), "y": given[2][:1].numpy()})
