"""What makes a generator style-based, in closed form."""

from __future__ import annotations

import pytest
import torch

from ganaug.networks import style, style2
from ganaug.networks.style import AdaIN, Mapping, Noise, StyleMixing
from ganaug.networks.style2 import ModulatedConv

BOTH = pytest.mark.parametrize("module", [style, style2])


@torch.no_grad()
def test_demodulation_gives_unit_variance_whatever_the_style():
    torch.manual_seed(0)
    x = torch.randn(6, 32, 40, 40)
    w = 3 * torch.randn(6, 8)
    conv = ModulatedConv(32, 16, 8)
    inner = conv(x, w)[:, :, 1:-1, 1:-1]  # away from the padding, inputs are independent normals
    assert torch.allclose(inner.var((2, 3)).mean(1), torch.ones(6), atol=0.1)
    conv.demodulate = False
    assert (conv(x, w)[:, :, 1:-1, 1:-1].var((2, 3)).mean(1) - 1).abs().max() > 1


@torch.no_grad()
def test_modulating_features_is_modulating_weights():
    """Equations 1 and 3 to the letter, item by item."""
    torch.manual_seed(0)
    conv = ModulatedConv(5, 7, 4)
    x, w = torch.randn(3, 5, 9, 9), torch.randn(3, 4)
    for item, style_of, out in zip(x, conv.affine(w), conv(x, w), strict=True):
        weight = conv.weight * conv.scale * style_of.view(1, -1, 1, 1)
        weight = weight / weight.square().sum((1, 2, 3), keepdim=True).add(1e-8).sqrt()
        assert torch.allclose(torch.conv2d(item[None], weight, padding=1)[0], out, atol=1e-5)


@torch.no_grad()
def test_adain_replaces_mean_and_deviation_by_those_of_the_style():
    torch.manual_seed(0)
    layer, w = AdaIN(6, 4), torch.randn(3, 4)
    y = layer(5 + 3 * torch.randn(3, 6, 8, 8), w)
    scale, shift = layer.affine(w).chunk(2, 1)
    assert torch.allclose(y.mean((2, 3)), shift, atol=1e-5)
    assert torch.allclose(y.std((2, 3), correction=0), (1 + scale).abs(), atol=1e-4)


def test_noise_is_fresh_in_training_and_fixed_in_use():
    noise, x = Noise(2, 6), torch.zeros(3, 2, 6, 6)
    assert torch.equal(noise(x), x)  # it starts without effect
    torch.nn.init.ones_(noise.strength)
    assert not torch.equal(noise(x), noise(x))
    noise.eval()
    assert torch.equal(noise(x), noise(x))
    assert torch.equal(noise(x)[0], noise(x)[1])


def test_mixed_styles_begin_as_one_and_end_as_another():
    torch.manual_seed(0)
    mapping = Mapping(2, 5, depth=2)
    y = torch.arange(200) % 2
    w = mapping(torch.randn(200, 5), y)
    mixed = StyleMixing(1.0)(w, y, mapping, 6)
    same = (mixed == w[:, None]).all(2)
    assert same[:, 0].all()
    assert not same[:, -1].any()
    assert (same.int().diff(dim=1) <= 0).all()  # one change, and no way back
    assert set(same.sum(1).tolist()) == {1, 2, 3, 4, 5}
    half = StyleMixing(0.5)(w, y, mapping, 6)
    assert 0.35 < (half[:, -1] == w).all(1).float().mean() < 0.65
    assert torch.equal(StyleMixing(1.0).eval()(w, y, mapping, 6), w[:, None].expand(-1, 6, -1))


@BOTH
@torch.no_grad()
def test_nothing_below_full_size_depends_on_the_last_styles(module):
    torch.manual_seed(0)
    generator = module.Generator((1, 32, 32), 2, 8, depth=2).eval()
    maps: list[torch.Tensor] = []
    for part in generator.modules():
        part.register_forward_hook(lambda part, given, out: maps.append(out) if out.dim() == 4 else None)
    y = torch.zeros(4, dtype=torch.long)
    a, b = (generator.styles(torch.randn(4, 8), y)[:, None].expand(-1, generator.layers, -1) for _ in range(2))
    seen = {}
    for name, others in (("neither", slice(0, 0)), ("first", slice(0, 2)), ("last", slice(generator.layers - 2, None))):
        maps.clear()
        w = a.clone()
        w[:, others] = b[:, others]
        seen[name] = [generator.synthesise(w), *maps]
    small = [i for i, one in enumerate(seen["neither"]) if one.shape[-1] < 32]
    assert len(small) > 5
    assert all(torch.equal(seen["neither"][i], seen["last"][i]) for i in small)
    assert sum(not torch.equal(seen["neither"][i], seen["first"][i]) for i in small) > 3
    assert not torch.equal(seen["neither"][0], seen["last"][0])
    assert torch.equal(generator.synthesise(a[:, 0]), seen["neither"][0])


@BOTH
@torch.no_grad()
def test_in_use_an_image_is_a_function_of_latent_and_label(module):
    torch.manual_seed(0)
    generator = module.Generator((3, 19, 19), 2, 8, depth=2)
    z, y = torch.randn(4, 8), torch.tensor([0, 1, 0, 1])
    assert not torch.equal(generator(z, y), generator(z, y))
    generator.eval()
    assert torch.equal(generator(z, y), generator(z, y))
    assert torch.allclose(generator(3 * z, y), generator(z, y), atol=1e-5)  # the mapping looks at directions only
