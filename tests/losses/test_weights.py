"""Hinge, drift, path length and orthogonality against closed forms; what makes lazy regularisers lazy in Adam."""

from __future__ import annotations

import math
from types import SimpleNamespace

import pytest
import torch
from torch import nn

from ganaug.losses.objectives import hinge
from ganaug.losses.penalties import drift
from ganaug.losses.weights import likeness_of_filters, orthogonal, path_length, path_lengths
from ganaug.networks.layers import RunningMean
from ganaug.recipes import make


def value(loss, round) -> float:
    (result,) = loss(round, 0.0).values()
    return result.item()


def test_hinge_asks_for_a_margin_of_one_on_either_side():
    r = SimpleNamespace(real_scores=torch.tensor([2.0, 0.5]), fake_scores=torch.tensor([-3.0, 0.25]))
    assert value(hinge.discriminator, r) == pytest.approx((0 + 0.5) / 2 + (0 + 1.25) / 2)
    assert value(hinge.generator, r) == pytest.approx(-(-3.0 + 0.25) / 2)


def test_drift_is_the_mean_square_of_real_scores():
    assert value(drift, SimpleNamespace(real_scores=torch.tensor([3.0, -1.0]))) == pytest.approx(5.0)


class Linear(nn.Module):
    """Images A w: the Jacobian is A everywhere."""

    def __init__(self, latent: int, side: int):
        super().__init__()
        self.side = side
        self.weight = nn.Parameter(torch.randn(side**2, latent))

    def styles(self, z, y):
        return z * self.weight.new_ones(z.shape[1]).requires_grad_()

    def synthesise(self, w):
        return (w @ self.weight.T).view(-1, 1, self.side, self.side)


def test_path_lengths_of_a_linear_generator():
    torch.manual_seed(0)
    net = Linear(5, 6)
    w = torch.randn(7, 5, requires_grad=True)
    lengths = path_lengths(net.synthesise(w), w, torch.Generator().manual_seed(3))
    noise = torch.randn(7, 1, 6, 6, generator=torch.Generator().manual_seed(3)).view(7, -1) / 6
    assert torch.allclose(lengths, (noise @ net.weight).norm(dim=1), atol=1e-5)
    # In the mean over noise, the square is ||A||² / (H W).
    w = torch.randn(20_000, 5, requires_grad=True)
    squares = path_lengths(net.synthesise(w), w, torch.Generator().manual_seed(0)).square().mean()
    assert squares.item() == pytest.approx(net.weight.square().sum().item() / 36, rel=0.02)


def test_the_path_term_is_the_variance_about_its_running_mean_and_can_be_lowered():
    torch.manual_seed(0)
    net, mean = Linear(5, 6), RunningMean(share=0.5)
    r = SimpleNamespace(
        nets={"generator": net, "path_mean": mean}, z=torch.randn(9, 5), y=torch.zeros(9, dtype=torch.long),
        rng=torch.Generator().manual_seed(4),
    )  # fmt: skip
    term = sum(path_length(r, 0.0).values())
    noise = torch.randn(5, 1, 6, 6, generator=torch.Generator().manual_seed(4)).view(5, -1) / 6
    lengths = (noise @ net.weight).norm(dim=1)  # half of the batch
    assert mean.value.item() == pytest.approx(lengths.mean().item() / 2, rel=1e-5)
    assert term.item() == pytest.approx((lengths - lengths.mean() / 2).square().mean().item(), rel=1e-4)
    term.backward()
    assert torch.sum(net.weight.grad * net.weight) > 0  # longer than the mean so far: the generator is to shrink


def test_orthogonal_filters_cost_nothing_whatever_their_length():
    rows = torch.linalg.qr(torch.randn(8, 8))[0][:5] * torch.arange(1.0, 6)[:, None]
    assert likeness_of_filters(rows.view(5, 2, 2, 2)).item() == pytest.approx(0, abs=1e-8)
    assert likeness_of_filters(torch.tensor([[1.0, 2.0], [3.0, 4.0]])).item() == pytest.approx(2 * 11.0**2)


def test_the_orthogonal_term_leaves_embeddings_and_biases_alone():
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.embedding, self.linear = nn.Embedding(3, 4), nn.Linear(2, 2)

    net = Net()
    nn.init.ones_(net.linear.weight)
    sum(orthogonal(SimpleNamespace(nets={"generator": net}), 0.0).values()).backward()
    assert value(orthogonal, SimpleNamespace(nets={"generator": net})) == pytest.approx(2 * 4)
    assert net.embedding.weight.grad is None
    assert net.linear.bias.grad is None


def test_the_schedules_of_r3gan_fall_along_a_cosine_and_stay():
    settings = {"gamma": 2.0, "last_gamma": 0.5, "lr": 4e-4, "last_lr": 1e-4, "burn_in": 0.5}
    discriminator, _ = make("r3gan", settings).players
    gammas = [next(t.weight for t in discriminator.loss.terms if t.name == "r1")(p) for p in (0, 0.25, 0.5, 1)]
    assert gammas == pytest.approx([2.0, 1.25, 0.5, 0.5])
    assert [discriminator.optimiser.lr(p) for p in (0, 0.25, 0.5, 1)] == pytest.approx([4e-4, 2.5e-4, 1e-4, 1e-4])
    assert math.isclose(make("r3gan", {"burn_in": 0.0}).players[0].optimiser.lr(0.0), 2e-4)
