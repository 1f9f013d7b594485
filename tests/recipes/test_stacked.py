"""What makes stackgan what it is: two stages in one generator, words for labels, and what its terms ask for."""

from __future__ import annotations

import math
from types import SimpleNamespace

import pytest
import torch
import torch.nn.functional as F

from ganaug.data.batches import Batch
from ganaug.game import StackedRound
from ganaug.losses import conditioning, matching
from ganaug.networks.stacked import Described, Discriminator, Generator

ROWS = torch.tensor([[1.0, 0, 1, 0], [0, 1, 1, 0], [1, 0, 0, 1], [0, 1, 0, 1]])  # two kinds of words, two of each


def rng(seed=0):
    return torch.Generator().manual_seed(seed)


def generator(size=(8, 8)):
    torch.manual_seed(0)
    return Generator((3, *size), ROWS, 16, width=8, widest=16)


@pytest.mark.parametrize("size", [(8, 8), (19, 19), (28, 28)])
def test_the_second_stage_paints_on_what_the_first_one_drew(size):
    net, z, y = generator(size), torch.randn(4, 16, generator=rng()), torch.arange(4)
    with torch.no_grad():
        small, whole = net.stages(z, y)
        assert small.shape == (4, 3, math.ceil(size[0] / 2), math.ceil(size[1] / 2))
        assert whole.shape == (4, 3, *size)
        assert torch.equal(net(z, y), whole)
        net.paint.weight.zero_()
        untouched = torch.tanh(F.interpolate(torch.atanh(small), scale_factor=2.0, mode="bilinear"))
        torch.testing.assert_close(net(z, y), untouched[:, :, : size[0], : size[1]])


def test_a_class_is_its_words_in_every_order_and_unseen_ones_are_made_of_them():
    torch.manual_seed(0)
    vectors = Described(ROWS, 5)
    with torch.no_grad():
        a, b, c, d = vectors(torch.arange(4))
        torch.testing.assert_close(a + d, b + c)  # red 0 + blue 1 = blue 0 + red 1
        torch.testing.assert_close(a, vectors.vectors.weight[:, [0, 2]].sum(1) / math.sqrt(2))


def test_words_become_a_random_vector_of_the_second_half_of_the_latent():
    net, y = generator(), torch.zeros(2, dtype=torch.int64)
    with torch.no_grad():
        mean, log_variance = net.moments(y)
        z = torch.randn(1, 16, generator=rng()).repeat(2, 1)
        z[1, 8:] += 1
        drawn = []
        net.first.forward = lambda noise, c: drawn.append((noise, c)) or torch.zeros(2, 3, 4, 4)
        net(z, y)
        (noise, c) = drawn[0]
    assert torch.equal(noise[0], noise[1])
    torch.testing.assert_close(c, mean + torch.exp(log_variance / 2) * z[:, 8:])
    round = SimpleNamespace(nets={"generator": net}, y=y)
    [value] = conditioning(round, 0.0).values()
    ours = torch.distributions.Normal(mean, torch.exp(log_variance / 2))
    expected = torch.distributions.kl_divergence(ours, torch.distributions.Normal(0.0, 1.0)).mean()
    torch.testing.assert_close(value, expected)


def test_the_other_class_is_never_the_same_and_shares_most_words_half_of_the_time():
    net = Discriminator((3, 8, 8), ROWS, width=8, widest=16)
    y = torch.arange(4).repeat(500)
    others = net.others(y, rng())
    assert (others != y).all()
    shared = (ROWS[y] * ROWS[others]).sum(1)
    # Two of three others share a word: 1/2 + 1/2 * 2/3.
    assert (shared == 1).float().mean().item() == pytest.approx(5 / 6, abs=0.03)
    alone = Discriminator((3, 8, 8), torch.eye(3), width=8, widest=16)
    found = alone.others(torch.zeros(600, dtype=torch.int64), rng())
    assert (found == 1).float().mean().item() == pytest.approx(0.5, abs=0.07)


def test_matching_prefers_the_right_words_and_the_discriminator_sees_both_sizes():
    nets = {"discriminator": Discriminator((3, 9, 9), ROWS, width=8, widest=16), "generator": generator((9, 9)),
            "eye": lambda x, rng: x}  # fmt: skip
    x, y = torch.rand(4, 3, 9, 9, generator=rng()) * 2 - 1, torch.arange(4)
    round = StackedRound(nets, Batch(x, y, x, y), torch.randn(4, 16, generator=rng()), rng())
    assert [part.shape[-1] for part in round.real_side] == [part.shape[-1] for part in round.fake_side] == [5, 9]
    assert torch.equal(round.real_side[0], F.avg_pool2d(x, 2, ceil_mode=True))
    nets["eye"] = lambda x, rng: x + torch.randn(x.shape, generator=rng)
    noise = StackedRound(nets, Batch(x, y, x, y), torch.randn(4, 16, generator=rng()), rng()).real_side[0]
    assert (noise - F.avg_pool2d(x, 2, ceil_mode=True)).std().item() == pytest.approx(1, abs=0.15), "as a fake one is"
    assert round.real_scores.shape == round.fake_scores.shape == (4, 1, 2)

    class Fits:
        """Scores 3 under the right words, else 1."""

        def __call__(self, *seen_and_y):
            return torch.where(seen_and_y[-1] == y, 3.0, 1.0)

        def others(self, y, rng):
            return (y + 1) % 4

    known = SimpleNamespace(nets={"discriminator": Fits()}, real_seen=(x,), real_scores=torch.full((4,), 3.0), y=y,
                            rng=rng())  # fmt: skip
    [value] = matching(known, 0.0).values()
    assert value.item() == pytest.approx(math.log1p(math.exp(-2)))
