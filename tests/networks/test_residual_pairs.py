"""BigGAN's and R3GAN's networks: what they promise, in closed form."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from ganaug.networks import biggan, r3gan


@pytest.mark.parametrize("kind", [biggan.Generator, biggan.Discriminator])
def test_every_weight_has_spectral_norm_one(kind):
    torch.manual_seed(0)
    net = kind((3, 16, 16), 4, 12) if kind is biggan.Generator else kind((3, 16, 16), 4)
    inputs = torch.randn(4, 12) if kind is biggan.Generator else torch.randn(4, 3, 16, 16)
    seen = 0
    with torch.no_grad():
        for weight in (p for name, p in net.named_parameters() if name.endswith("original")):
            weight += torch.randn_like(weight) * weight.std()
        for _ in range(60):
            net(inputs, torch.arange(4))
        net.eval()
        for module in net.modules():
            if nn.utils.parametrize.is_parametrized(module):
                seen += 1
                assert torch.linalg.matrix_norm(module.weight.flatten(1), 2).item() == pytest.approx(1, abs=0.1)
    assert seen >= 8


def test_all_weights_of_the_discriminator_are_normed():
    net = biggan.Discriminator((1, 16, 16), 4)
    layers = [m for m in net.modules() if isinstance(m, (nn.Conv2d, nn.Linear, nn.Embedding))]
    assert all(nn.utils.parametrize.is_parametrized(m) for m in layers)


@torch.no_grad()
def test_batch_norm_is_scaled_by_the_condition():
    torch.manual_seed(0)
    norm = biggan.ConditionalBatchNorm(6, 4)
    x, condition = 2 + 3 * torch.randn(64, 6, 5, 5), torch.randn(1, 4).expand(64, -1)
    y = norm(x, condition)
    assert torch.allclose(y.mean((0, 2, 3)), norm.eval().shift(condition)[0], atol=1e-4)
    assert torch.allclose(y.std((0, 2, 3)), (1 + norm.scale(condition)[0]).abs(), atol=1e-2)


@torch.no_grad()
def test_every_part_of_the_latent_and_the_class_matter():
    torch.manual_seed(0)
    net = biggan.Generator((1, 16, 16), 3, 14).eval()
    z, y = torch.randn(1, 14), torch.tensor([1])
    x = net(z, y)
    for part in range(14):
        moved = z.clone()
        moved[0, part] += 1
        assert not torch.allclose(net(moved, y), x, atol=1e-6)
    assert not torch.allclose(net(z, torch.tensor([2])), x, atol=1e-5)


@torch.no_grad()
def test_scores_differ_between_classes_by_the_projection():
    torch.manual_seed(0)
    net = biggan.Discriminator((1, 16, 16), 3).eval()
    x = torch.randn(5, 1, 16, 16)
    h = torch.relu(net.blocks(x)).sum((2, 3))
    scores = [net(x, torch.full((5,), c)) for c in range(3)]
    assert torch.allclose(scores[1] - scores[0], h @ (net.embedding.weight[1] - net.embedding.weight[0]), atol=1e-4)


@torch.no_grad()
def test_bottlenecks_begin_as_the_identity_and_nothing_is_normalised():
    torch.manual_seed(0)
    block, x = r3gan.Bottleneck(16, 4), torch.randn(2, 16, 6, 6)
    assert torch.equal(block(x), x)
    for net in (r3gan.Generator((1, 28, 28), 2, 8), r3gan.Discriminator((1, 28, 28), 2)):
        assert not [m for m in net.modules() if "Norm" in type(m).__name__]
        assert any(isinstance(m, nn.Conv2d) and 1 < m.groups < m.in_channels for m in net.modules())


@torch.no_grad()
def test_doubling_the_latent_and_label_doubles_the_first_features():
    """Without normalisation, the generator's beginning is linear in (z, embedding)."""
    torch.manual_seed(0)
    net, seen = r3gan.Generator((1, 16, 16), 2, 8), []
    net.stages[0].register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0].clone()))
    y = torch.tensor([0, 1])
    z = torch.randn(2, 8)
    net(z, y)
    net.embedding.weight.mul_(2)
    net(2 * z, y)
    assert torch.allclose(seen[1], 2 * seen[0], atol=1e-5)
