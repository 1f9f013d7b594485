"""What the small layers promise, in closed form."""

from __future__ import annotations

import pytest
import torch

from ganaug.networks.eyes import AffineEye, OpenEye
from ganaug.networks.layers import BatchSpread, PixelNorm, Projection, halvings, starting_size


def test_the_spread_of_groups_is_their_standard_deviation():
    x = torch.randn(8, 3, 5, 5, generator=torch.Generator().manual_seed(0))
    spread = BatchSpread(group=4)(x)
    assert spread.shape == (8, 3)
    expected = x[:4].std(0, correction=0).mean((1, 2))
    assert torch.allclose(spread[0], expected, atol=1e-4)
    assert torch.equal(spread[0], spread[3])
    assert not torch.allclose(spread[3], spread[4])


def test_equal_pictures_have_no_spread_and_odd_batches_work():
    assert BatchSpread()(torch.ones(8, 2, 3, 3)).max() < 1e-3
    for n in (1, 2, 3, 5, 6, 7):
        assert BatchSpread(group=4)(torch.randn(n, 2, 3, 3)).shape == (n, 2)


def test_pixel_norm_has_unit_mean_square():
    x = PixelNorm()(3 * torch.randn(4, 16, 2, 2))
    assert torch.allclose(x.square().mean(1), torch.ones(4, 2, 2), atol=1e-4)


def test_projection_scores_depend_on_the_label_linearly():
    layer = Projection(6, 3)
    h = torch.randn(5, 6)
    scores = [layer(h, torch.full((5,), c)) for c in range(3)]
    base = layer.linear(h).squeeze(1)
    for c in range(3):
        assert torch.allclose(scores[c] - base, h @ layer.embedding.weight[c] / 6**0.5, atol=1e-5)


@pytest.mark.parametrize("size", range(4, 130))
def test_doublings_reach_the_size(size):
    steps = halvings(size)
    assert starting_size(size, steps) * 2**steps >= size
    assert starting_size(size, steps) >= 4 or size < 4


def test_an_eye_at_rest_changes_nothing():
    x = torch.randn(3, 1, 12, 12)
    rng = torch.Generator()
    assert torch.equal(OpenEye()(x, rng), x)
    assert torch.allclose(AffineEye(shift=0, turn=0, zoom=0)(x, rng), x, atol=1e-5)


@pytest.mark.parametrize("flip", [False, True])
def test_an_eye_moves_the_share_of_images_that_it_is_told_to(flip):
    x = torch.randn(400, 1, 8, 8)
    for p in (0.0, 0.3, 1.0):
        seen = AffineEye(flip=flip, p=p)(x, torch.Generator().manual_seed(0))
        still = (seen == x).flatten(1).all(1) | (seen == x.flip(3)).flatten(1).all(1)
        assert abs(still.float().mean() - (1 - p)) < 0.1
        mirrored = (seen == x.flip(3)).flatten(1).all(1).float().mean()
        assert abs(mirrored - (1 - p) / 2 * flip) < 0.1


def test_an_eye_never_mirrors_unless_asked():
    """A picture whose left half is bright stays so under every draw."""
    x = -torch.ones(200, 1, 16, 16)
    x[..., :8] = 1
    seen = AffineEye()(x, torch.Generator().manual_seed(0))
    assert (seen[..., :4].mean((1, 2, 3)) > seen[..., 12:].mean((1, 2, 3))).all()
    flipped = AffineEye(flip=True)(x, torch.Generator().manual_seed(0))
    share = (flipped[..., :4].mean((1, 2, 3)) < flipped[..., 12:].mean((1, 2, 3))).float().mean()
    assert 0.35 < share < 0.65


def test_an_eye_passes_gradients_and_stays_in_range():
    x = torch.rand(4, 3, 9, 9).mul(2).sub(1).requires_grad_()
    seen = AffineEye()(x, torch.Generator().manual_seed(0))
    assert seen.abs().max() <= 1 + 1e-5
    seen.square().sum().backward()
    assert x.grad.abs().sum() > 0
