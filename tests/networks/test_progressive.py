"""Growth: what a network computes does not change at the moment when its next size begins to fade in."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from ganaug.networks import progressive, style
from ganaug.networks.equalised import EqualConv, EqualLinear, MinibatchDeviation
from ganaug.networks.layers import padded, widths
from ganaug.networks.progressive import Level, grow

SHAPES = [(1, 8, 8), (3, 19, 19), (1, 32, 32)]


def generators(shape):
    torch.manual_seed(0)
    return [progressive.Generator(shape, 3, 8).eval(), style.Generator(shape, 3, 8, depth=2).eval()]


@pytest.mark.parametrize("shape", SHAPES)
@torch.no_grad()
def test_a_generator_is_the_same_function_when_a_size_begins_to_fade_in(shape):
    z, y = torch.randn(5, 8), torch.arange(5) % 3
    for generator in generators(shape):
        for whole in range(generator.level.most):
            pictures = []
            for level in (whole, whole + 1e-6, whole + 0.5, whole + 1 - 1e-6, whole + 1):
                generator.level.value.fill_(level)
                pictures.append(generator(z, y))
            assert torch.allclose(pictures[0], pictures[1], atol=1e-4)
            assert not torch.allclose(pictures[1], pictures[2], atol=1e-3)
            assert torch.allclose(pictures[3], pictures[4], atol=1e-4)
            assert not torch.allclose(pictures[0], pictures[4], atol=1e-3)


@pytest.mark.parametrize("shape", SHAPES)
@torch.no_grad()
def test_a_discriminator_is_the_same_function_when_a_size_begins_to_fade_in(shape):
    torch.manual_seed(0)
    discriminator = progressive.Discriminator(shape, 3)
    x, y = torch.rand(4, *shape) * 2 - 1, torch.arange(4) % 3
    for whole in range(discriminator.level.most):
        scores = []
        for level in (whole, whole + 1e-6, whole + 0.5, whole + 1):
            discriminator.level.value.fill_(level)
            scores.append(discriminator(x, y))
        assert torch.allclose(scores[0], scores[1], atol=1e-4)
        assert not torch.allclose(scores[0], scores[2], atol=1e-4)
        assert not torch.allclose(scores[0], scores[3], atol=1e-4)


@torch.no_grad()
def test_before_it_has_grown_a_generator_draws_large_pixels_and_a_discriminator_sees_only_these():
    generator = generators((1, 32, 32))[0]
    discriminator = progressive.Discriminator((1, 32, 32), 3)
    grow({"generator": generator, "discriminator": discriminator}, 0.0)
    y = torch.arange(3)
    x = generator(torch.randn(3, 8), y)
    cells = x.unfold(2, 8, 8).unfold(3, 8, 8)
    assert torch.allclose(cells, cells[..., :1, :1].expand_as(cells), atol=1e-6)
    shuffled = x.clone()
    shuffled[:, :, :8, :8] += torch.randn(3, 1, 8, 8) * torch.ones(8, 8).triu(1)
    shuffled[:, :, :8, :8] += (cells[:, :, 0, 0] - shuffled[:, :, :8, :8]).mean((2, 3), keepdim=True)  # same average
    assert torch.allclose(discriminator(x, y), discriminator(shuffled, y), atol=1e-4)


def test_growth_waits_then_fades_at_each_size_and_is_complete_at_its_end():
    level = Level(3)
    assert level.split() == (3, 0.0)
    values = []
    for share in (0.0, 0.1, 1 / 6, 0.25, 1 / 3, 0.5, 2 / 3, 5 / 6, 1.0, 2.0):
        level.put(share)
        values.append(level.value.item())
    assert values == pytest.approx([0, 0, 0, 0.5, 1, 1, 2, 2, 3, 3], abs=1e-5)


def test_networks_that_have_grown_stay_so_where_a_fork_has_more_rounds_before_it():
    net = progressive.Generator((1, 16, 16), 2, 4)
    (level,) = (module for module in net.modules() if isinstance(module, Level))
    for share, value in ((0.0, 0), (1.0, 2), (0.1, 2), (0.9, 2)):
        grow({"generator": net}, share)
        assert level.value.item() == value


def test_equalised_weights_have_unit_variance_and_outputs_too():
    torch.manual_seed(0)
    linear, conv = EqualLinear(400, 300), EqualConv(50, 40, gain=1.0)
    for layer, x in ((linear, torch.randn(200, 400)), (conv, torch.randn(4, 50, 20, 20))):
        assert layer.weight.std().item() == pytest.approx(1, abs=0.02)
        y = layer(x)
        assert (y if y.dim() == 2 else y[:, :, 1:-1, 1:-1]).std().item() == pytest.approx(1, abs=0.05)


def test_a_layer_that_learns_slowly_starts_like_the_others():
    torch.manual_seed(0)
    slow = EqualLinear(300, 300, bias=1.0, rate=0.01)
    out = slow(torch.randn(100, 300))
    assert out.mean().item() == pytest.approx(1, abs=0.05)
    assert out.std().item() == pytest.approx(1, abs=0.05)
    # A step of the same size in the parameters moves its output a hundred times less.
    fast = EqualLinear(300, 300)
    moved = []
    for layer in (slow, fast):
        with torch.no_grad():
            before = layer(torch.ones(1, 300))
            layer.weight += 0.1
            moved.append((layer(torch.ones(1, 300)) - before).mean().item())
    assert moved[1] / moved[0] == pytest.approx(100, rel=1e-3)


def test_the_deviation_is_one_number_a_group():
    x = torch.randn(8, 3, 5, 5)
    out = MinibatchDeviation(4)(x)
    assert torch.equal(out[:, :3], x)
    expected = x[:4].std(0, correction=0).mean()
    assert torch.allclose(out[:4, 3], expected.expand(4, 5, 5), atol=1e-4)
    assert not torch.allclose(out[0, 3], out[4, 3])
    assert MinibatchDeviation()(torch.ones(6, 2, 3, 3))[:, 2].max() < 1e-3


def test_padding_repeats_the_border_and_widths_double_downwards():
    x = torch.arange(9.0).view(1, 1, 3, 3)
    assert padded(x, 5)[0, 0, 0].tolist() == [0, 0, 1, 2, 2]
    assert padded(x, 3) is x
    assert widths(8, 3, 20) == [20, 20, 16, 8]


def test_layers_that_have_not_grown_do_not_learn():
    torch.manual_seed(0)
    generator = progressive.Generator((1, 16, 16), 2, 4)
    grow({"generator": generator}, 0.0)
    generator(torch.randn(2, 4), torch.tensor([0, 1])).sum().backward()
    learned = {name.split(".")[0] for name, p in generator.named_parameters() if p.grad is not None}
    assert "blocks" not in learned
    assert {"first", "conv", "painters", "embedding"} == learned
    assert isinstance(generator.painters[0], nn.Module)
