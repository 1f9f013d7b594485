"""What the small layers promise, in closed form."""

from __future__ import annotations

import pytest
import torch

from ganaug.networks.changes import AFFINE, CHANGES
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
    allow = (*AFFINE, "flip-x") if flip else None
    x = torch.randn(400, 1, 8, 8)
    for p in (0.0, 0.3, 1.0):
        seen = AffineEye(p=p, allow=allow)(x, torch.Generator().manual_seed(0))
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
    flipped = AffineEye(allow=["flip-x"])(x, torch.Generator().manual_seed(0))
    share = (flipped[..., :4].mean((1, 2, 3)) < flipped[..., 12:].mean((1, 2, 3))).float().mean()
    assert 0.35 < share < 0.65


def test_an_eye_passes_gradients_and_stays_in_range():
    x = torch.rand(4, 3, 9, 9).mul(2).sub(1).requires_grad_()
    seen = AffineEye()(x, torch.Generator().manual_seed(0))
    assert seen.abs().max() <= 1 + 1e-5
    seen.square().sum().backward()
    assert x.grad.abs().sum() > 0


@pytest.mark.parametrize("name", CHANGES)
def test_an_eye_makes_the_allowed_change_and_no_other(name):
    """Each change has its law: what it keeps of an image."""
    x = torch.rand(64, 1, 12, 12)
    seen = AffineEye(p=1.0, allow=[name])(x, torch.Generator().manual_seed(0))
    assert not torch.equal(seen, x)
    columns, rows = x.mean((1, 2)), x.mean((1, 3))  # (N, W), (N, H)
    if name in ("flip-x", "flip-y"):
        axis = 3 if name == "flip-x" else 2
        same, mirrored = (seen == x).flatten(1).all(1), (seen == x.flip(axis)).flatten(1).all(1)
        assert (same | mirrored).all()
        assert same.any()
        assert mirrored.any()
    elif name == "shift-x":  # a picture of equal columns cannot be moved sideways
        rest = rows[:, None, :, None].expand_as(x)
        still = AffineEye(p=1.0, allow=[name])(rest, torch.Generator().manual_seed(0))
        assert torch.allclose(still, rest, atol=1e-5)
    elif name == "shift-y":
        rest = columns[:, None, None, :].expand_as(x)
        still = AffineEye(p=1.0, allow=[name])(rest, torch.Generator().manual_seed(0))
        assert torch.allclose(still, rest, atol=1e-5)
    elif name in ("turn", "scale"):  # the centre stays
        x = x[:, :, :11, :11]
        seen = AffineEye(p=1.0, allow=[name])(x, torch.Generator().manual_seed(0))
        assert torch.allclose(seen[..., 5, 5], x[..., 5, 5], atol=1e-5)
    elif name == "brightness":
        assert (seen - x).flatten(1).std(1).max() < 1e-6
        assert (seen - x).abs().max() <= 0.4
    elif name == "noise":
        spread = (seen - x).flatten(1).std(1)
        assert spread.max() < 0.3
        assert spread.min() < 0.05
        assert abs(float((seen - x).mean())) < 0.02
    else:
        changed = (seen != x).squeeze(1)
        whole = changed.any(1).sum(1) if name == "mask-x" else changed.any(2).sum(1)
        assert (changed.sum((1, 2)) == whole * 12).all()
        assert whole.max() == 3


def test_an_eye_to_which_nothing_is_allowed_is_open():
    x = torch.rand(5, 3, 9, 9)
    assert torch.equal(AffineEye(p=1.0, allow=[])(x, torch.Generator()), x)


def test_an_eye_makes_allowed_changes_with_gradients_and_equal_draws():
    x = torch.rand(4, 3, 9, 9, requires_grad=True)
    eye = AffineEye(p=0.7, allow=list(CHANGES))
    one, other = (eye(x, torch.Generator().manual_seed(3)) for _ in range(2))
    assert torch.equal(one, other)
    one.square().sum().backward()
    assert x.grad.abs().sum() > 0
